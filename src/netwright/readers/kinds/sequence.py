"""Kinds whose cells are sequences: every example has as many steps as it has."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Several
from netwright.readers.kinds.kind import Cell, Kind
from netwright.readers.numerals import read_numbers
from netwright.words import counted

_TOLD = 1000  # cells between two words about how far reading is


class Sequence(Kind):
    """A kind of steps in their order; `field.shape` and `field.dtype` are those of one step.

    Attributes:
        foresees: Why what the network gets of a step depends on later ones; nothing where it does not.
    """

    foresees: ClassVar[str] = ""

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Puts the steps of each cell into the object `sink[k]`; see `keep`."""
        return self.keep(column, field, index, sink.__setitem__, progress)

    def keep(
        self,
        column: Column,
        field: Field,
        index: np.ndarray,
        put: Callable[[int, np.ndarray], None],
        progress: Callable[[int], None],
    ) -> dict[int, str]:
        """Hands the steps of each cell on; one that cannot be read has none, and comes back with the reason.

        Args:
            column: The cells.
            field: What they become.
            index: Which cells, in which order.
            put: Called with the place k of cell `index[k]` and its steps.
            progress: Told now and then how many cells are done in all.

        Raises:
            SpecError: The column holds something else than when the field was planned.
        """
        failed: dict[int, str] = {}
        empty = np.zeros((0, *field.shape), dtype=field.dtype)
        for done, (k, cell) in enumerate(each_cell(self.cells(column), field.name, index), start=1):
            try:
                put(k, self.one(cell() if callable(cell) else cell, field))
            except CellError as error:
                put(k, empty)
                failed[k] = error.message
            if done % _TOLD == 0:
                progress(done)
        progress(len(index))
        return failed

    def cells(self, column: Column) -> Column:
        """What is read of a column: its cells as they are, or the files that they name."""
        return column

    def cut(self, values: np.ndarray, field: Field) -> int:
        """How many sequences have as many steps as are read, so that what stands behind, if anything does, is left out.

        Args:
            values: Cached cells.
            field: Its option `longest` says how many steps are read.
        """
        longest = int(field.options.get("longest", 0))
        return sum(len(values[place]) >= longest for place in range(len(values))) if longest else 0

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """How many sequences are read up to some step only."""
        cut = self.cut(values, field)
        if not cut:
            return []
        why = f"{cut:,} of {counted(len(values), 'sequence')} reach it; what stands behind is not read"
        return [Reason(path=f"inputs.{field.name}.longest", value=str(field.options["longest"]), why=why)]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """`(batch, time)` tokens or `(batch, time, dim)` numbers, padded as `readers/padding.py` says."""
        coded = self.coder(field)
        return padding.padded([coded(np.asarray(row)) for row in values], self.dim(field))

    @abstractmethod
    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """What makes of one cached cell what the network gets: `(time,)` codes of tokens or `(time, dim)` numbers."""

    @abstractmethod
    def dim(self, field: Field) -> int:
        """Numbers per step; 0 where a step is a token."""

    @abstractmethod
    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """`(batch, width)`: coded sequences as rows of one length, which leave out the order of steps.

        For linear models and for looking at data; `width` says how long.

        Args:
            coded: What `code` gave.
            field: The fitted field.
        """


def each_cell(column: Column, name: str, index: np.ndarray) -> Iterator[tuple[int, Cell | Callable[[], bytes]]]:
    """Each cell, or for files what reads it, with its place in the index.

    Args:
        column: The cells.
        name: Of the field, for messages.
        index: Which cells, in which order.

    Raises:
        SpecError: The column holds no sequences.
    """
    match column:
        case Blobs():
            for k, read in column.blobs(index):
                yield k, read
        case Cells():
            yield from enumerate(column.values.take(pa.array(index)).to_pylist())
        case Several():
            yield from enumerate(_rows(column)[index])
        case Arrays():
            for k, row in enumerate(index):
                yield k, np.asarray(column.values[row])
        case _:
            raise SpecError(f"{name}: the data no longer holds sequences.", "Give data of the same form.")


def _rows(column: Several) -> np.ndarray:
    """Several number columns as one array, a row for each example; NaN for what is no number."""
    found = [
        np.asarray(of.values, dtype=np.float64).reshape(len(of), -1)[:, 0]
        if isinstance(of, Arrays)
        else read_numbers(of.values, decimal=of.decimal, comma=of.comma).values
        for of in column.columns
        if isinstance(of, (Arrays, Cells))
    ]
    return np.column_stack(found)
