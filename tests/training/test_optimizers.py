"""Optimizers against their formulas, worked out here in plain Python."""

import math

import pytest
import torch

from netwright.training.optimizers import adam, sgd

GRADIENTS = [0.5, -2.0, 0.1, 3.0]


def _moved(optimizer: torch.optim.Optimizer, weight: torch.nn.Parameter) -> list[float]:
    places = []
    for gradient in GRADIENTS:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        places.append(weight.item())
    return places


def test_sgd_steps_against_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    expected = [1 - 0.1 * sum(GRADIENTS[: n + 1]) for n in range(4)]
    assert _moved(sgd([weight], lr=0.1), weight) == pytest.approx(expected, abs=1e-6)


def test_momentum_keeps_a_share_of_the_last_direction() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, speed, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        speed = 0.9 * speed + gradient
        place -= 0.1 * speed
        expected.append(place)
    assert _moved(sgd([weight], lr=0.1, momentum=0.9), weight) == pytest.approx(expected, abs=1e-6)


def test_adam_is_algorithm_1_of_the_paper() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, mean, square, expected = 1.0, 0.0, 0.0, []
    for t, gradient in enumerate(GRADIENTS, 1):
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.95 * square + 0.05 * gradient**2
        place -= 0.01 * (mean / (1 - 0.8**t)) / (math.sqrt(square / (1 - 0.95**t)) + 1e-6)
        expected.append(place)
    assert _moved(adam([weight], lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6), weight) == pytest.approx(expected, abs=1e-6)


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    assert _moved(adam([weight], lr=0.01), weight)[0] == pytest.approx(0.99, abs=1e-6)
