"""How much faster convolutional networks train with the channels of each pixel side by side (channels last).

Training steps (forward, derivative, fused SGD) on one batch of 128 drawn pictures, both layouts in alternating
segments.

Usage: python benchmarks/layout.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict

import torch
from pairs import keep, measure
from torch.nn import functional

from netwright import registry
from netwright.models.build import build
from netwright.spec import ModelSpec

BATCH, SEGMENTS = 128, 11
NETS: tuple[tuple[str, dict[str, int], tuple[int, int, int]], ...] = (
    ("lenet", {}, (1, 28, 28)),
    ("convnetjs", {}, (3, 32, 32)),
    ("cifar_resnet", {"depth": 20}, (3, 32, 32)),
)


def step_in(
    layout: torch.memory_format, name: str, settings: dict[str, int], shape: tuple[int, int, int]
) -> Callable[[], int]:
    """One training step of the network, weights and pictures in the layout."""
    text = registry.resolve("net", name)(shape, **settings)
    network = build(ModelSpec(layers=text), {"image": shape}, {"class": 10}, 0).train().to(memory_format=layout)
    drawn = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, *shape, generator=drawn).contiguous(memory_format=layout)
    y = torch.randint(0, 10, (BATCH,), generator=drawn)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, fused=True)

    def step() -> int:
        optimizer.zero_grad()
        functional.cross_entropy(network({"image": x})["class"], y).backward()
        optimizer.step()
        return BATCH

    return step


def main() -> int:
    """Prints each network's speed in both layouts; exit code 1 if channels last is slower beyond doubt."""
    torch.set_flush_denormal(True)
    entries, slower = [], False
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for name, settings, shape in NETS:
            last = ("channels last", step_in(torch.channels_last, name, settings, shape))
            first = ("channels first", step_in(torch.contiguous_format, name, settings, shape))
            found = measure(last, first, segments=SEGMENTS)
            print(f"{name}, {threads} thread(s): {found}", flush=True)
            entries.append({"work": f"{name}, {threads} thread(s)", **asdict(found)})
            slower |= found.high < 1
    keep("layout", entries, "no interval below 1")
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
