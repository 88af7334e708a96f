"""Activations: pure functions applied to every number by itself.

An activation keeps the shape and has no weights; its options, if any, are keyword arguments with defaults. Whatever
learns or changes the shape is a layer. Adding one is a function here and a line in the registry, whose fact
`initialiser` says how the weights in front of it are drawn.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def relu(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """max(0, x): does not saturate, cheap, and many units are exactly 0.

    Source: Glorot, Bordes, Bengio 2011, Deep Sparse Rectifier Neural Networks.
    """
    return torch.relu(x)


def tanh(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Between -1 and 1, odd, and steepest at 0; its derivative is 1 - h^2.

    Formula: h = (e^x - e^-x) / (e^x + e^-x), which is 2 sigmoid(2x) - 1.
    """
    return torch.tanh(x)


def sigmoid(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Between 0 and 1: 1 / (1 + e^-x); nearly flat where |x| is large, so that deep nets of it learn slowly."""
    return torch.sigmoid(x)


def identity(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The input itself: a layer followed by it stays linear."""
    return x
