"""A million rows by 20 columns of CSV: read, checked, split and cached, in how long and in how much memory.

    python benchmarks/csv_million.py [--rows 1000000] [--json result.json]

Makes its input in a temporary folder with a fixed seed, runs once with an empty cache and once more with a full one,
and prints each number beside its limit. Memory is the peak of RssAnon + RssShmem: mapped cache pages do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROWS, COLUMNS = 1_000_000, 20
LIMIT_SECONDS, LIMIT_GB, LIMIT_AGAIN_SECONDS = 20.0, 1.5, 1.0


def make(path: Path, rows: int) -> None:
    """Numbers of several kinds, two columns of classes, and a price to predict."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(0)
    columns = {f"measure_{i}": np.round(random.normal(size=rows), 5) for i in range(12)}
    columns |= {f"count_{i}": random.integers(0, 1000, rows) for i in range(5)}
    towns = np.array(["Aachen", "Bonn", "Celle", "Dresden", "Essen", "Fulda"])
    columns["town"] = towns[random.integers(0, len(towns), rows)]
    columns["zip"] = np.char.zfill(random.integers(0, 300, rows).astype(str), 5)
    columns["price"] = np.round(columns["measure_0"] * 3 + columns["count_0"] / 100 + random.normal(size=rows), 3)
    csv.write_csv(pa.table(columns), path)


def memory_mb() -> float:
    """RssAnon + RssShmem of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) / 1024


def measure(path: Path) -> dict[str, float | int]:
    """One preparation in this process: seconds after the imports, and the peak of memory."""
    import netwright.data.dataset as dataset
    from netwright import spec

    wish = spec.load(f"{{data: {{path: '{path}'}}, outputs: [price]}}")
    peak, running = [memory_mb()], True

    def watch() -> None:
        while running:
            peak.append(memory_mb())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, worked = time.perf_counter(), time.process_time()
    data = dataset.prepare(wish)
    seconds = time.perf_counter() - begun
    worked = time.process_time() - worked
    running = False
    watcher.join()
    counts = data.ledger.counts()
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(worked, 2),
        "memory_gb": round(max(peak) / 1024, 3),
        "used": counts["used"],
    }


def main() -> None:
    """Make the file, measure cold and warm in processes of their own, print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rows", type=int, default=ROWS)
    options.add_argument("--json", type=Path)
    options.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        make(path, given.rows)
        environment = os.environ | {"NETWRIGHT_CACHE": str(Path(folder) / "cache")}
        command = [sys.executable, __file__, "--measure", str(path)]
        runs = [subprocess.run(command, env=environment, check=True, capture_output=True, text=True) for _ in range(2)]
        cold, warm = (json.loads(run.stdout.splitlines()[-1]) for run in runs)
        result = {
            "rows": given.rows,
            "columns": COLUMNS,
            "file_mb": round(path.stat().st_size / 2**20, 1),
            "cores": os.cpu_count(),
            "first_start": cold | {"limit_seconds": LIMIT_SECONDS, "limit_memory_gb": LIMIT_GB},
            "second_start": warm | {"limit_seconds": LIMIT_AGAIN_SECONDS},
        }
    print(f"{given.rows:,} rows x {COLUMNS} columns, {result['file_mb']} MB, {result['cores']} cores")
    print(f"  first start:  {cold['seconds']} s (limit {LIMIT_SECONDS}), {cold['memory_gb']} GB (limit {LIMIT_GB})")
    print(f"  second start: {warm['seconds']} s (limit {LIMIT_AGAIN_SECONDS})")
    print(json.dumps(result))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
