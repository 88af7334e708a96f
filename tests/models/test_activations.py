"""Activations against their printed formulas, on a grid and far out."""

import math
from collections.abc import Callable

import pytest
import torch

from netwright.models.activations import elu, gelu, hard_tanh, leaky_relu, relu6, sigmoid, softplus, tanh, threshold

GRID = [-30.0, -3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0, 30.0]


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (sigmoid, lambda x: 1 / (1 + math.exp(-x))),
        (tanh, lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x))),
        (leaky_relu, lambda x: max(0, x) + 0.01 * min(0, x)),
        (elu, lambda x: x if x > 0 else math.exp(x) - 1),
        (softplus, lambda x: math.log(1 + math.exp(x))),
        (gelu, lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        (relu6, lambda x: min(6, max(0, x))),
        (hard_tanh, lambda x: max(-1, min(1, x))),
        (threshold, lambda x: float(x > 0)),
    ],
)
def test_values(function: Callable[[torch.Tensor], torch.Tensor], formula: Callable[[float], float]) -> None:
    found = function(torch.tensor(GRID, dtype=torch.float64)).tolist()
    assert found == pytest.approx([formula(x) for x in GRID], abs=1e-6)


def test_tanh_is_a_stretched_sigmoid() -> None:
    x = torch.linspace(-10, 10, 1001)
    assert float((tanh(x) - (2 * sigmoid(2 * x) - 1)).abs().max()) < 1e-6


def test_options_shape_the_negative_side() -> None:
    assert leaky_relu(torch.tensor(-2.0), slope=0.2).item() == pytest.approx(-0.4)
    assert elu(torch.tensor(-50.0), alpha=3.0).item() == pytest.approx(-3.0)
    assert softplus(torch.tensor(1000.0)).item() == 1000.0


def test_threshold_counts_as_a_line_within_1_of_its_step() -> None:
    x = torch.tensor([-1.0, 0.4, 0.6, 1.4, 1.6], requires_grad=True)
    value = threshold(x, at=0.5)
    (3 * value).sum().backward()
    assert value.tolist() == [0, 0, 1, 1, 1]
    assert x.grad is not None
    assert x.grad.tolist() == [0, 3, 3, 3, 0]
