"""What comes out can be learned at all."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from netwright import files
from netwright.data.fields import kind_of
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.field import ONE_CLASS, Field
from netwright.words import counted


class Targets(DataCheck):
    """Class codes lie in 0..k-1, and the training part holds more than one value of every output.

    A code out of range is an IndexError on the CPU, ends the process on a GPU, and gives NaN where a loss ignores it.
    """

    fault: ClassVar[str] = "a class code 99 among three classes"

    def look(self, border: Border) -> list[Finding]:
        """Nothing when all is well; see `DataCheck.look`."""
        findings = []
        for name, field in border.outputs.items():
            values = np.asarray(border.dataset.arrays[name][:])
            if field.kind in ONE_CLASS:
                findings += _out_of_range(border, field, values)
            findings += _all_equal(field, values[border.dataset.parts["train"]])
        return findings

    def planted(self) -> Border:
        """One label that is no class; see `DataCheck.planted`."""
        sane = plant.border(plant.sound())
        codes = np.array(sane.dataset.arrays["tree"])
        codes[4] = 99
        return Border(replace(sane.dataset, arrays={**sane.dataset.arrays, "tree": codes}))


def _out_of_range(border: Border, field: Field, codes: np.ndarray) -> list[Finding]:
    last = len(field.vocabulary) - 1
    wrong = np.flatnonzero((codes < 0) | (codes > last))
    if not len(wrong):
        return []
    shown = ", ".join(f"{border.named(at)} has {codes[at]}" for at in wrong[:3])
    told = (
        f"{field.name}: class codes outside 0 to {last} in {counted(len(wrong), 'example')}: {shown}; "
        "a loss would read beyond its classes and fail or give NaN"
    )
    return [Finding("targets", "bad", files.printable(told), f"Give each of them one of the {last + 1} classes.")]


def _all_equal(field: Field, values: np.ndarray) -> list[Finding]:
    if not len(values) or not (values == values[:1]).all():
        return []
    value = values[0]
    if field.kind == "tags":
        shown = f'tagged "{kind_of(field).preview(value, field)}"'
    else:
        shown = (
            f'of class "{field.vocabulary[int(value)]}"' if 0 <= int(np.max(value)) < len(field.vocabulary) else value
        )
    told = f"{field.name}: all {len(values):,} training examples are {shown}, so there is nothing to tell apart"
    cure = "Add examples with other values, or divide the data another way: --set data.split.by=random."
    return [Finding("targets", "bad", files.printable(told), cure)]
