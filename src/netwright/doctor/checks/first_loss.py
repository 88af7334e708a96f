"""The first loss against the loss of answering without looking."""

from __future__ import annotations

import math
from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.model_file import Model

TOO_HIGH = 3.0  # times
TOO_LOW = 1 / 3


class FirstLoss(StartCheck):
    """A fresh net knows nothing, so its first loss is about that of answering blindly.

    Answering blindly costs ln k with k classes (0.693 with two, 2.30 with ten), and about 1 for a number, which is
    measured in its own spread. Fresh weights add some noise; three times as much is too much, and a third is less
    than anybody can know without looking.
    """

    fault: ClassVar[str] = "first weights 30 times too large"

    def look(self, start: Start) -> list[Finding]:
        """One line for each output; see `StartCheck.look`."""
        return [_judged(name, loss, start.blind[name], start.fresh) for name, loss in start.losses.items()]

    def planted(self) -> Start:
        """Every weight 30 times as large; see `StartCheck.planted`."""

        def enlarge(model: Model) -> None:
            for weight in model.network.parameters():
                weight.mul_(30)

        return plant.start(harm=enlarge)


def _judged(name: str, loss: float, blind: float, fresh: bool) -> Finding:
    told = f"{name}: the first loss is {loss:.3g}, answering blindly costs {blind:.3g}"
    if not math.isfinite(loss):
        cure = "Look for wild values in the data (netwright data check), and make first weights smaller."
        return Finding("first loss", "bad", f"{told}: it is no number, so nothing can be learned", cure)
    if fresh and loss > TOO_HIGH * blind:
        cure = "First weights or inputs are too large: look at the scale of the inputs, or put fewer layers on top."
        return Finding("first loss", "note", f"{told}: the net begins far too sure of wrong answers", cure)
    if fresh and loss < TOO_LOW * blind:
        cure = "Look whether an input holds the answer (netwright data check)."
        return Finding("first loss", "note", f"{told}: a net that learned nothing yet cannot know so much", cure)
    return Finding("first loss", "good", f"{told}: as it should be" if fresh else told)
