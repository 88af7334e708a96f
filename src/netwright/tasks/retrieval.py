"""How well examples of one identity lie together: every example asks which of the others are nearest to it.

All numbers are about distances between examples, so they hold for identities that training never saw as well. Of a
large part a bounded number of examples is compared, drawn by chance once and for all.

Source: Musgrave, Belongie, Lim 2020, A Metric Learning Reality Check, arXiv:2003.08505, section 3, for precision at 1
and mean average precision; Schroff et al. 2015, arXiv:1503.03832, section 4, for same and different pairs by distance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from netwright import seeds

MOST_COMPARED = 2_000  # examples, so that four million distances are looked at
_BINS = 2_000  # of distances; the area under the ROC curve is exact to about one part in as many
_SHOWN_BINS = 40
_ROWS = 500  # examples that ask at once


@dataclass(frozen=True)
class Apart:
    """Distances of pairs, counted in equal bins from `low` to `high`.

    Args:
        low: Lower end of the first bin.
        high: Upper end of the last one.
        same: Pairs of one identity in each bin.
        different: Pairs of two identities in each bin.
    """

    low: float
    high: float
    same: list[int]
    different: list[int]


@dataclass(frozen=True)
class Asked:
    """What came of asking for the examples nearest to each example that is not the only one of its identity.

    Args:
        places: Those examples, among all that were compared.
        nearest: Whether the nearest other example is of the same identity; a share where several are equally near.
        average: Average precision of all others, ranked by their distance.
    """

    places: Int[np.ndarray, " query"]
    nearest: Float[np.ndarray, " query"]
    average: Float[np.ndarray, " query"]


def chosen(count: int) -> Int[np.ndarray, " compared"]:
    """Which of so many examples are compared with each other, in an order that says nothing about them.

    Among equally near examples the first one counts first, so that the order must not be that of the identities.
    """
    return seeds.numpy_generator(0, "compared").permutation(count)[:MOST_COMPARED]


def squared_distances(ones: Float[Tensor, "one dim"], others: Float[Tensor, "other dim"]) -> Float[Tensor, "one other"]:
    """Of each of the ones to each of the others."""
    squares = ones.square().sum(dim=1)[:, None] + others.square().sum(dim=1) - 2 * ones @ others.T
    return squares.clamp_min(0)


def partnered(codes: Int[Tensor, " example"]) -> Bool[Tensor, " example"]:
    """Which examples are not the only one of their identity: the others have nobody to be found by."""
    _, inverse, counts = torch.unique(codes, return_inverse=True, return_counts=True)
    return counts[inverse] > 1


def precision_at_1(points: Float[Tensor, "example dim"], codes: Int[Tensor, " example"]) -> float:
    """The share of examples whose nearest other example is of the same identity; 0 when no identity has two.

    Example:
        >>> line = torch.tensor([[0.0], [1.0], [5.0], [6.0], [8.0]])
        >>> round(precision_at_1(line, torch.tensor([0, 0, 1, 2, 2])), 3)  # 5 stands alone, 6 lies nearest to it
        0.75
    """
    asks = partnered(codes)
    if not bool(asks.any()):
        return 0.0
    return float(torch.cat([_nearest(squares, same) for squares, same in _chunks(points, codes)])[asks].mean())


def ask(points: Float[Tensor, "example dim"], codes: Int[Tensor, " example"]) -> Asked:
    """Nearest neighbours and average precision of each example that has a partner."""
    nearest, average = [], []
    for squares, same in _chunks(points, codes):
        nearest.append(_nearest(squares, same))
        hits = same.gather(1, squares.argsort(dim=1, stable=True)).double()
        share = hits.cumsum(dim=1) / torch.arange(1, hits.shape[1] + 1)
        average.append((share * hits).sum(dim=1) / hits.sum(dim=1).clamp_min(1))
    asks = partnered(codes)
    columns = [torch.cat(of)[asks].numpy() if of else np.zeros(0) for of in (nearest, average)]
    return Asked(asks.nonzero().flatten().numpy(), columns[0], columns[1])


def roc_columns(
    points: Float[Tensor, "example dim"], codes: Int[Tensor, " example"]
) -> Float[np.ndarray, "example two"]:
    """Of each example what its pairs add to the area under the ROC curve of distances, and how many same ones it has.

    The area is the chance that a pair of one identity lies nearer together than a pair of two; that is the sum of the
    first column over the sum of the second.
    """
    counts, reach = _counted(points, codes)
    different = counts[1].double()
    beyond = (different.sum() - different.cumsum(0) + different / 2) / different.sum().clamp_min(1)
    columns = [
        torch.stack([(beyond[_bins(squares, reach)] * same).sum(dim=1), same.sum(dim=1).double()], dim=1)
        for squares, same in _chunks(points, codes)
    ]
    return torch.cat(columns).numpy() if columns else np.zeros((0, 2))


def area(sums: Float[np.ndarray, "any two"]) -> Float[np.ndarray, " any"]:
    """The area under the ROC curve from sums (or means) of `roc_columns`; one half where no identity has two."""
    return np.where(sums[:, 1] > 0, sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], 1), 0.5)


def apart(points: Float[Tensor, "example dim"], codes: Int[Tensor, " example"]) -> Apart | None:
    """How distances of same and of different pairs are spread; None without pairs of both."""
    counts, reach = _counted(points, codes)
    if not bool((counts.sum(dim=1) > 0).all()):
        return None
    seen = counts.sum(dim=0).nonzero().flatten()
    first, last = int(seen[0]), int(seen[-1]) + 1
    width = -(-(last - first) // _SHOWN_BINS)  # fine bins in a drawn one
    bins = -(-(last - first) // width)
    drawn = torch.zeros(2, bins * width, dtype=counts.dtype)
    drawn[:, : last - first] = counts[:, first:last]
    same, different = (drawn.reshape(2, bins, width).sum(dim=2) // 2).tolist()  # each pair was met from both sides
    step = reach / _BINS
    return Apart(first * step, (first + bins * width) * step, same, different)


def nearest_to(points: Float[Tensor, "example dim"], place: int, most: int) -> list[tuple[int, float]]:
    """The examples nearest to one of them, and how far away they are, nearest first.

    Args:
        points: All of them.
        place: Of the one that asks.
        most: How many are told.
    """
    squares = squared_distances(points[place : place + 1], points)[0]
    squares[place] = torch.inf
    order = squares.argsort(stable=True)[: min(most, len(points) - 1)]
    return list(zip(order.tolist(), squares[order].sqrt().tolist(), strict=True))


def _chunks(points: Tensor, codes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Squared distances to all examples, and which of these are the same identity; nobody is a neighbour of itself."""
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        squares = squared_distances(points[rows], points).nan_to_num(nan=torch.inf, posinf=torch.inf)
        same, own = codes[rows, None] == codes, torch.arange(len(squares))
        squares[own, own + start], same[own, own + start] = torch.inf, False
        yield squares, same


def _nearest(squares: Tensor, same: Tensor) -> Tensor:
    tied = squares == squares.min(dim=1, keepdim=True).values
    return (tied & same).sum(dim=1).double() / tied.sum(dim=1)


def _counted(points: Tensor, codes: Tensor) -> tuple[Int[Tensor, "two bin"], float]:
    """Same and different pairs in each fine bin, and the upper end of the last one."""
    reach = 2 * float((points - points.mean(dim=0)).norm(dim=1).max()) if len(points) else 0.0
    reach = reach if math.isfinite(reach) else 0.0
    counts = torch.zeros(2, _BINS, dtype=torch.int64)
    for squares, same in _chunks(points, codes):
        bins, others = _bins(squares, reach), torch.isfinite(squares)
        for row, pairs in enumerate((same, ~same & others)):
            counts[row] += torch.bincount(bins[pairs], minlength=_BINS)
    return counts, reach


def _bins(squares: Tensor, reach: float) -> Tensor:
    return (squares.sqrt() * (_BINS / (reach or 1.0))).clamp(0, _BINS - 1).long()
