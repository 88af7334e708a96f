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
MOST_RANKED = 500_000_000  # answers ranked in all resamples together: some seconds
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
    return max(0.0, min(middle - half, share)), min(
        1.0, max(middle + half, share)
    )  # rounding must not leave it outside


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

    Returns:
        Its ends; NaN where all examples are of one group, which says nothing of others.

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
    if groups is not None and units < 2:
        return math.nan, math.nan
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


# ---- several classes at once -----------------------------------------------------------------------------------------


def average_precision(
    answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]
) -> Float[Tensor, " class"]:
    """Of each class: precision at every example that has it, those ranked by their answers, averaged; NaN without any.

    Examples with equal answers are ranked together, so that answering the same for all gives the class's share.

    Args:
        answers: Probabilities or scores; only their order within a class counts.
        targets: 1 where an example has the class, else 0.

    Example:
        >>> average_precision(torch.tensor([[0.9], [0.8], [0.1]]), torch.tensor([[1.0], [0.0], [1.0]])).tolist()
        [0.8333333333333333]

    Source: Manning, Raghavan, Schuetze 2008, Introduction to Information Retrieval, section 8.4.
    """
    return torch.from_numpy(_ranked_precision(answers, targets)(np.ones(len(answers))))


def mean_average_precision(answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]) -> float:
    """The mean of `average_precision` over the classes that some example has; 0 when none has any."""
    return float(_mean_of_known(average_precision(answers, targets).numpy()))


