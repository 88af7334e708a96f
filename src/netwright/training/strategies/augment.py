"""Training pictures seen differently at every step: what the transforms of `data.augment` do to a batch.

Source: Goodfellow, Bengio, Courville, Deep Learning, section 7.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netwright.data.augment import Draw, Transform
from netwright.data.batches import Batch
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy


class Augment(Strategy):
    """Transforms inputs of training batches, and with them answers that have a side; validation never passes here.

    Args:
        transforms: By input, in the order of acting, with their names.
        turned: Outputs whose number changes its sign when left becomes right.
        seed: Of the run.
    """

    name = "augment"

    def __init__(
        self,
        transforms: Mapping[str, Sequence[tuple[str, Transform]]] | None = None,
        turned: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self._transforms, self._turned, self._seed = transforms or {}, turned, seed

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch as this epoch sees it."""
        return self.changed(batch, training.epoch)

    def changed(self, batch: Batch, epoch: int = 0) -> Batch:
        """What a step of an epoch sees of some examples."""
        inputs, targets = dict(batch.inputs), dict(batch.targets)
        turned = False
        for name, transforms in self._transforms.items():
            for of, transform in transforms:
                draw = Draw(self._seed, f"augment/{of}", epoch, batch.index)
                inputs[name] = transform.image(inputs[name], draw)
                if transform.turns_sides and not turned:
                    turned = True  # a second input is turned alike, and the answer once
                    targets |= {to: transform.number(targets[to], draw) for to in self._turned if to in targets}
        return replace(batch, inputs=inputs, targets=targets)
