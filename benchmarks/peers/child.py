"""What every peer shares: what it trains, on which data, and the few words it speaks with the benchmark.

A peer is started as `python benchmarks/peers/NAME.py FORM FOLDER`; the folder holds `work.json` and the arrays. It
makes one update on the first batch, says `{"page": ..., "versions": ...}`, and then answers each line with a line of
JSON:

    train N    trains for N epochs        {"images": ..., "seconds": ...}
    score      answers the test images    {"accuracy": ..., "precision": ...}

Images are whatever the examples of its work are. It ends with its input. Whatever a framework prints goes to the
standard error.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

ANSWERED = 1_000  # images answered at once


class Step(NamedTuple):
    """One layer as its words say it.

    Args:
        word: What it is: conv, pool, relu, one_hot, lstm or dense.
        numbers: In the order of its words, e.g. 16, 5 and 2 for `conv 16x5 pad 2`.
        shape: What goes in, without the batch: (channel, height, width), (width,), or of a sequence (step, width) and
            before `one_hot` (step,); behind a sequence, dense stands for a layer at each step.
    """

    word: str
    numbers: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Work:
    """What all train: one network on one data set, by plain gradient descent unless an optimizer is named.

    Args:
        name: As the table says it.
        data: Folder or file of the data set below $NETWRIGHT_DATA.
        spec: netwright's spec of the same, without the place of the data.
        shape: Of an example as the peers take it: (width,), (channel, height, width) or, of codes, (step,).
        layers: netwright's text of the layers before the last dense one, or the name of a network with branches.
        multiply_adds: Of one example, forward and backward without the input's own gradient.
        lr: Learning rate.
        goes_on: netwright's training is one that goes on from segment to segment, where the look that it takes at the
            end of each would weigh against a segment.
        batch: Examples of a step.
        classes: To tell apart.
        optimizer: sgd or adam; what trains recurrent layers knows both.
        unit: What examples are called, whose number a second is the speed.
    """

    name: str
    data: str
    spec: str
    shape: tuple[int, ...]
    layers: str
    multiply_adds: int
    lr: float
    goes_on: bool = False
    batch: int = 128
    classes: int = 10
    optimizer: str = "sgd"
    unit: str = "images"

    def steps(self) -> Iterator[Step]:
        """The layers one after the other, the last dense one included."""
        shape = self.shape
        for text in (*self.layers.split(", "), f"dense {self.classes}"):
            word, _, rest = text.partition(" ")
            numbers = tuple(map(int, re.findall(r"\d+", rest)))
            yield Step(word, numbers, shape)
            match word, numbers:
                case "conv", (filters, size, pad):
                    shape = (filters, *(side + 2 * pad - size + 1 for side in shape[1:]))
                case "pool", (size,):
                    shape = (shape[0], *(side // size for side in shape[1:]))
                case "one_hot" | "lstm", (width,):
                    shape = (shape[0], width)
                case "dense", (width,):
                    shape = (width,)
                case "relu", ():
                    pass
                case _:
                    raise ValueError(
                        f'layer "{text}" is none that the peers know: conv FxS pad P, pool S, relu, one_hot N, lstm U, '
                        "dense W"
                    )

    def write(self, folder: Path) -> None:
        """Puts it beside the arrays."""
        (folder / "work.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What `write` put there."""
        facts = json.loads((folder / "work.json").read_text(encoding="utf-8"))
        return cls(**{**facts, "shape": tuple(facts["shape"])})


@dataclass(frozen=True)
class Peer:
    """A network in training.

    Args:
        train: Trains for some epochs; gives their seconds where getting ready is no part of the training, else None.
        answer: The class of each example, or of each of its steps, example by example.
        precision: In which it multiplies.
    """

    train: Callable[[int], float | None]
    answer: Callable[[np.ndarray], np.ndarray]
    precision: str = "float32"


# From examples (count, *shape), float32 or int64 codes, and int64 classes (count,), or (count, step) of each step.
Make = Callable[[Work, np.ndarray, np.ndarray], Peer]


def threads() -> int:
    """How many threads this peer may use."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def precision() -> str:
    """In which this peer shall multiply: float32 or bfloat16."""
    return os.environ.get("PRECISION", "float32")


def pin() -> None:
    """Leaves this process as many cores as it may use threads: XLA takes one thread for each core it sees."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: threads()])


def width(shape: Sequence[int]) -> int:
    """How many numbers an example of a shape is."""
    return math.prod(shape)


def channels_last(x: np.ndarray) -> np.ndarray:
    """Pictures as (count, height, width, channel); everything else as it is."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if x.ndim == 4 else x


def serve(packages: Sequence[str], **forms: Make) -> None:
    """Speaks with the benchmark until it has heard enough.

    Args:
        packages: Distributions whose versions are told.
        forms: By name, what makes the peer; the docstring names the page it follows.
    """
    form, folder = sys.argv[1], Path(sys.argv[2])
    make, work = forms[form], Work.read(folder)
    told = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    x, y = np.load(folder / "train_x.npy"), np.load(folder / "train_y.npy")
    make(work, x[: work.batch], y[: work.batch]).train(1)
    pages = re.findall(r"https://\S+[\w/]", make.__doc__ or "")
    found: dict[str, object] = {"page": " ".join(pages), "versions": [f"{name} {version(name)}" for name in packages]}
    print(json.dumps(found), file=told)
    peer = make(work, x, y)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "train":
            start = time.perf_counter()
            seconds = peer.train(int(rest[0]))
            passed = time.perf_counter() - start
            found = {"images": len(x) * int(rest[0]), "seconds": passed if seconds is None else seconds}
        else:
            accuracy = _accuracy(peer, np.load(folder / "test_x.npy"), np.load(folder / "test_y.npy"))
            found = {"accuracy": accuracy, "precision": peer.precision}
        print(json.dumps(found), file=told)


def _accuracy(peer: Peer, x: np.ndarray, y: np.ndarray) -> float:
    """A thousand images at a time: all of them with what a convolution makes of them would fill the memory."""
    pieces = np.array_split(x, max(1, -(-len(x) // ANSWERED)))
    return float(np.mean(np.concatenate([peer.answer(piece).ravel() for piece in pieces]) == y.ravel()))
