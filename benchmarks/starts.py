"""What making data ready costs: with an empty cache and with a full one, each in a process of its own.

Usage: python benchmarks/starts.py SPEC    measures one start, with the cache that `NETWRIGHT_CACHE` names

Seconds count from after the imports; memory is the peak of RssAnon + RssShmem, for mapped pages of the cache cost none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS_BETWEEN_LOOKS = 0.01


def first_and_second(specification: str) -> list[dict[str, object]]:
    """Measures both starts: the way to "ready", to the first batch of training, processor time and memory.

    Args:
        specification: The spec, as text.
    """
    with TemporaryDirectory() as cache:
        found = []
        for start in ("first", "second"):
            done = subprocess.run(
                [sys.executable, __file__, specification],
                env=os.environ | {"NETWRIGHT_CACHE": cache},
                check=True,
                capture_output=True,
                text=True,
            )
            found.append({"start": start} | json.loads(done.stdout.splitlines()[-1]))
    return found


def memory_gb() -> float:
    """RssAnon + RssShmem of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) / 2**20


def processor_s() -> float:
    """Seconds of processor time of this process and of the children it waited for."""
    return sum(os.times()[:4])


def measure(specification: str) -> dict[str, float | int]:
    """One start in this process."""
    from netwright import spec
    from netwright.data import batches, dataset

    wish = spec.load(specification)
    peak, over = [memory_gb()], threading.Event()

    def watch() -> None:
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            peak.append(memory_gb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, worked = time.perf_counter(), processor_s()
    data = dataset.prepare(wish)
    ready, worked = time.perf_counter() - begun, processor_s() - worked
    next(iter(batches.Batches(data, "train", 128, 0, shuffle=True, resident=False).epoch(1)))
    first_batch = time.perf_counter() - begun
    over.set()
    watcher.join()
    return {
        "used": data.ledger.counts()["used"],
        "ready_s": round(ready, 2),
        "first_batch_s": round(first_batch, 2),
        "cores_used": round(worked / ready, 2),
        "memory_gb": round(max(peak), 2),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
