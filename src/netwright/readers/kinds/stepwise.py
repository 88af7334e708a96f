"""Sequences whose steps are cells of their own: read all together by the kind that reads one such cell.

A sequence comes as the rows of a group (`Steps`), as a list in a table's cell, or as a text with an answer or a row of
numbers for each step. One step that cannot be read puts its whole sequence aside, with the number of the step.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.errors import CellError, SpecError
from netwright.field import Field
from netwright.readers.columns import Arrays, Cells, Column, Several, Steps
from netwright.readers.encodings import decoded
from netwright.readers.kinds.kind import Cell, Kind
from netwright.readers.kinds.sequence import Sequence

LONGEST = 100_000  # steps
Flat = tuple[Cells | Several, np.ndarray]  # every step of every sequence, and where each sequence ends
_BETWEEN = re.compile(r"[\s,;]+")
_COMMAS, _SEMICOLONS = (re.compile(rf"\d\s*{mark}\s*[-+.]?\d") for mark in ",;")


class Stepwise(Sequence):
    """A kind whose steps are read by another kind."""

    @abstractmethod
    def inner(self, field: Field) -> tuple[Kind, Field]:
        """The kind of one step, and the field as that kind knows it."""

    @abstractmethod
    def flat_column(self, column: Column) -> Flat | None:
        """All steps of a column end to end; None where they can only be read cell by cell."""

    @abstractmethod
    def parted(self, raw: Cell, field: Field) -> Cells | Several:
        """The steps of one cell.

        Raises:
            CellError: It holds none.
        """

    def keep(
        self,
        column: Column,
        field: Field,
        index: np.ndarray,
        put: Callable[[int, np.ndarray], None],
        progress: Callable[[int], None],
    ) -> dict[int, str]:
        """Reads the steps of all cells at once where they lie end to end; see `Sequence.keep`."""
        flat = self.flat_column(column)
        if flat is None:
            return super().keep(column, field, index, put, progress)
        cells, ends = flat
        values, bad = self._read(cells, field)
        starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        wrong: dict[int, str] = {}
        for row in sorted(bad, reverse=True):  # so that the first one stays
            sequence = int(np.searchsorted(ends, row, side="right"))
            wrong[sequence] = f"step {row - int(starts[sequence]) + 1:,}: {bad[row]}"
        failed: dict[int, str] = {}
        for k, row in enumerate(index.tolist()):
            steps = values[starts[row] : ends[row]]
            if row in wrong or not len(steps):
                failed[k] = wrong.get(row, "holds no step.")
            put(k, steps[: int(field.options["longest"])] if k not in failed else steps[:0])
        progress(len(index))
        return failed

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """The steps of one cell.

        Raises:
            CellError: It holds none, or one that cannot be read.
        """
        cells = self.parted(raw, field)
        values, bad = self._read(cells, field)
        if bad:
            step = min(bad)
            raise CellError(f"step {step + 1:,}: {bad[step]}")
        if not len(values):
            raise CellError("holds no step.")
        return values[: int(field.options["longest"])]

    def _read(self, cells: Cells | Several, field: Field) -> tuple[np.ndarray, dict[int, str]]:
        """Every step, and of those that cannot be read the reason."""
        kind, alone = self.inner(field)
        sink = np.zeros((len(cells), *field.shape), dtype=field.dtype)
        return sink, kind.read(cells, alone, np.arange(len(cells)), sink, lambda done: None)


def steps_of(column: Column) -> Steps | None:
    """A column of one value for each step: rows of groups, lists, rows of an array, or texts such as `a b c`.

    Args:
        column: The cells.

    Returns:
        None for a column that holds something else.
    """
    if isinstance(column, Steps):
        return column
    if isinstance(column, Arrays) and column.values.ndim == 2:
        count, time = column.values.shape
        flat = Cells(pa.chunked_array([pa.array(np.ascontiguousarray(column.values).reshape(-1))]))
        return Steps(flat, np.arange(1, count + 1, dtype=np.int64) * time)
    if not isinstance(column, Cells):
        return None
    values = column.values
    if column.is_text:
        values = pa.chunked_array([pa.array([_listed(text) for text in values.to_pylist()], pa.list_(pa.string()))])
    kind = values.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or pa.types.is_nested(kind.value_type):
        return None
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
    flat = Cells(pa.chunked_array([pc.list_flatten(values).combine_chunks()]), decimal=column.decimal)
    return Steps(flat, np.cumsum(lengths, dtype=np.int64))


def refuse_single(ends: np.ndarray, path: str) -> None:
    """For sequences that are none.

    Args:
        ends: Where each of them ends.
        path: Of the field, for messages.

    Raises:
        SpecError: None has more than one step.
    """
    if len(ends) and ends[-1] <= len(ends):
        raise SpecError(
            f"{path}: no sequence has more than one step.",
            "data.group names the column that says which rows belong together, data.order the one that orders them.",
        )


def parsed(raw: Cell) -> list[object]:
    r"""The steps that a text or a file writes: JSON, else a line for each, else words; other cells as a list.

    Args:
        raw: The cell.

    Raises:
        CellError: No text, array or list, no JSON, or commas that may be decimal ones.

    Example:
        >>> parsed("[[1, 2], [3, 4]]"), parsed("1 2\n3 4"), parsed("walk sit")
        ([[1, 2], [3, 4]], [['1', '2'], ['3', '4']], ['walk', 'sit'])
    """
    in_file = isinstance(raw, bytes)
    if isinstance(raw, bytes):
        raw = decoded(raw)
    if isinstance(raw, np.ndarray):
        return raw.tolist() if raw.ndim else [raw.item()]
    if isinstance(raw, list):
        return raw
    if not isinstance(raw, str) or not raw.strip():
        raise CellError("the cell has no value, expected a sequence.")
    text = raw.strip()
    if text.startswith("["):
        try:
            return list(json.loads(text))
        except ValueError as exc:
            raise CellError(f"is no JSON list ({exc}).") from exc
    if _COMMAS.search(text) and _SEMICOLONS.search(text):
        raise CellError("separates numbers by , and by ;: write decimal points, and a line for each step, or JSON.")
    lines = [_BETWEEN.split(line.strip()) for line in text.splitlines() if line.strip()]
    return [*lines[0]] if len(lines) == 1 and not in_file else [*lines]


def _listed(text: str | None) -> list[str] | None:
    """The words of a text, or the values of its JSON list; None for a text that is neither."""
    try:
        found = parsed(text)
    except CellError:
        return None
    if any(isinstance(each, list) for each in found):
        found = [each[0] if isinstance(each, list) and len(each) == 1 else None for each in found]
    return [None if each is None else str(each) for each in found]  # type: ignore[misc]
