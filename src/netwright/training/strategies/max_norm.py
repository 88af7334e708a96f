"""Max-norm: after every step, no row of a matrix of weights is longer than a bound; longer ones are scaled back.

Source: Srebro & Shraibman 2005, Rank, Trace-Norm and Max-Norm; with dropout: Srivastava et al. 2014, section 5.1.
"""

from __future__ import annotations

import torch

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, Strategy


class MaxNorm(Strategy):
    """Bounds the length of the weights into each unit; from inputs and from its own past each for itself.

    Args:
        bound: Largest length, > 0.
    """

    name = "max_norm"

    def __init__(self, bound: float = 3.0) -> None:
        self.bound = bound

    @torch.no_grad()
    def after_step(self, training: Training) -> None:
        """Scales back what grew too long."""
        for weight in training.matrices:
            length = weight.flatten(1).norm(dim=1)
            if weight.is_cuda or float(length.max()) > self.bound:  # to ask a CUDA device costs more than to scale
                shrink = (self.bound / length.clamp_min(1e-12)).clamp_max(1.0)
                weight.mul_(shrink.reshape(-1, *[1] * (weight.ndim - 1)))

    @torch.no_grad()
    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Writes the longest of all units' weights."""
        row["train/longest_weights"] = max(float(weight.flatten(1).norm(dim=1).max()) for weight in training.matrices)
