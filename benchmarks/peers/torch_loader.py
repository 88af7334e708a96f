"""A plain PyTorch loop over a DataLoader."""

from __future__ import annotations

import child
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset


def network() -> nn.Module:
    """The network that all peers train."""
    return nn.Sequential(nn.Linear(child.WIDTH, child.HIDDEN), nn.ReLU(), nn.Linear(child.HIDDEN, child.CLASSES))


def loaded(x: np.ndarray, y: np.ndarray, *, fast: bool) -> DataLoader:
    """The examples in shuffled batches: one by one and stacked, or a whole batch gathered at once."""
    held = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    if not fast:
        return DataLoader(held, batch_size=child.BATCH, shuffle=True)
    return DataLoader(held, batch_size=None, sampler=BatchSampler(RandomSampler(held), child.BATCH, drop_last=False))


def answers(net: nn.Module, images: np.ndarray) -> np.ndarray:
    """The class that a network gives each image."""
    with torch.no_grad():
        return net(torch.from_numpy(images)).argmax(1).numpy()


def quick(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The tutorial's `fit`: every batch adds its `loss.item()`.

    Source: https://docs.pytorch.org/tutorials/beginner/nn_tutorial.html
    """
    net, batches = network(), loaded(x, y, fast=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=child.LR)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            net.train()
            total = 0.0
            for images, classes in batches:
                loss = functional.cross_entropy(net(images), classes)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                total += loss.item() * len(images)
            print(total / len(x))

    return child.Peer(train, lambda images: answers(net, images))


def fast(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """Batches that the sampler names and the data set gathers at once, a fused optimizer, and no `item()`.

    Source: https://docs.pytorch.org/docs/stable/data.html
        https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """
    torch.set_flush_denormal(True)
    net, batches = network(), loaded(x, y, fast=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=child.LR, fused=True)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            for images, classes in batches:
                loss = functional.cross_entropy(net(images), classes)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

    return child.Peer(train, lambda images: answers(net, images))


if __name__ == "__main__":
    child.serve(["torch"], quick=quick, fast=fast)
