"""Vectors: several number columns, or an array with a row of numbers per example, read as one input."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.figures.marks import number
from netwright.readers import missing
from netwright.readers.columns import Arrays, Column, Found, Several
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.kinds.number import Number, fitted, one_number, standardised, style_of, unstandardised
from netwright.spec import InputSpec, OutputSpec

_BLOCK = 2**16  # rows copied at once


class Vector(Kind):
    """A fixed number of quantities per example."""

    name: ClassVar[str] = "vector"
    settings: ClassVar[tuple[str, ...]] = ("missing",)

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Plans every column as a number of its own.

        Raises:
            SpecError: The column is no array of numbers, or one of several columns holds none.
        """
        source = source_of(name, spec)
        if isinstance(column, Several):
            fields, reasons = [], []
            for part, of in zip(column.names, column.columns, strict=True):
                alone = spec.model_copy(update={"source": None, "kind": "number"})
                field, why = Number().plan(part, of, alone, found)
                fields.append(field)
                reasons += why
            options: dict[str, str | int | float | bool] = {
                key: "|".join(str(field.options[key]) for field in fields) for key in ("decimal", "thousands")
            }
            if any("unit" in field.options for field in fields):
                options["unit"] = "|".join(str(field.options.get("unit", "")) for field in fields)
            if any("missing" in field.options for field in fields):
                options["missing"] = missing.option([missing.fills(field) for field in fields])
            shape = (len(fields),)
            return Field(
                name=name, kind=self.name, source=source, shape=shape, dtype="float64", options=options
            ), reasons
        values = _array(column)
        if values is None:
            raise SpecError(
                f"{path_of(name, spec)}: kind vector needs several number columns or an array with a row per example.",
                f"List the columns: {name}: {{kind: vector, from: [a, b, c]}}.",
            )
        options = {"missing": missing.FILL} if missing.may_fill(spec) and _holds_nan(values) else {}
        return Field(
            name=name, kind=self.name, source=source, shape=(values.shape[1],), dtype="float64", options=options
        ), []

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink row by row of columns; a row with bad cells comes back with their columns' names."""
        failed: dict[int, str] = {}
        if isinstance(column, Several):
            for place, (part, of) in enumerate(zip(column.names, column.columns, strict=True)):
                style = style_of(field, place)
                alone = Field(
                    name=part,
                    kind="number",
                    source=part,
                    dtype="float64",
                    options={
                        "decimal": style.decimal,
                        "thousands": style.thousands,
                        "unit": style.unit,
                        "missing": missing.option([missing.fills(field, place)]),
                    },
                )
                bad = Number().read(of, alone, index, sink[:, place], lambda _: None)
                for k, reason in bad.items():
                    failed[k] = f"{failed.get(k, '')} {part}: {reason}".strip()
                progress(len(index) * (place + 1) // len(column.columns))
            return failed
        values = _array(column)
        if values is None:
            raise SpecError(f"{field.name}: the data no longer holds a vector.", "Give data of the same form.")
        for start in range(0, len(index), _BLOCK):
            rows = values[index[start : start + _BLOCK]].astype(np.float64)
            good = np.all(np.isfinite(rows) | (np.isnan(rows) & missing.fills(field)), axis=1)
            sink[start : start + _BLOCK] = np.where(good[:, None], rows, 0.0)
            failed.update({start + int(k): "holds NaN or infinity." for k in np.flatnonzero(~good)})
            progress(min(start + _BLOCK, len(index)))
        return failed

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """One vector, from an array or from its numbers separated by tabs.

        Raises:
            CellError: Of another length, or a cell that is no number.
        """
        if isinstance(raw, bytes):
            raw = raw.decode("utf-8", "replace")
        cells: list[Cell] = list(raw.split("\t")) if isinstance(raw, str) else list(np.ravel(np.asarray(raw)))
        if len(cells) != field.shape[0]:
            raise CellError(f"holds {len(cells)} numbers, expected {field.shape[0]}.")
        several = "|" in str(field.options.get("decimal", ""))
        styles = [style_of(field, place if several else 0) for place in range(len(cells))]
        numbers = [
            one_number(cell, style, fill=missing.fills(field, place))
            for place, (cell, style) in enumerate(zip(cells, styles, strict=True))
        ]
        return np.array(numbers, np.float64)

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and standard deviation of each column over the training rows."""
        return fitted(values, field)

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """Of which columns cells are empty, and what stands for them."""
        if "missing" not in field.options:
            return []
        filled = [f"the training mean {number(mean, 4)}" for mean in field.mean]
        return missing.reason(values, field, _columns(field), filled)

    def width(self, field: Field) -> int:
        """One for each column, and one more for each of which training cells were missing."""
        return field.shape[0] + len(missing.columns_told(field))

    def names(self, field: Field) -> list[str]:
        """The columns, and behind them those that may be missing."""
        names = _columns(field)
        return [*names, *(f"{names[place]} missing" for place in missing.columns_told(field))]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, d), each column standardised, and more where cells were missing; see `number.standardised`."""
        return standardised(torch.as_tensor(values), field)

    def uncode(self, coded: torch.Tensor, field: Field) -> np.ndarray:
        """The numbers in their own units; missing ones are means."""
        return unstandardised(coded[: field.shape[0]], field)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The first numbers."""
        told = ", ".join("missing" if np.isnan(one) else f"{one:.4g}" for one in np.asarray(value)[:8])
        return f"{told}, ... ({np.size(value)} numbers)" if np.size(value) > 8 else told


def _columns(field: Field) -> list[str]:
    """Names of the columns; those of an array are counted from 1."""
    if isinstance(field.source, str):
        return [f"{field.name} {place + 1}" for place in range(field.shape[0])]
    return list(field.source)


def _holds_nan(values: np.ndarray) -> bool:
    blocks = range(0, len(values), _BLOCK)
    return values.dtype.kind == "f" and any(bool(np.isnan(values[at : at + _BLOCK]).any()) for at in blocks)


def _array(column: Column) -> np.ndarray | None:
    if not isinstance(column, Arrays) or column.values.ndim != 2:
        return None
    return column.values if np.issubdtype(column.values.dtype, np.number) or column.values.dtype == bool else None
