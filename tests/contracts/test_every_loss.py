"""What every registered loss keeps to; a new one is tested here by being registered."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwright import registry

CLASSES = 4


def _case(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Random outputs, targets, and the outputs of a perfect answer, by what the loss compares."""
    generator = torch.Generator().manual_seed(0)
    compares = registry.part("loss", name).facts["compares"]
    if compares == "classes":
        targets = torch.arange(6) % CLASSES
        perfect = torch.nn.functional.one_hot(targets, CLASSES).double() * 60 - 30
        return torch.randn(6, CLASSES, generator=generator, dtype=torch.float64), targets, perfect
    if compares == "yes_no":
        targets = torch.arange(6) % 2
        perfect = (targets[:, None] * 60 - 30).double()
        return torch.randn(6, 1, generator=generator, dtype=torch.float64), targets, perfect
    if compares == "triplets":  # a positive and a negative for each anchor, the positive where the anchor should be
        targets = torch.randn(6, 2, 3, generator=generator, dtype=torch.float64)
        targets[:, 1] = targets[:, 0] + 5
        return targets[:, 1] + 0.1, targets, targets[:, 0].clone()
    if compares == "points":
        targets = torch.randn(6, 4, 2, generator=generator, dtype=torch.float64)
        return torch.randn(6, 4, 2, generator=generator, dtype=torch.float64), targets, targets.clone()
    targets = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    return torch.randn(6, 3, generator=generator, dtype=torch.float64), targets, targets.clone()


every_loss = pytest.mark.parametrize("name", registry.parts("loss"))


@every_loss
def test_one_term_per_example_that_no_other_example_changes(name: str) -> None:
    loss, (outputs, targets, _) = registry.resolve("loss", name), _case(name)
    terms = loss(outputs, targets)
    assert terms.shape == (6,)
    alone = torch.cat([loss(outputs[row : row + 1], targets[row : row + 1]) for row in range(6)])
    torch.testing.assert_close(terms, alone)


@every_loss
def test_the_gradient_is_the_derivative(name: str) -> None:
    loss, (outputs, targets, _) = registry.resolve("loss", name), _case(name)
    assert torch.autograd.gradcheck(lambda x: loss(x, targets), outputs.requires_grad_())


@every_loss
def test_the_perfect_answer_is_the_minimum(name: str) -> None:
    loss, (outputs, targets, perfect) = registry.resolve("loss", name), _case(name)
    best = loss(perfect, targets)
    assert (best >= 0).all()
    assert (best < 1e-9).all()
    assert (loss(outputs, targets) > best).all()
    assert (loss(perfect + torch.randn(perfect.shape) * 100, targets) >= best - 1e-9).all()


@every_loss
def test_weight_two_is_twice_the_gradient(name: str) -> None:
    loss, (outputs, targets, _) = registry.resolve("loss", name), _case(name)
    once, twice = outputs.clone().requires_grad_(), outputs.clone().requires_grad_()
    loss(once, targets).mean().backward()
    (2 * loss(twice, targets)).mean().backward()
    torch.testing.assert_close(2 * once.grad, twice.grad)


@every_loss
def test_outputs_of_a_thousand_stay_finite(name: str) -> None:
    loss, (outputs, targets, _) = registry.resolve("loss", name), _case(name)
    for size in (1000.0, -1000.0):
        large = (outputs.float().sign() * size).requires_grad_()
        terms = loss(large, targets if targets.dtype == torch.int64 else targets.float())
        terms.sum().backward()
        assert torch.isfinite(terms).all()
        assert torch.isfinite(large.grad).all()
