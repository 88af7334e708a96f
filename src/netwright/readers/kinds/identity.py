"""Identities: whose picture (or row) it is. Cells are read as those of a category; what is made of them differs.

A category asks which of the known classes an example is of; an identity asks which examples belong together, so that
it also answers for people, places or things that training never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.readers.columns import Column, Found
from netwright.readers.kinds.category import Category
from netwright.readers.kinds.kind import Cell, Kind, path_of
from netwright.spec import InputSpec, OutputSpec


class Identity(Kind):
    """Who or what an example shows, cached as its place in the sorted vocabulary; an output only."""

    name: ClassVar[str] = "identity"

    def __init__(self) -> None:
        self._cells = Category()

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Collects the identities of the whole column.

        Raises:
            SpecError: An input, or the column holds no names.
        """
        if isinstance(spec, InputSpec):
            raise SpecError(
                f"{path_of(name, spec)}: an identity comes out and does not go in.",
                f"Write {name}:category, or name it with --out.",
            )
        field, reasons = self._cells.plan(name, column, spec, found)
        return field.model_copy(update={"kind": self.name}), reasons

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink with codes; an identity outside the vocabulary comes back with the nearest one named."""
        return self._cells.read(column, field, index, sink, progress)

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """The code of one identity.

        Raises:
            CellError: Not among the identities; names the nearest.
        """
        return self._cells.one(raw, field)

    def width(self, field: Field) -> int:
        """One for each identity."""
        return self._cells.width(field)

    def names(self, field: Field) -> list[str]:
        """Each identity."""
        return self._cells.names(field)

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, identities): 1 in the place of the identity, else 0."""
        return self._cells.code(values, field)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The name of the identity."""
        return self._cells.preview(value, field)