def precision_interval(
    answers: Float[Tensor, "batch class"],
    targets: Float[Tensor, "batch class"],
    groups: Shaped[np.ndarray, " example"] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of `mean_average_precision` from resampled examples, or groups of them; see `bootstrap`.

    Fewer resamples, a hundred at least, are drawn when one of them takes long.
    """
    generator = seeds.numpy_generator(seed, "bootstrap")
    count = len(answers)
    unit = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(unit.max(initial=-1)) + 1
    if groups is not None and units < 2:
        return math.nan, math.nan
    statistic = _ranked_precision(answers, targets)
    repeats = min(REPEATS, max(100, MOST_RANKED // max(1, answers.numel())))
    drawn = [
        _mean_of_known(statistic(np.bincount(generator.integers(0, units, units), minlength=units)[unit].astype(float)))
        for _ in range(repeats)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def best_thresholds(answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]) -> list[float]:
    """For each class the threshold with the best F1: halfway between the last answer that it takes and the next one.

    A class that no example has gets 1/2.

    Args:
        answers: Probabilities.
        targets: 1 where an example has the class, else 0.

    Example:
        >>> best_thresholds(torch.tensor([[0.9], [0.75], [0.25]]), torch.tensor([[1.0], [1.0], [0.0]]))
        [0.5]
    """
    found = []
    for column, wanted in zip(answers.double().T.numpy(force=True), targets.double().T.numpy(force=True), strict=True):
        order = np.argsort(-column, kind="stable")
        values, true = column[order], np.cumsum(wanted[order])
        if not len(true) or true[-1] == 0:
            found.append(0.5)
            continue
        score = 2 * true / (np.arange(1, len(true) + 1) + true[-1])
        last = np.append(values[1:] < values[:-1], True)  # equal answers are taken together
        best = int(np.argmax(np.where(last, score, -1)))
        after = values[best + 1] if best + 1 < len(values) else 0.0
        found.append(max(SMALLEST, float(values[best] + after) / 2))
    return found


def cheapest_threshold(
    answers: Float[Tensor, " batch"], targets: Float[Tensor, " batch"], missed: float, false_alarm: float
) -> float:
    """The threshold at which misses and false alarms cost least, halfway between two answers.

    Args:
        answers: Probability of the class that is sought.
        targets: 1 where it is true, else 0.
        missed: Cost of one that is not found.
        false_alarm: Cost of one that is found where there is none.

    Example:
        >>> chance, true = torch.tensor([0.9, 0.6, 0.3, 0.1]), torch.tensor([1.0, 0.0, 1.0, 0.0])
        >>> [round(cheapest_threshold(chance, true, missed, 1.0), 2) for missed in (0.5, 5.0)]
        [0.75, 0.2]
    """
    order = np.argsort(-answers.numpy(force=True), kind="stable")
    values = np.append(answers.double().numpy(force=True)[order], 0.0)
    true = np.append(0, np.cumsum(targets.double().numpy(force=True)[order]))
    given = np.arange(len(true))
    cost = missed * (true[-1] - true) + false_alarm * (given - true)
    whole = np.append(True, np.append(values[1:-1] < values[:-2], True)) if len(values) > 1 else np.array([True])
    best = int(np.argmin(np.where(whole, cost, np.inf)))  # the best so many are found; equal answers together
    above = values[best - 1] if best else 1.0 + (1.0 - values[0])
    return float(np.clip((above + values[best]) / 2, SMALLEST, 1.0))


def calibration(
    confidence: Float[Tensor, " batch"], right: Float[Tensor, " batch"], bins: int = 10
) -> list[tuple[float, float, int]]:
    """(mean confidence, share that was right, how many) in bins of equal width; empty bins are left out.

    Args:
        confidence: Probability given to the answer.
        right: 1 where the answer was right.
        bins: How many.

    Example:
        >>> calibration(torch.tensor([0.75, 0.75, 0.25]), torch.tensor([1.0, 0.0, 0.0]))
        [(0.25, 0.0, 1), (0.75, 0.5, 2)]

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599, section 2.
    """
    place = (confidence.double() * bins).long().clamp(0, bins - 1)
    found = []
    for number in range(bins):
        inside = place == number
        if count := int(inside.sum()):
            mean = float(confidence[inside].double().mean())
            found.append((round(mean, 12), float(right[inside].double().mean()), count))
    return found


def calibration_error(bins: list[tuple[float, float, int]]) -> float:
    """The mean distance between confidence and share of right answers over the bins, by their counts.

    Example:
        >>> round(calibration_error([(0.25, 0.0, 1), (0.95, 0.5, 2)]), 3)
        0.383
    """
    total = sum(count for _, _, count in bins)
    return sum(abs(mean - share) * count for mean, share, count in bins) / max(total, 1)


def f1(counts: Shaped[np.ndarray, "any three"]) -> Shaped[np.ndarray, " any"]:
    """Twice the right ones over all given and all true, from counts (or their means); 1 where there is nothing.

    Args:
        counts: Columns: true and given, given but false, true but not given.

    Example:
        >>> f1(np.array([[1, 1, 1], [0, 0, 0]])).tolist()
        [0.5, 1.0]

    Source: van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    twice = 2 * counts[:, 0]
    every = twice + counts[:, 1] + counts[:, 2]
    return np.where(every > 0, twice / np.where(every > 0, every, 1), 1.0)


def _mean_of_known(values: Shaped[np.ndarray, " class"]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _ranked_precision(answers: Tensor, targets: Tensor) -> Callable[[np.ndarray], np.ndarray]:
    """Average precision of each class as a function of how often each example counts; sorted once."""
    scores, wanted = answers.double().numpy(force=True), targets.double().numpy(force=True)
    order = np.argsort(-scores, axis=0, kind="stable")
    scores, wanted = np.take_along_axis(scores, order, axis=0), np.take_along_axis(wanted, order, axis=0)
    last = np.append(scores[1:] < scores[:-1], np.ones((1, scores.shape[1]), bool), axis=0)
    places = np.where(last, np.arange(len(scores))[:, None], len(scores))
    ends = np.minimum.accumulate(places[::-1], axis=0)[::-1]  # of the examples with equal answers

    def weighed(counts: np.ndarray) -> np.ndarray:
        weight = counts[order]
        true = weight * wanted
        found, seen = np.cumsum(true, axis=0), np.cumsum(weight, axis=0)
        share = np.take_along_axis(found / np.maximum(seen, 1e-300), ends, axis=0)
        total = found[-1]
        return np.where(total > 0, (true * share).sum(axis=0) / np.where(total > 0, total, 1), np.nan)

    return weighed
