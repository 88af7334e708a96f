"""One artificial neuron: its terms w x on one example, their sum with the bias, and the function it has learned.

a_j = sum over i of w_ji x_i + w_j0; z_j = h(a_j). The sum is added again term by term in float64 and compared with what
the network computed. A maxout unit has several such sums and answers the largest.

Source: Bishop, Pattern Recognition and Machine Learning, equations 5.2 and 5.3; Goodfellow et al. 2013, Maxout
Networks, arXiv:1302.4389, figure 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netwright.errors import SpecError
from netwright.models.layers import Dense, Maxout
from netwright.models.network import Network, Node

_STEPS = 201  # places on the way along which a learned function is drawn
_SHARE = 0.01  # of the examples at either end that the way leaves out


@dataclass(frozen=True)
class Unit:
    """What one unit computed for one example.

    Args:
        layer: Name of its layer.
        place: Which unit of it, from 0.
        inputs: Values that came in, x.
        weights: Its weights, w; of a maxout unit those of its largest sum.
        bias: w_j0.
        activation: a_j, as the network computed it.
        added: The same sum, added again term by term.
        function: Name of the function behind it; identity for none.
        output: z_j, what goes on from here.
        smaller: The other sums of a maxout unit, largest first.
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
    smaller: tuple[float, ...] = ()


@dataclass(frozen=True)
class Learned:
    """The function of one unit along the way on which its sums change (of several sums: differ) the most.

    The way leads through the mean of the examples; as many of their spreads as lie between its ends are walked.

    Args:
        way: Places on it, in spreads of the examples along it, shape (places,).
        output: What the unit gives there, shape (places,).
        sums: Each of its sums there, shape (sums, places).
    """

    way: Tensor
    output: Tensor
    sums: Tensor


@torch.no_grad()
def unit_view(network: Network, inputs: dict[str, Tensor], layer: str, place: int) -> Unit:
    """What a unit of a dense or maxout layer computes.

    Args:
        network: In evaluation mode.
        inputs: One example, by group, each with a batch axis of 1.
        layer: Name of such a layer or an output.
        place: Which of its units, from 0.

    Raises:
        SpecError: No such layer, or no such unit.
    """
    weights, biases, behind = _unit(network, layer, place)
    (x, answer), out = _seen(network, inputs, layer, behind)
    added = weights.double() @ x[0].double() + biases.double()
    taken = int(added.argmax())
    return Unit(
        layer=layer,
        place=place,
        inputs=tuple(x[0].tolist()),
        weights=tuple(weights[taken].tolist()),
        bias=float(biases[taken]),
        activation=float(answer[0, place]),
        added=float(added[taken]),
        function=behind.part if behind else "identity",
        output=float(out[0].flatten()[place]),
        smaller=tuple(sorted((float(each) for at, each in enumerate(added) if at != taken), reverse=True)),
    )


@torch.no_grad()
def learned(network: Network, inputs: dict[str, Tensor], layer: str, place: int) -> Learned:
    """The function of a unit over real examples; see `unit_view` for arguments and errors.

    With the spreads s of what comes in, the way's direction is that of the largest singular value of the weights
    scaled by s; of several sums, of their differences from their mean.
    """
    weights, biases, behind = _unit(network, layer, place)
    (x, _), _ = _seen(network, inputs, layer, behind)
    spread, mean = torch.std_mean(x, dim=0, correction=0)
    scaled = weights * spread
    differences = scaled - scaled.mean(dim=0) if len(scaled) > 1 else scaled
    direction = torch.linalg.svd(differences, full_matrices=False).Vh[0]
    standard = (x - mean) / spread.clamp_min(1e-12)
    ends = torch.quantile(standard @ direction, torch.tensor([_SHARE, 1 - _SHARE]))
    way = torch.linspace(float(ends[0]), float(ends[1]), _STEPS)
    along = mean + way[:, None] * (direction * spread)
    output = network.module(layer)(along)
    output = network.module(behind.name)(output) if behind else output
    return Learned(way, output[:, place], weights @ along.T + biases[:, None])


def _unit(network: Network, layer: str, place: int) -> tuple[Tensor, Tensor, Node | None]:
    """Weights and biases of a unit's sums, and the function behind its layer."""
    sums = {n.name: m for n in network.nodes if n.inputs and isinstance(m := network.module(n.name), Dense | Maxout)}
    if layer not in sums:
        raise SpecError(f'"{layer}" is no layer of weighted sums.', f"There are: {', '.join(sums)}.")
    group = getattr(sums[layer], "group", 1)
    units = len(sums[layer].weight) // group
    if not 0 <= place < units:
        raise SpecError(f"{layer} has units 0 to {units - 1}, not {place}.", "Count from 0.")
    own = slice(place * group, (place + 1) * group)
    behind = next((n for n in network.behind(layer) if n.inputs == (layer,) and not n.parameters), None)
    return sums[layer].weight[own], sums[layer].bias[own], behind


def _seen(
    network: Network, inputs: dict[str, Tensor], layer: str, behind: Node | None
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """What goes into a layer and comes out of it, and what comes out of the function behind it."""
    values: dict[str, tuple[Tensor, Tensor]] = {}

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
    return values[layer], values[watched[-1]][1]
