"""What comes later changes no answer of before: the promise of a causal model, tried on real examples."""

from __future__ import annotations

from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import BROKEN, StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.model_file import Model
from netwright.models.recurrent import Conv1d
from netwright.words import counted

TOLERANCE = 1e-6  # rounding; the same numbers in the same places give the same bits on one machine


class Future(StartCheck):
    """The future of real training examples is changed at some steps, and every layer's values before are compared.

    Layers say of themselves whether they look ahead, and a causal model refuses those that do; this is the proof that
    what they say is so, for parts of one's own as well.
    """

    fault: ClassVar[str] = "a causal convolution that sees two steps ahead"

    def look(self, start: Start) -> list[Finding]:
        """The first layer that looks ahead; nothing for a model that may; see `StartCheck.look`."""
        if start.later is None:
            return []
        seen = {name: change for name, change in start.later.changes.items() if not change <= TOLERANCE}
        cuts = f"{counted(start.later.cuts, 'change')} of what comes later"
        if not seen:
            most = max(start.later.changes.values(), default=0.0)
            return [Finding(BROKEN, "good", f"{cuts} left every answer of before as it was, to within {most:.1g}")]
        name, change = next(iter(seen.items()))
        told = f"{name} looks ahead: {cuts} moved what it gave before by up to {change:.2g}, and the model is causal"
        return [Finding(BROKEN, "bad", told, "Take this layer out, or say model.causal: false.")]

    def planted(self) -> Start:
        """Half of a filter's steps lie ahead, though it says that none does; see `StartCheck.planted`."""

        def shift(model: Model) -> None:
            for module in model.network.modules():
                if isinstance(module, Conv1d):
                    module.before, module.behind = module.before - 2, 2

        return plant.walk("conv1d 8x5, relu, lstm 8", shift)
