"""Losses: pure functions from outputs and targets to one number per example.

Every loss is stable for outputs of any size, is smallest at the perfect answer, and leaves averaging and weighting to
its caller. Adding one is a function here and a line in the registry whose fact `compares` says what it is given:
`classes` (one score per class, class codes), `yes_no` (one score, codes 0 and 1), `values` (numbers, numbers), `points`
(points, points) or `triplets` (embeddings of anchors, embeddings of a positive and a negative for each).
"""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

MARGIN = 0.2  # of a triplet, in squared distance
_NEAR = 1e-4  # below this distance a displacement is smooth, so that its derivative is one everywhere


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


def hinge(outputs: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """The multiclass support-vector loss: sum over the wrong classes of max(0, score - true score + 1).

    Args:
        outputs: One score per class, any size.
        targets: Codes of the true classes.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
        >>> losses = hinge(scores, torch.tensor([0, 1, 2]))  # a cat, a car, a frog
        >>> [round(float(loss), 1) for loss in losses], round(float(losses.mean()), 2)
        ([2.9, 0.0, 12.9], 5.27)

    Source: Weston & Watkins 1999, Support Vector Machines for Multi-Class Pattern Recognition, with a margin of 1.
    """
    true = outputs.gather(1, targets[:, None])
    over = functional.relu(outputs - true + 1)
    return over.sum(dim=1) - 1  # the true class itself is over by its margin of 1


def absolute(outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
    """Mean over the outputs of |output - target|; its best answer is the median, which far-off targets hardly move.

    Args:
        outputs: Values.
        targets: The values wanted.

    Source: Goodfellow, Bengio, Courville, Deep Learning, section 6.2.1.2.
    """
    return (outputs - targets).abs().mean(dim=1)


def huber(outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]) -> Float[Tensor, " batch"]:
    """Half the squared error up to 1, beyond it the absolute error less 1/2; mean over the outputs.

    Args:
        outputs: Values.
        targets: The values wanted; standardised, so that 1 is one spread.

    Source: Huber 1964, Robust Estimation of a Location Parameter.
    """
    return functional.huber_loss(outputs, targets, reduction="none").mean(dim=1)


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


def displacement(
    outputs: Float[Tensor, "batch point axis"], targets: Float[Tensor, "batch point axis"]
) -> Float[Tensor, " batch"]:
    """Mean over the points of their distance from where they should be; far-off ones hardly move its best answer.

    Args:
        outputs: Points.
        targets: Where they should be.

    Example:
        >>> import torch
        >>> answer, truth = torch.tensor([[[3.0, 4.0], [1.0, 1.0]]]), torch.tensor([[[0.0, 0.0], [1.0, 1.0]]])
        >>> round(float(displacement(answer, truth)[0]), 3)
        2.5

    Source: the average displacement error of Pellegrini et al. 2009, You'll Never Walk Alone, smooth where it is 0.
    """
    return ((outputs - targets).square().sum(dim=2) + _NEAR**2).sqrt().mean(dim=1) - _NEAR


def triplet(
    outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch 2 dim"], margin: float = MARGIN
) -> Float[Tensor, " batch"]:
    """max(0, ||f(a) - f(p)||^2 - ||f(a) - f(n)||^2 + margin): one's own identity lies nearer than another.

    Args:
        outputs: Embeddings f(a) of the anchors.
        targets: For each anchor the embeddings f(p) of a positive, another example of its identity, and f(n) of a
            negative, an example of another identity.
        margin: By how much the squared distance of the negative must exceed that of the positive, above 0.

    Example:
        >>> import torch
        >>> anchor, near, far = torch.tensor([1.0, 0.0]), torch.tensor([0.8, 0.6]), torch.tensor([0.0, 1.0])
        >>> both = torch.stack([torch.stack([near, far]), torch.stack([far, near])])  # well placed, and ill placed
        >>> [round(float(loss), 2) for loss in triplet(anchor.expand(2, 2), both)]  # 0.4 - 2 + 0.2 and 2 - 0.4 + 0.2
        [0.0, 1.8]

    Source: Schroff, Kalenichenko, Philbin 2015, FaceNet, arXiv:1503.03832, section 3.1, one term of its sum.
    """
    positive, negative = (outputs[:, None, :] - targets).square().sum(dim=2).unbind(dim=1)
    return triplet_cost(positive, negative, margin)


def triplet_cost(
    positive: Float[Tensor, "*triplet"], negative: Float[Tensor, "*triplet"], margin: float = MARGIN
) -> Float[Tensor, "*triplet"]:
    """What triplets cost by their squared distances; see `triplet`.

    Args:
        positive: Squared distance of anchor and positive.
        negative: Squared distance of anchor and negative.
        margin: By how much the second must exceed the first.
    """
    return functional.relu(positive - negative + margin)
