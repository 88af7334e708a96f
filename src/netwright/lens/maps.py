"""What the layers of a network make of one picture: some maps of each layer, and one filter beside the map it gives.

The value of a convolution at one place is the sum of products of a filter with the patch that lies there; at the place
where it is largest it is added again, product by product, in float64, and compared with what the network computed.

Source: Stanford CS231n, Convolutional Neural Networks for Visual Recognition, https://cs231n.github.io/: the network on
its front page, a column of activations for each layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional

from netwright.errors import SpecError
from netwright.lens.activations import looking
from netwright.models.layers import Layer
from netwright.models.network import Network, Node
from netwright.registry import nearest, parts
from netwright.words import listed

MOST_LAYERS = 16  # columns, what comes in among them
MOST_CHANNELS = 10  # maps of a layer, the first ones
_FOLLOWED = 4  # layers behind a filter at most that are shown until its function comes
_SAME = ("dropout",)  # after training these hand on what they are given


@dataclass(frozen=True)
class LayerMaps:
    """Some maps of one layer.

    Args:
        node: The layer.
        lowest: Of all its values.
        highest: Of all its values.
        zeros: Share of its values that are 0.
        maps: The first ones, shape (channel, height, width).
    """

    node: Node
    lowest: float
    highest: float
    zeros: float
    maps: Tensor


@dataclass(frozen=True)
class Stage:
    """A map, and which layer gives it; shape (height, width)."""

    node: Node
    map: Tensor


@dataclass(frozen=True)
class Filter:
    """The weights behind a map, and the place where the map is largest.

    Args:
        weights: Shape (channel, height, width); the channels are those of what the layer reads.
        bias: What is added; 0 without one.
        place: Row and column of the map where it is largest.
        patch: Top, left, bottom and right of what the filter covers there, in what the layer reads; below 0 and beyond
            its border lie zeros.
        reads: Name of the node that the layer reads.
        value: The map there, as the network computed it.
        added: The same, added again product by product.
    """

    weights: Tensor
    bias: float
    place: tuple[int, int]
    patch: tuple[int, int, int, int]
    reads: str
    value: float
    added: float


@dataclass(frozen=True)
class UnitMap:
    """One map of a layer and what the layers behind it make of it, up to the first function.

    Args:
        unit: Which map of the layer, from 0.
        stages: The map, then what follows.
        filter: What gives it; None where the layer has no filters.
    """

    unit: int
    stages: tuple[Stage, ...]
    filter: Filter | None


def layers_with_maps(network: Network) -> list[Node]:
    """The nodes that give maps, in the order of execution; what comes in first.

    Raises:
        SpecError: There is none behind the input.
    """
    found = [node for node in network.nodes if len(node.shape) == 3 and node.part not in _SAME]
    if not any(not node.inputs for node in found):
        raise SpecError("no picture goes into this network, so it has no maps.", "Name a run on pictures.")
    if not any(node.inputs for node in found):
        raise SpecError(
            "no layer of this network gives maps: it reads its pictures as plain numbers.",
            "Train one with convolutions, e.g. --layers 'conv 16x5 pad 2, relu, pool 2'.",
        )
    return found


def layer_maps(network: Network, inputs: Mapping[str, Tensor]) -> list[LayerMaps]:
    """Maps of at most `MOST_LAYERS` layers, evenly chosen, the first and the last among them.

    Args:
        network: The network; its mode is left as it was.
        inputs: One example, by group, each with a batch axis of 1.

    Raises:
        SpecError: No layer gives maps.
    """
    nodes = layers_with_maps(network)
    count = min(len(nodes), MOST_LAYERS)
    chosen = [nodes[int(place)] for place in np.linspace(0, len(nodes) - 1, count).round()]
    values = _values(network, inputs, [node.name for node in chosen])
    return [
        LayerMaps(
            node,
            float(value.min()),
            float(value.max()),
            float((value == 0).double().mean()),
            value[:MOST_CHANNELS],
        )
        for node in chosen
        for value in [values[node.name]]
    ]


def unit_map(network: Network, inputs: Mapping[str, Tensor], layer: str = "", unit: int | None = None) -> UnitMap:
    """One map, its filter, and what the layers behind make of it.

    Args:
        network: The network; its mode is left as it was.
        inputs: One example, by group, each with a batch axis of 1.
        layer: Name of a layer that gives maps; the first one with filters when left out.
        unit: Which of its maps, from 0; the one that reaches highest when left out.

    Raises:
        SpecError: No such layer or map.
    """
    nodes = [node for node in layers_with_maps(network) if node.inputs]
    named = {node.name: node for node in nodes}
    if layer and layer not in named:
        raise SpecError(
            f'"{layer}" is no layer that gives maps{nearest(layer, named)}.', f"There are: {listed(list(named), 40)}."
        )
    node = named[layer] if layer else next((each for each in nodes if _weight(network, each) is not None), nodes[0])
    if unit is not None and not 0 <= unit < node.shape[0]:
        raise SpecError(f"{node.name} gives maps 0 to {node.shape[0] - 1}, not {unit}.", "Count from 0.")
    followed = _followed(network, node)
    values = _values(network, inputs, [node.inputs[0], *(each.name for each in followed)])
    if unit is None:
        unit = int(values[node.name].amax(dim=(1, 2)).argmax())
    stages = tuple(Stage(each, values[each.name][unit]) for each in followed)
    return UnitMap(unit, stages, _filter(network, node, unit, values[node.inputs[0]], stages[0].map))


def _values(network: Network, inputs: Mapping[str, Tensor], names: list[str]) -> dict[str, Tensor]:
    """What some nodes give for the only example, on the CPU; copies, should a layer write into what it is given."""
    with looking(network) as device:
        given = network.values({group: values.to(device) for group, values in inputs.items()}, names)
        return {name: value[0].cpu().float().clone() for name, value in given.items()}


def _followed(network: Network, node: Node) -> list[Node]:
    """A node and those behind it that keep its channels, up to the first function; alone when none comes."""
    functions, found = parts("activation"), [node]
    if node.part in functions:
        return found
    for _ in range(_FOLLOWED):
        behind = network.behind(found[-1].name)
        if len(behind) != 1 or len(behind[0].inputs) != 1 or behind[0].shape[:1] != node.shape[:1]:
            return [node]
        if len(behind[0].shape) != 3:
            return [node]
        found.append(behind[0])
        if behind[0].part in functions:
            return found
    return [node]


def _weight(network: Network, node: Node) -> Tensor | None:
    """The filters of a layer, shape (filter, channel, height, width); None where it has none."""
    weight = getattr(network.module(node.name), "weight", None)
    return weight if isinstance(weight, Tensor) and weight.ndim == 4 else None


def _filter(network: Network, node: Node, unit: int, given: Tensor, seen: Tensor) -> Filter | None:
    weight, layer = _weight(network, node), network.module(node.name)
    if weight is None or not isinstance(layer, Layer):
        return None
    pad, (down, right) = int(getattr(layer, "pad", 0)), layer.stride
    bias = getattr(layer, "bias", None)
    added_on = float(bias.detach()[unit]) if isinstance(bias, Tensor) else 0.0
    own = weight[unit].detach().cpu()
    read = given if len(own) == len(given) else given[unit : unit + 1]  # a depthwise filter reads its own channel alone
    row, column = divmod(int(seen.argmax()), seen.shape[1])
    height, width = own.shape[1:]
    wider = functional.pad(read, (pad,) * 4)
    top, left = row * down, column * right
    patch = wider[:, top : top + height, left : left + width]
    return Filter(
        weights=own,
        bias=added_on,
        place=(row, column),
        patch=(top - pad, left - pad, top - pad + height, left - pad + width),
        reads=node.inputs[0],
        value=float(seen[row, column]),
        added=float((patch.double() * own.double()).sum()) + added_on,
    )
