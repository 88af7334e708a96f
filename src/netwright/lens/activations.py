"""What the layers of a network give for some examples: whole, or pooled to a bounded number of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.network import Network
from netwright.registry import nearest
from netwright.words import listed

ROWS = 256  # examples computed at a time


def activations(network: Network, inputs: Mapping[str, Tensor], layer: str) -> Float[Tensor, "example *shape"]:
    """What one node of a network gives for some examples, in evaluation mode; nothing behind it is computed.

    Args:
        network: The network; its mode is left as it was.
        inputs: By group, coded.
        layer: Name of a node, e.g. "relu2", an output's name or "input:image".

    Raises:
        SpecError: There is no such node.
    """
    count = len(next(iter(inputs.values())))
    chunks = (
        {group: values[start : start + ROWS] for group, values in inputs.items()} for start in range(0, count, ROWS)
    )
    return gathered(network, chunks, [layer])[layer]


def gathered(
    network: Network, batches: Iterable[Mapping[str, Tensor]], layers: Sequence[str], most: int | None = None
) -> dict[str, Tensor]:
    """What several nodes give for all examples of some batches, on the CPU; of sequences the mean of their steps.

    No more is computed at once, and no more kept of each example, than the memory of a common machine holds.

    Args:
        network: The network; its mode is left as it was.
        batches: Coded inputs by group, batch by batch.
        layers: Names of nodes.
        most: Numbers kept of an example by `pooled`; left out, all are kept, in their shape.

    Raises:
        SpecError: There is no such node.
    """
    for layer in layers:
        _known(network, layer)
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    sequences = {node.name for node in network.nodes if node.shape[0] == STEPS and node.inputs}
    with looking(network) as device:
        for piece in (piece for batch in batches for piece in network.pieces(batch)):
            given = network.values({group: values.to(device) for group, values in piece.items()}, layers)
            for layer, value in given.items():
                even = value.nanmean(dim=1) if layer in sequences else value
                found[layer].append((even if most is None else pooled(even, most)).cpu())
    return {layer: torch.cat(values) for layer, values in found.items()}


@contextmanager
def looking(network: Network) -> Iterator[torch.device]:
    """Evaluation mode without gradients while the block runs, and the mode as it was afterwards.

    Yields:
        Where the network computes.
    """
    training = network.training
    device = next((weight.device for weight in network.parameters()), torch.device("cpu"))
    network.eval()
    try:
        with torch.no_grad():
            yield device
    finally:
        network.train(training)


def pooled(values: Float[Tensor, "example *shape"], most: int) -> Float[Tensor, "example number"]:
    """Each example's numbers in one row; maps of more than `most` numbers are averaged over a coarser grid first.

    Args:
        values: Vectors as they are; pictures (example, channel, height, width).
        most: At most so many numbers of an example, but at least one of each channel.

    Example:
        >>> pooled(torch.arange(16.0).reshape(1, 1, 4, 4), 4)
        tensor([[ 2.5000,  4.5000, 10.5000, 12.5000]])
    """
    if values.ndim != 4 or values[0].numel() <= most:
        return values.flatten(1)
    channels, height, width = values.shape[1:]
    if most <= channels:
        return values.mean(dim=(2, 3))
    finer = math.sqrt(most / (channels * height * width))
    grid = max(1, int(height * finer)), max(1, int(width * finer))
    return adaptive_avg_pool2d(values, grid).flatten(1)


def last_before_head(network: Network, output: str) -> str:
    """The node that an output's head reads; one that only lays numbers in a row is passed by.

    Args:
        network: The network.
        output: Name of the output.
    """
    nodes = {node.name: node for node in network.nodes}
    (name,) = nodes[output].inputs
    return nodes[name].inputs[0] if nodes[name].part == "flatten" else name


def _known(network: Network, layer: str) -> None:
    names = [node.name for node in network.nodes]
    if layer not in names:
        raise SpecError(f'there is no layer "{layer}"{nearest(layer, names)}.', f"There are: {listed(names, 40)}.")
