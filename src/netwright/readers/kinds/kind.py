"""What every kind can do: plan a field from a column, read its cells into an array, code them for the network.

Guarantees: `read` and `one` give the same bits for the same cell; `code` is elementwise, so it gives the same bits for
a row alone and among ten thousand, and depends on nothing but the field.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from netwright.field import Field, Reason
from netwright.readers.columns import Column, Found
from netwright.spec import InputSpec, OutputSpec

Cell = bytes | str | np.ndarray | np.generic | float | int | datetime.date | list[object] | None


class Kind(ABC):
    """One kind of cell, e.g. image or number.

    Attributes:
        name: As the spec writes it.
        settings: Which settings of an input besides kind and source it reads; others are refused.
        traceable: Whether `code` consists of operations of torch, so that it can be written with the network.
    """

    name: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()
    traceable: ClassVar[bool] = True

    @abstractmethod
    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """The field that this column becomes, and why each open setting was decided so.

        Raises:
            SpecError: The column cannot be read as this kind.
        """

    @abstractmethod
    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills `sink[k]` from cell `index[k]`; returns {k: reason} for cells that cannot be read.

        Args:
            column: The cells.
            field: What they become.
            index: Which cells, in which order.
            sink: Array of shape (len(index), *field.shape) and the field's dtype.
            progress: Told now and then how many cells are done in all.
        """

    @abstractmethod
    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """One cell, with the same result as `read`.

        Raises:
            CellError: It cannot be read.
        """

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """The field with the mean and spread of its training rows, where the kind has such.

        Args:
            values: Cached cells of the training part only.
            field: The planned field.
        """
        return field

    def following(self, field: Field, of: Field) -> Field:
        """What an output that goes on with an input takes over from it once that is fitted; here its vocabulary.

        Args:
            field: The planned output.
            of: The fitted input.
        """
        return field.model_copy(update={"vocabulary": of.vocabulary})

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """What fitting decided about an input, for a person to read.

        Args:
            values: Cached cells of all used examples.
            field: The fitted field.
        """
        return []

    def width(self, field: Field) -> int:
        """How many numbers one example of a fitted field becomes when it is coded."""
        return int(np.prod(field.shape, dtype=np.int64))

    def names(self, field: Field) -> list[str]:
        """What each coded number of a fitted field says, e.g. "age"; empty where they have no names."""
        return []

    @abstractmethod
    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """Cached cells of a batch as float32 input of the network; of sequences padded, of texts int64."""

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """`(batch, width)`: coded cells as rows of one length, for linear models and for looking at data.

        Args:
            coded: What `code` gave.
            field: The fitted field.
        """
        del field
        return coded.flatten(1)

    def uncode(self, coded: torch.Tensor, field: Field) -> np.ndarray | None:
        """The cell that one coded example stands for, as `preview` takes it; None for what is no quantity.

        Args:
            coded: What `code` made of one cell, perhaps changed since.
            field: The fitted field.
        """
        return None

    @abstractmethod
    def preview(self, value: np.ndarray | np.generic, field: Field) -> bytes | str:
        """One cached cell for the eye: PNG bytes of a picture, else text."""


def room(field: Field, count: int) -> np.ndarray:
    """Zeros for so many cells of a field, as `Kind.read` fills them; of sequences, objects.

    Args:
        field: What the cells become.
        count: How many there are.
    """
    return np.empty(count, dtype=object) if field.ragged else np.zeros((count, *field.shape), field.dtype)


def source_of(name: str, spec: InputSpec | OutputSpec) -> str | tuple[str, ...]:
    """The column or columns a field is read from: its own name unless the spec says `from`."""
    if spec.source is None:
        return name
    return spec.source if isinstance(spec.source, str) else tuple(spec.source)


def path_of(name: str, spec: InputSpec | OutputSpec) -> str:
    """Where a field stands in the spec, for reasons and errors."""
    return f"{'inputs' if isinstance(spec, InputSpec) else 'outputs'}.{name}"
