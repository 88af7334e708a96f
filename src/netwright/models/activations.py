"""Activations: pure functions applied to every number by itself.

An activation keeps the shape and has no weights; its options, if any, are keyword arguments with defaults. Whatever
learns or changes the shape is a layer. Adding one is a function here and a line in the registry, whose fact
`initialiser` says how the weights in front of it are drawn.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional


def relu(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """max(0, x): does not saturate, cheap, and many units are exactly 0.

    Source: Glorot, Bordes, Bengio 2011, Deep Sparse Rectifier Neural Networks.
    """
    return torch.relu(x)


def leaky_relu(x: Float[Tensor, "*any"], slope: float = 0.01) -> Float[Tensor, "*any"]:
    """max(0, x) + slope min(0, x): a unit that is negative everywhere still learns.

    Args:
        x: Any numbers.
        slope: Of the negative side, small and positive.

    Source: Maas, Hannun, Ng 2013, Rectifier Nonlinearities Improve Neural Network Acoustic Models.
    """
    return functional.leaky_relu(x, slope)


def relu6(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """min(6, max(0, x)): a relu with a top, so that few bits can hold its values.

    Source: Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10, section 2.
    """
    return functional.relu6(x)


def gelu(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """X times the chance that a standard normal number is below x: a smooth relu that dips a little below 0.

    Source: Hendrycks & Gimpel 2016, Gaussian Error Linear Units, arXiv:1606.08415.
    """
    return functional.gelu(x)


def elu(x: Float[Tensor, "*any"], alpha: float = 1.0) -> Float[Tensor, "*any"]:
    """X above 0, alpha (e^x - 1) below: bends smoothly towards -alpha, so that means come closer to 0.

    Args:
        x: Any numbers.
        alpha: What negative values bend towards, > 0.

    Source: Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289, equation 15.
    """
    return functional.elu(x, alpha)


def softplus(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """log(1 + e^x): a smooth max(0, x), whose derivative is the sigmoid; never overflows.

    Example:
        >>> softplus(torch.tensor([0.0, 1000.0]))
        tensor([6.9315e-01, 1.0000e+03])

    Source: Dugas et al. 2001, Incorporating Second-Order Functional Knowledge for Better Option Pricing.
    """
    return functional.softplus(x)


def hard_tanh(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """max(-1, min(1, x)): a tanh of straight lines, cheap, and flat beyond 1.

    Source: Collobert 2004, Large Scale Machine Learning, section 6.1.
    """
    return functional.hardtanh(x)


def tanh(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Between -1 and 1, odd, and steepest at 0; its derivative is 1 - h^2.

    Formula: h = (e^x - e^-x) / (e^x + e^-x), which is 2 sigmoid(2x) - 1.
    """
    return torch.tanh(x)


def sigmoid(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Between 0 and 1: 1 / (1 + e^-x); nearly flat where |x| is large, so that deep nets of it learn slowly."""
    return torch.sigmoid(x)


class _Threshold(torch.autograd.Function):
    """The step with its declared straight-through derivative; see `threshold`."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, at: float) -> Tensor:
        ctx.save_for_backward(x)  # type: ignore[attr-defined]
        ctx.at = at  # type: ignore[attr-defined]
        return (x > at).to(x.dtype)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradients[0] * ((x - ctx.at).abs() <= 1), None  # type: ignore[attr-defined]


def threshold(x: Float[Tensor, "*any"], at: float = 0.0) -> Float[Tensor, "*any"]:
    """1 above `at`, else 0: the unit fires or does not.

    Its true derivative is 0 everywhere, so that nothing would be learned. Trained with the straight-through estimator:
    backwards it counts as the line x within 1 of `at`, and as flat beyond.

    Args:
        x: Any numbers.
        at: Where the unit begins to fire.

    Example:
        >>> x = torch.tensor([-2.0, 0.5, 2.0], requires_grad=True)
        >>> y = threshold(x)
        >>> y.sum().backward()
        >>> y.tolist(), x.grad.tolist()
        ([0.0, 1.0, 1.0], [0.0, 1.0, 0.0])

    Source: the unit of Rosenblatt 1958, The Perceptron; the estimator of Bengio, Leonard, Courville 2013,
    arXiv:1308.3432, section 4, cut off beyond 1 as in Hubara et al. 2016, arXiv:1602.02830, equation 4.
    """
    return _Threshold.apply(x, at)  # type: ignore[return-value]


def identity(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The input itself: a layer followed by it stays linear."""
    return x
