"""Whether the source is sorted by what comes out."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding


class Order(DataCheck):
    """A source sorted by class or value: harmless as long as training draws its batches by chance."""

    fault: ClassVar[str] = "examples sorted by class, and batches taken in that order"

    def look(self, border: Border) -> list[Finding]:
        """One line for each output that the source is sorted by; see `DataCheck.look`."""
        findings = []
        for name, field in border.outputs.items():
            values = np.asarray(border.dataset.arrays[name][:])
            if values.ndim > 1 or len(values) < 3 or not _sorted(values, bool(field.vocabulary)):
                continue
            told = f"the source is sorted by {files.printable(name)}"
            if border.shuffled:
                findings.append(Finding("order", "good", f"{told}; training draws its batches by chance"))
                continue
            told += ", and batches are taken in that order: each teaches one answer and forgets the last"
            findings.append(Finding("order", "note", told, "Shuffle the examples."))
        return findings

    def planted(self) -> Border:
        """Sorted, and not shuffled; see `DataCheck.planted`."""
        columns = plant.sound()
        order = np.argsort(columns["tree"], kind="stable")
        return plant.border({name: values[order] for name, values in columns.items()}, shuffled=False)


def _sorted(values: np.ndarray, classes: bool) -> bool:
    changes = values[1:] != values[:-1]
    if classes:  # each class in one stretch, in whatever order
        return 0 < int(changes.sum()) == len(np.unique(values)) - 1
    up = np.diff(values)
    return bool(changes.any()) and bool((up >= 0).all() or (up <= 0).all())
