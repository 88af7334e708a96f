"""Signal: some numbers at every step, e.g. the joints of a skeleton frame by frame, or what a sensor measures.

They come as rows of a group, as lists or arrays in a table's cells, or as text: JSON, or a line for each step. A number
that is missing stays apart from a step that is not there: it is coded as the mean of its column, and a column of its
own says so, as in a table; what lies behind the end of a sequence is padding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason, Scalar
from netwright.readers import missing, padding
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Found, Several, Steps
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.kinds.number import fitted, standardised
from netwright.readers.kinds.stepwise import LONGEST, Flat, Stepwise, parsed, refuse_single, steps_of
from netwright.readers.kinds.vector import Vector
from netwright.spec import InputSpec, OutputSpec
from netwright.words import counted

PER = "per"  # the option of what comes out at every step of an input: its name
_LOOKED_AT = 200  # cells


class Signal(Stepwise):
    """Numbers of several columns, step by step."""

    name: ClassVar[str] = "signal"
    settings: ClassVar[tuple[str, ...]] = ("missing", "longest", "augment")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Plans every column as the numbers of a table.

        Raises:
            SpecError: The column holds no signal, or one of several columns holds no numbers.
        """
        flat, path = self.flat_column(column), path_of(name, spec)
        if flat is not None:
            refuse_single(flat[1], path)
            parts = flat[0].columns if isinstance(flat[0], Several) else (flat[0],)
            names = column.names if isinstance(column, Several) else (str(source_of(name, spec)),)
            facts, reasons = Vector().plan(name, Several(names, parts), spec, found)
            shape, options = facts.shape, dict(facts.options)
            order = next((part.day_first for part in _parts(column) if isinstance(part, Steps)), None)
            options |= {} if order is None else {"day_first": order}
        else:
            shape, options = _looked_at(column, path, spec)
            reasons = []
        longest = spec.longest if isinstance(spec, InputSpec) and spec.longest else LONGEST
        return Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=shape,
            dtype="float64",
            ragged=True,
            options={**options, "longest": longest},
        ), reasons

    def inner(self, field: Field) -> tuple[Kind, Field]:
        """Vectors."""
        return Vector(), field.model_copy(update={"kind": "vector", "ragged": False})

    def flat_column(self, column: Column) -> Flat | None:
        """The numbers of all steps, a column for each number of a step; None for cells that hold rows of numbers."""
        parts = _parts(column)
        names = column.names if isinstance(column, Several) else ("",)
        if isinstance(column, Cells) and column.is_text:
            return None
        found = [steps_of(part) for part in parts]
        if not found or any(each is None for each in found):
            return None
        steps = [each for each in found if each is not None]
        if any(not np.array_equal(each.ends, steps[0].ends) for each in steps):
            return None
        return Several(names, tuple(each.cells for each in steps)), steps[0].ends

    def parted(self, raw: Cell, field: Field) -> Cells | Several:
        """The numbers of one cell; see `Stepwise.parted`."""
        rows = _matrix(raw)
        if rows and len(rows[0]) != field.shape[0]:
            raise CellError(f"has {counted(len(rows[0]), 'number')} at a step, expected {field.shape[0]}.")
        columns = [list(each) for each in zip(*rows, strict=True)] or [[]] * field.shape[0]
        return Several(tuple(map(str, range(len(columns)))), tuple(Cells(_column(each)) for each in columns))

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """The field with mean, spread and limits of each column over all steps of the training part."""
        steps = np.concatenate([np.asarray(row) for row in values]) if len(values) else np.zeros((1, *field.shape))
        return fitted(steps, field)

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """Of which columns numbers are missing, and how many sequences are cut."""
        reasons = super().decided(values, field)
        rows = [np.asarray(values[place]) for place in range(len(values))]
        if "missing" not in field.options or not rows:
            return reasons
        filled = [f"the training mean {mean:.4g}" for mean in field.mean]
        return reasons + missing.reason(np.concatenate(rows), field, self._columns(field), filled)

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """Standardises each column; what comes out stays in its own units."""
        if PER in field.options:
            return lambda values: values.astype(np.float32)
        return lambda values: standardised(torch.tensor(values), field).numpy()

    def dim(self, field: Field) -> int:
        """One number for each column, and one more for each of which training steps were missing."""
        return field.shape[0] + (0 if PER in field.options else len(missing.columns_told(field)))

    def width(self, field: Field) -> int:
        """Mean and spread of each number, and how long it is."""
        return 2 * self.dim(field) + 1

    def names(self, field: Field) -> list[str]:
        """The columns, and behind them those that may be missing."""
        names = self._columns(field)
        return [*names, *(f"{names[place]} missing" for place in missing.columns_told(field))]

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each number over time, and the logarithm of the steps."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How long it is."""
        steps = counted(len(np.asarray(value)), "step")
        return steps if field.shape == (1,) else f"{steps} of {counted(field.shape[0], 'number')}"

    def _columns(self, field: Field) -> list[str]:
        if isinstance(field.source, tuple):
            return list(field.source)
        return [field.name] if field.shape == (1,) else [f"{field.name} {place + 1}" for place in range(field.shape[0])]


def _parts(column: Column) -> tuple[Column, ...]:
    return column.columns if isinstance(column, Several) else (column,)


def _looked_at(column: Column, path: str, spec: InputSpec | OutputSpec) -> tuple[tuple[int], dict[str, Scalar]]:
    """How many numbers a step has, and whether some are missing, from some cells."""
    widths: list[int] = []
    gaps, why = False, ""
    for raw in _some(column):
        try:
            rows = _matrix(raw)
        except CellError as exc:
            why = why or f": one {exc.message.rstrip('.')}"
            continue
        widths += [len(rows[0])] if rows else []
        gaps = gaps or any(missing.is_missing(each) for row in rows for each in row)
    if not widths:
        raise SpecError(
            f"{path}: kind signal needs numbers at every step, and no cell holds such{why}.",
            "Name number columns of grouped rows (data.group), lists of numbers, or cells such as [[1, 2], [3, 4]].",
        )
    width = max(set(widths), key=widths.count)
    options: dict[str, Scalar] = {"decimal": "|".join(["."] * width), "thousands": "|" * (width - 1)}
    return (width,), options | ({"missing": missing.FILL} if gaps and missing.may_fill(spec) else {})


def _some(column: Column) -> list[Cell]:
    index = np.unique(np.linspace(0, max(len(column) - 1, 0), _LOOKED_AT).astype(np.int64))[: len(column)]
    match column:
        case Arrays():
            return [np.asarray(column.values[row]) for row in index]
        case Cells():
            return column.values.take(pa.array(index)).to_pylist()
        case Blobs():
            return list(column.heads(20))
        case Several() | Steps():  # lists of different length side by side
            return []


def _matrix(raw: Cell) -> list[list[object]]:
    """The numbers of a cell, a row for each step.

    Raises:
        CellError: It holds none, or steps of different length.
    """
    rows = [each if isinstance(each, list) else [each] for each in parsed(raw)]
    if isinstance(raw, bytes) and rows and not any(map(_numeric, rows[0])):
        rows = rows[1:]  # a file's header
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise CellError(f"has steps of {min(lengths)} to {max(lengths)} numbers, expected as many in each.")
    return rows


def _numeric(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def _column(cells: list[object]) -> pa.ChunkedArray:
    """One number of every step; as text where not all are numbers."""
    if all(isinstance(cell, int | float) or cell is None for cell in cells):
        return pa.chunked_array([pa.array(cells, pa.float64(), from_pandas=False)])
    return pa.chunked_array([pa.array([None if cell is None else str(cell) for cell in cells], pa.string())])
