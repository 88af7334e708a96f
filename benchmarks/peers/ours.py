"""netwright's own training loop, and the best loop written by hand: the two that run in the project's environment.

Started with benchmarks/ on PYTHONPATH.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import child
import mlp_loop
import numpy as np
import torch
from torch import nn

from netwright.data.batches import Batches
from netwright.model_file import assemble


def netwright(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The loop of netwright with all that it does beside training; the data comes from its own cache."""
    torch.set_flush_denormal(True)
    data = mlp_loop.mnist()
    if data is None:
        sys.exit(3)
    wanted, dataset = mlp_loop.load(data)
    dataset = replace(dataset, parts={**dataset.parts, "train": dataset.parts["train"][: len(x)]})
    source = Batches(dataset, "train", child.BATCH, 0, shuffle=True, resident=True)
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    loop = mlp_loop.ours(model, source, Path(tempfile.mkdtemp(dir=sys.argv[2])))

    def train(epochs: int) -> None:
        loop(epochs)

    def answer(images: np.ndarray) -> np.ndarray:
        height, width = dataset.inputs["image"].shape[:2]
        shown = torch.from_numpy(images).reshape(len(images), -1, height, width)
        return model.answers({"image": shown})["category"].argmax(1).numpy()

    return child.Peer(train, answer)


def by_hand(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The loop of benchmarks/mlp_loop.py: tensors in memory, a fused optimizer, and nothing but training."""
    torch.set_flush_denormal(True)
    network = nn.Sequential(nn.Linear(child.WIDTH, child.HIDDEN), nn.ReLU(), nn.Linear(child.HIDDEN, child.CLASSES))
    epoch = mlp_loop.by_hand(network, torch.from_numpy(x), torch.from_numpy(y))

    def train(epochs: int) -> None:
        for _ in range(epochs):
            epoch()

    def answer(images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(images)).argmax(1).numpy()

    return child.Peer(train, answer)


if __name__ == "__main__":
    child.serve(["torch"], netwright=netwright, by_hand=by_hand)
