"""A class at every step of a sequence: what an output of kind category is read as where it has `per`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.files import printable
from netwright.readers.columns import Cells, Column, Found, Several
from netwright.readers.kinds.category import Category
from netwright.readers.kinds.kind import Cell, Kind, path_of
from netwright.readers.kinds.stepwise import LONGEST, Flat, Stepwise, parsed, refuse_single, steps_of
from netwright.spec import InputSpec, OutputSpec
from netwright.words import listed

_SHOWN = 4


class Labels(Stepwise):
    """Classes, one for each step, cached as codes."""

    name: ClassVar[str] = "labels"

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Collects the classes of all steps.

        Raises:
            SpecError: It is to go in, or the column holds no classes.
        """
        steps = steps_of(column)
        if isinstance(spec, InputSpec) or steps is None:
            raise SpecError(
                f"{path_of(name, spec)}: kind labels is a class at every step, and goes out only.",
                "Name rows of groups (data.group), lists, or texts with a class for each step.",
            )
        refuse_single(steps.ends, path_of(name, spec))
        facts, reasons = Category().plan(name, steps.cells, spec, found)
        update = {"kind": self.name, "ragged": True, "options": {**facts.options, "longest": LONGEST}}
        return facts.model_copy(update=update), reasons

    def inner(self, field: Field) -> tuple[Kind, Field]:
        """Categories."""
        return Category(), field.model_copy(update={"kind": "category", "ragged": False})

    def flat_column(self, column: Column) -> Flat | None:
        """The classes of all steps."""
        steps = steps_of(column)
        return None if steps is None else (steps.cells, steps.ends)

    def parted(self, raw: Cell, field: Field) -> Cells | Several:
        """The classes of one cell; see `Stepwise.parted`."""
        del field
        found = parsed(raw)
        if any(isinstance(each, list) for each in found):
            raise CellError("holds lists within lists, expected a class for each step.")
        return Cells(pa.chunked_array([pa.array([None if each is None else str(each) for each in found], pa.string())]))

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """The codes."""
        del field
        return lambda values: values.astype(np.int64)

    def dim(self, field: Field) -> int:
        """A step is a class."""
        del field
        return 0

    def width(self, field: Field) -> int:
        """One for each class."""
        return len(field.vocabulary)

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """The share of the steps that has each class."""
        held = torch.nn.functional.one_hot(coded.clamp(min=0), len(field.vocabulary)) * (coded >= 0)[..., None]
        return held.sum(dim=1) / (coded >= 0).sum(dim=1, keepdim=True).clamp(min=1)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How many steps have each class, the most frequent first."""
        counts = np.bincount(np.asarray(value), minlength=len(field.vocabulary))
        shown = [place for place in np.argsort(-counts, kind="stable").tolist() if counts[place]]
        return listed([f"{printable(field.vocabulary[place])} {counts[place]:,}" for place in shown], _SHOWN)
