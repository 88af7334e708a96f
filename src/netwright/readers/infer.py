"""What kind a column is, decided from the whole column and told with the reason."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.readers.columns import Arrays, Blobs, Cells, Column
from netwright.readers.numerals import Numbers, is_text, read_numbers

MOST_CLASSES = 1_000  # different texts above which a column is names or sentences rather than classes
FEW_CLASSES = 20  # different whole numbers up to which an output is classes rather than a quantity
_MOSTLY = 0.95  # share of cells that must be numbers for a column to be one
_PICTURE_NAME = r"(?i)\.(jpe?g|png|gif|bmp|webp|tiff?)$"


def infer(name: str, column: Column, role: Literal["input", "output"]) -> tuple[str, str]:
    """The kind of a column and the reason in words.

    Args:
        name: Name of the column, for the reason.
        column: Its cells.
        role: Whole numbers with few different values are a quantity as input, classes as output.

    Returns:
        Kind and reason, e.g. ("number", "price: number (every cell parses as a number, 812 distinct)"). The kind is
        "" for a column that can only be left out: free text, identifiers, or nothing at all.
    """
    kind, why = _kind(column, role)
    return kind, f"{name}: {kind or 'left out'} ({why})"


def _kind(column: Column, role: str) -> tuple[str, str]:
    if isinstance(column, Blobs):
        return "image", "picture files"
    if isinstance(column, Arrays) and column.values.ndim > 1:
        shape = " x ".join(map(str, column.values.shape[1:]))
        return (
            ("vector", f"{shape} numbers each") if column.values.ndim == 2 else ("image", f"arrays of {shape} pixels")
        )
    if not isinstance(column, (Cells, Arrays)):
        return "vector", "several columns"
    values = column.values if isinstance(column, Cells) else pa.chunked_array([pa.array(column.values)])
    kind = values.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "image", "cells hold the bytes of files"
    if values.null_count == len(values):
        return "", "no cell has a value"
    if pa.types.is_nested(kind):
        return "", f"cells of type {kind}"
    if pa.types.is_boolean(kind):
        return "category", "true or false"
    if is_text(kind) and isinstance(column, Cells) and column.root and _names_pictures(values):
        return "image", "cells name picture files"
    numbers = read_numbers(values)
    good = np.isfinite(numbers.values)
    present = len(values) - int(numbers.missing.sum())
    if present and good.sum() >= _MOSTLY * present and good.sum() * 2 >= len(values):
        return _number(values, numbers, good, role)
    return _text(values)


def _names_pictures(values: pa.ChunkedArray) -> bool:
    return bool(pc.all(pc.match_substring_regex(pc.fill_null(values.slice(0, 100), ""), _PICTURE_NAME)).as_py())


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
    style = f", {numbers.style.words}" if numbers.style.words else ""
    return "number", f"{share}{style}, {distinct:,} distinct"


def _text(values: pa.ChunkedArray) -> tuple[str, str]:
    distinct = int(pc.count_distinct(values).as_py())
    if distinct > MOST_CLASSES or (distinct > FEW_CLASSES and distinct * 2 > len(values)):
        return "", f"{distinct:,} different texts in {len(values):,} rows: an identifier or free text"
    return "category", f"{distinct:,} different texts"
