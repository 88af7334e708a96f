"""What kind a column is, decided from the whole column and told with the reason."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.readers.columns import Blobs, Cells, Column, Several, Steps, is_text, names_files
from netwright.readers.dates import UNDECIDED, is_date, read_moments
from netwright.readers.marks import undecided
from netwright.readers.numerals import Numbers, read_numbers
from netwright.readers.sniff import HEAD_BYTES, INKS, SOUNDS, TEXTS, sniff
from netwright.readers.tagged import holds_lists, reads_as_tags
from netwright.readers.units import different
from netwright.words import counted

MOST_CLASSES = 1_000  # different texts above which a column is names or sentences rather than classes
FEW_CLASSES = 20  # different whole numbers up to which an output is classes rather than a quantity
FREE_TEXT = "an identifier or free text"
FILES = {"image": "picture files", "audio": "sound files", "ink": "files of pen ink", "text": "text files"}
NOTHING_THERE = ("every cell is empty", "no cell has a value")
_POINTS = (  # as JSON: points or strokes, or by name; or InkML
    r'(?i)^\s*(\[\s*\[\s*(\[\s*)?-?[\d.]+\s*,|(\[\s*)?\{\s*("\w+"\s*:[^"{}]*)*"x"\s*:[^"{}]*("\w+"\s*:[^"{}]*)*"y"\s*:'
    r"|(<\?xml[^>]*>\s*)?<ink\b)"
)
_SENTENCE = 8  # words that texts have on average to be read rather than left out; names and titles have fewer
_MOSTLY = 0.95  # share of cells that must be numbers for a column to be one


def infer(column: Column, role: Literal["input", "output"]) -> tuple[str, str]:
    """The kind of a column and the reason in words.

    Args:
        column: Its cells.
        role: Whole numbers with few different values are a quantity as input, classes as output.

    Returns:
        Kind and reason, e.g. ("number", "every cell parses as a number, 812 distinct"). The kind is "" for a column
        that can only be left out: free text, identifiers, or nothing at all.
    """
    if isinstance(column, Blobs):
        heads = {sniff(head[:HEAD_BYTES]) for head in column.heads(5, HEAD_BYTES)}
        held = {"audio": SOUNDS, "ink": INKS, "text": TEXTS}
        kind = next((kind for kind, files in held.items() if heads and heads <= files), "image")
        return kind, FILES[kind]
    if isinstance(column, Steps):
        kind, why = infer(column.cells, role)
        return ("signal", f"{why}, at every step") if kind == "number" else ("", f"no number at every step ({why})")
    if isinstance(column, Several):
        stepped = any(isinstance(part, Steps) or (isinstance(part, Cells) and lists(part)) for part in column.columns)
        return ("signal", "several columns, step by step") if stepped else ("vector", "several columns")
    if isinstance(column, Cells):
        return _by_type(column) or _by_values(column, role)
    if column.values.ndim == 1:
        return _by_values(Cells(pa.chunked_array([pa.array(column.values)])), role)
    shape = " x ".join(map(str, column.values.shape[1:]))
    return ("vector", f"{shape} numbers each") if column.values.ndim == 2 else ("image", f"arrays of {shape} pixels")


def _by_type(column: Cells) -> tuple[str, str] | None:
    """The kind where the type of the cells says it all."""
    kind = column.values.type
    rules = (
        (pa.types.is_binary(kind) or pa.types.is_large_binary(kind), ("image", "cells hold the bytes of files")),
        (column.values.null_count == len(column), ("", NOTHING_THERE[1])),
        (holds_lists(kind), ("tags", "cells are lists of texts")),
        (lists(column), ("signal", "cells are lists of numbers")),
        (pa.types.is_nested(kind), ("", f"cells of type {kind}")),
        (pa.types.is_boolean(kind), ("category", "true or false")),
        (is_date(kind), ("date", f"cells of type {kind}")),
        (pa.types.is_temporal(kind), ("", f"cells of type {kind}: give a number, seconds, say")),
    )
    for holds, answer in rules:
        if holds:
            return answer
    named = names_files(column.values) if is_text(kind) and column.root else ""
    return (named, f"cells name {FILES[named]}") if named else None


def _by_values(column: Cells, role: str) -> tuple[str, str]:
    values, numbers = column.values, read_numbers(column.values, decimal=column.decimal, comma=column.comma)
    good = np.isfinite(numbers.values)
    present = len(values) - int(numbers.missing.sum())
    if not present:
        return "", NOTHING_THERE[0] if _blank(values) else NOTHING_THERE[1]
    if good.sum() < _MOSTLY * present:
        return _dates(values, role) or _text(values, numbers, role)
    if role == "input" and present * 2 < len(values):  # most would be the mean of the few
        return "", f"numbers, but only in {present:,} of {len(values):,} cells; naming it as an input number keeps it"
    if readings := undecided(column):
        return "", f"numbers that can be read two ways: {readings}; data.decimal: point or comma decides"
    return _number(values, numbers, good, role)


def lists(column: Cells) -> bool:
    """Whether cells are lists of numbers, or of rows of numbers."""
    kind = column.values.type
    for _ in range(2):
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            kind = kind.value_type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind):
                return True
    return False


def _blank(values: pa.ChunkedArray) -> bool:
    return is_text(values.type) and not pc.any(pc.not_equal(pc.utf8_trim_whitespace(values), "")).as_py()


def _number(values: pa.ChunkedArray, numbers: Numbers, good: np.ndarray, role: str) -> tuple[str, str]:
    distinct = len(np.unique(numbers.values[good]))
    if is_text(values.type) and bool(pc.any(pc.match_substring_regex(values, r"^0\d+$")).as_py()):
        words = int(pc.count_distinct(values).as_py())
        if words > MOST_CLASSES:
            return "", f"leading zeros, {words:,} different: an identifier"
        return "category", "leading zeros"
    whole = bool((numbers.values[good] == np.rint(numbers.values[good])).all())
    if role == "output" and whole and distinct <= FEW_CLASSES and distinct * 5 <= max(len(values), 10):
        return "category", f"whole numbers, only {distinct} distinct"
    bad = int((~good).sum())
    share = "every cell parses as a number" if not bad else f"{good.sum():,} of {len(values):,} cells parse as a number"
    words = f", {numbers.words}" if numbers.words else ""
    return "number", f"{share}{words}, {distinct:,} distinct"


def _dates(values: pa.ChunkedArray, role: str) -> tuple[str, str] | None:
    """The kind of a column of texts that are dates; "" where nothing decides how to read them; None for other texts."""
    moments = read_moments(values)
    present = len(values) - int(moments.missing.sum())
    if moments.first == UNDECIDED:
        return "", f"dates that can be read two ways: {moments.readings}; day_first: true or false decides"
    good = int(np.isfinite(moments.values).sum())
    if not good or good < _MOSTLY * present:
        return None
    if role == "input" and present * 2 < len(values):
        return "", f"dates, but only in {present:,} of {len(values):,} cells; naming it as an input date keeps it"
    share = "every cell is a date" if good == len(values) else f"{good:,} of {len(values):,} cells are dates"
    return "date", f"{share}, the {moments.first} stands first"


def _text(values: pa.ChunkedArray, numbers: Numbers, role: str) -> tuple[str, str]:
    if role == "input" and is_text(values.type) and pc.all(pc.match_substring_regex(values, _POINTS)).as_py():
        return "ink", "every cell holds points"
    if is_text(values.type) and (why := reads_as_tags(values)):
        return "tags", why
    distinct = int(pc.count_distinct(values).as_py())
    several = different(values.filter(pa.array(~numbers.missing))) if is_text(values.type) else ""
    several = f", numbers with different units ({several}): give all in one to have a number" if several else ""
    if (
        role == "input"
        and is_text(values.type)
        and distinct * 2 > len(values)
        and (words := _words(values)) >= _SENTENCE
    ):
        return "text", f"{counted(distinct, 'different text')} of {words:.0f} words on average"
    if distinct > MOST_CLASSES or (distinct > FEW_CLASSES and distinct * 2 > len(values)):
        told = f"{counted(distinct, 'different text')} in {counted(len(values), 'row')}"
        return "", f"{told}{several or f': {FREE_TEXT}'}"
    return "category", f"{counted(distinct, 'different text')}{several}"


def _words(values: pa.ChunkedArray) -> float:
    """Words in a text, on average over some of them."""
    some = values.take(pa.array(np.unique(np.linspace(0, len(values) - 1, 1000).astype(np.int64)))).to_pylist()
    return float(np.mean([len((text or "").split()) for text in some]))
