"""What sharing weights saves: each convolution beside a dense layer from the same input to the same output maps.

A dense layer has a weight for every pair of an input number and an output number; a convolution has one for every
pair of a filter and a place in its window, and uses it at every place of the picture. Dense layers that would be too
large are computed, not built.

Source: LeCun et al. 1989, Backpropagation Applied to Handwritten Zip Code Recognition; Goodfellow, Bengio, Courville,
Deep Learning, section 9.2.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor
from torch.nn import functional

from netwright.errors import SpecError
from netwright.lens.activations import looking
from netwright.models.convolution import Conv
from netwright.models.network import Network
from netwright.seeds import torch_generator

LARGEST_BYTES = 1e9  # of a dense layer that is built to be measured
_BYTES = 4  # of a float32
_LEAST, _MOST, _SECONDS = 3, 100, 0.5  # a measurement is repeated so often, at most for so long


@dataclass(frozen=True)
class Cost:
    """What a layer costs.

    Args:
        parameters: Weights and biases.
        multiply_adds: For one example, forward.
        seconds: Measured for one batch, forward; None where the layer is too large to build.
    """

    parameters: int
    multiply_adds: int
    seconds: float | None

    @property
    def gigabytes(self) -> float:
        """Memory of its weights."""
        return self.parameters * _BYTES / 1e9


@dataclass(frozen=True)
class Shared:
    """One convolution and the dense layer that could do the same.

    Args:
        layer: Its name.
        text: As in the layer text.
        takes: Shape of the maps that come in.
        gives: Shape of the maps that come out.
        conv: What it costs.
        dense: What a dense layer between the same maps costs.
    """

    layer: str
    text: str
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    conv: Cost
    dense: Cost


def sharing(network: Network, batch: int, told: Callable[[int], None] = lambda done: None) -> list[Shared]:
    """Every convolution of a network beside a dense layer; both measured on the CPU with the threads that torch has.

    Args:
        network: The network.
        batch: Examples of a batch.
        told: Called with the number of convolutions done.

    Raises:
        SpecError: There is none.
    """
    found: list[Shared] = []
    measured: dict[tuple[object, ...], tuple[float, float | None]] = {}
    with looking(network):
        for node in network.nodes:
            layer = network.module(node.name) if node.part == "conv" else None
            if not isinstance(layer, Conv):
                continue
            form = (node.text, layer.in_shape, layer.out_shape)
            parameters, multiply_adds = _dense(layer)
            if form not in measured:  # layers of one form take the same time
                measured[form] = _seconds(layer, batch, parameters)
            seconds, dense_seconds = measured[form]
            conv = Cost(node.parameters, node.multiply_adds, seconds)
            dense = Cost(parameters, multiply_adds, dense_seconds)
            found.append(Shared(node.name, node.text, layer.in_shape, layer.out_shape, conv, dense))
            told(len(found))
    if not found:
        raise SpecError("this network has no convolution, so it shares no weights.", "Name a run on pictures.")
    return found


def _dense(layer: Conv) -> tuple[int, int]:
    """Parameters and multiply-adds of the dense layer between the same maps."""
    takes, gives = math.prod(layer.in_shape), math.prod(layer.out_shape)
    return takes * gives + (gives if layer.bias is not None else 0), takes * gives


def _seconds(layer: Conv, batch: int, dense_parameters: int) -> tuple[float, float | None]:
    """Of a batch through the convolution, and through the dense layer where that can be built."""
    draw = torch_generator(0, "sharing")
    pictures = torch.randn((batch, *layer.in_shape), generator=draw)
    pictures = pictures.contiguous(memory_format=torch.channels_last)  # as training lays them
    weight = layer.weight.detach().cpu()
    bias = None if layer.bias is None else layer.bias.detach().cpu()
    conv = _measured(lambda: functional.conv2d(pictures, weight, bias, layer.stride, layer.pad))
    needed = dense_parameters * _BYTES
    if needed > min(LARGEST_BYTES, psutil.virtual_memory().available / 2):
        return conv, None
    takes, gives = math.prod(layer.in_shape), math.prod(layer.out_shape)
    weights = torch.full((gives, takes), 0.01)  # written, since memory never written to would be read too quickly
    biases = None if layer.bias is None else torch.zeros(gives)
    rows = pictures.flatten(1)
    return conv, _measured(lambda: functional.linear(rows, weights, biases))


def _measured(call: Callable[[], Tensor]) -> float:
    """Seconds of a call, the median of several after one that is not counted."""
    call()
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < _LEAST or (len(taken) < _MOST and time.perf_counter() - began < _SECONDS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
