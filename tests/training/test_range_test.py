"""The range test: where it stops, what it chooses, and that the rate it chooses trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from netwright.training.range_test import HIGHEST, LOWEST, STEPS, RangeTest, range_test

if TYPE_CHECKING:
    from tests.conftest import Little


def _tested(little: Little) -> RangeTest:
    training = little(optimizer="sgd", net=_unit())
    plan = training.plan
    probe = next(iter(plan.source.epoch(0)))
    return range_test(plan.nets["net"], plan.optimizers["net"], plan.losses, plan.source, probe)


def _unit() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(3, 1))


def test_rates_rise_evenly_and_it_ends_where_the_loss_is_lost(little: Little) -> None:
    found = _tested(little)
    assert found.rates[0] == LOWEST
    assert len(found.rates) == len(found.losses) < STEPS
    assert found.rates[-1] < HIGHEST
    assert found.losses[-1] > 2 * found.losses[0] * 0.9
    assert found.lowest == found.rates[found.losses.index(min(found.losses))]
    assert found.chosen == pytest.approx(found.lowest / 3, rel=0.05)


def test_the_chosen_rate_is_near_what_a_bowl_allows(little: Little) -> None:
    """On inputs of spread 1 a linear unit's loss has curvature about 2: it diverges from a rate of 1 on."""
    assert 0.01 < _tested(little).chosen < 0.5


def test_it_draws_nothing_from_the_generator_of_the_run(little: Little) -> None:
    state = torch.get_rng_state()
    _tested(little)
    assert torch.equal(torch.get_rng_state(), state)
