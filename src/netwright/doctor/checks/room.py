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
        for name, short in start.short.items():
            all_of_them, count = f"{counted(short.looked, 'text')} of {name}", len(short.steps)
            if not count:
                found.append(Finding("room", "good", f"each of {all_of_them} has room in its sequence"))
                continue
            told = (
                f"{count:,} of {all_of_them} {'needs' if count == 1 else 'need'} more steps than there are: "
                f"{listed(short.named, _SHOWN)}; nothing is learned from {'it' if count == 1 else 'them'}"
            )
            cure = "Leave fewer steps out (stride, pool), or see whether texts and sequences belong together."
            doubts = {
                place: f"{name} needs {counted(needs, 'step')} of its sequence, which has {there:,}"
                for place, (there, needs) in short.steps.items()
            }
            found.append(Finding("room", "bad" if 2 * count > short.looked else "note", told, cure, doubts))
        return found

    def planted(self) -> Start:
        """Sequences of twenty steps of which the layers leave four; see `StartCheck.planted`."""
        return plant.words("conv1d 8x5 stride 5, relu")
