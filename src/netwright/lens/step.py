"""One step of gradient descent on two chosen weights: which direction, how far, and the loss around it.

Guarantees: the weights, their gradients and the global random state are bit for bit what they were before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from netwright.errors import SpecError

Weight = tuple[Tensor, int]  # a parameter and the place in it, counted as if it were flat
FEWEST_POINTS = 5


@dataclass(frozen=True)
class StepView:
    """A step seen from above: two weights, all others standing still.

    Args:
        weights: The two weights before the step.
        slopes: Partial derivative of the loss by each.
        step: What is added to each: minus the learning rate times the slope.
        direction: The same as a vector of length 1; (0, 0) where the loss is flat.
        size: Length of the step.
        loss_before: Loss at the weights.
        loss_after: Loss when both weights have moved.
        first: Values of the first weight along the grid; the middle one is where it stands.
        second: The same for the second weight.
        surface: Loss for every pair of them; may hold infinities.
    """

    weights: tuple[float, float]
    slopes: tuple[float, float]
    step: tuple[float, float]
    direction: tuple[float, float]
    size: float
    loss_before: float
    loss_after: float
    first: Float[np.ndarray, " row"]
    second: Float[np.ndarray, " column"]
    surface: Float[np.ndarray, "row column"]


def step_view(
    loss: Callable[[], Tensor],
    first: Weight,
    second: Weight,
    learning_rate: float,
    *,
    points: int = 41,
    reach: float | None = None,
) -> StepView:
    """Two weights, the slopes there, the step that gradient descent would take, and the loss around it.

    Args:
        loss: Computes the loss anew from the weights as they are, the same for the same weights (no dropout).
        first: A parameter and a flat place in it.
        second: Another weight; may be of the same parameter.
        learning_rate: Factor between slope and step.
        points: Grid points along each side, odd and >= 5; the loss is computed points^2 + 2 times.
        reach: From the middle of the grid to its edge; when left out 1, or three steps if those are longer.

    Raises:
        SpecError: The weights are not two weights that the loss depends on, or `points` is not odd and >= 5.

    Example:
        >>> w = torch.tensor([3.0, 1.0], requires_grad=True)
        >>> view = step_view(lambda: (w * w).sum(), (w, 0), (w, 1), learning_rate=0.1)
        >>> view.slopes, view.loss_before, round(view.loss_after, 6), view.surface.shape
        ((6.0, 2.0), 10.0, 6.4, (41, 41))
    """
    _check(first, second, points)
    before = loss()
    slopes = _slopes(before, first, second)
    step = (-learning_rate * slopes[0], -learning_rate * slopes[1])
    size = math.hypot(*step)
    weights = (_read(first), _read(second))
    edge = reach or (max(1.0, 3 * size) if math.isfinite(size) else 1.0)
    axes = [weight + np.linspace(-edge, edge, points) for weight in weights]
    kept = [parameter.detach().clone() for parameter, _ in (first, second)]
    state = torch.random.get_rng_state()
    try:
        with torch.no_grad():
            after = _loss_at(loss, first, second, weights[0] + step[0], weights[1] + step[1])
            surface = np.array([[_loss_at(loss, first, second, a, b) for b in axes[1]] for a in axes[0]])
    finally:
        with torch.no_grad():
            for (parameter, _), copy in zip((first, second), kept, strict=True):
                parameter.copy_(copy)
        torch.random.set_rng_state(state)
    direction = (step[0] / size, step[1] / size) if size else (0.0, 0.0)
    return StepView(weights, slopes, step, direction, size, float(before.detach()), after, axes[0], axes[1], surface)


def _check(first: Weight, second: Weight, points: int) -> None:
    problems = []
    for which, (parameter, place) in (("first", first), ("second", second)):
        if not 0 <= place < parameter.numel():
            problems.append(f"the {which} weight is number {place} of a parameter with {parameter.numel()} weights.")
        if not parameter.requires_grad:
            problems.append(f"the {which} weight's parameter is frozen, so that it has no slope.")
    if first[0] is second[0] and first[1] == second[1]:
        problems.append(f"both weights are number {first[1]} of the same parameter.")
    if points < FEWEST_POINTS or points % 2 == 0:
        problems.append(f"a grid of {points} points has no middle; it takes an odd number from {FEWEST_POINTS} on.")
    if problems:
        raise SpecError("\n".join(problems), "Choose two different weights of the network, counted from 0.")


def _slopes(before: Tensor, first: Weight, second: Weight) -> tuple[float, float]:
    parameters = [first[0]] if first[0] is second[0] else [first[0], second[0]]
    if not before.requires_grad:
        raise SpecError("the loss depends on no weight.", "Compute it from the network's outputs, with gradients on.")
    gradients = torch.autograd.grad(before, parameters, allow_unused=True)
    if any(gradient is None for gradient in gradients):
        raise SpecError("the loss does not depend on one of the weights.", "Choose weights of the network it is from.")
    return float(gradients[0].flatten()[first[1]]), float(gradients[-1].flatten()[second[1]])


def _read(weight: Weight) -> float:
    parameter, place = weight
    return float(parameter.detach()[np.unravel_index(place, parameter.shape)] if parameter.ndim else parameter.detach())


def _loss_at(loss: Callable[[], Tensor], first: Weight, second: Weight, a: float, b: float) -> float:
    """The loss with the two weights set; called without gradients, and the caller puts the weights back."""
    for (parameter, place), value in ((first, a), (second, b)):
        parameter[np.unravel_index(place, parameter.shape)] = value
    return float(loss().detach())
