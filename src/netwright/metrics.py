"""Metrics: pure functions from answers and targets to numbers, and the intervals that belong to them.

Scores are computed in float64 and come back as plain floats. An interval resamples the groups (writers, videos,
people) when there are any, because examples of one group are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from netwright import seeds

LEVEL_Z = 1.959963984540054  # two-sided 95 % of a normal distribution
REPEATS = 1000  # resamples of a bootstrap
MOST_UNITS = 10_000  # resampled one by one; more are first summed into this many blocks
SMALLEST = float(np.finfo(np.float32).eps)  # probabilities below are counted as this, so that one 0 is not infinity


def hits(
    probabilities: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"], top: int = 1
) -> Float[Tensor, " batch"]:
    """1 where the true class is among the likeliest, else 0; of equally likely classes the first counts first.

    Args:
        probabilities: Or scores; only their order counts.
        targets: Codes of the true classes.
        top: How many of the likeliest classes count.
    """
    if top == 1:
        return (probabilities.argmax(dim=1) == targets).double()
    best = probabilities.argsort(dim=1, descending=True, stable=True)[:, :top]
    return (best == targets[:, None]).any(dim=1).double()


def accuracy(probabilities: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"], top: int = 1) -> float:
    """Share of examples whose true class is among the `top` likeliest.

    Example:
        >>> accuracy(torch.tensor([[0.6, 0.4], [0.9, 0.1]]), torch.tensor([0, 1]))
        0.5
    """
    return float(hits(probabilities, targets, top).mean())


def confusion(
    probabilities: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]
) -> Int[Tensor, "class class"]:
    """Counts by true class (row) and likeliest class (column).

    Example:
        >>> confusion(torch.tensor([[0.6, 0.4], [0.9, 0.1]]), torch.tensor([0, 1])).tolist()
        [[1, 0], [1, 0]]
    """
    classes = probabilities.shape[1]
    places = targets.long() * classes + probabilities.argmax(dim=1)
    return torch.bincount(places, minlength=classes * classes).reshape(classes, classes)


def surprise(probabilities: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Minus the logarithm of the probability given to the true class, per example; at most 15.9 (see `SMALLEST`)."""
    chosen = probabilities.double().gather(1, targets.long()[:, None])[:, 0]
    return -chosen.clamp(SMALLEST, 1.0).log()


def log_loss(probabilities: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> float:
    """Mean of `surprise`: 0 is perfect, ln k is guessing among k classes.

    Example:
        >>> round(log_loss(torch.tensor([[0.5, 0.5]]), torch.tensor([1])), 4)
        0.6931
    """
    return float(surprise(probabilities, targets).mean())


def rmse(answers: Float[Tensor, " batch *dim"], targets: Float[Tensor, " batch *dim"]) -> float:
    """Root of the mean squared error, in the target's units.

    Example:
        >>> rmse(torch.tensor([4.0, 4.0]), torch.tensor([1.0, 1.0]))
        3.0
    """
    return float((answers.double() - targets.double()).square().mean().sqrt())


def mae(answers: Float[Tensor, " batch *dim"], targets: Float[Tensor, " batch *dim"]) -> float:
    """Mean absolute error, in the target's units.

    Example:
        >>> mae(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]))
        1.0
    """
    return float((answers.double() - targets.double()).abs().mean())


def r2(answers: Float[Tensor, " batch *dim"], targets: Float[Tensor, " batch *dim"]) -> float:
    """Share of the targets' variance that the answers explain; 1 is perfect, 0 as good as the targets' mean.

    Several numbers per example give the mean of their shares. Targets that never change give 1 if met, else 0.

    Example:
        >>> r2(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 3.0]))
        1.0
    """
    wanted = targets.double().flatten(1) if targets.ndim > 1 else targets.double()[:, None]
    left = (answers.double().reshape(wanted.shape) - wanted).square().mean(dim=0)
    spread = (wanted - wanted.mean(dim=0)).square().mean(dim=0)
    return float(explained(left.numpy(force=True), spread.numpy(force=True)).mean())


def explained(left: Shaped[np.ndarray, "*any"], spread: Shaped[np.ndarray, "*any"]) -> Shaped[np.ndarray, "*any"]:
    """1 - left / spread, with 1 or 0 where there is no spread to explain.

    Args:
        left: Mean squared error.
        spread: Variance of the targets.
    """
    moving = spread > 0
    share = 1 - left / np.where(moving, spread, 1)
    return np.where(moving, share, np.where(left == 0, 1.0, 0.0))


def wilson(successes: int | float, count: int) -> tuple[float, float]:
    """95 % interval of a share; sound for few examples and for shares of 0 and 1.

    Args:
        successes: How many succeeded.
        count: Out of how many; 0 gives the whole range.

    Example:
        >>> [round(bound, 3) for bound in wilson(90, 100)]
        [0.826, 0.945]

    Source: Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference.
    """
    if count == 0:
        return 0.0, 1.0
    share, z2 = successes / count, LEVEL_Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = LEVEL_Z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(
    columns: Shaped[np.ndarray, "example column"],
    statistic: Callable[[np.ndarray], np.ndarray],
    groups: Shaped[np.ndarray, " example"] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of a statistic of column means, from resampled examples, or groups of them.

    With more than `MOST_UNITS` independent units these are first summed into that many random blocks, which keeps the
    spread and bounds the time.

    Args:
        columns: What is averaged, e.g. squared errors.
        statistic: From means, (resample, column), to the score, (resample,).
        groups: Which group each example belongs to; examples stand for themselves when left out.
        seed: Of the resampling.

    Example:
        >>> low, high = bootstrap(np.array([[0.0], [1.0]] * 50), lambda means: means[:, 0])
        >>> 0.38 < low < 0.44 and 0.56 < high < 0.62
        True

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3 (percentile interval).
    """
    generator = seeds.numpy_generator(seed, "bootstrap")
    count = len(columns)
    unit = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(unit.max(initial=-1)) + 1
    if units > MOST_UNITS:
        unit = generator.permutation(units)[unit] % MOST_UNITS
        units = MOST_UNITS
    weighted = np.column_stack([np.asarray(columns, dtype=np.float64), np.ones(count)])
    sums = np.zeros((units, weighted.shape[1]))
    np.add.at(sums, unit, weighted)
    drawn = np.empty((REPEATS, sums.shape[1]))
    for repeat in range(REPEATS):
        drawn[repeat] = np.bincount(generator.integers(0, units, units), minlength=units) @ sums
    scores = statistic(drawn[:, :-1] / drawn[:, -1:])
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)
