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
from netwright.model_file import Model, assemble
from netwright.registry import resolve
from netwright.run.fit import weighted
from netwright.training import precision
from netwright.training.precision import Precision


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
    folder = Path(tempfile.mkdtemp(dir=sys.argv[2]))
    way = _precision(model, source) if work.goes_on else "float32"
    if work.goes_on:
        loop = mlp_loop.going_on(model, source, folder, work.lr, way, resolve("optimizer", work.optimizer))
    else:
        loop = mlp_loop.ours(model, source, folder, work.lr)

    def train(epochs: int) -> None:
        loop(epochs)

    def answer(images: np.ndarray) -> np.ndarray:
        if source.streams:
            return _next_ones(model, images)
        height, width = dataset.inputs["image"].shape[:2]
        shown = torch.from_numpy(images).reshape(len(images), -1, height, width)
        return model.answers({"image": shown})["category"].argmax(1).numpy()

    return child.Peer(train, answer, way)


def _next_ones(model: Model, texts: np.ndarray) -> np.ndarray:
    """The character after each one, guessed without a state from before; `Model.answers` gives the last one's alone."""
    model.network.eval()
    with torch.no_grad():
        found = model.network({"text": torch.from_numpy(texts)})["next"].argmax(2).numpy()
    model.network.train()
    return found


def _precision(model: Model, source: Batches) -> Precision:
    """What a training chooses by its short measurement."""
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    weights = dict.fromkeys(model.tasks, 1.0)
    found = precision.measured(lambda way: weighted(model, weights, precision=way), next(iter(source.epoch(0))))
    model.network.load_state_dict(before)
    print(f"{found.path}: {found.value} ({found.why})", file=sys.stderr)
    return "bfloat16" if found.value == "bfloat16" else "float32"


def by_hand(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The loop of benchmarks/mlp_loop.py: tensors in memory, a fused optimizer, and nothing but training.

    Pictures and the weights of convolutions lie channels last.
    """
    torch.set_flush_denormal(True)
    net, pictures, classes = torch_loader.network(work, fast=True), torch.from_numpy(x), torch.from_numpy(y)
    precision = child.precision()
    epoch = mlp_loop.by_hand(net, pictures, classes, work.lr, work.batch, narrow=precision == "bfloat16")

    def train(epochs: int) -> None:
        for _ in range(epochs):
            epoch()

    return child.Peer(train, lambda images: torch_loader.answers(net, images), precision)


if __name__ == "__main__":
    child.serve(["torch"], netwright=netwright, by_hand=by_hand)
