"""Input columns that say nothing, or the same thing twice."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border, InputColumn
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.words import listed

_SAME = 0.99999  # correlation; other units or a rounding of the sixth digit, and no more
_FEWEST = 20  # examples; among fewer, columns agree by chance
_SHOWN = 5


class ConstantInputs(DataCheck):
    """Named columns with one value in every training example; border pixels inside an array are no surprise."""

    fault: ClassVar[str] = "a column of nothing but 7"

    def look(self, border: Border) -> list[Finding]:
        """The constant columns with their value; see `DataCheck.look`."""
        named = [column for column in border.columns if column.named]
        constant = [column for column in named if len(column.values) > 1 and (column.values == column.values[0]).all()]
        if not constant:
            return [Finding("constant inputs", "good", _each(named))] if named else []
        shown = listed([f"{column.name} is always {_value(column)}" for column in constant], _SHOWN)
        told = f"{shown}: nothing can be learned from a column that never changes"
        cure = "Leave them out with --without, or look whether something went wrong when they were written."
        return [Finding("constant inputs", "note", files.printable(told), cure)]

    def planted(self) -> Border:
        """A column that never changes; see `DataCheck.planted`."""
        return plant.border({**plant.sound(), "rings": np.full(600, 7)})


class SameInputs(DataCheck):
    """Columns of numbers that are each other's copies up to unit and sign, and columns of classes up to their names."""

    fault: ClassVar[str] = "a height in metres beside the same height in feet"

    def look(self, border: Border) -> list[Finding]:
        """Pairs of columns that say the same; see `DataCheck.look`."""
        named = [column for column in border.columns if column.named]
        if len(named) < 2 or len(border.rows) < _FEWEST:
            return []
        pairs = [*_same_numbers([c for c in named if not c.classes]), *_same_classes([c for c in named if c.classes])]
        if not pairs:
            return [Finding("same inputs", "good", f"no two of {len(named):,} columns say the same")]
        shown = "; ".join(f"{one} and {other}" for one, other in pairs[:_SHOWN])
        more = f" and {len(pairs) - _SHOWN:,} more pairs" if len(pairs) > _SHOWN else ""
        told = f"{shown}{more} say the same thing twice: its weight counts double, and neither shows what it is worth"
        return [Finding("same inputs", "note", files.printable(told), "Leave one of each pair out with --without.")]

    def planted(self) -> Border:
        """One column in two units; see `DataCheck.planted`."""
        columns = plant.sound()
        return plant.border({**columns, "height_ft": np.round(columns["height"] * 3.28084, 2)})


def _value(column: InputColumn) -> str:
    value = column.values[0]
    if column.field.kind == "date":
        return column.said(float(value))
    return f'"{column.field.vocabulary[int(value)]}"' if column.classes else f"{float(value):.6g}"


def _same_numbers(columns: list[InputColumn]) -> list[tuple[str, str]]:
    kept = [column for column in columns if np.ptp(column.values) > 0]
    if len(kept) < 2:
        return []
    values = np.stack([column.values for column in kept], axis=1).astype(np.float64)
    values -= values.mean(axis=0)
    values /= np.maximum(np.abs(values).max(axis=0), 1e-300)  # before squaring: 1e200 is a number, too
    values /= np.linalg.norm(values, axis=0)
    alike = np.triu(np.abs(values.T @ values) > _SAME, k=1)
    return [(kept[i].name, kept[j].name) for i, j in np.argwhere(alike)]


def _same_classes(columns: list[InputColumn]) -> list[tuple[str, str]]:
    """Columns that part the examples into the same groups, whatever the groups are called."""
    first: dict[bytes, str] = {}
    pairs = []
    for column in columns:
        _, place, inverse = np.unique(column.values, return_index=True, return_inverse=True)
        if len(place) < 2:
            continue
        order = np.argsort(np.argsort(place))
        key = order[inverse].astype(np.int64).tobytes()
        if key in first:
            pairs.append((first[key], column.name))
        first.setdefault(key, column.name)
    return pairs


def _each(columns: list[InputColumn]) -> str:
    """That no column is constant."""
    return f"none of {len(columns):,} columns" if len(columns) > 1 else f"{columns[0].name} changes"
