"""scikit-learn's MLPClassifier."""

from __future__ import annotations

import warnings

import child
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier


def classifier(work: child.Work, *, verbose: bool) -> MLPClassifier:
    """Plain gradient descent, without the momentum and the weight decay that it has by itself."""
    *hidden, _ = (step.numbers[0] for step in work.steps() if step.word == "dense")
    return MLPClassifier(
        hidden_layer_sizes=tuple(hidden),
        solver="sgd",
        alpha=0,
        batch_size=work.batch,
        learning_rate_init=work.lr,
        momentum=0,
        n_iter_no_change=1_000_000,
        warm_start=True,
        verbose=verbose,
    )


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """`fit` on float64, which the example's division gives, printing each epoch's loss.

    Source: https://scikit-learn.org/stable/auto_examples/neural_networks/plot_mnist_filters.html
    """
    net, wide = classifier(work, verbose=True), x.astype(np.float64)

    def train(epochs: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.set_params(max_iter=epochs).fit(wide, y)

    return child.Peer(train, net.predict)


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """`partial_fit` on float32, one pass a call.

    Source: https://scikit-learn.org/stable/modules/generated/sklearn.neural_network.MLPClassifier.html
    """
    net, classes = classifier(work, verbose=False), np.arange(work.classes)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            net.partial_fit(x, y, classes=classes)

    return child.Peer(train, net.predict)


if __name__ == "__main__":
    child.serve(["scikit-learn"], quick=quick, fast=fast)
