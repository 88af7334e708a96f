"""Sequences of several lengths are padded to share a batch; no answer may depend on the others in it."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.model_file import Model
from netwright.models.layers import Dense
from netwright.words import counted

TOLERANCE = 1e-4  # sums over more or fewer rows are rounded differently


class Mates(StartCheck):
    """A few training examples are answered together and one by one, and the outputs compared."""

    fault: ClassVar[str] = "a layer that takes away the mean of its batch"

    def look(self, start: Start) -> list[Finding]:
        """By how much batch mates move an output; nothing where no sequence goes in; see `StartCheck.look`."""
        if start.alone is None:
            return []
        low, high = start.alone.lengths
        steps = f"{low:,} to {high:,} steps" if low < high else counted(low, "step")
        some = f"{counted(start.alone.examples, 'sequence')} of {steps}"
        if start.alone.change <= TOLERANCE:
            told = f"{some} are answered alone as they are together, to within {max(start.alone.change, 1e-9):.1g}"
            return [Finding("mates", "good", told)]
        told = f"{some} are answered otherwise alone than together: outputs differ by up to {start.alone.change:.2g}"
        return [Finding("mates", "bad", told, "Take out the layer that mixes the examples of a batch.")]

    def planted(self) -> Start:
        """The sums of the head are given without their mean; see `StartCheck.planted`."""

        def mix(model: Model) -> None:
            for module in model.network.modules():
                if isinstance(module, Dense):
                    module.register_forward_hook(_less_mean)

        return plant.walk(harm=mix)


def _less_mean(module: nn.Module, given: tuple[Tensor, ...], value: Tensor) -> Tensor:
    del module, given
    return value - value.nanmean(dim=0, keepdim=True)
