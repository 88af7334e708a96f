"""A map of examples: alike where a layer of the network finds them alike, and how true the map is to its classes.

The activations are brought to at most 50 numbers by principal components and then laid out by t-SNE. Distances between
far groups and the sizes of groups mean nothing on such a map; who lies next to whom does, and the purity counts it.

Source: van der Maaten & Hinton 2008, Visualizing Data using t-SNE, JMLR 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits
from torch import Tensor

from netwright.errors import DataError
from netwright.metrics import bootstrap

NEIGHBOURS = 10
LEAST = 12  # examples of a map
_COMPONENTS = 50
_PERPLEXITY = 30.0  # scikit-learn's default: how many neighbours count
_ROWS = 512  # whose distances to all others are held at once


@dataclass(frozen=True)
class Purity:
    """The share of the nearest neighbours that have the same class.

    Args:
        share: Mean over the examples.
        interval: 95 % interval of it.
    """

    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class MapView:
    """A map of examples.

    Args:
        places: Of each example, centred and scaled to -1..1.
        neighbours: How many of the nearest ones were looked at.
        original: Purity in the activations.
        drawn: Purity on the map.
        chance: Purity if classes and places had nothing to do with each other.
    """

    places: Float[np.ndarray, "example 2"]
    neighbours: int
    original: Purity
    drawn: Purity
    chance: float


def map_view(values: Float[Tensor, "example number"], classes: Int[np.ndarray, " example"]) -> MapView:
    """A map of some examples by what a layer gives for them; the same examples give the same map.

    Args:
        values: Activations.
        classes: What each example really is.

    Raises:
        DataError: Too few examples, or the layer gives the same for all of them.
    """
    count = len(values)
    if count < LEAST:
        raise DataError(f"{count} examples are too few for a map.", f"It takes {LEAST} or more.")
    if not bool((values != values[0]).any()):
        raise DataError("this layer gives the same for every example.", "Choose another layer with --layer.")
    near = min(NEIGHBOURS, count - 1)
    places = _laid_out(values.double().numpy())
    _, sizes = np.unique(classes, return_counts=True)
    chance = float((sizes * (sizes - 1)).sum() / (count * (count - 1)))
    original, drawn = (_purity(each, classes, near) for each in (values, torch.from_numpy(places)))
    return MapView(places, near, original, drawn, chance)


def same_class(
    values: Float[Tensor, "example number"], classes: Int[np.ndarray, " example"], neighbours: int
) -> Float[np.ndarray, " example"]:
    """Of each example the share of its nearest neighbours that have its class; distances are straight lines.

    Args:
        values: Where the examples are.
        classes: What each is.
        neighbours: How many count, fewer than there are examples.

    Example:
        >>> same_class(torch.tensor([[0.0], [1.0], [9.0], [12.0]]), np.array([0, 0, 0, 1]), 1).tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    values, shares = values.double(), []
    for start in range(0, len(values), _ROWS):
        rows = values[start : start + _ROWS]
        apart = torch.cdist(rows, values, compute_mode="donot_use_mm_for_euclid_dist")
        apart[torch.arange(len(rows)), torch.arange(start, start + len(rows))] = torch.inf  # nobody's own neighbour
        nearest = apart.topk(neighbours, largest=False).indices.numpy()
        shares.append((classes[nearest] == classes[start : start + len(rows), None]).mean(axis=1))
    return np.concatenate(shares)


def _purity(values: Float[Tensor, "example number"], classes: Int[np.ndarray, " example"], neighbours: int) -> Purity:
    shares = same_class(values, classes, neighbours)
    return Purity(float(shares.mean()), bootstrap(shares[:, None], lambda means: means[:, 0]))


def _laid_out(values: Float[np.ndarray, "example number"]) -> Float[np.ndarray, "example 2"]:
    """Places by t-SNE, from a start along the two main directions, so that nothing is left to chance."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    # Threads add up in another order each time, and t-SNE makes a different map of it.
    with threadpool_limits(limits=1):
        main = PCA(min(_COMPONENTS, *values.shape), svd_solver="full").fit_transform(values)
        main = np.column_stack([main, np.zeros(len(main))])[:, : max(2, main.shape[1])].astype(np.float32)
        perplexity = min(_PERPLEXITY, (len(main) - 1) / 3)
        start = 1e-4 * main[:, :2] / main[:, 0].std()  # as scikit-learn's init="pca" scales it
        found = TSNE(perplexity=perplexity, init=start).fit_transform(main).astype(np.float64)
    found -= (found.max(axis=0) + found.min(axis=0)) / 2
    return found / np.abs(found).max()
