#!/usr/bin/env python3
"""Writes docs/coverage.md from the results of the proofs: what works, how to see it, what was measured and when.

Usage: scripts/coverage.py [--check]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS, TABLE = REPOSITORY / "proofs" / "results", REPOSITORY / "docs" / "coverage.md"
HEAD = """# What works

Each row is something that the lectures behind netwright name, shown by one command on real data. What was measured
came out of a proof (`python proofs/<name>.py`, results in `proofs/results/`); a row whose limit was missed says so,
and what is not listed here was not measured. `$NETWRIGHT_DATA` is a folder of public data sets. Written by
`scripts/coverage.py`.

| id | name | command | measured | date |
| --- | --- | --- | --- | --- |
"""
BESIDE = """
Numbers that stand for no row:

| measured | asked | proof | date |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Line:
    """A row of the table, with the proof it comes from."""

    id: str
    name: str
    command: str
    measured: str
    kept: bool
    date: str
    proof: str


def lines(results: Path = RESULTS) -> list[Line]:
    """Every row of every result, by id.

    Args:
        results: Folder of result files.

    Raises:
        ValueError: Two proofs claim the same row.
    """
    found: dict[str, Line] = {}
    for path in sorted(results.glob("[!.]*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        for row in result["rows"]:
            if row["id"] in found:
                raise ValueError(f"row {row['id']} stands in {found[row['id']].proof} and in {path.stem}")
            found[row["id"]] = Line(**row, date=result["date"], proof=path.stem)
    return sorted(found.values(), key=lambda line: (line.id[0], int(line.id[1:])))


def others(results: Path = RESULTS) -> list[str]:
    """What proofs measured that stand for no row, one line of a table for each limit.

    Args:
        results: Folder of result files.
    """
    found = []
    for path in sorted(results.glob("[!.]*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        for limit in [] if result["rows"] else result["limits"]:
            told = f"{'' if limit['kept'] else '**missed:** '}{_cell(limit['what'])}"
            proof = f"[{path.stem}](../proofs/{path.stem}.py)"
            found.append(f"| {told} | {_cell(limit['wanted'] or '-')} | {proof} | {result['date']} |\n")
    return found


def page(found: list[Line], beside: list[str]) -> str:
    """The tables as Markdown."""
    rows = [
        f"| {line.id} | {_cell(line.name)} | `{line.command.replace('|', chr(92) + '|')}` | "
        f"{'' if line.kept else '**missed:** '}{_cell(line.measured)} ([{line.proof}](../proofs/{line.proof}.py)) | "
        f"{line.date} |"
        for line in found
    ]
    return HEAD + "\n".join(rows) + "\n" + (BESIDE + "".join(beside) if beside else "")


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def main() -> int:
    """Writes the table, or says that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table is stale")
    wanted = page(lines(), others())
    if parser.parse_args().check:
        stale = not TABLE.exists() or TABLE.read_text(encoding="utf-8") != wanted
        print("docs/coverage.md is stale: run scripts/coverage.py" if stale else "docs/coverage.md is up to date")
        return int(stale)
    TABLE.write_text(wanted, encoding="utf-8")
    print(f"{TABLE.relative_to(REPOSITORY)}: {len(lines())} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
