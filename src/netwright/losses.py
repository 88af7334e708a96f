"""Losses: pure functions from outputs and targets to one number per example.

Every loss is stable for outputs of any size, is smallest at the perfect answer, and leaves averaging and weighting to
its caller. Adding one is a function here and a line in the registry whose fact `compares` says what it is given:
`classes` (one score per class, class codes), `yes_no` (one score, codes 0 and 1) or `values` (numbers, numbers).
"""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def cross_entropy(outputs: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Minus the logarithm of the softmax probability of the true class.

    Args:
        outputs: One score per class, any size.
        targets: Codes of the true classes.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[3.2, 5.1, -1.7]])
        >>> [round(float(cross_entropy(scores, torch.tensor([true]))[0]), 2) for true in range(3)]
        [2.04, 0.14, 6.94]

    Source: Goodfellow, Bengio, Courville, Deep Learning, section 6.2.2.3.
    """
    return functional.cross_entropy(outputs, targets, reduction="none")


def binary_cross_entropy(outputs: Float[Tensor, "batch 1"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Minus the logarithm of the sigmoid probability of the true answer.

    Args:
        outputs: One score: positive speaks for code 1, negative for code 0.
        targets: 0 or 1.

    Example:
        >>> import torch
        >>> binary_cross_entropy(torch.tensor([[0.0], [1000.0]]), torch.tensor([1, 0]))
        tensor([6.9315e-01, 1.0000e+03])

    Source: Goodfellow, Bengio, Courville, Deep Learning, section 6.2.2.2: softplus((1 - 2y) z), which cannot overflow.
    """
    scores = outputs[:, 0]
    return functional.binary_cross_entropy_with_logits(scores, targets.to(scores.dtype), reduction="none")


def squared(outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
    """Mean over the outputs of (output - target) squared.

    On standardised targets 1.0 is as good as always answering the mean, however many outputs there are.

    Args:
        outputs: Values.
        targets: The values wanted.

    Example:
        >>> import torch
        >>> squared(torch.tensor([[1.0, 5.0]]), torch.tensor([[1.0, 3.0]]))
        tensor([2.])

    Source: Bishop, Pattern Recognition and Machine Learning, equation 5.11, divided by the number of outputs and
    without its factor 1/2.
    """
    return (outputs - targets).square().mean(dim=1)
