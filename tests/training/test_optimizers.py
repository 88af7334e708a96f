"""Optimizers against their formulas, worked out here in plain Python."""

import math
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from netwright.training.optimizers import adagrad, adam, adamw, own_rates, rmsprop, sgd

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


def test_momentum_as_a_mean_is_as_long_as_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, speed, expected = 1.0, GRADIENTS[0], []
    for number, gradient in enumerate(GRADIENTS):
        speed = 0.9 * speed + 0.1 * gradient if number else gradient
        place -= 0.1 * speed
        expected.append(place)
    found = _moved(sgd([weight], lr=0.1, momentum=0.9, convention="mean"), weight)
    assert found == pytest.approx(expected, abs=1e-6)


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


def test_nesterov_looks_ahead_along_the_direction() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, speed, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        speed = 0.9 * speed + gradient
        place -= 0.1 * (gradient + 0.9 * speed)
        expected.append(place)
    assert _moved(sgd([weight], 0.1, 0.9, nesterov=True), weight) == pytest.approx(expected, abs=1e-6)


def test_adamw_shrinks_weights_apart_from_the_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    weight.grad = torch.zeros(1)
    adamw([weight], lr=0.1, decay=0.5).step()
    assert weight.item() == pytest.approx(0.95)
    plain, apart = torch.nn.Parameter(torch.tensor([1.0])), torch.nn.Parameter(torch.tensor([1.0]))
    assert _moved(adamw([apart], lr=0.01, decay=0.0), apart) == pytest.approx(_moved(adam([plain], lr=0.01), plain))


def test_adagrad_divides_by_the_root_of_all_squares() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, square, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        square += gradient**2
        place -= 0.1 * gradient / math.sqrt(square)
        expected.append(place)
    assert _moved(adagrad([weight], lr=0.1), weight) == pytest.approx(expected, abs=1e-6)


def test_rmsprop_divides_by_a_running_root_mean_square() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    place, square, expected = 1.0, 0.0, []
    for gradient in GRADIENTS:
        square = 0.9 * square + 0.1 * gradient**2
        place -= 0.1 * gradient / (math.sqrt(square) + 1e-8)
        expected.append(place)
    assert _moved(rmsprop([weight], lr=0.1), weight) == pytest.approx(expected, abs=1e-6)


def test_making_and_stepping_an_optimizer_imports_no_compiler() -> None:
    """Two seconds of every start; in a process of its own, since another test may have imported it."""
    code = (
        "import sys, torch; from netwright.training.optimizers import adam;"
        "from netwright.training.loop import update_of;"
        "w = torch.nn.Parameter(torch.ones(3)); o = adam([w]); w.grad = torch.ones(3); update_of(o)();"
        "o.load_state_dict(o.state_dict()); o.zero_grad(); print('torch._dynamo' in sys.modules, w.tolist())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.startswith("False [0.999")


@pytest.mark.parametrize(
    ("make", "squares"),
    [(adagrad, lambda g: g**2 * 4), (rmsprop, lambda g: g**2 * (1 - 0.9**4)), (adam, lambda g: g**2)],
)
def test_own_rates_are_the_rate_over_the_root_of_remembered_squares(make: Callable, squares: Callable) -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = make([weight], lr=0.1)
    for _ in range(4):
        weight.grad = torch.tensor([1.0, 100.0, 0.0])  # the last one never has a gradient
        optimizer.step()
    found = own_rates(optimizer, weight)
    assert found is not None
    assert found.tolist() == pytest.approx([0.1 / math.sqrt(squares(g)) for g in (1, 100)], rel=1e-4)


def test_plain_descent_has_one_rate_for_all() -> None:
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = sgd([weight], lr=0.1, momentum=0.9)
    weight.grad = torch.ones(3)
    optimizer.step()
    assert own_rates(optimizer, weight) is None
