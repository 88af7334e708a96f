"""Schedules: known values at the ends and in the middle."""

import pytest

from netwright import registry
from netwright.training.schedules import constant, cosine


def test_cosine_goes_from_one_over_a_half_to_its_floor() -> None:
    assert cosine(0, 100) == 1
    assert cosine(50, 100) == pytest.approx(0.5)
    assert cosine(100, 100) == pytest.approx(0, abs=1e-12)
    assert cosine(100, 100, floor=0.1) == pytest.approx(0.1)
    assert cosine(50, 100, floor=0.2) == pytest.approx(0.6)


def test_beyond_the_end_the_rate_stays_and_a_run_of_no_steps_is_no_error() -> None:
    assert cosine(150, 100) == cosine(100, 100)
    assert cosine(0, 0) == 1


@pytest.mark.parametrize("name", registry.parts("schedule"))
def test_every_schedule_is_a_pure_factor_between_nothing_and_the_full_rate(name: str) -> None:
    schedule = registry.resolve("schedule", name)
    factors = [schedule(step, 50) for step in range(51)]
    assert factors[0] == 1
    assert all(0 <= factor <= 1 for factor in factors)
    assert factors == [schedule(step, 50) for step in range(51)]


def test_constant_is_constant() -> None:
    assert {constant(step, 9) for step in range(10)} == {1.0}
