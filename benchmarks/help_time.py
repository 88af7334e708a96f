"""How long `netwright --help` takes from process start to exit; it must not exceed 0.3 s.

Usage: python benchmarks/help_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pairs

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
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            measured[name].append(seconds(arguments))
    found = [
        {"work": name, "best_s": round(min(times), 3), "median_s": round(statistics.median(times), 3), "runs": RUNS}
        for name, times in measured.items()
    ]
    pairs.keep("help_time", found, f"{LIMIT_SECONDS} s at best for netwright --help")
    for row in found:
        print(f"{row['work']:<24} best {row['best_s']:.3f} s  median {row['median_s']:.3f} s")
    within = min(measured["netwright --help"]) <= LIMIT_SECONDS
    print(f"limit {LIMIT_SECONDS} s: {'kept' if within else 'exceeded'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
