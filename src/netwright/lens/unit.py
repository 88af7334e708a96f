"""One artificial neuron on one example: its terms w x, their sum with the bias, and what its function makes of it.

a_j = sum over i of w_ji x_i + w_j0; z_j = h(a_j). The sum is added again term by term in float64 and compared with what
the network computed.

Source: Bishop, Pattern Recognition and Machine Learning, equations 5.2 and 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwright.errors import SpecError
from netwright.models.layers import Dense
from netwright.models.network import Network


@dataclass(frozen=True)
class Unit:
    """What one unit computed for one example.

    Args:
        layer: Name of its layer.
        place: Which unit of it, from 0.
        inputs: Values that came in, x.
        weights: Its weights, w.
        bias: w_j0.
        activation: a_j, as the network computed it.
        added: The same sum, added again term by term.
        function: Name of the function behind it; identity for none.
        output: z_j, what goes on from here.
    """

    layer: str
    place: int
    inputs: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    activation: float
    added: float
    function: str
    output: float


@torch.no_grad()
def unit_view(network: Network, inputs: dict[str, Tensor], layer: str, place: int) -> Unit:
    """What a unit of a dense layer computes.

    Args:
        network: In evaluation mode.
        inputs: One example, by group, each with a batch axis of 1.
        layer: Name of a dense layer or an output.
        place: Which of its units, from 0.

    Raises:
        SpecError: No dense layer of this name, or no such unit.
    """
    dense = [node.name for node in network.nodes if node.inputs and isinstance(network.module(node.name), Dense)]
    if layer not in dense:
        raise SpecError(f'"{layer}" is no layer of weighted sums.', f"There are: {', '.join(dense)}.")
    module = network.module(layer)
    units = len(module.weight)  # type: ignore[arg-type]
    if not 0 <= place < units:
        raise SpecError(f"{layer} has units 0 to {units - 1}, not {place}.", "Count from 0.")
    values: dict[str, tuple[Tensor, Tensor]] = {}
    behind = next((n for n in network.nodes if n.inputs == (layer,) and not n.parameters), None)

    def keep(name: str) -> object:
        def hook(_: nn.Module, given: tuple[Tensor, ...], value: Tensor) -> None:
            values[name] = (given[0], value)

        return hook

    watched = [layer] + ([behind.name] if behind else [])
    handles = [network.module(name).register_forward_hook(keep(name)) for name in watched]  # type: ignore[arg-type]
    try:
        network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    x, sums = values[layer]
    weights, bias = module.weight[place], module.bias[place]  # type: ignore[index]
    out = values[behind.name][1] if behind else sums
    return Unit(
        layer=layer,
        place=place,
        inputs=tuple(x[0].tolist()),
        weights=tuple(weights.tolist()),
        bias=float(bias),
        activation=float(sums[0, place]),
        added=float((weights.double() * x[0].double()).sum() + bias.double()),
        function=behind.part if behind else "identity",
        output=float(out[0].flatten()[place]),
    )
