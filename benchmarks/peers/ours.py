"""netwright's own training loop, and the best loop written by hand: the two that run in the project's environment.

Started with benchmarks/ on PYTHONPATH.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import child
import mlp_loop
import numpy as np
import torch
import torch_loader

from netwright.data.batches import Batches
from netwright.model_file import assemble


def netwright(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The loop of netwright with all that it does beside training; the data comes from its own cache."""
    torch.set_flush_denormal(True)
    data = mlp_loop.place(work.data)
    if data is None:
        sys.exit(3)
    wanted, dataset = mlp_loop.load(data, work.spec)
    dataset = mlp_loop.some(dataset, "train", len(x))
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    last = model.network.convolves
    if last:
        model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    source = Batches(dataset, "train", work.batch, 0, shuffle=True, resident=True, channels_last=last)
    kind = mlp_loop.going_on if work.goes_on else mlp_loop.ours
    loop = kind(model, source, Path(tempfile.mkdtemp(dir=sys.argv[2])), work.lr)

    def train(epochs: int) -> None:
        loop(epochs)

    def answer(images: np.ndarray) -> np.ndarray:
        height, width = dataset.inputs["image"].shape[:2]
        shown = torch.from_numpy(images).reshape(len(images), -1, height, width)
        return model.answers({"image": shown})["category"].argmax(1).numpy()

    return child.Peer(train, answer)


def by_hand(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The loop of benchmarks/mlp_loop.py: tensors in memory, a fused optimizer, and nothing but training.

    Pictures and the weights of convolutions lie channels last.
    """
    torch.set_flush_denormal(True)
    net = torch_loader.network(work, fast=True)
    epoch = mlp_loop.by_hand(net, torch.from_numpy(x), torch.from_numpy(y), work.lr, work.batch)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            epoch()

    return child.Peer(train, lambda images: torch_loader.answers(net, images))


if __name__ == "__main__":
    child.serve(["torch"], netwright=netwright, by_hand=by_hand)
