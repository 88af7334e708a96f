"""Numbers: one float64 per example, standardised by the mean and spread of the training part.

A missing number of an input is NaN in the cache; see `readers/missing.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.figures.marks import number
from netwright.readers import missing
from netwright.readers.columns import Arrays, Cells, Column, Found
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.marks import undecided
from netwright.readers.numerals import LARGEST, Numbers, Style, read_number, read_numbers, why
from netwright.spec import InputSpec, OutputSpec

_CHUNK = 2**20  # numbers summed at once, so that a memory-mapped column is never whole in memory
_FARTHEST = 1e12  # spreads from the mean; where a network's own sums in float32 are numbers still
_LEAST_SPREAD = 1e-12  # of the mean's size: below this a column is constant up to rounding


class Number(Kind):
    """A quantity; empty and NA cells have no value: the training mean stands for them in an input."""

    name: ClassVar[str] = "number"
    settings: ClassVar[tuple[str, ...]] = ("missing",)

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Finds how the column writes its numbers and whether they are whole.

        Raises:
            SpecError: Not one cell is a number, or they are dates.
        """
        cells = number_cells(name, column, spec)
        if pa.types.is_temporal(cells.type):
            raise SpecError(
                f'{path_of(name, spec)}: column "{source_of(name, spec)}" holds dates or times, not numbers.',
                "Say kind: date for an input, or make a number of it in the data, days since the first one, say.",
            )
        if isinstance(column, Cells) and (readings := undecided(column)):
            where = f'{path_of(name, spec)}: the numbers of column "{source_of(name, spec)}"'
            raise SpecError(
                f"{where} can be read two ways: {readings}.",
                "Say data.decimal: point or comma, e.g. --set data.decimal=comma.",
            )
        numbers = written(column, cells)
        good = numbers.values[np.isfinite(numbers.values)]
        if not len(good):
            raise SpecError(
                f'{path_of(name, spec)}: no cell of column "{source_of(name, spec)}" is a number, e.g. '
                f"{cells[0].as_py()!r}.",
                "Choose another column, or say kind: category.",
            )
        style = numbers.style
        integer = bool((good == np.rint(good)).all())
        options: dict[str, str | int | float | bool] = {
            "decimal": style.decimal,
            "thousands": style.thousands,
            "integer": integer,
        }
        if style.unit:
            options["unit"] = style.unit
        filled = missing.may_fill(spec) and bool(numbers.missing.any())
        if filled:
            options["missing"] = missing.FILL
        field = Field(
            name=name, kind=self.name, source=source_of(name, spec), shape=(), dtype="float64", options=options
        )
        reasons = []
        if numbers.words:
            reasons.append(Reason(path=path_of(name, spec), value=numbers.words, why="fits every number of the column"))
        lost = len(cells) - len(good) - (int(numbers.missing.sum()) if filled else 0)
        if lost:
            why = _lost(numbers, filled)
            reasons.append(Reason(path=path_of(name, spec), value=f"{lost:,} rows set aside", why=why))
        return field, reasons

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink with the numbers, NaN for a missing one that is filled; others come back with the reason."""
        cells = number_cells(field.name, column, None)
        chosen = cells if is_all(index, len(cells)) else cells.take(pa.array(index))
        numbers = read_numbers(chosen, style_of(field))
        kept = numbers.missing & missing.fills(field)
        bad = ~np.isfinite(numbers.values) & ~kept
        sink[:] = np.where(kept, np.nan, np.where(bad, 0.0, numbers.values))
        progress(len(index))
        return {int(k): why(chosen[int(k)].as_py(), style_of(field)) for k in np.flatnonzero(bad)}

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """One number, from text or as it is; NaN for a missing one that is filled.

        Raises:
            CellError: Empty or NA where nothing may be missing, infinite or no number.
        """
        return np.asarray(one_number(raw, style_of(field), fill=missing.fills(field)), np.float64)

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and standard deviation of the training rows; 1 in place of the deviation of a constant column."""
        return fitted(values.reshape(-1, 1), field)

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """How many cells are empty, and what stands for them."""
        if not missing.fills(field):
            return []
        filled = f"the training mean {number(field.mean[0], 4)}"
        return missing.reason(values.reshape(-1, 1), field, [field.name], [filled])

    def width(self, field: Field) -> int:
        """1, and 1 more that says "missing"."""
        return 1 + len(missing.columns_told(field))

    def names(self, field: Field) -> list[str]:
        """The field's own name, and that it is missing."""
        return [field.name, f"{field.name} missing"][: self.width(field)]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, 1 or 2), standardised in float64 before it is rounded to float32; see `standardised`."""
        return standardised(torch.as_tensor(values).reshape(-1, 1), field)

    def uncode(self, coded: torch.Tensor, field: Field) -> np.ndarray:
        """The number in its own unit; a missing one is the mean."""
        return unstandardised(coded[:1], field).reshape(())

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The number with at most six digits."""
        if np.isnan(value):
            return "missing"
        return f"{float(value):.0f}" if field.options.get("integer") else f"{float(value):.6g}"


def number_cells(name: str, column: Column, spec: InputSpec | OutputSpec | None) -> pa.ChunkedArray:
    """The cells of a column that can hold numbers."""
    if isinstance(column, Arrays) and column.values.ndim == 1:
        return pa.chunked_array([pa.array(column.values)])
    if not isinstance(column, Cells):
        where = path_of(name, spec) if spec else name
        raise SpecError(
            f"{where}: kind number needs a column of cells, found {type(column).__name__.lower()}.",
            "Say kind: image for pictures, kind: vector for several numbers.",
        )
    return column.values


