"""How much of the answer each stage of a network lays open: a linear classifier on what the stage gives.

A probe is scikit-learn's logistic regression on standardised activations. Maps of more than `MOST_NUMBERS` numbers are
averaged over a coarser grid first, so that no stage has an advantage by its size. It learns from training examples and
is scored on held-out ones; the network itself is not changed.

Source: Alain & Bengio 2016, Understanding intermediate layers using linear classifier probes, arXiv:1610.01644.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from netwright.metrics import wilson
from netwright.models.network import Network, Node
from netwright.tasks.task import standardised

MOST_NUMBERS = 1024  # that a probe is given of an example
_STRENGTH = 0.01  # scikit-learn's C: the inverse of the penalty (docs/log.md)
_ITERATIONS = 300
_SUMS = ("dense", "maxout", "rbf")
_POOLS = ("pool", "global_pool")


@dataclass(frozen=True)
class Probe:
    """A linear classifier on one stage.

    Args:
        layer: Name of the node, "input:image" for what comes in.
        shape: Of one example there.
        numbers: How many the classifier was given.
        accuracy: On held-out examples.
        interval: 95 % interval of it.
        settled: It had found its weights when it stopped.
    """

    layer: str
    shape: tuple[int, ...]
    numbers: int
    accuracy: float
    interval: tuple[float, float]
    settled: bool


def stages(network: Network, output: str) -> list[str]:
    """The nodes where a stage of a network ends, in order: what comes in, and the last one before the head among them.

    A stage ends at a pool, before the pictures change their size, and before each sum over all inputs, where all that
    goes on to the output passes through one node: inside of branches no stage ends.

    Args:
        network: The network.
        output: Whose head ends the last stage.
    """
    trunk = _trunk(network, output)
    found = [trunk[0].name]
    for node, behind in pairwise(trunk):
        if node.part == "flatten" or node is trunk[0]:
            continue
        shrinks = len(node.shape) == 3 and node.shape[1:] != behind.shape[1:] and behind.part not in _POOLS
        sums = len(node.shape) == 1 and (behind.part in _SUMS or behind.name == output)
        if node.part in _POOLS or shrinks or sums:
            found.append(node.name)
    return found


def probe(
    layer: str,
    shape: tuple[int, ...],
    train: tuple[Float[np.ndarray, "example number"], Int[np.ndarray, " example"]],
    held_out: tuple[Float[np.ndarray, "test number"], Int[np.ndarray, " test"]],
) -> Probe:
    """A linear classifier, learned from the activations and classes of some examples and scored on others.

    Args:
        layer: Name of the node.
        shape: Of one example there.
        train: What it learns from.
        held_out: What it is scored on.
    """
    inputs, asked = standardised(train[0], held_out[0])
    hits, settled = _fitted(inputs, train[1], asked, held_out[1])
    return Probe(layer, shape, inputs.shape[1], float(hits.mean()), wilson(int(hits.sum()), len(hits)), settled)


def _fitted(
    inputs: Float[np.ndarray, "example number"],
    known: Int[np.ndarray, " example"],
    asked: Float[np.ndarray, "test number"],
    truth: Int[np.ndarray, " test"],
) -> tuple[Bool[np.ndarray, " test"], bool]:
    """Which held-out examples it answers rightly, and whether it had settled."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(known)) < 2:  # with one class there is no line to draw
        return truth == known[0], True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told in `settled` instead
        model = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS).fit(inputs, known)
    return model.predict(asked) == truth, int(model.n_iter_.max()) < _ITERATIONS


def _trunk(network: Network, output: str) -> list[Node]:
    """The nodes that everything passes on its way from the first picture (or else the first input) to a head."""
    nodes = list(network.nodes)
    inputs = [node for node in nodes if not node.inputs]
    start = next((node for node in inputs if len(node.shape) == 3), inputs[0])
    below, place = {start.name}, {node.name: at for at, node in enumerate(nodes)}
    reads: dict[str, list[int]] = {}
    needed = _needed(network, output)
    for node in nodes:
        own = [place[name] for name in node.inputs if name in below]
        if own and node.name in needed:
            below.add(node.name)
            reads[node.name] = own
    way = [node for node in nodes if node.name in below]
    trunk = []
    for node in way:
        behind = [min(reads[other.name]) for other in way if place[other.name] > place[node.name]]
        if all(first >= place[node.name] for first in behind):
            trunk.append(node)
    return trunk


def _needed(network: Network, output: str) -> set[str]:
    """The nodes that an output depends on, itself among them."""
    needed = {output}
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return needed
