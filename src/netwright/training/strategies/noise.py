"""Input noise: every step sees its examples with other small errors, as if there were many more of them.

Source: Goodfellow, Bengio, Courville, Deep Learning, sections 7.4 and 7.5; Sietsma & Dow 1991.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from netwright.data.batches import Batch
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy


class Noise(Strategy):
    """Adds Gaussian noise to the inputs of training batches; inputs are standardised, so 0.1 is a tenth of a spread.

    Args:
        spread: Standard deviation, >= 0.
        quantities: By group, 1 for each column that is a quantity and 0 for one that is a class; a group that is left
            out is all quantities.
    """

    name = "noise"

    def __init__(self, spread: float = 0.1, quantities: dict[str, torch.Tensor] | None = None) -> None:
        self.spread, self._quantities = spread, quantities or {}

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch with noise on its quantities."""
        return self.changed(batch)

    def changed(self, batch: Batch) -> Batch:
        """What a step sees of some examples."""
        noisy = {}
        for group, values in batch.inputs.items():
            if not values.is_floating_point():  # tokens
                noisy[group] = values
                continue
            noise = torch.randn_like(values).mul_(self.spread)
            if group in self._quantities:
                noise *= self._quantities[group].to(noise.device)
            noisy[group] = noise.add_(values)
        return replace(batch, inputs=noisy)