def written(column: Column, cells: pa.ChunkedArray) -> Numbers:
    """The cells of a column as numbers, in the way that the column and its table show."""
    if isinstance(column, Cells):
        return read_numbers(cells, decimal=column.decimal, comma=column.comma)
    return read_numbers(cells)


def style_of(field: Field, place: int = 0) -> Style:
    """How a field's column (one of them, for a vector) writes its numbers."""
    decimals = str(field.options.get("decimal", ".")).split("|")
    thousands = str(field.options.get("thousands", "")).split("|")
    units = str(field.options.get("unit", "")).split("|")
    return Style(decimals[place], thousands[place], units[place] if place < len(units) else "")


def one_number(raw: Cell, style: Style, *, fill: bool = False) -> float:
    """One cell as a number.

    Args:
        raw: The cell.
        style: How its column writes numbers.
        fill: A cell without a value is NaN instead of an error.

    Raises:
        CellError: It is none.
    """
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    if isinstance(raw, np.ndarray) and raw.size == 1:
        raw = raw.reshape(()).item()
    if fill and missing.is_missing(raw):
        return float("nan")
    if isinstance(raw, str):
        return read_number(raw, style)
    value = np.asarray(np.nan if raw is None else raw, np.float64)
    if value.size != 1 or not (np.abs(value) <= LARGEST).all():
        raise CellError(why(raw, style))
    return float(value.reshape(()))


def is_all(index: np.ndarray, length: int) -> bool:
    """Whether an index takes every cell in order, so that nothing need be copied."""
    return len(index) == length and (length == 0 or (index[0] == 0 and bool((np.diff(index) == 1).all())))


def moments(values: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per column, in float64 and always summed in the same order.

    Args:
        values: (n, d); read in blocks, so it may be memory-mapped. NaN stands for a missing value and is passed over.
    """
    rows = max(1, _CHUNK // max(1, values.shape[1]))
    blocks = [slice(start, start + rows) for start in range(0, len(values), rows)]
    count = np.maximum(1, len(values) - _empty(values, blocks))
    mean = np.sum([np.nansum(values[block].astype(np.float64), axis=0) for block in blocks], axis=0) / count
    spread = [np.nansum((values[block].astype(np.float64) - mean) ** 2, axis=0) for block in blocks]
    std = np.sqrt(np.sum(spread, axis=0) / count)
    constant = std <= _LEAST_SPREAD * np.maximum(1.0, np.abs(mean))
    mean, std = np.broadcast_to(mean, values.shape[1:]), np.broadcast_to(np.where(constant, 1.0, std), values.shape[1:])
    return [float(value) for value in mean], [float(value) for value in std]


def _empty(values: np.ndarray, blocks: list[slice]) -> np.ndarray:
    return np.sum([np.isnan(values[block].astype(np.float64)).sum(axis=0) for block in blocks], axis=0)


def fitted(values: np.ndarray, field: Field) -> Field:
    """The field with mean, spread, limits and, where cells may be missing, how many are, of each column.

    Args:
        values: (n, d) cached cells of the training part.
        field: The planned field.
    """
    mean, std = moments(values)
    gone = tuple(np.isnan(values).sum(axis=0).tolist()) if "missing" in field.options else ()
    return field.model_copy(update={"mean": tuple(mean), "std": tuple(std), "limits": _limits(values), "missing": gone})


def _limits(values: np.ndarray) -> tuple[tuple[float, float], ...]:
    """The least and the largest value of each column; a column without any value has 0 and 0."""
    if not len(values):
        return ()
    ends = np.nan_to_num(np.stack([np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)], axis=1))
    return tuple((float(low), float(high)) for low, high in ends)


def standardised(values: torch.Tensor, field: Field) -> torch.Tensor:
    """(batch, d) minus the field's mean, over its spread; as it is where nothing was fitted.

    A missing value is coded 0, which is the mean; behind the values stands, for each column of which training cells
    were missing, 1 where the value is missing and 0 where it is there.
    """
    exact = values.to(torch.float64)
    if field.mean:
        mean = torch.tensor(field.mean, dtype=torch.float64, device=exact.device)
        exact = (exact - mean) / torch.tensor(field.std, dtype=torch.float64, device=exact.device)
        exact = exact.clamp(-_FARTHEST, _FARTHEST)
    if "missing" not in field.options:
        return exact.to(torch.float32)
    gone = torch.isnan(exact)
    filled = torch.where(gone, 0.0, exact)
    return torch.cat([filled, gone[:, missing.columns_told(field)]], dim=1).to(torch.float32)


def unstandardised(coded: torch.Tensor, field: Field) -> np.ndarray:
    """The values that coded ones stand for."""
    exact = coded.double().numpy()
    return exact * np.asarray(field.std) + np.asarray(field.mean) if field.mean else exact


def _lost(numbers: Numbers, filled: bool) -> str:
    gone, unreadable = int(numbers.missing.sum()), int(numbers.unreadable.sum())
    told = [f"{gone:,} cells have no value"] if gone and not filled else []
    told += [f"{unreadable:,} are no numbers"] if unreadable else []
    return ", ".join(told)
