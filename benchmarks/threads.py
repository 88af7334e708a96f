"""One thread against all cores for nets of several sizes: from how many multiply-adds a step are more threads faster?

The answer is `ONE_THREAD_MULTIPLY_ADDS` in `netwright/training/hardware.py`. A step is forward, backward and a fused
update; its size is counted as netwright counts it, in multiply-adds of one forward pass over one batch.

Usage: python benchmarks/threads.py [--seconds 0.3]
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import time
from dataclasses import dataclass

import psutil
import torch
from pairs import keep
from torch import nn
from torch.nn import functional

from netwright.training.hardware import ONE_THREAD_MULTIPLY_ADDS

ROUNDS = 7


@dataclass(frozen=True)
class Net:
    """A net and a batch for it."""

    name: str
    module: nn.Module
    batch: torch.Tensor
    multiply_adds: int


def dense(width: int, batch: int) -> Net:
    """784-width-width-10."""
    made = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
    adds = batch * (784 * width + width * width + width * 10)
    return Net(f"dense 784-{width}-{width}-10, batch {batch}", made, torch.randn(batch, 784), adds)


def convolutional(filters: int, size: int, batch: int) -> Net:
    """Two convolutions with pooling, and a last layer."""
    layers = [nn.Conv2d(3, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(filters, 2 * filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    made = nn.Sequential(*layers, nn.Linear(2 * filters * (size // 4) ** 2, 10))
    per_example = 27 * filters * size**2 + 18 * filters**2 * (size // 2) ** 2 + 20 * filters * (size // 4) ** 2
    name = f"conv {filters}-{2 * filters}, {size}x{size}, batch {batch}"
    return Net(name, made, torch.randn(batch, 3, size, size), batch * per_example)


def step_seconds(net: Net, optimizer: torch.optim.Optimizer, labels: torch.Tensor, seconds: float) -> float:
    """Mean seconds of a training step over a segment."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or done < 3:
        loss = functional.cross_entropy(net.module(net.batch), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        done += 1
    return (time.perf_counter() - start) / done


def gain(net: Net, cores: int, seconds: float) -> tuple[float, float]:
    """How many times faster all cores are than one thread (median of neighbours), and a step's seconds on one."""
    optimizer = torch.optim.SGD(net.module.parameters(), lr=1e-3, fused=True)
    labels = torch.randint(0, 10, (len(net.batch),))
    ratios, single = [], []
    for number in range(ROUNDS + 1):
        found = {}
        for threads in (1, cores) if number % 2 else (cores, 1):
            torch.set_num_threads(threads)
            found[threads] = step_seconds(net, optimizer, labels, seconds)
        if number:  # the first round only warms up
            ratios.append(found[1] / found[cores])
            single.append(found[1])
    return statistics.median(ratios), statistics.median(single)


def crossover(points: list[tuple[int, float]]) -> float:
    """Multiply-adds at which the gain passes 1 for good, between the neighbouring sizes by its logarithm."""
    ordered = sorted(points)
    for (low, before), (high, after) in reversed(list(itertools.pairwise(ordered))):
        if before < 1 <= after:
            share = math.log(1 / before) / math.log(after / before)
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return float(ordered[0][0]) if ordered[0][1] >= 1 else math.inf


def main() -> int:
    """Prints the gain for each net and the crossovers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3, help="length of a segment")
    options = parser.parse_args()
    cores = psutil.cpu_count(logical=False) or 1
    if cores == 1:
        print("one core only: there is nothing to compare")
        return 0
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    found: dict[str, list[tuple[int, float]]] = {"dense": [], "conv": []}
    rows: list[dict[str, object]] = []
    nets = [dense(w, b) for b in (16, 128) for w in (16, 64, 128, 256, 512)]
    nets += [convolutional(f, s, b) for f, s, b in ((4, 8, 16), (8, 8, 64), (8, 16, 64), (16, 16, 64), (16, 32, 64))]
    for net in nets:
        times, seconds = gain(net, cores, options.seconds)
        found[net.name.split()[0]].append((net.multiply_adds, times))
        rows.append(
            {"net": net.name, "multiply_adds": net.multiply_adds, "gain": times, "one_thread_ms": 1e3 * seconds}
        )
        print(
            f"{net.name:<34} {net.multiply_adds / 1e6:8.2f} M  {1e3 * seconds:7.3f} ms on one, "
            f"{cores} threads x{times:.2f}"
        )
    for family, points in found.items():
        where = crossover(points)
        rows.append({"family": family, "crossover": where if math.isfinite(where) else None})
        print(f"{family}: {cores} threads are faster from about {where / 1e6:.2g} M multiply-adds a step on")
    print(f"ONE_THREAD_MULTIPLY_ADDS is {ONE_THREAD_MULTIPLY_ADDS / 1e6:g} M")
    keep("threads", rows, "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
