"""Tags: any number of classes at once, cached as one 0 or 1 for each class.

A cell of text holds them apart by a separator that is found once over the whole column; a typed column holds lists of
texts. An empty cell has no tag; a cell without a value (null) is unknown, which is something else.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import missing
from netwright.readers.columns import Cells, Column, Found, is_text, twins
from netwright.readers.kinds.category import in_order
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.kinds.number import is_all
from netwright.readers.tagged import SEPARATORS, holds_lists, separator_of, words_of
from netwright.registry import nearest
from netwright.spec import InputSpec, OutputSpec

NO_TAG = "no tag"
_NO_VALUE = "the cell has no value, expected tags (an empty text for none)."


class Tags(Kind):
    """Several classes at once, or none."""

    name: ClassVar[str] = "tags"

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Finds the separator and collects the tags of the whole column.

        Raises:
            SpecError: The column holds no tag.
        """
        path, cells = path_of(name, spec), _cells(name, column)
        separator, why = separator_of(cells)
        rows, words = words_of(cells, separator)
        vocabulary = in_order(pc.unique(words).to_pylist())
        if not vocabulary:
            raise SpecError(f'{path}: no cell of column "{source_of(name, spec)}" holds a tag.', "Name another column.")
        if holds_lists(cells.type):
            separator = next((one for one in SEPARATORS if not any(one in word for word in vocabulary)), separator)
        gone = cells.null_count
        filled = missing.may_fill(spec) and gone > 0
        options: dict[str, str | int | float | bool] = {"separator": separator}
        if filled:
            options["missing"] = missing.FILL
        field = Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(len(vocabulary),),
            dtype="uint8",
            vocabulary=vocabulary,
            options=options,
        )
        reasons = [Reason(path=f"{path}.separator", value=separator, why=why)]
        alone = "they stay tags of their own; join them in the data"
        reasons += [Reason(path=path, value=twin, why=alone) for twin in twins(vocabulary)]
        empty = len(cells) - gone - len(np.unique(rows))
        if empty:
            reasons.append(Reason(path=path, value=f"{empty:,} cells without a tag", why="an empty cell has none"))
        if filled:
            value = f"{gone:,} of {len(cells):,} cells have no value"
            reasons.append(Reason(path=f"{path}.missing", value=value, why="read as no tag"))
        elif gone:
            reasons.append(Reason(path=path, value=f"{gone:,} rows set aside", why="their cell has no value (null)"))
        return field, reasons

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink with 0 and 1; a cell with a tag outside the vocabulary comes back with the nearest one."""
        cells = _cells(field.name, column)
        chosen = cells if is_all(index, len(cells)) else cells.take(pa.array(index))
        rows, words = words_of(chosen, str(field.options["separator"]))
        codes = pc.fill_null(pc.index_in(words, value_set=pa.array(field.vocabulary, pa.string())), -1).to_numpy()
        sink[:] = 0
        sink[rows[codes >= 0], codes[codes >= 0]] = 1
        progress(len(index))
        gone = chosen.is_null().to_numpy() & (not missing.fills(field))
        failed = {int(k): _NO_VALUE for k in np.flatnonzero(gone)}
        for place in np.flatnonzero(codes < 0):
            failed.setdefault(int(rows[place]), _unknown(str(words[int(place)]), field))
        sink[list(failed)] = 0
        return failed

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """The tags of one cell, from text or from an array of texts.

        Raises:
            CellError: One is not among the tags, or the cell has no value.
        """
        if isinstance(raw, bytes):
            raw = raw.decode("utf-8", "replace")
        if isinstance(raw, np.ndarray):
            column = pa.array([[str(word) for word in np.ravel(raw)]], pa.list_(pa.string()))
        else:
            column = pa.array([None if raw is None else str(raw)], pa.string())
        sink = np.zeros((1, *field.shape), field.dtype)
        failed = self.read(Cells(pa.chunked_array([column])), field, np.arange(1), sink, lambda _: None)
        if failed:
            raise CellError(failed[0])
        return sink[0]

    def names(self, field: Field) -> list[str]:
        """Each tag."""
        return [f"{field.name} has {label}" for label in field.vocabulary]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, classes): 1 for each tag, else 0."""
        return torch.as_tensor(values).to(torch.float32)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The tags, separated as in the data."""
        return joined(np.asarray(value, bool), field) or NO_TAG


def joined(chosen: np.ndarray, field: Field) -> str:
    """The chosen tags as one text, the way a cell holds them; empty for none.

    Args:
        chosen: (classes,) true for each tag.
        field: Its vocabulary and separator.
    """
    separator = str(field.options.get("separator", SEPARATORS[0]))
    return separator.join(field.vocabulary[int(place)] for place in np.flatnonzero(chosen))


def _cells(name: str, column: Column) -> pa.ChunkedArray:
    if not isinstance(column, Cells) or not (is_text(column.values.type) or holds_lists(column.values.type)):
        raise SpecError(
            f"{name}: kind tags needs a column of texts or of lists of texts.", "Name another column, or another kind."
        )
    return column.values


def _unknown(tag: str, field: Field) -> str:
    return f'tag "{tag}" is not among the {len(field.vocabulary)} known tags{nearest(tag, field.vocabulary)}.'
