"""Schedules: known values at the ends and in the middle."""

from itertools import pairwise

import pytest

from netwright import registry
from netwright.training.schedules import constant, cosine, exponential, one_cycle, step

FUNCTIONS = [name for name, part in registry.parts("schedule").items() if "strategy" not in part.facts]


def test_cosine_goes_from_one_over_a_half_to_its_floor() -> None:
    assert cosine(0, 100) == 1
    assert cosine(50, 100) == pytest.approx(0.5)
    assert cosine(100, 100) == pytest.approx(0, abs=1e-12)
    assert cosine(100, 100, floor=0.1) == pytest.approx(0.1)
    assert cosine(50, 100, floor=0.2) == pytest.approx(0.6)


def test_beyond_the_end_the_rate_stays_and_a_run_of_no_steps_is_no_error() -> None:
    assert cosine(150, 100) == cosine(100, 100)
    assert cosine(0, 0) == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_schedule_is_a_pure_factor_between_nothing_and_the_full_rate(name: str) -> None:
    schedule = registry.resolve("schedule", name)
    factors = [schedule(step, 50) for step in range(51)]
    assert max(factors) == pytest.approx(1)
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors == [schedule(step, 50) for step in range(51)]
    assert 0 <= schedule(0, 0) <= 1


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "warmup" in registry.options("schedule", name)])
def test_a_warmup_rises_in_a_straight_line_to_where_the_schedule_goes_on(name: str) -> None:
    schedule = registry.resolve("schedule", name)
    factors = [schedule(step, 1000, warmup=4) for step in range(5)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1, 1], abs=0.02)


def test_stairs_have_equal_treads() -> None:
    assert [round(step(done, 9, drops=2, factor=0.5), 3) for done in range(10)] == [1] * 3 + [0.5] * 3 + [0.25] * 4


def test_exponential_loses_the_same_share_at_every_step() -> None:
    factors = [exponential(done, 10, end=0.001) for done in range(11)]
    assert [after / before for before, after in pairwise(factors)] == pytest.approx([0.001**0.1] * 10)


def test_one_cycle_is_highest_where_the_rise_ends() -> None:
    factors = [one_cycle(done, 100, rise=0.25, start=0.1, end=0.01) for done in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors.index(max(factors)) == 25
    assert factors[-1] == pytest.approx(0.01)


def test_constant_is_constant() -> None:
    assert {constant(step, 9) for step in range(10)} == {1.0}
