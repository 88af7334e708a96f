"""Optimizers by name; each is torch's own, fused into a single kernel call where torch has that.

An optimizer's signature is its schema: every keyword is a setting of `training.optimizer`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor

Group = dict[str, list[Tensor] | float]
Params = Iterable[Tensor] | list[Group]
SHARE_OF_RATE = "share"  # under this name a group of weights keeps the share of the learning rate at which it learns


def _no_compiler() -> None:
    """Keeps torch from importing its compiler, two seconds, only to say that optimizers are not to be compiled.

    Torch wraps these methods so that their first call imports `torch._dynamo` and remembers in the wrapped function
    what to call from then on; with the function itself remembered there, nothing is imported. Without the wrapper, in
    another torch, this does nothing.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        wrapped = getattr(getattr(torch.optim.Optimizer, name), "__wrapped__", None)
        if wrapped is not None and not hasattr(wrapped, "__dynamo_disable"):
            setattr(wrapped, "__dynamo_disable", wrapped)


_no_compiler()


def sgd(
    params: Params,
    lr: float = 0.1,
    momentum: float = 0.0,
    nesterov: bool = False,
    convention: Literal["sum", "mean"] = "sum",
) -> torch.optim.Optimizer:
    """Stochastic gradient descent, `w <- w - lr v`, along a direction v that remembers earlier gradients g.

    `sum`: `v <- momentum v + g`; a steady gradient grows to g / (1 - momentum), ten times as long for 0.9. `mean`:
    `v <- momentum v + (1 - momentum) g`, an exponentially decaying average as long as g itself, so that the same path
    needs a larger lr. Nesterov's looks ahead: `w <- w - lr (g + momentum v)`.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        momentum: Share of the last direction that is kept, in [0, 1).
        nesterov: Look ahead along the direction; needs momentum, and is defined for `sum`.
        convention: How earlier gradients are remembered.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", section 2;
    torch's form, in which the learning rate stands outside the direction, and the first gradient counts fully.
    """
    dampening = momentum if convention == "mean" else 0.0
    return torch.optim.SGD(params, lr=lr, momentum=momentum, dampening=dampening, nesterov=nesterov, fused=True)


def adam(
    params: Params, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
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
    params: Params,
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


def adagrad(params: Params, lr: float = 0.01, eps: float = 1e-10) -> torch.optim.Optimizer:
    """Adagrad: `s <- s + g^2`, `w <- w - lr g / (sqrt(s) + eps)`; rarely moved weights take larger steps.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        eps: Added to the root, > 0.

    Source: Duchi, Hazan, Singer 2011, Adaptive Subgradient Methods, JMLR 12.
    """
    return torch.optim.Adagrad(params, lr=lr, eps=eps, fused=True)


def rmsprop(params: Params, lr: float = 0.001, beta: float = 0.9, eps: float = 1e-8) -> torch.optim.Optimizer:
    """RMSprop: `s <- beta s + (1 - beta) g^2`, `w <- w - lr g / (sqrt(s) + eps)`.

    Args:
        params: What to train.
        lr: Learning rate, > 0.
        beta: Decay of the running mean of squares, in [0, 1).
        eps: Added to the root, > 0.

    Source: Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6.5.
    """
    return torch.optim.RMSprop(params, lr=lr, alpha=beta, eps=eps, foreach=True)


def by_layer(layers: Sequence[tuple[str, list[Tensor]]], heads: Container[str], first: float) -> list[Group]:
    """Groups of weights for an optimizer whose early layers learn slowly; see `at_shares`.

    Args:
        layers: Name and weights of each layer, from the input on.
        heads: Names of the layers that give the outputs, which learn at the full rate.
        first: Share of the rate at which the first layer learns; each next one at a share larger by the same factor.

    Source: Howard & Ruder 2018, Universal Language Model Fine-tuning, arXiv:1801.06146, section 3.2; with the share of
    the first layer given instead of the factor, so that it means the same for nets of every depth.
    """
    hidden = [name for name, _ in layers if name not in heads]
    shares = {name: first ** (1 - place / len(hidden)) for place, name in enumerate(hidden)}
    return [{"params": weights, SHARE_OF_RATE: shares.get(name, 1.0)} for name, weights in layers]


def at_shares(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The optimizer, each group of its weights at its share of the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get(SHARE_OF_RATE, 1.0)
    return optimizer


def own_rates(optimizer: torch.optim.Optimizer, weight: Tensor) -> Tensor | None:
    """The learning rate that an optimizer gives each number of a weight: lr over the root of its remembered squares.

    Args:
        optimizer: After its last step; its rate is taken before any schedule.
        weight: One of the weights it trains.

    Returns:
        One rate for each number that ever had a gradient, flat; None for an optimizer that has one rate for all.
    """
    state = optimizer.state.get(weight, {})
    squares = next((state[name] for name in ("sum", "square_avg", "exp_avg_sq") if name in state), None)
    if squares is None:
        return None
    if "exp_avg_sq" in state:
        squares = squares / (1 - optimizer.defaults["betas"][1] ** float(state["step"]))
    share = next(g.get(SHARE_OF_RATE, 1.0) for g in optimizer.param_groups if any(weight is w for w in g["params"]))
    return share * optimizer.defaults["lr"] / (squares[squares > 0].sqrt() + optimizer.defaults["eps"])
