"""netwright's training loop against the best hand-written one: 784-100-10 on MNIST, batches of 128, SGD.

Both train on the same tensors in memory with the same number of threads and the same fused optimizer. The hand-written
loop does nothing but train; netwright's also guards against losses that are no numbers, keeps the best epoch, reads its
inbox, tells its progress and writes its history. It must reach 0.97 of the other's speed.

Usage: NETWRIGHT_DATA=... python benchmarks/mlp_loop.py [--threads 1] [--busy]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from pairs import keep, matmul_limit, measure
from torch import nn
from torch.nn import functional

from netwright import spec
from netwright.data.batches import Batches, follows
from netwright.data.dataset import Dataset, prepare
from netwright.errors import Stopped
from netwright.model_file import Model, assemble
from netwright.progress import Counter, Silent
from netwright.run.fit import weighted
from netwright.training.evidence import Evidence
from netwright.training.history import History
from netwright.training.loop import Budget, Plan, Training
from netwright.training.observers import Progress, Timing
from netwright.training.optimizers import sgd
from netwright.training.precision import Precision
from netwright.training.strategies.carry import Carry
from netwright.training.strategies.controls import Controls
from netwright.training.strategies.early_stopping import EarlyStopping
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.strategy import Row, Strategy

LIMIT, BATCH, LR = 0.97, 128, 0.05
LONG = 1000  # epochs of a training that is stopped and goes on: it then looks inside itself every 256 steps
EPOCHS = 10  # of a training: it looks inside itself more often in its first epoch, and once more at its end
MULTIPLY_ADDS = 3 * (784 * 100 + 100 * 10) - 784 * 100  # forward, and backward without the input's own gradient
SPEC = """
version: 1
inputs: {image: {kind: image}}
outputs: {category: {kind: category}}
model: {layers: "dense 100, relu"}
"""


def load(data: Path, text: str = SPEC) -> tuple[spec.Spec, Dataset]:
    """The spec and its data set, from netwright's own cache.

    Args:
        data: Where the data set lies.
        text: The spec without that place.
    """
    wanted = spec.load(text)
    wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"path": str(data)})})
    return wanted, prepare(wanted, progress=Counter(Silent()))


def some(dataset: Dataset, part: str, count: int) -> Dataset:
    """The data set with so many examples of one part, evenly from its whole length; 0 for all.

    Pieces of a text that follow each other are taken from its beginning.
    """
    positions = dataset.parts[part]
    if not 0 < count < len(positions):
        return dataset
    places = np.arange(count) if follows(dataset.outputs) else np.arange(count) * len(positions) // count
    return replace(dataset, parts={**dataset.parts, part: positions[places]})


def coded(dataset: Dataset, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The images of one part, flat and as the network takes them, and their classes; of texts the codes of both."""
    count = len(dataset.positions(part))
    whole = next(Batches(dataset, part, count, 0, shuffle=False, resident=True).epoch(0))
    [x], [y] = whole.inputs.values(), whole.targets.values()
    return x.flatten(1).contiguous(), y


def place(name: str) -> Path | None:
    """Where a data set lies below NETWRIGHT_DATA, or None with a word about it."""
    data = Path(os.environ.get("NETWRIGHT_DATA", "")) / name
    if data.exists():
        return data
    print(f"error: {data} is not there. Set NETWRIGHT_DATA to the folder of data sets.", file=sys.stderr)
    return None


def training(
    model: Model,
    source: Batches,
    folder: Path,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    *more: Strategy,
    way: Precision = "float32",
) -> Training:
    """A training as `netwright train` sets it up, but for validation and checkpoints.

    Args:
        model: What learns.
        source: Where its batches come from.
        folder: For what it writes.
        optimizer: Of the model's weights.
        epochs: Most epochs.
        more: Strategies beside the usual ones.
        way: How finely steps multiply.
    """
    losses = weighted(model, dict.fromkeys(model.tasks, 1.0), precision=way)
    plan = Plan({"net": model.network}, {"net": optimizer}, losses, source, Budget(epochs), 0)
    strategies = [Finite(), *([Carry()] if source.streams else []), EarlyStopping("validation/loss", 5)]
    strategies += [Controls(folder / "control"), *more]
    made = Training(plan, strategies, [], History(folder / "history.jsonl"))
    made.observers += [Evidence(folder / "evidence.jsonl"), Progress(Silent(), made.total)]
    made.observers.append(Timing(folder / "timing.jsonl"))
    return made


