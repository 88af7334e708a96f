"""Measures two ways of doing the same work so that the ratio survives: interleaved segments, a paired bootstrap.

Clocks, caches and neighbours drift by a fifth between runs, but hardly between two seconds that follow each other. So A
and B alternate in one process, each segment doing the same work for at least a second; what is reported is the median
of the ratios of neighbours, with the 95 % interval of its bootstrap.

Usage: python benchmarks/pairs.py    measures one thing against itself: how far from 1 a ratio of equals may be
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

SEGMENTS, SECONDS, RESAMPLES = 21, 1.0, 10_000
RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Ratio:
    """How fast A is, measured against B.

    Args:
        a: Name of A.
        b: Name of B.
        ratio: Median of the speeds of A over those of B, neighbour by neighbour; above 1 A is faster.
        low: Lower end of its 95 % interval.
        high: Upper end.
        a_rate: Median units of A a second.
        b_rate: Median units of B a second.
        share: A's rate as a share of the physical limit; NaN when none was named.
        segments: Segments of each.
    """

    a: str
    b: str
    ratio: float
    low: float
    high: float
    a_rate: float
    b_rate: float
    share: float
    segments: int

    def __str__(self) -> str:
        limit = "" if math.isnan(self.share) else f", {self.share:.1%} of the limit"
        return (
            f"{self.a}: {self.a_rate:,.0f}/s{limit}; {self.b}: {self.b_rate:,.0f}/s; "
            f"ratio {self.ratio:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {self.segments} pairs)"
        )


def measure(
    a: tuple[str, Callable[[], int]],
    b: tuple[str, Callable[[], int]],
    *,
    limit: float = math.nan,
    segments: int = SEGMENTS,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> Ratio:
    """Alternates two pieces of work and compares their speeds.

    Args:
        a: Name, and one piece of work giving how many units it did.
        b: The same for the other.
        limit: Units a second that the hardware allows at most.
        segments: Segments of each.
        seconds: Least length of a segment; a segment repeats its piece until then.
        clock: `time.process_time` for work in one thread on a machine that is busy with other things.
    """
    for _, work in (a, b):
        work()  # warms caches and the allocator

    def timed(work: Callable[[], int]) -> Callable[[], float]:
        return lambda: rate(work, seconds, clock)

    return alternate((a[0], timed(a[1])), (b[0], timed(b[1])), limit=limit, segments=segments)


def alternate(
    a: tuple[str, Callable[[], float]],
    b: tuple[str, Callable[[], float]],
    *,
    limit: float = math.nan,
    segments: int = SEGMENTS,
) -> Ratio:
    """Compares two speeds that are told segment by segment.

    Args:
        a: Name, and what runs one segment and gives its units a second.
        b: The same for the other.
        limit: Units a second that the hardware allows at most.
        segments: Segments of each.
    """
    first, second = [], []
    for number in range(segments):
        # Who goes first alternates too: a clock that slows down steadily then favours neither.
        for into, (_, rate) in ((first, a), (second, b)) if number % 2 == 0 else ((second, b), (first, a)):
            into.append(rate())
    ratios = np.array(first) / np.array(second)
    chosen = np.random.default_rng(0).integers(0, segments, (RESAMPLES, segments))
    low, high = np.quantile(np.median(ratios[chosen], axis=1), (0.025, 0.975))
    rates = float(np.median(first)), float(np.median(second))
    return Ratio(a[0], b[0], float(np.median(ratios)), float(low), float(high), *rates, rates[0] / limit, segments)


def rate(work: Callable[[], int], seconds: float, clock: Callable[[], float] = time.perf_counter) -> float:
    """Units a second of work that is repeated for so many seconds."""
    done, start = 0, clock()
    while (passed := clock() - start) < seconds:
        done += work()
    return done / passed


def matmul_limit(threads: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Multiply-adds a second of a large product in float32 on this machine: what no dense net can exceed.

    Args:
        threads: As many as the work that is measured against it may use.
        clock: See `measure`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    x = torch.randn(1536, 1536)

    def work() -> int:
        torch.mm(x, x)
        return 1536**3

    work()
    best = max(rate(work, 0.5, clock) for _ in range(5))
    torch.set_num_threads(before)
    return best


def machine() -> dict[str, str | float]:
    """What a number was measured on, and how busy it was."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        told = []
    name = next((line.partition(":")[2].strip() for line in told if line.startswith("model name")), platform.machine())
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpu": name,
        "cores": float(os.cpu_count() or 1),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def keep(name: str, found: list[dict[str, object]], limit: str) -> None:
    """Writes what was measured to `benchmarks/results/<name>.json`, which docs/benchmarks.md is made from.

    Args:
        name: Of the benchmark.
        found: One entry per line of its table.
        limit: What must be reached, in words; "" for nothing.
    """
    RESULTS.mkdir(exist_ok=True)
    plain = [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in entry.items()} for entry in found]
    text = json.dumps({"name": name, "limit": limit, "machine": machine(), "found": plain}, indent=1, allow_nan=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Measures a product of matrices against itself; exit code 1 if the interval leaves out 1."""
    torch.set_num_threads(1)
    x = torch.randn(512, 512)

    def work() -> int:
        torch.mm(x, x)
        return 1

    found = measure(("a product", work), ("the same product", work))
    print(found)
    keep("pairs", [asdict(found)], "the interval holds 1")
    return 0 if found.low <= 1 <= found.high else 1


if __name__ == "__main__":
    sys.exit(main())
