"""How long `netwright --help` takes from process start to exit; it must not exceed 0.3 s.

Usage: python benchmarks/help_time.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT_SECONDS = 0.3
RUNS = 15
COMMANDS = {
    "python starts": ["-c", "pass"],
    "import cyclopts, rich": ["-c", "import cyclopts, rich.console, rich.table"],
    "netwright --help": ["-c", "import sys; from netwright.cli import main; sys.exit(main())", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Wall-clock seconds of one Python process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> int:
    """Prints best and median of interleaved runs; exit code 1 when the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            measured[name].append(seconds(arguments))
    result = {name: {"best_s": min(v), "median_s": statistics.median(v)} for name, v in measured.items()}
    for name, row in result.items():
        print(f"{name:<24} best {row['best_s']:.3f} s  median {row['median_s']:.3f} s")
    within = result["netwright --help"]["best_s"] <= LIMIT_SECONDS
    print(f"limit {LIMIT_SECONDS} s: {'kept' if within else 'exceeded'}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
