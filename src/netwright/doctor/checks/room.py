"""Texts that have no room in the sequence that they are read off: nothing can be learned from them."""

from __future__ import annotations

from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.words import counted, listed

_SHOWN = 4


class Room(StartCheck):
    """A text read off by CTC needs a step for each token, and one more between two that are the same.

    Source: Graves et al. 2006, Connectionist Temporal Classification, section 3.1.
    """

    fault: ClassVar[str] = "texts longer than what they are read off"

    def look(self, start: Start) -> list[Finding]:
        """How many there are and which; nothing where no text is read off; see `StartCheck.look`."""
        found = []
        for name, texts in start.too_long.items():
            if not texts:
                told = f"each of {counted(start.examples, 'text')} of {name} looked at has room in its sequence"
                found.append(Finding("room", "good", told))
                continue
            many = f"{len(texts)} of {counted(start.examples, 'text')} of {name} looked at"
            told = f"{many} need more steps than there are: {listed(texts, _SHOWN)}; nothing is learned from them"
            cure = "Leave fewer steps out (stride, pool), or see whether texts and sequences belong together."
            found.append(Finding("room", "bad" if 2 * len(texts) > start.examples else "note", told, cure))
        return found

    def planted(self) -> Start:
        """Sequences of twenty steps of which the layers leave four; see `StartCheck.planted`."""
        return plant.words("conv1d 8x5 stride 5, relu")
