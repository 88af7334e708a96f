"""Evidence at the data border: prepared data, and a bounded look at its training part.

Judgements that use targets see the training part only, so that nothing is learned from the parts that test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int, Num

from netwright.data.batches import coded_width
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.field import Field
from netwright.figures.marks import number
from netwright.seeds import numpy_generator

MOST_ROWS = 10_000  # training examples looked at
MOST_NUMBERS = 2_000_000  # rows times columns looked at
MOST_COLUMNS = 2_000
MOST_WIDTH = 1_024  # numbers of an example that `matrix` keeps; a large picture is thinned out


@dataclass(frozen=True, eq=False)
class InputColumn:
    """One column of numbers or classes.

    Args:
        name: As the user knows it; `x[3]` inside an array that names no columns.
        values: One per example looked at: numbers (of tags 0 and 1, the median for a missing one), or class codes.
        field: The field it belongs to.
        place: Place within a vector or among tags; 0 for others.
        named: The column has a name of its own in the user's data.
    """

    name: str
    values: Num[np.ndarray, " row"]
    field: Field
    place: int
    named: bool

    @property
    def classes(self) -> int:
        """How many classes it has; 0 for numbers."""
        return len(self.field.vocabulary) if self.field.kind == "category" else 0

    def said(self, value: float) -> str:
        """One of its numbers as a person writes it; a date as a date."""
        if self.field.kind == "date":
            return str(kind_of(self.field).preview(np.float64(value), self.field))
        return number(value, 4)

    @property
    def standardised(self) -> Float[np.ndarray, " row"]:
        """The numbers as the network gets them: with the mean and spread of the field taken out."""
        mean = self.field.mean[self.place] if self.field.mean else 0.0
        std = self.field.std[self.place] if self.field.std else 1.0
        return (self.values - mean) / (std or 1.0)


@dataclass(frozen=True, eq=False)
class Border:
    """What is known before training.

    Args:
        dataset: The prepared data.
        seed: The run's seed; decides which rows of large data are looked at.
        shuffled: Training draws its batches by chance.
    """

    dataset: Dataset
    seed: int = 0
    shuffled: bool = True

    @cached_property
    def rows(self) -> Int[np.ndarray, " row"]:
        """Ascending positions of the training examples looked at: all of them, or a seeded draw."""
        width = sum(_numbers(field) for field in self._plain())
        return self.some(min(MOST_ROWS, max(1_000, MOST_NUMBERS // max(1, width))))

    @cached_property
    def columns(self) -> list[InputColumn]:
        """Every input that is a number or a class, over `rows`; pictures and sequences have no columns."""
        return self._split(self._plain())

    @cached_property
    def outputs(self) -> dict[str, Field]:
        """What comes out once for each example; sequences are not judged so."""
        return {name: field for name, field in self.dataset.outputs.items() if not field.ragged}

    @cached_property
    def numbers_out(self) -> list[InputColumn]:
        """Every number that comes out, over `rows`."""
        return self._split([field for field in self.outputs.values() if not field.vocabulary])

    def counts(self, field: Field) -> Int[np.ndarray, " class"]:
        """How many used examples have each class of a category or of tags.

        Args:
            field: An input or output with classes.
        """
        values = np.asarray(self.dataset.arrays[field.name][:])
        if field.kind == "tags":
            return values.sum(axis=0, dtype=np.int64)
        sane = values[(values >= 0) & (values < len(field.vocabulary))]
        return np.bincount(sane, minlength=len(field.vocabulary))

    def some(self, most: int) -> Int[np.ndarray, " row"]:
        """At most so many training examples, drawn by chance with the run's seed, ascending."""
        train = self.dataset.parts["train"]
        if len(train) <= most:
            return train
        drawn = numpy_generator(self.seed, "doctor").choice(len(train), most, replace=False)
        return train[np.sort(drawn)]

    def targets(self, name: str, rows: Int[np.ndarray, " row"] | None = None) -> Num[np.ndarray, "row *shape"]:
        """What comes out, over `rows`.

        Args:
            name: Of the output.
            rows: Other positions.
        """
        return np.asarray(self.dataset.arrays[name][self.rows if rows is None else rows])

    def matrix(self, most_rows: int, most_numbers: int) -> tuple[Int[np.ndarray, " row"], Float[np.ndarray, "row dim"]]:
        """Training examples as flat rows of what the network gets, and their positions.

        Examples wider than `MOST_WIDTH` are thinned out: every n-th number is kept.

        Args:
            most_rows: Most examples.
            most_numbers: Most numbers to be read; wide examples are fewer.
        """
        fields = self.dataset.inputs.values()
        width = sum(coded_width(field) for field in fields)
        rows = self.some(max(1, min(most_rows, most_numbers // max(1, width))))
        step = -(-width // MOST_WIDTH)
        at_once = max(1, 8_000_000 // max(1, width))
        parts = [self._coded(rows[start : start + at_once])[:, ::step] for start in range(0, len(rows), at_once)]
        return rows, np.concatenate(parts).astype(np.float64)

    def named(self, position: int | np.integer) -> str:
        """The id of an example."""
        return str(self.dataset.ids[int(position)])

    def _plain(self) -> list[Field]:
        return [field for field in self.dataset.inputs.values() if field.kind != "image" and not field.ragged]

    def _coded(self, rows: np.ndarray) -> np.ndarray:
        arrays, inputs = self.dataset.arrays, self.dataset.inputs
        kinds = {name: kind_of(field) for name, field in inputs.items()}
        coded = [kinds[name].flat(kinds[name].code(arrays[name][rows], field), field) for name, field in inputs.items()]
        return torch.cat(coded, dim=1).numpy()

    def _split(self, fields: list[Field]) -> list[InputColumn]:
        found: list[InputColumn] = []
        for field in fields:
            values = np.asarray(self.dataset.arrays[field.name][self.rows])
            if "missing" in field.options and values.dtype.kind == "f":
                values = _without_gaps(values)
            if values.ndim == 1:
                found.append(InputColumn(field.name, values, field, 0, True))
                continue
            named = not isinstance(field.source, str) or field.kind == "tags"
            names = (
                kind_of(field).names(field)[: values.shape[1]]
                if named
                else [f"{field.name}[{place}]" for place in range(values.shape[1])]
            )
            room = max(0, MOST_COLUMNS - len(found))
            found += [
                InputColumn(str(name), np.ascontiguousarray(values[:, place]), field, place, named)
                for place, name in enumerate(names[:room])
            ]
        return found[:MOST_COLUMNS]


def _without_gaps(values: Float[np.ndarray, "row *place"]) -> Float[np.ndarray, "row *place"]:
    """The median of its column in place of a missing value: the mean would be moved by the outliers looked for."""
    gaps = np.isnan(values)
    present = np.where(gaps.all(axis=0), 0.0, values)
    return np.where(gaps, np.nanmedian(present, axis=0), values)


def _numbers(field: Field) -> int:
    return int(np.prod(field.shape, dtype=np.int64))
