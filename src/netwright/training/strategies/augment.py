"""Training examples seen differently at every step: what the transforms of `data.augment` do to a batch.

Source: Goodfellow, Bengio, Courville, Deep Learning, section 7.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from netwright.data.augment import Draw, Transform
from netwright.data.batches import Batch
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy


def moved(points: Tensor, matrix: Tensor | None, pairs: int) -> Tensor:
    """Tracks whose coordinates, and the directions behind these, are changed by a matrix each.

    Args:
        points: `(batch, time, number)`.
        matrix: `(batch, 2, 2)`; None leaves all as it is.
        pairs: How many of the numbers belong together two by two.
    """
    if matrix is None:
        return points
    plain = points[..., 2 * pairs :]
    turned = points[..., : 2 * pairs].unflatten(2, (pairs, 2)) @ matrix.mT[:, None]
    return torch.cat([turned.flatten(2), plain], dim=2)


def shaken(points: Tensor, transform: Transform, draw: Draw, step: float) -> Tensor:
    """Tracks whose coordinates are moved a little, each point by itself.

    Args:
        points: `(batch, time, number)`.
        transform: Says by how much, in usual steps.
        draw: The same as for what else the transform does.
        step: How long a usual step is.
    """
    noise = transform.shaken(draw, points.shape[1])
    return points if noise is None else torch.cat([points[..., :2] + step * noise, points[..., 2:]], dim=2)


class Augment(Strategy):
    """Transforms inputs of training batches, and with them answers that have a side; validation never passes here.

    Args:
        transforms: By input, in the order of acting, with their names.
        turned: Outputs whose number changes its sign when left becomes right.
        seed: Of the run.
        tracks: Inputs that are tracks or pen ink: how many directions stand behind their coordinates, how long a usual
            step is, and which outputs go on from each.
        timed: Inputs that are sounds or signals.
    """

    name = "augment"

    def __init__(
        self,
        transforms: Mapping[str, Sequence[tuple[str, Transform]]] | None = None,
        turned: Sequence[str] = (),
        seed: int = 0,
        tracks: Mapping[str, tuple[int, float, Sequence[str]]] | None = None,
        timed: Sequence[str] = (),
    ) -> None:
        self._transforms, self._turned, self._seed, self._timed = transforms or {}, turned, seed, timed
        self._tracks = tracks or {}

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch as this epoch sees it."""
        return self.changed(batch, training.epoch)

    def changed(self, batch: Batch, epoch: int = 0) -> Batch:
        """What a step of an epoch sees of some examples."""
        inputs, targets = dict(batch.inputs), dict(batch.targets)
        turned = False
        for name, transforms in self._transforms.items():
            seen: Counter[str] = Counter()
            for of, transform in transforms:
                again = f" {seen[of]}" if seen[of] else ""  # a second shift draws anew; one of another input alike
                seen[of] += 1
                draw = Draw(self._seed, f"augment/{of}{again}", epoch, batch.index)
                if name in self._tracks:
                    pairs, step, onward = self._tracks[name]
                    matrix = transform.plane(draw)
                    inputs[name] = shaken(moved(inputs[name], matrix, 1 + pairs), transform, draw, step)
                    targets |= {to: moved(targets[to], matrix, 1) for to in onward if to in targets}
                    continue
                change = transform.steps if name in self._timed else transform.image
                inputs[name] = change(inputs[name], draw)
                if transform.turns_sides and not turned:
                    turned = True  # a second input is turned alike, and the answer once
                    targets |= {to: transform.number(targets[to], draw) for to in self._turned if to in targets}
        return replace(batch, inputs=inputs, targets=targets)
