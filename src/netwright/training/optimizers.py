"""Optimizers by name; each is torch's own, fused into a single kernel call where torch has that.

An optimizer's signature is its schema: every keyword is a setting of `training.optimizer`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def sgd(
    params: Iterable[Tensor], lr: float = 0.1, momentum: float = 0.0, nesterov: bool = False
) -> torch.optim.Optimizer:
    """Stochastic gradient descent: `v <- momentum v + g`, `w <- w - lr v`; Nesterov's: `w <- w - lr (g + momentum v)`.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        momentum: Share of the last direction that is kept, in [0, 1).
        nesterov: Look ahead along the direction; needs momentum.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2;
    torch's form, in which the learning rate stands outside the running direction.
    """
    return torch.optim.SGD(params, lr=lr, momentum=momentum, nesterov=nesterov, fused=True)


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


def adamw(
    params: Iterable[Tensor],
    lr: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    decay: float = 0.01,
) -> torch.optim.Optimizer:
    """Adam whose weights also shrink by `lr decay` of themselves each step, apart from the gradient.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        beta1: Decay of the running mean of gradients, in [0, 1).
        beta2: Decay of the running mean of squares, in [0, 1).
        eps: Added to the root, > 0.
        decay: Weight decay, >= 0.

    Source: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
    """
    return torch.optim.AdamW(params, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay, fused=True)


def adagrad(params: Iterable[Tensor], lr: float = 0.01, eps: float = 1e-10) -> torch.optim.Optimizer:
    """Adagrad: `s <- s + g^2`, `w <- w - lr g / (sqrt(s) + eps)`; rarely moved weights take larger steps.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        eps: Added to the root, > 0.

    Source: Duchi, Hazan, Singer 2011, Adaptive Subgradient Methods, JMLR 12.
    """
    return torch.optim.Adagrad(params, lr=lr, eps=eps, fused=True)


def rmsprop(params: Iterable[Tensor], lr: float = 0.001, beta: float = 0.9, eps: float = 1e-8) -> torch.optim.Optimizer:
    """RMSprop: `s <- beta s + (1 - beta) g^2`, `w <- w - lr g / (sqrt(s) + eps)`.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        beta: Decay of the running mean of squares, in [0, 1).
        eps: Added to the root, > 0.

    Source: Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6.5.
    """
    return torch.optim.RMSprop(params, lr=lr, alpha=beta, eps=eps, foreach=True)
