"""Initialisers: how first weights are drawn, and which one fits in front of which activation.

What is drawn by default is uniform, because uniform draws give the same bits on every CPU, and everything comes from
the generator that is handed in: the global random state is neither read nor moved. An initialiser's keywords are
settings of `model.initialiser`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from netwright.registry import parts, resolve

Rule = Callable[[Tensor, int, int, torch.Generator], None]
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


def glorot_printed(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with U(±6 / √(inputs + outputs)): the rule as some lectures print it, the 6 outside the root.

    That is √6 = 2.4 times as wide as `glorot`, at 100 inputs and 100 outputs 0.42 instead of 0.17: deep nets of tanh
    saturate with it. It is here to be compared with.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums.
        outputs: Units that one input feeds.
        generator: Source of the draws.

    Source: a misprint of Glorot & Bengio 2010, equation 16.
    """
    _uniform(weight, 6 / math.sqrt(inputs + outputs), generator)


def fan_in(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with U(±1 / √inputs): a plain old rule, under which signals shrink by √3 from layer to layer.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums.
        outputs: Units that one input feeds; not used by this rule.
        generator: Source of the draws.

    Source: Glorot & Bengio 2010, equation 1, "the commonly used heuristic".
    """
    del outputs
    _uniform(weight, 1 / math.sqrt(inputs), generator)


def normal(
    weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator, spread: float = 0.01
) -> None:
    """Fills with a Gaussian of mean 0, the same in every layer.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums; not used by this rule.
        outputs: Units that one input feeds; not used by this rule.
        generator: Source of the draws.
        spread: Standard deviation, >= 0.

    Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification, section 5, which draws with 0.01.
    """
    del inputs, outputs
    with torch.no_grad():
        weight.normal_(0.0, spread, generator=generator)


def orthogonal(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with a matrix whose rows (or columns, where there are fewer) are orthogonal and of length 1.

    Args:
        weight: Filled in place, seen as one row per unit.
        inputs: Numbers that one unit sums; not used by this rule.
        outputs: Units that one input feeds; not used by this rule.
        generator: Source of the draws.

    Source: Saxe, McClelland, Ganguli 2013, arXiv:1312.6120.
    """
    del inputs, outputs
    torch.nn.init.orthogonal_(weight, generator=generator)


def dirac(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """A convolution begins by passing on what comes in, a channel with each filter; what is left is filled as `fan_in`.

    So what the layers in front say is never lost at first, as behind a shortcut. Filters beyond the channels that come
    in, and layers without a window, are filled like `fan_in`.

    Args:
        weight: Filled in place.
        inputs: Numbers that one unit sums.
        outputs: Units that one input feeds.
        generator: Source of the draws.

    Source: Zagoruyko & Komodakis 2017, DiracNets, arXiv:1706.00388; on a part of the filters Jordan 2024,
    arXiv:2404.00498, section 3.3.
    """
    fan_in(weight, inputs, outputs, generator)
    if weight.ndim > 2:
        with torch.no_grad():
            torch.nn.init.dirac_(weight[: weight.shape[1]])


def zeros(weight: Float[Tensor, "*any"], inputs: int, outputs: int, generator: torch.Generator) -> None:
    """Fills with 0: every unit of a layer stays the same as its neighbours for ever. For teaching; do not train so.

    Args:
        weight: Filled in place.
        inputs: Not used by this rule.
        outputs: Not used by this rule.
        generator: Not used by this rule.

    Source: Goodfellow, Bengio, Courville, Deep Learning, section 8.4, on breaking symmetry.
    """
    del inputs, outputs, generator
    torch.nn.init.zeros_(weight)


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


@dataclass(frozen=True)
class Draw:
    """Fills one weight of a layer after another by a rule.

    Args:
        rule: `he`, `glorot` or one's own.
        generator: Source of the draws.
        scale: Factor on every weight that the rule draws.
    """

    rule: Rule
    generator: torch.Generator
    scale: float = 1.0

    def __call__(self, weight: Tensor) -> None:
        """Fills a weight in place by the rule."""
        with torch.no_grad():
            self.rule(weight, *fans(weight), self.generator)
            if self.scale != 1.0:
                weight.mul_(self.scale)

    def uniform(self, weight: Tensor, bound: float) -> None:
        """Fills a weight that is no sum's weight with U(±bound), whatever the rule."""
        _uniform(weight, bound, self.generator)


def rule_of(name: str, options: Mapping[str, int | float | bool | str]) -> Rule:
    """A registered initialiser with its options."""
    return partial(resolve("initialiser", name), **options)


def _uniform(weight: Tensor, bound: float, generator: torch.Generator) -> None:
    with torch.no_grad():
        weight.uniform_(-bound, bound, generator=generator)
