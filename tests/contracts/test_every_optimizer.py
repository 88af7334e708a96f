"""What every registered optimizer keeps to; a new one is tested here by being registered."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
import torch

from netwright import registry

if TYPE_CHECKING:
    from tests.conftest import Little


every_optimizer = pytest.mark.parametrize("name", registry.parts("optimizer"))


def _steps(optimizer: torch.optim.Optimizer, weight: torch.nn.Parameter, count: int) -> list[float]:
    losses = []
    for _ in range(count):
        loss = (weight - torch.tensor([1.0, -2.0, 3.0])).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@every_optimizer
def test_it_goes_down_a_bowl(name: str) -> None:
    """At one of two rates: what divides by all squares so far needs a larger one."""
    ends = []
    for lr in (0.05, 0.5):
        weight = torch.nn.Parameter(torch.zeros(3))
        losses = _steps(registry.resolve("optimizer", name)([weight], lr=lr), weight, 300)
        ends.append(losses[-1] / losses[0])
    assert min(ends) < 0.01


@every_optimizer
def test_every_option_has_a_type_and_a_default_a_spec_can_hold(name: str) -> None:
    for option, parameter in registry.options("optimizer", name, given=("params",)).items():
        assert isinstance(parameter.default, float | int | str | bool), option
        assert parameter.annotation is not inspect.Parameter.empty, option


@every_optimizer
def test_its_state_put_back_goes_on_with_the_same_bits(little: Little, name: str) -> None:
    one = little(optimizer=name)
    one.run()
    tensors, facts = one.state()
    tensors = {key: value.clone() for key, value in tensors.items()}
    other = little(optimizer=name)
    other.load_state(tensors, facts)
    for training in (one, other):
        torch.set_rng_state(tensors["generator/cpu"])
        training.stop_reason, training.plan.budget.epochs = "", 6
        training.run()
    differing = [key for key, value in one.snapshot().items() if not torch.equal(value, other.snapshot()[key])]
    assert differing == []


@every_optimizer
def test_same_seed_same_bits_and_float32_throughout(little: Little, name: str) -> None:
    runs = [little(optimizer=name), little(optimizer=name)]
    for training in runs:
        training.run()
    first, second = (training.snapshot() for training in runs)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert {value.dtype for value in first.values()} == {torch.float32}
