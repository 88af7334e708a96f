"""Series: one or several numbers over time, gone on with; what a track is to places.

What is cached is the numbers as they are, in float64; the network gets them standardised by the training part, and sees
each window at its own level (`models/ahead.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.columns import Column, Cut, Found
from netwright.readers.kinds.kind import Cell, source_of
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.kinds.track import read_as, rows_of
from netwright.spec import InputSpec, OutputSpec


class Series(Sequence):
    """Numbers step by step, cached as they are."""

    name: ClassVar[str] = "series"

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Windows of a table in time, or cells that each hold a series.

        Raises:
            SpecError: An output says nothing about what it goes on with.
        """
        del column
        cut = found.cut or Cut(("value",), 0)
        options: dict[str, str | int | float | bool] = {"columns": json.dumps(cut.columns), "season": cut.season}
        reasons = []
        if isinstance(spec, OutputSpec):
            if spec.of is None or spec.horizon is None:
                raise SpecError(
                    f"outputs.{name}: a series goes on with one that goes in.",
                    f"Write outputs: {{{name}: {{of: INPUT, horizon: 12}}}}",
                )
            options |= {"onward": spec.of, "horizon": spec.horizon}
        else:
            options |= {"past": cut.past, "divided": cut.divided}
            why = "by the distance of its dates" if cut.season else "its steps are no dates of a known distance"
            reasons.append(Reason(path=f"inputs.{name}: season", value=f"{cut.season} steps", why=why))
            known, told = read_as(cut)
            options, reasons = options | known, reasons + told
            if cut.as_rows:
                options["gaps"] = "ignore"
                reasons.append(Reason(path="data.window.gaps", value="ignore", why=cut.as_rows))
        field = Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(len(cut.columns),),
            dtype="float64",
            ragged=True,
            options=options,
        )
        return field, reasons

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """`(time, number)`: the numbers of each step.

        Raises:
            CellError: No series, no step, or a number that is none.
        """
        values = rows_of(raw, field.shape[0], "series")
        if not len(values):
            raise CellError("holds no step.")
        if not np.isfinite(values).all():
            raise CellError("holds a number that is none.")
        return values

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and spread of each number."""
        if not len(values):
            return field
        steps = np.concatenate(list(values))
        mean, std = steps.mean(axis=0), steps.std(axis=0)
        std = np.where(std > 1e-9 * np.maximum(1, np.abs(mean)), std, 1.0)
        return field.model_copy(update={"mean": tuple(mean.tolist()), "std": tuple(std.tolist())})

    def following(self, field: Field, of: Field) -> Field:
        """Mean and spread as of the input."""
        return field.model_copy(update={"mean": of.mean, "std": of.std})

    def width(self, field: Field) -> int:
        """Mean and spread of each number, and how many steps there are."""
        return 2 * self.dim(field) + 1

    def dim(self, field: Field) -> int:
        """One for each column."""
        return field.shape[0]

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """`(time, dim)`: numbers with mean 0 and spread 1."""
        mean, std = np.asarray(field.mean or (0.0,)), np.asarray(field.std or (1.0,))
        return lambda steps: ((steps - mean) / std).astype(np.float32)

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each number over time, and the logarithm of the steps."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How many steps there are, and the last of them."""
        del field
        steps = np.asarray(value)
        return f"{len(steps)} steps, the last {', '.join(f'{one:.6g}' for one in steps[-1])}"
