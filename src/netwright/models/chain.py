"""A chain of layers asked token by token, in numpy: a few products a step, without what torch puts around each of them.

Only what language models are mostly made of is written down here: tokens, LSTM and GRU layers that read forwards,
dropout, which does nothing then, and the sums of the last layer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from torch import nn

from netwright.models.layers import Dense, Dropout
from netwright.models.network import Network
from netwright.models.recurrent import Carried, EmbedTokens, Gru, Lstm

_MOST_COLUMNS = 1_000  # tokens with a column each; more make a table that is worth nothing
Vector = Float[np.ndarray, " _"]  # of any length
Part = Callable[[Vector], Vector]


def chain(network: Network, head: str, carried: Carried) -> Callable[[int], Vector] | None:
    """What gives the scores after one more token; None for a network that is more than such a chain.

    Args:
        network: With one input of tokens.
        head: The output of what comes next.
        carried: States to go on from, one example.
    """
    first, second, *others = network.nodes
    embed = network.module(second.name) if second.inputs == (first.name,) else None
    if not isinstance(embed, EmbedTokens) or network.heads != (head,):
        return None
    parts, last = [], second.name
    for node in others:
        module = network.module(node.name)
        if node.inputs != (last,):
            return None
        last = node.name
        if isinstance(module, Dropout):
            continue
        if isinstance(module, Dense):
            parts.append(_sums(module))
        elif isinstance(module, Lstm | Gru) and module in carried:
            state = [part[0].numpy(force=True).copy() for part in carried[module]]
            parts.append(_lstm(module, *state) if isinstance(module, Lstm) else _gru(module, *state))
        else:
            return None
    if last != head or (embed.weight is None and embed.tokens > _MOST_COLUMNS):
        return None
    table = (
        np.eye(embed.tokens, dtype=np.float32)
        if embed.weight is None
        else embed.weight.numpy(force=True) * embed.factor
    )

    def step(token: int) -> Vector:
        x = table[token]
        for part in parts:
            x = part(x)
        return x

    return step


def _sums(layer: Dense) -> Part:
    weight, bias = layer.weight.numpy(force=True), layer.bias.numpy(force=True)
    return lambda x: weight @ x + bias


def _lstm(layer: Lstm, h: Vector, c: Vector) -> Part:
    """One product for all gates; the sigmoid of a sum is half the tanh of half of it, and a half."""
    units = len(h)
    into_it, onwards, *biases = _weights(layer.ahead)
    weight, bias = np.concatenate([into_it, onwards], axis=1), sum(biases)
    i, f, g, o = (slice(at * units, (at + 1) * units) for at in range(4))
    half = np.full((4 * units, 1), 0.5, np.float32)
    half[g] = 1.0
    weight, bias = np.ascontiguousarray(weight * half), bias * half[:, 0]
    into = np.concatenate([np.zeros(weight.shape[1] - units, np.float32), h])

    def step(x: Vector) -> Vector:
        nonlocal c
        into[:-units] = x
        gates = np.tanh(weight @ into + bias)
        gates[: 2 * units] = 0.5 * gates[: 2 * units] + 0.5
        c = gates[f] * c + gates[i] * gates[g]
        into[-units:] = (0.5 * gates[o] + 0.5) * np.tanh(c)
        return into[-units:]

    return step


def _gru(layer: Gru, h: Vector) -> Part:
    units = len(h)
    into, onwards, bias_into, bias_onwards = _weights(layer.ahead)

    def step(x: Vector) -> Vector:
        nonlocal h
        new, old = into @ x + bias_into, onwards @ h + bias_onwards
        r, z = np.split(0.5 * np.tanh(0.5 * (new[: 2 * units] + old[: 2 * units])) + 0.5, 2)
        h = (1 - z) * np.tanh(new[2 * units :] + r * old[2 * units :]) + z * h
        return h

    return step


def _weights(cell: nn.Module) -> list[np.ndarray]:
    """Of what comes in, of the state, and the biases of both."""
    named = dict(cell.named_parameters())
    return [named[f"{name}_l0"].numpy(force=True) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
