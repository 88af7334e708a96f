"""Long texts cut into examples for a language model: what goes in, and beside it what comes one step later.

The pieces follow each other without a gap, so that a network that carries its state from one to the next reads all of a
text; only the very first character of a text is never asked for, and only its last one never goes in.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.data import ahead
from netwright.errors import DataError, SpecError
from netwright.files import printable
from netwright.readers.columns import Blobs, Cells, Found, Refusal
from netwright.readers.kinds.text import decoded
from netwright.spec import Spec
from netwright.spec_data import WindowSpec


def followed(spec: Spec) -> dict[str, str]:
    """Outputs that ask what comes next, and of which input."""
    return {name: out.of for name, out in spec.outputs.items() if out.of is not None and out.horizon is None}


def layout(spec: Spec) -> str | None:
    """The layout of the data: the spec's word; what is followed is plain text unless it is named as a table.

    Where the next steps are asked for, the data is rows in time.
    """
    path = Path(str(spec.data.path))
    if ahead.asked(spec) and path.exists():
        return spec.data.layout or "timed_tables"
    plain = followed(spec) and path.suffix.casefold() not in {".csv", ".tsv", ".tab", ".parquet"}
    return spec.data.layout or ("text_files" if plain and path.exists() else None)


def cut(found: Found, spec: Spec) -> Found:
    """The same texts as pieces of `data.window.past` characters, with a column of what follows for each such output.

    Tracks and series are cut by `ahead.cut`.

    Args:
        found: One text to a row, or one step.
        spec: Says what follows what.

    Raises:
        SpecError: The input is no column of texts.
        DataError: No text has two characters.
    """
    if ahead.asked(spec):
        return ahead.cut(found, spec)
    asked = followed(spec)
    if not asked:
        return found
    (of,) = set(asked.values())
    source = (spec.inputs[of].source if of in spec.inputs else None) or of
    column = found.column(source)
    if not isinstance(column, (Blobs, Cells)) or (isinstance(column, Cells) and not column.is_text):
        raise SpecError(f"inputs.{of}: what comes next is asked of texts, and this is none.", "Name a column of texts.")
    past = (spec.data.window or WindowSpec()).past
    ids: list[str] = []
    pieces: list[str] = []
    next_ones: list[str] = []
    refused = list(found.refused)
    for row, text in enumerate(_texts(column)):
        name = str(found.ids[row])
        if len(text) < 2:
            refused.append(Refusal(name, found.where(row), "refused", "the text has less than two characters."))
        for start in range(0, len(text) - 1, past):
            end = min(start + past, len(text) - 1)
            ids.append(f"{name} from {start:,}")
            pieces.append(text[start:end])
            next_ones.append(text[start + 1 : end + 1])
    if not pieces:
        raise DataError(f"{printable(found.origin)}: no text has two characters.", "Give a longer text.")
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


def _texts(column: Blobs | Cells) -> list[str]:
    """Every text whole, in one normal form, with one way of ending lines."""
    if isinstance(column, Cells):
        texts = [text or "" for text in column.values.to_pylist()]
    else:
        texts = [""] * len(column)
        for place, read in column.blobs(np.arange(len(column))):
            texts[place] = decoded(read())
    return [unicodedata.normalize("NFC", text.replace("\r\n", "\n")) for text in texts]
