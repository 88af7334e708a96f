"""The step view: on a bowl whose slopes and losses are known by thought, and on a real net."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.lens.step import step_view


def bowl() -> tuple[torch.Tensor, torch.Tensor]:
    """loss = 3 a^2 + b, a and b in parameters of their own."""
    return torch.tensor([[0.0, 2.0]], requires_grad=True), torch.tensor([5.0], requires_grad=True)


def test_slopes_step_and_losses_of_a_bowl() -> None:
    a, b = bowl()
    view = step_view(lambda: 3 * a[0, 1] ** 2 + b[0], (a, 1), (b, 0), learning_rate=0.1, points=5, reach=2.0)
    assert (view.weights, view.slopes) == ((2.0, 5.0), (12.0, 1.0))
    assert view.step == pytest.approx((-1.2, -0.1))
    assert view.size == pytest.approx(math.hypot(1.2, 0.1))
    assert math.hypot(*view.direction) == pytest.approx(1.0)
    assert (view.loss_before, view.loss_after) == pytest.approx((17.0, 3 * 0.8**2 + 4.9), rel=1e-6)
    assert view.first.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert view.surface.shape == (5, 5)
    np.testing.assert_allclose(view.surface, 3 * view.first[:, None] ** 2 + view.second[None, :])


def test_two_weights_of_one_parameter() -> None:
    w = torch.tensor([1.0, -1.0], requires_grad=True)
    view = step_view(lambda: w[0] * w[1] ** 2, (w, 0), (w, 1), learning_rate=1.0, points=5)
    assert view.slopes == (1.0, -2.0)
    assert view.loss_after == 0.0  # the first weight arrives at 0


def test_a_flat_place_has_no_direction() -> None:
    w = torch.zeros(2, requires_grad=True)
    view = step_view(lambda: (w * w).sum(), (w, 0), (w, 1), learning_rate=0.1, points=5)
    assert (view.direction, view.size, view.loss_after) == ((0.0, 0.0), 0.0, 0.0)


def test_a_step_that_is_too_long_raises_the_loss() -> None:
    w = torch.ones(2, requires_grad=True)
    view = step_view(lambda: (w * w).sum(), (w, 0), (w, 1), learning_rate=1.5, points=5)
    assert view.loss_after > view.loss_before


def test_weights_gradients_and_random_state_are_restored_to_the_bit() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    x, y = torch.randn(20, 4), torch.randn(20, 1)
    net[0].weight.grad = torch.full_like(net[0].weight, 7.0)
    before = [p.detach().clone() for p in net.parameters()]
    state = torch.random.get_rng_state()
    view = step_view(lambda: ((net(x) - y) ** 2).mean(), (net[0].weight, 5), (net[2].bias, 0), learning_rate=0.05)
    assert all(torch.equal(p, kept) for p, kept in zip(net.parameters(), before, strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (net[0].weight.grad == 7).all()
    assert net[2].bias.grad is None
    assert view.surface.shape == (41, 41)
    assert view.surface[20, 20] == pytest.approx(view.loss_before, rel=1e-6)
    assert view.loss_after < view.loss_before


def test_weights_are_restored_when_the_loss_fails() -> None:
    w = torch.ones(2, requires_grad=True)

    def fails() -> torch.Tensor:
        if float(w[0].detach()) != 1.0:
            raise RuntimeError("stop here")
        return (w * w).sum()

    with pytest.raises(RuntimeError, match="stop here"):
        step_view(fails, (w, 0), (w, 1), learning_rate=0.1)
    assert w.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("first", "second", "points", "message"),
    [
        (0, 9, 5, "the second weight is number 9 of a parameter with 2 weights"),
        (1, 1, 5, "both weights are number 1 of the same parameter"),
        (0, 1, 4, "a grid of 4 points has no middle"),
    ],
)
def test_weights_that_are_none_are_refused(first: int, second: int, points: int, message: str) -> None:
    w = torch.ones(2, requires_grad=True)
    with pytest.raises(SpecError, match=message):
        step_view(lambda: (w * w).sum(), (w, first), (w, second), 0.1, points=points)


def test_weights_the_loss_does_not_depend_on_are_refused() -> None:
    w, other, frozen = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True), torch.ones(1)
    with pytest.raises(SpecError, match="does not depend on one of the weights"):
        step_view(lambda: (w * w).sum(), (w, 0), (other, 0), 0.1)
    with pytest.raises(SpecError, match="the second weight's parameter is frozen"):
        step_view(lambda: (w * w).sum(), (w, 0), (frozen, 0), 0.1)
    with pytest.raises(SpecError, match="the loss depends on no weight"):
        step_view(lambda: torch.ones(()), (w, 0), (w, 1), 0.1)
