"""How many examples are used, and which were set aside and why."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding


class Examples(DataCheck):
    """Counts what was found, used and left out; rows and columns of cells without a value are named."""

    fault: ClassVar[str] = "a NaN and an infinity in a column of numbers"

    def look(self, border: Border) -> list[Finding]:
        """One line of counts, and one for each reason to leave examples out; see `DataCheck.look`."""
        ledger = border.dataset.ledger
        counts = ledger.counts()
        findings = [Finding("examples", "good", f"{counts['used']:,} used of {counts['found']:,} found")]
        for group in ledger.reasons():
            more = ", ..." if group.rows > 3 else ""
            reason = group.reason.rstrip(".")
            told = f"{group.rows:,} {group.state}: {reason} ({', '.join(group.where[:3])}{more})"
            cure = "Repair them or take them out; ledger.parquet of a run lists every one."
            findings.append(Finding("left out", "note", told, cure))
        for reason in border.dataset.reasons:
            if reason.path.endswith(".missing"):
                told = f"{reason.path.removesuffix('.missing')}: {reason.value}, {reason.why}"
                findings.append(Finding("missing", "good", files.printable(told)))
        return findings

    def planted(self) -> Border:
        """Two cells that hold no number; see `DataCheck.planted`."""
        columns = plant.sound()
        height = columns["height"].copy()
        height[[16, 40]] = np.nan, np.inf
        return plant.border({**columns, "height": height})
