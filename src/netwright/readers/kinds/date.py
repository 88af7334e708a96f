"""Dates, with or without a time of day: how far along, and where in the year, the week and the day.

The cache holds seconds since 1970-01-01 00:00. A date is coded as days since the training mean, standardised, and as
sine and cosine of its place in the year, in the week and in the day, so that December lies beside January; what is
constant in the training data is left out. A missing date is coded as the mean date at the centre of those circles.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import missing
from netwright.readers.columns import Cells, Column, Found, is_text
from netwright.readers.dates import DAY, UNDECIDED, Moments, is_date, read_moments, read_ordered, written
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.kinds.number import fitted, is_all
from netwright.spec import InputSpec, OutputSpec

CIRCLES = {"year": "place in the year", "week": "weekday", "day": "time of day"}
_SAME_YEAR = 1 / 365  # of a year: 1 March lies that far apart in a leap year and another
_SHOWN_CHARACTERS = 40


class Date(Kind):
    """A moment of the calendar; an input only."""

    name: ClassVar[str] = "date"
    settings: ClassVar[tuple[str, ...]] = ("missing", "day_first")
    traceable: ClassVar[bool] = False  # weekdays and places in the year are the calendar's

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Finds the order of day, month and year.

        Raises:
            SpecError: An output, no dates, or an order that nothing in the column decides.
        """
        path = path_of(name, spec)
        if not isinstance(spec, InputSpec):
            raise SpecError(
                f"{path}: a date cannot be an output.",
                "Make a number of it in the data, days since the first one, say, or name another output.",
            )
        moments = read_ordered(_cells(name, column), spec.day_first)
        _require_dates(path, source_of(name, spec), moments)
        filled = missing.may_fill(spec) and bool(moments.missing.any())
        options: dict[str, str | int | float | bool] = {"first": moments.first}
        reasons = []
        if filled:
            options["missing"] = missing.FILL
        if moments.first != "year":
            why = "given" if spec.day_first is not None else "the other order fits fewer cells"
            reasons.append(Reason(path=f"{path}.day_first", value=str(moments.first == "day").lower(), why=why))
        gone, odd = 0 if filled else int(moments.missing.sum()), int(moments.unreadable.sum())
        if gone + odd:
            told = [f"{gone:,} cells have no value"] * (gone > 0) + [f"{odd:,} are no dates"] * (odd > 0)
            reasons.append(Reason(path=path, value=f"{gone + odd:,} rows set aside", why=", ".join(told)))
        source = source_of(name, spec)
        return Field(name=name, kind=self.name, source=source, dtype="float64", options=options), reasons

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink with seconds, NaN for a missing date that is filled; others come back with the reason."""
        cells = _cells(field.name, column)
        chosen = cells if is_all(index, len(cells)) else cells.take(pa.array(index))
        moments = read_moments(chosen, str(field.options["first"]))
        bad = moments.unreadable | (moments.missing & (not missing.fills(field)))
        sink[:] = np.where(bad, 0.0, moments.values)
        progress(len(index))
        return {int(k): _why(chosen[int(k)].as_py(), field) for k in np.flatnonzero(bad)}

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """One date, from text or as Python and numpy have it; NaN for a missing one that is filled.

        Raises:
            CellError: Empty or NA where nothing may be missing, or no date.
        """
        text, first = _text(raw), str(field.options["first"]) if isinstance(raw, str | bytes) else "year"
        moments = read_moments(pa.chunked_array([pa.array([text], pa.string())]), first)
        if moments.unreadable[0] or (moments.missing[0] and not missing.fills(field)):
            raise CellError(_why(raw, field))
        return np.asarray(moments.values[0], np.float64)

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and spread of the training dates, and which circles they move on."""
        present = values[np.isfinite(values)]
        parts = tuple(part for part in CIRCLES if len(present) and _moves(part, present))
        return fitted(values.reshape(-1, 1), field).model_copy(update={"parts": parts})

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """Which parts are coded and which are left out; how many cells are empty."""
        kept = [words for part, words in CIRCLES.items() if part in field.parts]
        constant = [words for part, words in CIRCLES.items() if part not in field.parts]
        why = "days since the training mean, standardised"
        why += "; sine and cosine of the others" if kept else ""
        why += f"; left out, for training has one only: {', '.join(constant)}" if constant else ""
        reasons = [Reason(path=f"inputs.{field.name}.parts", value=", ".join(["days", *kept]), why=why)]
        mean = written(float(np.floor(field.mean[0] / DAY)) * DAY)
        return reasons + missing.reason(values.reshape(-1, 1), field, [field.name], [f"the mean training date {mean}"])

    def width(self, field: Field) -> int:
        """1 for the days, 2 for each circle, and 1 more that says "missing"."""
        return 1 + 2 * len(field.parts) + len(missing.columns_told(field))

    def names(self, field: Field) -> list[str]:
        """The days, sines and cosines, and that the date is missing."""
        circles = [f"{field.name} {which} {part}" for part in field.parts for which in ("sin", "cos")]
        return [field.name, *circles, f"{field.name} missing"][: self.width(field)]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, `width`), computed in float64 before it is rounded to float32."""
        seconds = torch.as_tensor(values).numpy(force=True).astype(np.float64).reshape(-1)
        gone = np.isnan(seconds)
        mean, std = (*field.mean, 0.0)[0], (*field.std, 1.0)[0]
        moment = np.where(gone, mean, seconds)
        columns = [(moment - mean) / std]
        for part in CIRCLES:
            if part in field.parts:
                angle = 2 * np.pi * _place(part, moment)
                columns += [np.where(gone, 0.0, turned) for turned in (np.sin(angle), np.cos(angle))]
        columns += [gone.astype(np.float64)] * len(missing.columns_told(field))
        coded = torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))
        return coded.to(values.device) if isinstance(values, torch.Tensor) else coded

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The date in ISO 8601, with the time where there is one."""
        return "missing" if np.isnan(value) else written(float(value))


