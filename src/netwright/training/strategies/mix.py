"""Mixed examples: a step sees blends of two, and its loss asks for both answers in the same shares.

Source: Zhang et al. 2018, mixup, arXiv:1710.09412, equation 1; Yun et al. 2019, CutMix, arXiv:1905.04899, section 3.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from netwright.data.batches import Batch
from netwright.seeds import numpy_generator
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy


class Mix(Strategy):
    """Blends each example with another one of its batch; where both ways are wanted, chance chooses one at each step.

    The share is one for all of a step, as in the program of mixup's authors: who meets whom is the batch's, anyway.

    Args:
        mixup: Inputs are added up, in shares drawn from Beta(mixup, mixup); 0 for never.
        cutmix: A rectangle of the other picture is pasted in, its area drawn from Beta(cutmix, cutmix); 0 for never.
        seed: Of the run; what is drawn follows from it and the step.
    """

    name = "mix"

    def __init__(self, mixup: float = 0.0, cutmix: float = 0.0, seed: int = 0) -> None:
        self.mixup, self.cutmix, self._seed = mixup, cutmix, seed

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The blends of a batch."""
        return self.changed(batch, training.step)

    def changed(self, batch: Batch, step: int = 0) -> Batch:
        """What a step sees of some examples."""
        if not self.mixup and not self.cutmix:
            return batch
        chance = numpy_generator(self._seed, "mix", index=step)
        cut = self.cutmix > 0 and (self.mixup == 0 or chance.random() < 0.5)
        alpha = self.cutmix if cut else self.mixup
        share = float(chance.beta(alpha, alpha))
        place = torch.from_numpy(chance.permutation(len(batch.index))).to(batch.index.device)
        if cut:
            inputs, share = _pasted(batch.inputs, place, share, chance)
        else:
            inputs = {group: torch.lerp(values[place], values, share) for group, values in batch.inputs.items()}
        others = {name: values[place] for name, values in batch.targets.items()}
        return replace(batch, inputs=inputs, others=others, share=share)


def _pasted(
    inputs: dict[str, Tensor], place: Tensor, share: float, chance: np.random.Generator
) -> tuple[dict[str, Tensor], float]:
    """Pictures with a rectangle of others, and the share of their area that is still their own."""
    down, right = chance.random(2)
    cut, kept = {}, 1.0
    for group, values in inputs.items():
        height, width = values.shape[-2:]
        tall, wide = (round(side * math.sqrt(1 - share)) for side in (height, width))
        top, left = round(down * (height - tall)), round(right * (width - wide))
        rows, columns = slice(top, top + tall), slice(left, left + wide)
        cut[group] = values.clone()
        cut[group][..., rows, columns] = values[place][..., rows, columns]
        kept = 1 - tall * wide / (height * width)
    return cut, kept
