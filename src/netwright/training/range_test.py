"""The learning-rate range test: a few steps at rates from tiny to huge, and the loss after each.

The weights it trains are spent afterwards. The loss is measured on one fixed batch, because the losses of changing
batches differ by more than small rates bring.

Source: Smith 2017, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3; the rate chosen
is a third of the one at which the loss was lowest (docs/log.md has the measurements).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, count

import torch
from torch import nn

from netwright.data.batches import Batch
from netwright.training.loop import Losses, Source, update_of
from netwright.training.optimizers import SHARE_OF_RATE

STEPS, LOWEST, HIGHEST = 100, 1e-6, 10.0
SHARE = 1 / 3  # of the rate with the lowest loss
_LOST = 2.0  # times the first loss: beyond, the test ends


@dataclass(frozen=True)
class RangeTest:
    """What a range test found.

    Args:
        rates: Learning rate of each step.
        losses: Loss on the fixed batch after it.
        lowest: The rate at which the loss was lowest.
        chosen: The rate to train with, rounded to two digits.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    lowest: float
    chosen: float


def range_test(
    network: nn.Module, optimizer: torch.optim.Optimizer, losses: Losses, source: Source, probe: Batch
) -> RangeTest:
    """Trains `STEPS` steps at rising rates.

    Args:
        network: The network to spend.
        optimizer: Of its weights.
        losses: Weighted loss per output of a batch.
        source: Where batches come from.
        probe: The batch on which the loss is measured.
    """
    with torch.random.fork_rng():  # so that the run after it draws what it would have drawn
        torch.manual_seed(0)
        rates, found = _risen(network, optimizer, losses, source, probe)
    place = min(range(len(found)), key=lambda k: found[k] if math.isfinite(found[k]) else math.inf)
    return RangeTest(tuple(rates), tuple(found), rates[place], float(f"{SHARE * rates[place]:.2g}"))


def _risen(
    network: nn.Module, optimizer: torch.optim.Optimizer, losses: Losses, source: Source, probe: Batch
) -> tuple[list[float], list[float]]:
    """Rates and losses, until all steps are done or the loss is lost."""
    rates: list[float] = []
    found: list[float] = []
    update = update_of(optimizer)
    most = _LOST * max(_total(network, losses, probe), 1e-12)
    for batch in chain.from_iterable(source.epoch(number) for number in count()):
        rates.append(LOWEST * (HIGHEST / LOWEST) ** (len(rates) / (STEPS - 1)))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1] * group.get(SHARE_OF_RATE, 1.0)
        optimizer.zero_grad()
        sum(losses(batch).values()).backward()  # type: ignore[union-attr]
        update()
        found.append(_total(network, losses, probe))
        if len(rates) == STEPS or not found[-1] <= most:
            break
    return rates, found


@torch.no_grad()
def _total(network: nn.Module, losses: Losses, probe: Batch) -> float:
    network.eval()
    found = sum(float(term) for term in losses(probe).values())
    network.train()
    return found