def _cells(name: str, column: Column) -> pa.ChunkedArray:
    if not isinstance(column, Cells) or not (is_text(column.values.type) or is_date(column.values.type)):
        raise SpecError(f"{name}: kind date needs a column of texts or dates.", "Name another column, or another kind.")
    return column.values


def _text(raw: Cell) -> str | None:
    """One cell as text; what Python and numpy hold as a date is written with the year first."""
    if isinstance(raw, bytes):
        return raw.decode("utf-8", "replace")
    if isinstance(raw, np.ndarray) and raw.size == 1:
        raw = raw.reshape(())[()]
    text = raw.isoformat() if isinstance(raw, datetime.date) else str(raw)
    return None if missing.is_missing(raw) or text == "NaT" else text


def _require_dates(path: str, source: str | tuple[str, ...], moments: Moments) -> None:
    if moments.first == UNDECIDED:
        raise SpecError(
            f'{path}: the dates of column "{source}" can be read two ways: {moments.readings}.',
            f"Say {path}.day_first: true or false, or write them as 2026-04-03 in the data.",
        )
    if not np.isfinite(moments.values).any():
        raise SpecError(
            f'{path}: no cell of column "{source}" is a date.',
            "Write dates as 2026-01-31 or 31/01/2026, times behind them as 10:00 or 10:00:00.",
        )


def _place(part: str, seconds: np.ndarray) -> np.ndarray:
    """Where moments stand in their year, week or day, from 0 to 1."""
    days = np.floor(seconds / DAY)
    if part == "day":
        return (seconds - days * DAY) / DAY
    if part == "week":
        return (days + 3) % 7 / 7  # 1970-01-01 was a Thursday; Monday is 0
    year = days.astype(np.int64).astype("datetime64[D]").astype("datetime64[Y]")
    start, end = (of.astype("datetime64[D]").astype(np.int64) for of in (year, year + 1))
    return (seconds / DAY - start) / (end - start)


def _moves(part: str, seconds: np.ndarray) -> bool:
    """Whether the places differ; months written as their first days say nothing about weekdays."""
    place = _place(part, seconds)
    if part == "week":
        days = np.floor(seconds / DAY).astype(np.int64).astype("datetime64[D]")
        if (days == days.astype("datetime64[M]").astype("datetime64[D]")).all():
            return False
    return bool(np.ptp(place) > (_SAME_YEAR if part == "year" else 0))


def _why(cell: object, field: Field) -> str:
    """Why a cell is no date, in words."""
    if missing.is_missing(cell):
        return f'the cell says "{cell}" (no value), expected a date.' if cell else "the cell is empty, expected a date."
    seen = str(cell)
    seen = seen[:_SHOWN_CHARACTERS] + ("..." if len(seen) > _SHOWN_CHARACTERS else "")
    order = {"day": " day first", "month": " month first"}.get(str(field.options["first"]), " such as 2026-01-31")
    return f'"{seen}" is not a date{order}.'
