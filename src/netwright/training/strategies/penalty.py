"""Penalties on the weights: what is minimised is the data's loss + l1 sum |w| + l2 sum w^2, biases left alone.

The gradient of the penalty is added to that of the loss, so that the reported losses stay those of the data and the
penalty stands beside them: `train/penalty/l1` and `train/penalty/l2` in the row of each epoch. Weights that l1 drives
through 0 stop there, which makes them exactly 0 instead of trembling around it.

Source: Goodfellow, Bengio, Courville, Deep Learning, section 7.1; both at once, the elastic net: Zou & Hastie 2005;
stopping at 0: Carpenter 2008, Lazy Sparse Stochastic Gradient Descent for Regularized Multinomial Logistic Regression.
"""

from __future__ import annotations

import torch

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, Strategy


class Penalty(Strategy):
    """Adds the gradient of `l1 sum |w| + l2 sum w^2`.

    Args:
        l1: Strength on sizes, >= 0.
        l2: Strength on squares, >= 0.
    """

    name = "penalty"

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = l1, l2
        self._signs: list[torch.Tensor] = []

    @torch.no_grad()
    def gradients(self, training: Training) -> None:
        """Adds the penalty's gradient; at 0 only what a gradient has beyond l1 counts."""
        weights = [weight for weight in training.matrices if weight.grad is not None]
        gradients = [weight.grad for weight in weights]
        if self.l2:
            torch._foreach_add_(gradients, weights, alpha=2 * self.l2)  # type: ignore[arg-type]
        if self.l1:
            self._signs = [weight.sign() for weight in weights]
            for gradient, sign in zip(gradients, self._signs, strict=True):
                held = torch.nn.functional.softshrink(gradient, self.l1)  # type: ignore[arg-type]
                gradient.copy_(torch.where(sign == 0, held, gradient + self.l1 * sign))  # type: ignore[union-attr]

    @torch.no_grad()
    def after_step(self, training: Training) -> None:
        """Weights that changed their sign stop at 0."""
        if self._signs:
            moved = [weight for weight in training.matrices if weight.grad is not None]
            for weight, sign in zip(moved, self._signs, strict=True):
                weight.masked_fill_(weight.sign() * sign < 0, 0.0)
            self._signs = []

    @torch.no_grad()
    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Writes what the penalty is now."""
        for name, strength, norm in (("l1", self.l1, 1), ("l2", self.l2, 2)):
            if strength:
                total = sum(float(weight.double().abs().pow(norm).sum()) for weight in training.matrices)
                row[f"train/penalty/{name}"] = strength * total
