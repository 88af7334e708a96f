"""Optimizers by name; each is torch's own fused one, whose whole update is a single kernel call.

An optimizer's signature is its schema: every keyword is a setting of `training.optimizer`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def sgd(params: Iterable[Tensor], lr: float = 0.1, momentum: float = 0.0) -> torch.optim.Optimizer:
    """Stochastic gradient descent: `v <- momentum v + g`, `w <- w - lr v`.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        momentum: Share of the last direction that is kept, in [0, 1).

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2;
    torch's form, in which the learning rate stands outside the running direction.
    """
    return torch.optim.SGD(params, lr=lr, momentum=momentum, fused=True)


def adam(
    params: Iterable[Tensor], lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> torch.optim.Optimizer:
    """Adam: steps divided by a running root mean square of the gradient, both averages freed of their start.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        beta1: Decay of the running mean of gradients, in [0, 1).
        beta2: Decay of the running mean of squares, in [0, 1).
        eps: Added to the root, > 0.

    Source: Kingma and Ba, arXiv:1412.6980, algorithm 1.
    """
    return torch.optim.Adam(params, lr=lr, betas=(beta1, beta2), eps=eps, fused=True)
