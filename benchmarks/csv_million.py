"""A million rows by 20 columns of CSV: read, checked, split and cached, in how long and in how much memory.

Usage: python benchmarks/csv_million.py [--rows N]

Makes its input in a temporary folder with a fixed seed; exit code 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pairs
import pyarrow as pa
import starts
from pyarrow import csv

ROWS = 1_000_000
LIMIT_S, LIMIT_GB, LIMIT_AGAIN_S = 20.0, 1.5, 1.0


def make(path: Path, rows: int) -> None:
    """Numbers of several kinds, two columns of classes, and a price to predict."""
    random = np.random.default_rng(0)
    columns = {f"measure_{i}": np.round(random.normal(size=rows), 5) for i in range(12)}
    columns |= {f"count_{i}": random.integers(0, 1000, rows) for i in range(5)}
    towns = np.array(["Aachen", "Bonn", "Celle", "Dresden", "Essen", "Fulda"])
    columns["town"] = towns[random.integers(0, len(towns), rows)]
    columns["zip"] = np.char.zfill(random.integers(0, 300, rows).astype(str), 5)
    columns["price"] = np.round(columns["measure_0"] * 3 + columns["count_0"] / 100 + random.normal(size=rows), 3)
    csv.write_csv(pa.table(columns), path)


def main() -> int:
    """Measures both starts, keeps and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        make(path, parser.parse_args().rows)
        print(f"{path.stat().st_size / 2**20:.0f} MB of CSV")
        found = starts.first_and_second(f"{{data: {{path: '{path}'}}, outputs: [price]}}")
    first, second = found
    pairs.keep(
        "csv_million", found, f"{LIMIT_S:g} s and {LIMIT_GB} GB on the first start, {LIMIT_AGAIN_S:g} s on the second"
    )
    for start in found:
        print(", ".join(f"{name} {value}" for name, value in start.items()))
    within = first["ready_s"] <= LIMIT_S and first["memory_gb"] <= LIMIT_GB and second["ready_s"] <= LIMIT_AGAIN_S
    print("limits kept" if within else "a limit is exceeded")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
