"""Numbers as the network gets them: single values that squeeze all others together, and wrong units.

Inputs and outputs that are numbers are standardised by the mean and spread of the training part, so that a column as
such is never too large; one wild value, or a mean and spread kept from other data, still spoils it. Pictures are bytes
and cannot be out of range.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border, InputColumn
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.figures.marks import number
from netwright.words import listed

SQUEEZED = 0.02  # the middle half of a column spans this part of what it should
FAR = 10.0  # spreads
_FEWEST = 20
_MOST = 1_000  # values that decide about a column
_SHOWN = 3
_QUARTILES = 1.349  # distance of a normal distribution's quartiles, in spreads


class Outliers(DataCheck):
    """Columns in which a few values are so large that, standardised, all others are nearly equal."""

    fault: ClassVar[str] = "one girth of 1e9 among girths of about 90"

    def look(self, border: Border) -> list[Finding]:
        """The columns, each with its wildest value; see `DataCheck.look`."""
        found = [told for column, width, _ in _measured(border) if width < SQUEEZED and (told := _wild(border, column))]
        if not found:
            return [Finding("outliers", "good", "no value squeezes its column")] if border.columns else []
        shown = listed(found, _SHOWN, "; ")
        cure = "Correct that value if it is a slip; if it is real, give the column's logarithm instead."
        return [Finding("outliers", "note", files.printable(shown), cure)]

    def planted(self) -> Border:
        """A slip of the keyboard in one cell of the training part; see `DataCheck.planted`."""
        columns = plant.sound()
        at = int(plant.border(columns).dataset.parts["train"][100])
        girth = columns["girth"].copy()
        girth[at] = 1e9
        return plant.border({**columns, "girth": girth})


class Scale(DataCheck):
    """Columns whose standardised values are nowhere near mean 0 and spread 1: their mean and spread are of other data.

    That happens when a run starts from a trained model and the new data is in other units.
    """

    fault: ClassVar[str] = "heights in metres for a model that knows them in kilometres"

    def look(self, border: Border) -> list[Finding]:
        """The columns, with what they are and what was expected; see `DataCheck.look`."""
        found = []
        for column, width, middle in _measured(border):
            far = abs(middle) > FAR or width > FAR
            if far or (width < SQUEEZED and not _wild(border, column)):
                mean, std = column.field.mean[column.place], column.field.std[column.place]
                found.append(
                    f"{column.name} is about {column.said(float(np.median(column.values)))}, but the model reckons "
                    f"with {column.said(mean)} ± {number(std, 4)}"
                )
        if not found:
            return []
        shown = listed(found, _SHOWN, "; ")
        told = f"{shown}: such values drive units to their limits or leave them idle"
        cure = "Give the data in the units that the model was trained on, or train without --from."
        return [Finding("scale", "note", files.printable(told), cure)]

    def planted(self) -> Border:
        """The same data in other units than the field was fitted on; see `DataCheck.planted`."""
        sane = plant.border(plant.sound()).dataset
        other = sane.inputs["height"]
        small = other.model_copy(update={"mean": (other.mean[0] / 1000,), "std": (other.std[0] / 1000,)})
        return Border(replace(sane, inputs={**sane.inputs, "height": small}))


def _measured(border: Border) -> Iterator[tuple[InputColumn, float, float]]:
    """Every column of numbers with the width of its middle half (1 when normal) and its median, both standardised.

    Values equal to the median are left out of the width, and their distance from it counts as well: a column that is
    mostly 0, or that has only two values, is judged by the others.
    """
    for column in [*border.columns, *border.numbers_out]:
        if column.classes or not column.field.mean or len(column.values) < _FEWEST:
            continue
        values = column.standardised[:: max(1, len(column.values) // _MOST)]
        middle = float(np.median(values))
        rest = values[values != middle]
        if len(rest) >= _FEWEST:
            low, high = np.percentile(rest, [25, 75])
            width = max(float(high - low) / _QUARTILES, float(np.median(np.abs(rest - middle))))
            yield column, width, middle


def _wild(border: Border, column: InputColumn) -> str:
    """The value farthest from the rest in the whole training part, in words; nothing when none is far."""
    train = border.dataset.parts["train"]
    cells = border.dataset.arrays[column.field.name]
    values = np.asarray(cells[train]) if not column.field.shape else np.asarray(cells[train])[:, column.place]
    mean, std = column.field.mean[column.place], column.field.std[column.place]
    away = np.nan_to_num(np.abs(values - float(np.median(column.values))))  # a missing value is not far
    worst = int(away.argmax())
    if abs(values[worst] - mean) <= FAR * std:
        return ""
    low, high = np.percentile(column.values, [25, 75])
    return (
        f"{column.name} is {column.said(float(values[worst]))} in {border.named(train[worst])}, while half of all lie "
        f"between {column.said(float(low))} and {column.said(float(high))}: beside it they all look alike"
    )
