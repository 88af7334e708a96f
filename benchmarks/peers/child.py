"""What every peer shares: the data, the wanted training, and the few words it speaks with the benchmark.

A peer is started as `python benchmarks/peers/NAME.py FORM FOLDER`. It makes one update on the first batch, says
`{"page": ..., "versions": ...}`, and then answers each line with a line of JSON:

    train N    trains for N epochs        {"images": ..., "seconds": ...}
    score      answers the test images    {"accuracy": ...}

It ends with its input. Whatever a framework prints goes to the standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

WIDTH, HIDDEN, CLASSES, BATCH, LR = 784, 100, 10, 128, 0.05


@dataclass(frozen=True)
class Peer:
    """A network in training.

    Args:
        train: Trains for some epochs; gives their seconds where getting ready is no part of the training, else None.
        answer: The class of each image.
    """

    train: Callable[[int], float | None]
    answer: Callable[[np.ndarray], np.ndarray]


Make = Callable[[np.ndarray, np.ndarray], Peer]  # from float32 images (count, 784) and int64 classes (count,)


def threads() -> int:
    """How many threads this peer may use."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def pin() -> None:
    """Leaves this process as many cores as it may use threads: XLA takes one thread for each core it sees."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: threads()])


def serve(packages: Sequence[str], **forms: Make) -> None:
    """Speaks with the benchmark until it has heard enough.

    Args:
        packages: Distributions whose versions are told.
        forms: By name, what makes the peer; the docstring names the page it follows.
    """
    form, folder = sys.argv[1], Path(sys.argv[2])
    make = forms[form]
    told = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    x, y = np.load(folder / "train_x.npy"), np.load(folder / "train_y.npy")
    make(x[:BATCH], y[:BATCH]).train(1)
    pages = re.findall(r"https://\S+[\w/]", make.__doc__ or "")
    found: dict[str, object] = {"page": " ".join(pages), "versions": [f"{name} {version(name)}" for name in packages]}
    print(json.dumps(found), file=told)
    peer = make(x, y)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "train":
            start = time.perf_counter()
            seconds = peer.train(int(rest[0]))
            passed = time.perf_counter() - start
            found = {"images": len(x) * int(rest[0]), "seconds": passed if seconds is None else seconds}
        else:
            right = peer.answer(np.load(folder / "test_x.npy")) == np.load(folder / "test_y.npy")
            found = {"accuracy": float(np.mean(right))}
        print(json.dumps(found), file=told)
