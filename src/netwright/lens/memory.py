"""How long a recurrent layer remembers: what is left of a small change of its state, some steps later.

The state at step t depends on that at step k through a product of Jacobians, dh_t/dh_{t-1} ... dh_{k+1}/dh_k; each
factor is taken by automatic differentiation of one step on real sequences. What is handed from step to step counts
as the state: of an LSTM h and c together. The length of the product is its Frobenius norm divided by the root of the
state's width: by how much a change in a direction drawn by chance is longer or shorter after these steps (root of the
mean square), which is 1 for a state that is only kept, whatever its width.

Source: Pascanu, Mikolov, Bengio 2013, On the difficulty of training recurrent neural networks, arXiv:1211.5063,
section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jacrev, vmap

from netwright.lens.recurrence import Cell

EXACT = 256  # widest state whose products are computed whole
PROBES = 64  # directions drawn by chance in which wider ones are followed
FADED = 0.01  # share of the mean norm at lag 1 below which nothing counts as remembered


@dataclass(frozen=True)
class Remembered:
    """The products of one layer.

    Args:
        norms: Mean over sequences of the length of ds_t/ds_k, `[t][k]`, NaN where k > t.
        by_lag: Mean over sequences and places of those t - k steps apart, from 0 on.
        steps: First lag at which that mean is below `FADED` of what it is at lag 1; None where it never is.
        width: Numbers of the state.
        exact: Whether whole products were computed, not only `PROBES` directions.
    """

    norms: Float[Tensor, "time time"]
    by_lag: tuple[float, ...]
    steps: int | None
    width: int
    exact: bool


def remembered(cell: Cell, x: Float[Tensor, "batch time dim"], seed: int) -> Remembered:
    """How much of a change of the state is left, for each pair of steps.

    Args:
        cell: One direction of a layer.
        x: What comes into it, without padding, at least 2 steps.
        seed: Of the directions, where the state is too wide for all.
    """
    width = cell.units * len(cell.parts)
    exact = width <= EXACT
    start = torch.eye(width, dtype=x.dtype, device=x.device)
    if not exact:
        draw = torch.Generator().manual_seed(seed)
        start = torch.randn(width, PROBES, generator=draw).to(x) / PROBES**0.5
    total = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for sequence in x:
        total += _norms(step_jacobians(cell, sequence), start).double().cpu()
    mean = total / len(x)
    norms = mean.masked_fill(torch.ones_like(mean).triu(1).bool(), torch.nan)
    by_lag = tuple(float(mean.diagonal(-lag).mean()) for lag in range(x.shape[1]))
    return Remembered(norms, by_lag, faded(by_lag), width, exact)


def step_jacobians(cell: Cell, x: Float[Tensor, "time dim"]) -> Float[Tensor, "time width width"]:
    """The derivative of the state after each step by the one before it; rows are what comes out.

    Args:
        cell: One direction of a layer.
        x: What comes into it at each step.
    """

    def moved(state: Tensor, given: Tensor) -> Tensor:
        parts = tuple(part[None] for part in state.split(cell.units))
        return torch.cat(cell.step(given[None], parts, cell.recurrent).state, dim=1)[0]

    with torch.no_grad():
        state, before = cell.empty(x[:1]), []
        for given in x:
            before.append(torch.cat(state, dim=1)[0])
            state = cell.step(given[None], state, cell.recurrent).state
        return vmap(jacrev(moved), chunk_size=8)(torch.stack(before), x).detach()


def faded(by_lag: tuple[float, ...]) -> int | None:
    """The first lag at which the mean norm is below `FADED` of that at lag 1; None where it never is.

    Args:
        by_lag: Means from lag 0 on.

    Example:
        >>> faded((1.0, 0.5, 0.1, 0.004)), faded((1.0, 0.9, 0.8))
        (3, None)
    """
    return next((lag for lag in range(2, len(by_lag)) if by_lag[lag] < FADED * by_lag[1]), None)


def _norms(steps: Float[Tensor, "time width width"], start: Float[Tensor, "width probe"]) -> Float[Tensor, "time time"]:
    """Lengths of all products, `[t][k]`; those that go backwards are 0."""
    count, width = steps.shape[:2]
    found = torch.zeros(count, count, dtype=steps.dtype)
    reached = start[None]  # (k, width, probe): how the state at t moves when that at k does
    found[0, 0] = start.norm()
    for t in range(1, count):
        reached = torch.cat([steps[t] @ reached, start[None]])
        found[t, : t + 1] = reached.flatten(1).norm(dim=1)
    return found / width**0.5
