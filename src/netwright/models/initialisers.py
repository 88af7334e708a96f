"""Initialisers: how first weights are drawn, and which one fits in front of which activation.

All draws are uniform, because uniform draws give the same bits on every CPU, and all come from the generator that is
handed in: the global random state is neither read nor moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from netwright.registry import parts

DEFAULT = "glorot"  # before a head or an activation that says nothing: assumes a linear unit


def he(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with U(±√(6 / inputs)): the spread of the signal survives layers that cut its negative half.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums.
        outputs: Units that one input feeds; not used by this rule.
        generator: Source of the draws.

    Source: He et al. 2015, arXiv:1502.01852, equation 10, with a uniform instead of a normal draw.
    """
    del outputs
    _uniform(weight, math.sqrt(6 / inputs), generator)


def glorot(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with U(±√(6 / (inputs + outputs))): signal and gradient keep their spread where units are about linear.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums.
        outputs: Units that one input feeds.
        generator: Source of the draws.

    Source: Glorot & Bengio 2010, equation 16.
    """
    _uniform(weight, math.sqrt(6 / (inputs + outputs)), generator)


def before(activation: str | None) -> str:
    """The initialiser for weights whose sums go through an activation (None: straight to an output).

    Example:
        >>> before("relu"), before("tanh"), before(None)
        ('he', 'glorot', 'glorot')
    """
    known = parts("activation").get(activation or "")
    return known.facts.get("initialiser", DEFAULT) if known else DEFAULT


def fans(weight: Float[Tensor, "*any"]) -> tuple[int, int]:
    """How many numbers one unit sums and how many units one input feeds, of a (units, inputs, *window) weight.

    Example:
        >>> fans(torch.empty(16, 3, 5, 5))
        (75, 400)
    """
    window = math.prod(weight.shape[2:])
    return weight.shape[1] * window, weight.shape[0] * window


def drawer(
    rule: Callable[[Tensor, int, int, torch.Generator], None], generator: torch.Generator, scale: float = 1.0
) -> Callable[[Tensor], None]:
    """A function that fills one weight after another by a rule.

    Args:
        rule: `he`, `glorot` or one's own.
        generator: Source of the draws.
        scale: Factor on every drawn weight.
    """

    def draw(weight: Tensor) -> None:
        with torch.no_grad():
            rule(weight, *fans(weight), generator)
            if scale != 1.0:
                weight.mul_(scale)

    return draw


def _uniform(weight: Tensor, bound: float, generator: torch.Generator) -> None:
    with torch.no_grad():
        weight.uniform_(-bound, bound, generator=generator)