def ours(model: Model, source: Batches, folder: Path, lr: float = LR) -> Callable[[int], int]:
    """A training of some epochs through netwright's loop; the network lives on between trainings."""
    optimizer = sgd(model.network.parameters(), lr=lr)

    def train(epochs: int) -> int:
        training(model, source, folder, optimizer, epochs).run()
        return epochs * len(source)

    return train


class Leave(Strategy):
    """Stops a training after an epoch, as a signal does.

    Args:
        epoch: Its number, from 1.
    """

    name = "leave"

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Asks to leave when the epoch is reached."""
        if training.epoch + 1 >= self._epoch:
            training.leave(signal.SIGTERM)


def going_on(
    model: Model,
    source: Batches,
    folder: Path,
    lr: float,
    way: Precision = "float32",
    descent: Callable[..., torch.optim.Optimizer] = sgd,
) -> Callable[[int], int]:
    """One long training through netwright's loop, stopped and resumed: each call goes on for some epochs.

    Args:
        model: What learns.
        source: Where its batches come from.
        folder: For what it writes.
        lr: Learning rate.
        way: How finely steps multiply.
        descent: Makes the optimizer.
    """
    optimizer = descent(model.network.parameters(), lr=lr)
    last: list[Training] = []

    def train(epochs: int) -> int:
        done = last[0].epoch if last else 0
        now = training(model, source, folder, optimizer, LONG, Leave(done + epochs), way=way)
        if last:
            now.load_state(*last[0].state())
        with suppress(Stopped):
            now.run()
        last[:] = [now]
        return epochs * len(source)

    return train


def by_hand(
    network: nn.Module, x: torch.Tensor, y: torch.Tensor, lr: float = LR, batch: int = BATCH, *, narrow: bool = False
) -> Callable[[], int]:
    """One epoch of the fastest plain loop that torch allows; pictures lie channels last.

    Args:
        network: What learns.
        x: Its inputs, all of them.
        y: Their classes.
        lr: Learning rate.
        batch: Examples of a step.
        narrow: Products in bfloat16.
    """
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, fused=True)
    pictures = x.ndim == 4
    held = x.permute(0, 2, 3, 1).contiguous() if pictures else x

    def epoch() -> int:
        for pick in torch.randperm(len(x)).split(batch):
            chosen = held.index_select(0, pick)
            with torch.autocast("cpu", torch.bfloat16) if narrow else nullcontext():
                logits = network(chosen.permute(0, 3, 1, 2) if pictures else chosen).float()
            loss = functional.cross_entropy(logits, y.index_select(0, pick))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return len(x)

    return epoch


def main() -> int:
    """Prints both speeds and their ratio; exit code 1 when it is below the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="count processor time: the machine is busy otherwise")
    options = parser.parse_args()
    data = place("mnist")
    if data is None:
        return 3
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    wanted, dataset = load(data)
    source = Batches(dataset, "train", BATCH, 0, shuffle=True, resident=True)
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    plain = by_hand(nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10)), *coded(dataset, "train"))
    clock = time.process_time if options.busy else time.perf_counter
    limit = matmul_limit(options.threads, clock) / MULTIPLY_ADDS
    with tempfile.TemporaryDirectory() as folder:
        train = ours(model, source, Path(folder))
        sides = ("netwright", lambda: train(EPOCHS)), ("by hand", lambda: sum(plain() for _ in range(EPOCHS)))
        found = measure(*sides, limit=limit, clock=clock)
    print(found)
    kept = found.ratio >= LIMIT
    print(f"limit {LIMIT}: {'kept' if kept else 'missed'}")
    entry = {
        "work": f"784-100-10, batch {BATCH}, {options.threads} thread(s), examples a second",
        "clock": "processor time" if options.busy else "wall time",
        **asdict(found),
    }
    keep("mlp_loop", [entry], f"ratio of at least {LIMIT}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
