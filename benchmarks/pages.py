"""What large pages are worth: training steps of large tensors with memory in pages of 2 MB and of 4 KB.

netwright's command line asks for large ones with a variable that torch reads at its first large tensor, so that each
way runs in a process of its own; they take turns, a segment each. One thread, and the processes' own time, so that a
busy machine does little harm.

Usage: python benchmarks/pages.py [--quick]
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pairs
import torch
from pairs import alternate, keep, rate
from torch import nn
from torch.nn import functional

Step = Callable[[], int]
SWITCH = "THP_MEM_ALLOC_ENABLE"
GIVEN = Path("/sys/kernel/mm/transparent_hugepage/enabled")  # to all who ask, to all, or to none


def trained(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Step:
    """A training step, which gives how many examples or tokens it took."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)

    def step() -> int:
        optimizer.zero_grad()
        functional.cross_entropy(module(x), y).backward()
        optimizer.step()
        return len(y)

    return step


class Recurrent(nn.Module):
    """An LSTM on tokens, which tells the next one of so many at every step."""

    def __init__(self, tokens: int, dim: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, dim)
        self.layers = nn.LSTM(dim, dim, layers, batch_first=True)
        self.out = nn.Linear(dim, tokens)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of all tokens, one row for each place."""
        return self.out(self.layers(self.embedding(x))[0]).flatten(0, 1)


def convolved() -> Step:
    """The first stage of ResNet-18 in its form for small pictures, 128 of them."""
    block = [nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    ends = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)
    module = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1), *block, *block[1:], *ends)
    x = torch.randn(128, 3, 32, 32).to(memory_format=torch.channels_last)
    return trained(module.to(memory_format=torch.channels_last), x, torch.randint(10, (128,)))


def recurrent(tokens: int, dim: int, layers: int, batch: int, steps: int) -> Step:
    """A step of a language model."""
    drawn = torch.randint(tokens, (batch, steps))
    return trained(Recurrent(tokens, dim, layers), drawn, torch.randint(tokens, (batch * steps,)))


WORK: dict[str, Callable[[], Step]] = {
    "first stage of ResNet-18, 128 pictures": convolved,
    "LSTM 2x512, 65 characters, 64 x 16": lambda: recurrent(65, 512, 2, 64, 16),
    "LSTM 128, 8,000 words, 64 x 20": lambda: recurrent(8_000, 128, 1, 64, 20),
}


class Way:
    """A process that measures one piece of work when it is asked to.

    Args:
        name: Of the work.
        large: Whether memory comes in large pages.
    """

    def __init__(self, name: str, *, large: bool) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name],
            env={**os.environ, SWITCH: str(int(large))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rate(self, seconds: float) -> float:
        """Units a second of processor time over a segment."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("a process without its pipes")
        stdin.write(f"{seconds}\n")
        stdin.flush()
        if not (said := stdout.readline()):
            raise RuntimeError(f"a process ended with {self._process.wait()}")
        return float(said)

    def end(self) -> None:
        """Ends the process."""
        self._process.communicate()


def serve(name: str) -> int:
    """Measures a segment for each line that comes in."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    step = WORK[name]()
    step()
    for line in sys.stdin:
        print(rate(step, float(line), time.process_time), flush=True)
    return 0


def main() -> int:
    """Measures each piece of work both ways; exit code 1 where large pages are slower beyond doubt."""
    if "--serve" in sys.argv:
        return serve(sys.argv[-1])
    if not GIVEN.exists() or "[madvise]" not in GIVEN.read_text(encoding="utf-8"):
        print(f"nothing to measure: {platform.system()} here gives large pages to all or to none")
        return 0
    quick = "--quick" in sys.argv
    found = []
    for name in WORK:
        ways = Way(name, large=True), Way(name, large=False)
        large, small = (lambda way=way: way.rate(0.1 if quick else pairs.SECONDS) for way in ways)
        segments = 3 if quick else pairs.SEGMENTS
        ratio = alternate((f"{name}, large pages", large), ("small", small), segments=segments, disturbed=math.inf)
        for way in ways:
            way.end()
        print(ratio, flush=True)
        told = asdict(ratio)
        kept = ("ratio", "low", "high", "a_rate", "b_rate", "segments")
        found.append({"work": name, **{key: told[key] for key in kept}})
    if not quick:
        keep("pages", found, "no interval below 1")
    return int(min(float(str(each["high"])) for each in found) < 1)


if __name__ == "__main__":
    sys.exit(main())
