#!/usr/bin/env python3
"""Writes docs/benchmarks.md from benchmarks/results/*.json: only numbers that a command printed, with date and machine.

Usage: scripts/benchmarks.py [--check]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS, PAGE = REPOSITORY / "benchmarks" / "results", REPOSITORY / "docs" / "benchmarks.md"
HEAD = """# How fast

Written by `scripts/benchmarks.py` from what `make bench` measured. A ratio is the median over neighbouring segments of
at least a second each, A and B alternating, with its 95 % bootstrap interval (`benchmarks/pairs.py`); rates alone move
by a fifth between runs. Load is how many processes wanted a core while it was measured: well above the number of
threads used, the times are too long.
"""


def section(result: dict) -> str:
    """One benchmark as Markdown: what on, then a table for each kind of entry."""
    on = result["machine"]
    facts = f"{on['date']}, {on['cpu']}, {on['cores']:g} cores, load {on['load']}, torch {on['torch']}"
    lines = ["", f"## {result['name']}", "", f"`python benchmarks/{result['name']}.py`: {facts}."]
    if result["limit"]:
        lines[-1] += f" Must reach: {result['limit']}."
    shapes: dict[tuple[str, ...], list[dict]] = {}
    for entry in result["found"]:
        shapes.setdefault(tuple(entry), []).append(entry)
    for names, entries in shapes.items():
        lines += ["", f"| {' | '.join(name.replace('_', ' ') for name in names)} |", "|" + " --- |" * len(names)]
        lines += [f"| {' | '.join(_cell(entry[name]) for name in names)} |" for entry in entries]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else "-" if value is None else str(value)


def page(results: Path = RESULTS) -> str:
    """The whole page."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    return HEAD + "".join(section(result) for result in found)


def main() -> int:
    """Writes the page, or says that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the page is stale")
    wanted = page()
    if parser.parse_args().check:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted
        print("docs/benchmarks.md is stale: run scripts/benchmarks.py" if stale else "docs/benchmarks.md is up to date")
        return int(stale)
    PAGE.write_text(wanted, encoding="utf-8")
    print(PAGE.relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main())
