"""The first loss against the loss of answering without looking."""

from __future__ import annotations

import math
from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.model_file import Model

TOO_HIGH = 6.0  # times; fresh default nets on ten classes came up to 3 (docs/log.md)
TOO_LOW = 1 / 3
_NEAR = 1.5  # times; what may be called near


class FirstLoss(StartCheck):
    """A fresh net knows nothing, so its first loss is about that of answering blindly.

    Answering blindly costs ln k with k classes (0.693 with two, 2.30 with ten), and about 1 for a number, which is
    measured in its own spread. Fresh weights add some noise, which a squared loss squares: six times as much is too
    much for classes, 36 times for numbers, and a third is less than anybody can know without looking.
    """

    fault: ClassVar[str] = "first weights 30 times too large"

    def look(self, start: Start) -> list[Finding]:
        """One line for each output; see `StartCheck.look`."""
        return [_judged(name, start) for name in start.losses]

    def planted(self) -> Start:
        """Every weight 30 times as large; see `StartCheck.planted`."""

        def enlarge(model: Model) -> None:
            for weight in model.network.parameters():
                weight.mul_(30)

        return plant.start(harm=enlarge)


def _judged(name: str, start: Start) -> Finding:
    loss, blind, fresh = start.losses[name], start.blind[name], start.fresh
    most = TOO_HIGH if start.classes[name] else TOO_HIGH**2
    told = f"{name}: the first loss is {loss:.3g}, answering blindly costs {blind:.3g}"
    if not math.isfinite(loss):
        cure = "Look for wild values in the data (netwright data check), and make first weights smaller."
        return Finding("first loss", "bad", f"{told}: it is no number, so nothing can be learned", cure)
    if fresh and loss > most * blind:
        cure = "First weights or inputs are too large: look at the scale of the inputs, or put fewer layers on top."
        return Finding("first loss", "note", f"{told}: the net begins far too sure of wrong answers", cure)
    if fresh and loss < TOO_LOW * blind:
        cure = "Look whether an input holds the answer (netwright data check)."
        return Finding("first loss", "note", f"{told}: a net that learned nothing yet cannot know so much", cure)
    if not fresh:
        return Finding("first loss", "good", told)
    factor = f"{loss / blind:.2g} times that; up to {most:.0f} times is the noise of fresh weights"
    return Finding("first loss", "good", f"{told}: {'near that' if loss < _NEAR * blind else factor}")
