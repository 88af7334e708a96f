"""How much of a gradient is left when it has gone back through all layers, and how much with another activation.

Source: Bengio, Simard, Frasconi 1994, Learning Long-Term Dependencies with Gradient Descent is Difficult.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from netwright import registry
from netwright.models.network import Node
from netwright.models.text import parse, steps
from netwright.spec import ModelSpec

VANISHING = 1e-2  # of the last hidden layer's gradient; chains of relu keep a tenth and more
FEWEST = 3  # hidden layers of weighted sums; through fewer nothing vanishes
_SUMS = ("dense", "conv")


@dataclass(frozen=True)
class Backwards:
    """The gradient of the first hidden layer of weighted sums beside that of the last.

    Args:
        first: Name of the first.
        last: Name of the last.
        layers: How many there are from the first to the last.
        share: Root mean square of the first one's gradient over that of the last one's.
    """

    first: str
    last: str
    layers: int
    share: float

    @property
    def vanishes(self) -> bool:
        """Whether the first layer learns next to nothing."""
        return self.share < VANISHING


def backwards(nodes: Sequence[Node], heads: Sequence[str], gradients: Mapping[str, list[Tensor]]) -> Backwards | None:
    """What is left of the gradient at the first layer; None where there are too few layers or no gradient.

    Args:
        nodes: Of the network, in order of execution.
        heads: Names of those that are outputs.
        gradients: By node, those of its weights.
    """
    sums = [node.name for node in nodes if node.part in _SUMS and node.name not in heads and node.name in gradients]
    if len(sums) < FEWEST:
        return None
    size = [float(gradients[name][0].square().mean().sqrt()) for name in (sums[0], sums[-1])]
    return Backwards(sums[0], sums[-1], len(sums), size[0] / size[1]) if size[1] > 0 else None


def with_relu(model: ModelSpec) -> ModelSpec | None:
    """The same layers with relu for every activation that levels off on both sides; None where there is none."""
    if model.layers is None:
        return model.model_copy(update={"activation": "relu"}) if _levels_off(model.activation or "") else None
    text = model.layers
    found = [step for step in steps(parse(text)) if step.room == "activation" and _levels_off(step.part)]
    for step in reversed(found):
        text = f"{text[: step.column]}relu{text[step.end :]}"
    return model.model_copy(update={"layers": text}) if found else None


def _levels_off(activation: str) -> bool:
    known = registry.parts("activation").get(activation)
    limits = known.facts.get("limits", "") if known else ""
    return bool(limits) and "inf" not in limits and activation != "relu6"
