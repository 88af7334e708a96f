"""What is gained where memory that a step frees stays with the process: steps of large tensors with and without it.

`netwright.training.hardware.memory_kept` is turned on and off from segment to segment in one process; time is that of
the process, in one thread, so that a busy machine does no harm.

Usage: python benchmarks/allocator.py [--quick]
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

import pairs
import torch
from pairs import alternate, keep, rate
from torch import nn
from torch.nn import functional

from netwright.training.hardware import memory_kept

Step = Callable[[], int]
SETTLES = 6  # steps until no memory is asked for that was never touched before


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


def main() -> int:
    """Measures each piece of work with and without; exit code 1 where keeping memory is slower than 0.97."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    quick = "--quick" in sys.argv
    found = []
    for name, make in WORK.items():
        step = make()

        def alone(step: Step = step) -> float:
            for _ in range(SETTLES):
                step()
            return rate(step, 0.1 if quick else pairs.SECONDS, time.process_time)

        def kept(alone: Callable[[], float] = alone) -> float:
            with memory_kept():
                return alone()

        segments = 3 if quick else pairs.SEGMENTS
        ratio = alternate((f"{name}, kept", kept), ("left alone", alone), segments=segments, disturbed=math.inf)
        print(ratio, flush=True)
        found.append({"work": name, **asdict(ratio)})
    if not quick:
        keep("allocator", found, "no work is slower than 0.97")
    return int(min(float(str(each["high"])) for each in found) < 0.97)


if __name__ == "__main__":
    sys.exit(main())
