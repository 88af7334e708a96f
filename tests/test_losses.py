"""Losses: values known by thought; the contracts every loss keeps are in tests/contracts."""

from __future__ import annotations

import math

import pytest
import torch

from netwright.losses import binary_cross_entropy, cross_entropy, squared


def test_cross_entropy_of_the_lecture_example() -> None:
    scores = torch.tensor([[3.2, 5.1, -1.7]])
    assert float(cross_entropy(scores, torch.tensor([0]))) == pytest.approx(2.04, abs=5e-3)
    assert torch.softmax(scores, 1)[0].tolist() == pytest.approx([0.13, 0.87, 0.00], abs=5e-3)


@pytest.mark.parametrize("classes", [2, 10])
def test_equal_scores_cost_ln_k(classes: int) -> None:
    assert float(cross_entropy(torch.zeros(1, classes), torch.tensor([1]))) == pytest.approx(math.log(classes))


def test_scores_of_a_thousand_give_no_nan_and_no_infinity() -> None:
    scores = torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]], requires_grad=True)
    losses = cross_entropy(scores, torch.tensor([0, 1]))
    assert losses.tolist() == [0.0, 2000.0]
    losses.sum().backward()
    assert torch.isfinite(scores.grad).all()
    one = torch.tensor([[1000.0], [-1000.0], [1000.0]], requires_grad=True)
    losses = binary_cross_entropy(one, torch.tensor([1, 0, 0]))
    assert losses.tolist() == [0.0, 0.0, 1000.0]
    losses.sum().backward()
    assert torch.isfinite(one.grad).all()


def test_binary_cross_entropy_equals_cross_entropy_of_two_scores() -> None:
    scores, targets = torch.randn(20, 1), torch.randint(0, 2, (20,))
    two = torch.cat([torch.zeros(20, 1), scores], dim=1)
    torch.testing.assert_close(binary_cross_entropy(scores, targets), cross_entropy(two, targets))


def test_the_gradient_of_cross_entropy_is_answer_minus_target() -> None:
    scores = torch.tensor([[0.3, -1.0, 2.0]], requires_grad=True)
    cross_entropy(scores, torch.tensor([2])).sum().backward()
    torch.testing.assert_close(scores.grad, torch.softmax(scores.detach(), 1) - torch.tensor([[0.0, 0.0, 1.0]]))


def test_squared_is_the_mean_over_the_outputs() -> None:
    assert squared(torch.tensor([[1.0, 5.0]]), torch.tensor([[1.0, 3.0]])).tolist() == [2.0]
