"""skorch's NeuralNetClassifier.

By itself it would hold back a fifth of the examples for validation; here it trains on all of them, as the others do.
"""

from __future__ import annotations

import child
import numpy as np
import torch
import torch_loader
from skorch import NeuralNetClassifier
from torch import Tensor, nn


class Probabilities(nn.Module):
    """The network with the softmax that the quick start's criterion expects.

    Args:
        work: What is trained.
    """

    def __init__(self, work: child.Work) -> None:
        super().__init__()
        self.net = torch_loader.network(work)

    def forward(self, X: Tensor) -> Tensor:  # noqa: N803  (skorch names it so)
        """The probability of each class."""
        return self.net(X).softmax(dim=-1)


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """NumPy arrays given to the classifier as it comes.

    Source: https://skorch.readthedocs.io/en/stable/user/quickstart.html
    """
    net = NeuralNetClassifier(
        Probabilities,
        module__work=work,
        lr=work.lr,
        batch_size=work.batch,
        iterator_train__shuffle=True,
        train_split=None,
    ).initialize()

    def train(epochs: int) -> None:
        net.partial_fit(x, y, epochs=epochs)

    return child.Peer(train, net.predict)


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """Silent, without callbacks, from a data set made beforehand; with torch's fused optimizer and fused loss.

    Source: https://skorch.readthedocs.io/en/stable/user/performance.html
    """
    torch.set_flush_denormal(True)
    net = NeuralNetClassifier(
        torch_loader.network,
        module__work=work,
        module__fast=True,
        criterion=nn.CrossEntropyLoss,
        lr=work.lr,
        optimizer__fused=True,
        batch_size=work.batch,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks="disable",
        verbose=0,
    ).initialize()
    examples = torch_loader.held(x, y, fast=True)

    def train(epochs: int) -> None:
        net.partial_fit(examples, None, epochs=epochs)

    return child.Peer(train, net.predict)


if __name__ == "__main__":
    child.serve(["skorch"], quick=quick, fast=fast)
