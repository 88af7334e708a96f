"""Long texts cut into examples for a language model: what goes in, and beside it what comes one step later.

The pieces follow each other without a gap, so that a network that carries its state from one to the next reads all of a
text; only the very first token of a text is never asked for, and only its last one never goes in. A text of words, or
of pieces of them, is cut between words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.data import ahead
from netwright.errors import DataError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.readers.columns import Blobs, Cells, Found, Refusal
from netwright.readers.encodings import decoded
from netwright.readers.kinds.text import joined, normal, units
from netwright.spec import InputSpec, Spec
from netwright.spec_data import WindowSpec

PAST = 64  # tokens of a piece, where nothing says so
_LETTERS = 12  # of a word on average, at most: writing without spaces has no short ones


def followed(spec: Spec) -> dict[str, str]:
    """Outputs that ask what comes next, and of which input."""
    return {name: out.of for name, out in spec.outputs.items() if out.of is not None and out.horizon is None}


def read_by(spec: Spec) -> dict[str, tuple[str, bool]]:
    """What each text is read as of which is asked what comes next, and whether capitals count as small letters."""
    wishes = {of: spec.inputs.get(of, InputSpec()) for of in followed(spec).values()}
    found = {of: (wish.tokens or "characters", wish.lower) for of, wish in wishes.items()}
    return {of: (tokens, tokens == "words" if lower is None else lower) for of, (tokens, lower) in found.items()}


def as_given(spec: Spec, given: Mapping[str, Field]) -> Spec:
    """The spec with its texts, or its rows in time, read as by a model to go on from.

    Args:
        spec: What the user said.
        given: Fields of that model.
    """
    if ahead.asked(spec):
        return ahead.as_given(spec, given)
    kinds = {of: {name: given[of].options[name] for name in ("tokens", "lower")} for of in read_by(spec) if of in given}
    inputs = {of: spec.inputs.get(of, InputSpec()).model_copy(update=kind) for of, kind in kinds.items()}
    return spec.model_copy(update={"inputs": {**spec.inputs, **inputs}}) if inputs else spec


def layout(spec: Spec) -> str | None:
    """The layout of the data: the spec's word; what is followed is plain text unless it is named as a table.

    Where the next steps are asked for, the data is rows in time.
    """
    path = Path(str(spec.data.path))
    if ahead.asked(spec) and path.exists():
        return spec.data.layout or "timed_tables"
    plain = followed(spec) and path.suffix.casefold() not in {".csv", ".tsv", ".tab", ".parquet"}
    return spec.data.layout or ("text_files" if plain and path.exists() else None)


def _past(spec: Spec) -> int:
    """Tokens of a piece.

    Raises:
        SpecError: Another setting of windows, which pieces of a text do not have.
    """
    window = spec.data.window or WindowSpec()
    others = {"least": window.least, "gaps": window.gaps, "stride": window.stride if window.stride > 1 else None}
    if unread := [name for name, value in others.items() if value is not None]:
        raise SpecError(
            f"data.window.{unread[0]} is for tracks and series; of a text pieces follow each other.", "Leave it out."
        )
    return window.past or PAST


def cut(found: Found, spec: Spec) -> Found:
    """The same texts as pieces of `data.window.past` characters or words, and for each such output what follows them.

    Where tokens are pieces of words, they are known only later: what follows a piece is it with the word behind it.

    Tracks and series are cut by `ahead.cut`.

    Args:
        found: One text to a row, or one step.
        spec: Says what follows what.

    Raises:
        SpecError: The input is no column of texts.
        DataError: No text has two characters or words.
    """
    if ahead.asked(spec):
        return ahead.cut(found, spec)
    asked = followed(spec)
    if not asked and spec.data.window is not None and not any(out.per for out in spec.outputs.values()):
        raise SpecError(
            "data.window: no output asks for what comes next, or for an answer at every step, so that nothing is cut.",
            "Leave it out, or say outputs.NAME.of, horizon or per.",
        )
    if not asked:
        return found
    (of,) = set(asked.values())
    source = (spec.inputs[of].source if of in spec.inputs else None) or of
    column = found.column(source)
    if not isinstance(column, (Blobs, Cells)) or (isinstance(column, Cells) and not column.is_text):
        raise SpecError(f"inputs.{of}: what comes next is asked of texts, and this is none.", "Name a column of texts.")
    past = _past(spec)
    tokens, lower = read_by(spec)[of]
    one, skipped = ("character", 1) if tokens == "characters" else ("word", int(tokens != "bpe"))
    ids: list[str] = []
    pieces: list[str] = []
    next_ones: list[str] = []
    refused = list(found.refused)
    for row, text in enumerate(_texts(column, lower=lower)):
        name, text = str(found.ids[row]), units(text, tokens, lines=True)
        if len(text) < 2:
            refused.append(Refusal(name, found.where(row), "refused", f"the text has less than two {one}s."))
        for start, end in _pieces(text, past, most=_LETTERS * past):
            ids.append(f"{name} from {start:,}")
            pieces.append(joined(text[start:end], tokens))
            next_ones.append(joined(text[start + skipped : end + 1], tokens))
    if not pieces:
        raise DataError(f"{printable(found.origin)}: no text has two {one}s.", "Give a longer text.")
    columns = {str(source): pieces, **dict.fromkeys(asked, next_ones)}
    return replace(
        found,
        ids=pa.array(ids, pa.string()),
        columns={name: Cells(pa.chunked_array([pa.array(values, pa.string())])) for name, values in columns.items()},
        official=None,
        refused=tuple(refused),
        lines=None,
        place="",
    )


def _pieces(text: Sequence[str], past: int, most: int) -> Iterator[tuple[int, int]]:
    """Where pieces of a text begin and end: so many parts, fewer where these have more letters than `most`."""
    if isinstance(text, str):
        yield from ((start, min(start + past, len(text) - 1)) for start in range(0, len(text) - 1, past))
        return
    ends, start = np.cumsum([len(part) for part in text]), 0
    while start < len(text) - 1:
        room = int(np.searchsorted(ends, most + (ends[start - 1] if start else 0), side="right"))
        end = min(start + past, max(room, start + 1), len(text) - 1)
        yield start, end
        start = end


def _texts(column: Blobs | Cells, *, lower: bool) -> list[str]:
    """Every text whole, in the form in which it is cut and read; some capitals are two small letters."""
    if isinstance(column, Cells):
        texts = [text or "" for text in column.values.to_pylist()]
    else:
        texts = [""] * len(column)
        for place, read in column.blobs(np.arange(len(column))):
            texts[place] = decoded(read())
    return [normal(text.lower() if lower else text) for text in texts]
