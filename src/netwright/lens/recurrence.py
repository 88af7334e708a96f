"""A recurrent layer step by step: its states and gates, computed again from its weights alone.

A cell is one direction of such a layer as a function of what comes in and of the state so far, written out as its
docstring in `models/recurrent.py` says it; `Trace.apart` tells how far what it gives lies from what the layer gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.network import Network, Node
from netwright.models.recurrent import Gru, Lstm, Recurrent, Rnn, State
from netwright.models.steps import reversed_steps
from netwright.models.steps import there as steps_there
from netwright.registry import nearest
from netwright.words import listed


@dataclass(frozen=True)
class Stepped:
    """What one step gives, each `(batch, units)`.

    Args:
        out: What comes out.
        state: What is handed to the next step.
        gates: By name; each number between 0, which lets nothing through, and 1, which lets everything.
    """

    out: Tensor
    state: State
    gates: dict[str, Tensor]


@dataclass(frozen=True)
class Cell:
    """One direction of a recurrent layer.

    Args:
        step: Of what comes in `(batch, dim)`, the state, and the weights from step to step.
        recurrent: These weights as they are, `(rows, units)`.
        parts: Names of what the state consists of: h, of an LSTM c too.
        units: Numbers of each part.
    """

    step: Callable[[Tensor, State, Tensor], Stepped]
    recurrent: Tensor
    parts: tuple[str, ...]
    units: int

    def empty(self, x: Tensor) -> State:
        """The state before anything was read, for as many rows as `x` has."""
        return (x.new_zeros(len(x), self.units),) * len(self.parts)


@dataclass(frozen=True)
class Trace:
    """A layer on some sequences, each tensor `(batch, time, units)`; both ways side by side where it reads both.

    Args:
        out: What comes out at each step.
        kept: What else of the state is handed on, by name: c of an LSTM.
        gates: By name.
        apart: Largest difference between `out` and what the layer itself gives.
    """

    out: Tensor
    kept: dict[str, Tensor]
    gates: dict[str, Tensor]
    apart: float


def recurrent_layers(network: Network) -> list[Node]:
    """The nodes that keep a state, in the order of execution.

    Raises:
        SpecError: There is none.
    """
    found = [node for node in network.nodes if node.inputs and isinstance(network.module(node.name), Recurrent)]
    if not found:
        into = "reads sequences, but keeps no state" if _reads_steps(network) else "reads no sequences"
        raise SpecError(
            f"this network {into}: it has no steps to look at.",
            "Name a run with a recurrent layer, e.g. --layers 'lstm 64'.",
        )
    return found


def one_layer(network: Network, name: str = "") -> tuple[Node, Recurrent]:
    """A recurrent layer by its name; the last one when left out.

    Args:
        network: The network.
        name: Of a node, e.g. "lstm1".

    Raises:
        SpecError: There is none of this name.
    """
    nodes = {node.name: node for node in recurrent_layers(network)}
    if name and name not in nodes:
        raise SpecError(
            f'"{name}" is no layer that keeps a state{nearest(name, nodes)}.', f"There are: {listed(list(nodes), 40)}."
        )
    node = nodes[name] if name else list(nodes.values())[-1]
    layer = network.module(node.name)
    if not isinstance(layer, Recurrent):  # pragma: no cover - only such nodes were looked at
        raise SpecError(f"{node.name} keeps no state.")
    return node, layer


def cell_of(layer: Recurrent, *, back: bool = False) -> Cell:
    """A recurrent layer's cell.

    Args:
        layer: The layer.
        back: The one that reads from the end to the beginning.

    Raises:
        SpecError: An own part whose formula is not known here.
    """
    if isinstance(layer, Rnn):
        return _rnn(layer, back)
    if isinstance(layer, Lstm | Gru):
        cell = layer.back if back else layer.ahead
        if isinstance(cell, nn.LSTM):
            return _lstm(cell)
        if isinstance(cell, nn.GRU):
            return _gru(cell)
    raise SpecError(
        f"how {type(layer).__name__} steps is not known here.", "This look knows the layers rnn, lstm and gru."
    )


@torch.no_grad()
def traced(layer: Recurrent, x: Float[Tensor, "batch time dim"], steps: Int[Tensor, " batch"] | None = None) -> Trace:
    """A layer's states and gates at every step of some sequences, beginning with an empty state.

    Args:
        layer: The layer.
        x: What comes into it; what lies behind an end may be anything but NaN.
        steps: How many steps each sequence has; None where all have as many as there are.
    """
    found = [_one_way(cell_of(layer), x)]
    if layer.both:
        turned = _one_way(cell_of(layer, back=True), reversed_steps(x, steps))
        found.append([{name: reversed_steps(of, steps) for name, of in each.items()} for each in turned])
    out, kept, gates = (
        {name: torch.cat([way[place][name] for way in found], dim=2) for name in found[0][place]} for place in range(3)
    )
    own = layer(x, steps)
    differ = (out["out"] - own).abs()
    if steps is not None:
        differ = differ.masked_fill(~steps_there(differ, steps), 0.0)
    return Trace(out["out"], kept, gates, float(differ.max()) if differ.numel() else 0.0)


def _one_way(cell: Cell, x: Tensor) -> list[dict[str, Tensor]]:
    """What comes out, what else is handed on, and the gates, each by name and over time."""
    state, each = cell.empty(x), []
    for step in x.unbind(dim=1):
        each.append(cell.step(step, state, cell.recurrent))
        state = each[-1].state
    kept = {
        name: torch.stack([step.state[place] for step in each], dim=1)
        for place, name in enumerate(cell.parts)
        if place > 0
    }
    gates = {name: torch.stack([step.gates[name] for step in each], dim=1) for name in each[0].gates}
    return [{"out": torch.stack([step.out for step in each], dim=1)}, kept, gates]


def _lstm(cell: nn.LSTM) -> Cell:
    into, bias_in, recurrent, bias = (
        getattr(cell, f"{name}_l0") for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    )

    def step(x: Tensor, state: State, weights: Tensor) -> Stepped:
        h, c = state
        i, f, g, o = (linear(x, into, bias_in) + linear(h, weights, bias)).chunk(4, dim=-1)
        let_in, keep, let_out = torch.sigmoid(i), torch.sigmoid(f), torch.sigmoid(o)
        c = keep * c + let_in * torch.tanh(g)
        h = let_out * torch.tanh(c)
        return Stepped(h, (h, c), {"input": let_in, "forget": keep, "output": let_out})

    return Cell(step, recurrent, ("h", "c"), cell.hidden_size)


def _gru(cell: nn.GRU) -> Cell:
    into, bias_in, recurrent, bias = (
        getattr(cell, f"{name}_l0") for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
    )

    def step(x: Tensor, state: State, weights: Tensor) -> Stepped:
        (h,) = state
        in_r, in_z, in_n = linear(x, into, bias_in).chunk(3, dim=-1)
        of_r, of_z, of_n = linear(h, weights, bias).chunk(3, dim=-1)
        reset, update = torch.sigmoid(in_r + of_r), torch.sigmoid(in_z + of_z)
        h = (1 - update) * torch.tanh(in_n + reset * of_n) + update * h
        return Stepped(h, (h,), {"reset": reset, "update": update})

    return Cell(step, recurrent, ("h",), cell.hidden_size)


def _rnn(layer: Rnn, back: bool) -> Cell:
    units = layer.recurrent.shape[1]
    rows = slice(units, 2 * units) if back else slice(0, units)
    into, bias = layer.weight[rows], layer.bias[rows]

    def step(x: Tensor, state: State, weights: Tensor) -> Stepped:
        (h,) = state
        if layer.form == "after":
            h = layer.function(linear(x, into, bias) + linear(h, weights))
            return Stepped(h, (h,), {})
        h = linear(x, into, bias) + linear(layer.function(h), weights)
        return Stepped(layer.function(h), (h,), {})

    return Cell(step, layer.recurrent[rows], ("h",), units)


def _reads_steps(network: Network) -> bool:
    return any(not node.inputs and node.shape[0] == STEPS for node in network.nodes)
