"""Gradient clipping: a gradient beyond a bound is cut before the optimizer sees it, and how often is counted.

Source: Pascanu, Mikolov, Bengio 2013, On the difficulty of training recurrent neural networks, algorithm 1 (by norm);
Mikolov 2012, Statistical Language Models based on Neural Networks, section 3.2.2 (by value).
"""

from __future__ import annotations

import math

import torch

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy


class Clipping(Strategy):
    """Cuts gradients by the length of them all together, or each number by itself.

    The row of each epoch gets `train/clipped`, the share of its steps that were cut, and `train/largest_gradient`, the
    largest length (or number) there was before cutting.

    Args:
        norm: Largest length of all gradients together; 0 for no bound.
        value: Largest size of each number of a gradient; 0 for no bound.
    """

    name = "clipping"

    def __init__(self, norm: float = 0.0, value: float = 0.0) -> None:
        self.norm, self.value = norm, value
        self.steps = self.clipped = 0
        self.largest = 0.0

    @torch.no_grad()
    def gradients(self, training: Training) -> None:
        """Measures and cuts."""
        found = [weight.grad for weight in training.parameters if weight.grad is not None]
        size = float(torch.nn.utils.get_total_norm(found, math.inf if self.value else 2.0))
        self.steps += 1
        self.largest = max(self.largest, size)
        if size <= (self.value or self.norm):
            return
        self.clipped += 1
        if self.value:
            torch._foreach_clamp_min_(found, -self.value)  # type: ignore[attr-defined]
            torch._foreach_clamp_max_(found, self.value)  # type: ignore[attr-defined]
        else:
            torch._foreach_mul_(found, self.norm / size)  # type: ignore[attr-defined]

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Writes how often it cut, and begins to count anew."""
        row["train/clipped"] = self.clipped / max(self.steps, 1)
        row["train/largest_gradient"] = self.largest
        self.steps = self.clipped = 0
        self.largest = 0.0

    def state(self) -> State:
        """The counts of the epoch so far."""
        return {"steps": self.steps, "clipped": self.clipped, "largest": self.largest}

    def load_state(self, state: State) -> None:
        """Count on from where `state` was taken."""
        self.steps, self.clipped = int(state["steps"]), int(state["clipped"])  # type: ignore[arg-type]
        self.largest = float(state["largest"])  # type: ignore[arg-type]
