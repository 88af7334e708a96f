"""Measures two ways of doing the same work so that the ratio survives: interleaved segments, a paired bootstrap.

Clocks, caches and neighbours drift by a fifth between runs, but hardly between two seconds that follow each other. So A
and B alternate in one process, each segment doing the same work for at least a second; what is reported is the median
of the ratios of neighbours, with the 95 % interval of its bootstrap. A pair during which other programs, or other
machines on the same host, had more than a twentieth of the processor is measured again, in all at most four times as
often as there are pairs (Linux tells; elsewhere every pair counts).

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
from typing import TypeVar

import numpy as np
import psutil
import torch

SEGMENTS, SECONDS, RESAMPLES = 21, 1.0, 10_000
DISTURBED = 0.05  # of all cores, had by others
TICK_S = 0.05  # what the counts of processor time are coarse by
AGAIN, REST_S = 4, 5.0  # further tries, for each pair of a measurement, and seconds before each
T = TypeVar("T")
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
        again: Pairs that were measured again, since others had the processor.
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
    again: int = 0

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

    disturbed = None if clock is time.perf_counter else math.inf  # the process's own time is its own
    return alternate((a[0], timed(a[1])), (b[0], timed(b[1])), limit=limit, segments=segments, disturbed=disturbed)


def alternate(
    a: tuple[str, Callable[[], float]],
    b: tuple[str, Callable[[], float]],
    *,
    limit: float = math.nan,
    segments: int = SEGMENTS,
    disturbed: float | None = None,
) -> Ratio:
    """Compares two speeds that are told segment by segment.

    Args:
        a: Name, and what runs one segment and gives its units a second.
        b: The same for the other.
        limit: Units a second that the hardware allows at most.
        segments: Segments of each.
        disturbed: Share of the processor that others may have during a pair; `DISTURBED` when left out.
    """
    first, second, again = [], [], 0
    for number in range(segments):
        # Who goes first alternates too: a clock that slows down steadily then favours neither.
        order = (0, 1) if number % 2 == 0 else (1, 0)
        left = AGAIN * segments - again
        rates, tries = calmly(lambda order=order: {side: (a, b)[side][1]() for side in order}, disturbed, left)
        first.append(rates[0])
        second.append(rates[1])
        again += tries - 1
    ratios = np.array(first) / np.array(second)
    chosen = np.random.default_rng(0).integers(0, segments, (RESAMPLES, segments))
    low, high = np.quantile(np.median(ratios[chosen], axis=1), (0.025, 0.975))
    medians = float(np.median(first)), float(np.median(second))
    shares = float(low), float(high), *medians, medians[0] / limit
    return Ratio(a[0], b[0], float(np.median(ratios)), *shares, segments, again)


def calmly(work: Callable[[], T], disturbed: float | None = None, again: int = AGAIN) -> tuple[T, int]:
    """What some work gives, done again until others leave the processor alone, and how often it was done.

    Args:
        work: Is measured.
        disturbed: Share of the processor that others may have; `DISTURBED` when left out.
        again: Further tries; the last one counts however it was.
    """
    allowed = DISTURBED if disturbed is None else disturbed
    for tries in range(1, again + 2):
        before, start = _had_by_others(), time.perf_counter()
        found = work()
        passed = (time.perf_counter() - start) * (os.cpu_count() or 1)
        if tries > again or _had_by_others() - before <= allowed * passed + TICK_S:
            return found, tries
        time.sleep(REST_S)
    raise AssertionError("the last try returns")


def _had_by_others() -> float:
    """Seconds of all cores that programs other than this one and its children have had, other machines too."""
    if not sys.platform.startswith("linux"):
        return 0.0
    now = psutil.cpu_times()
    used = now.user + now.nice + now.system + now.irq + now.softirq + now.steal
    mine = psutil.Process()
    return used - sum(_own_time(process) for process in (mine, *mine.children(recursive=True)))


def _own_time(process: psutil.Process) -> float:
    """What a process, and those of its children that have ended, have used."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0


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
