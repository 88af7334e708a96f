#!/usr/bin/env python3
"""Writes docs/doctor.md: every check, the fault planted for it, and what it says about that fault.

Usage: scripts/checks.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netwright import registry
from netwright.doctor.check import data_checks, start_checks
from netwright.doctor.finding import Finding

REPOSITORY = Path(__file__).resolve().parents[1]
TABLE = REPOSITORY / "docs" / "doctor.md"
HEAD = """# What the doctor finds

Before the first update every run is looked at: its data, and what its fresh network does with one real batch. What is
wrong is told in one line with its cure, stands in the report under "What the doctor found", and in `findings.json` of
the run; `netwright data check` says the same without training, `netwright doctor RUN` says it again afterwards. Large
data is judged by a seeded draw of its training part, so that looking costs seconds at most and equal runs find equal
things. Nothing of training changes by it.

Each check is proven on a fault that was really planted, and is silent on sound data. What it says below is what it
said about that fault. Written by `scripts/checks.py`.

| check | looks for | planted fault | what it says | what to do |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The table as Markdown, from running every check on its planted fault."""
    rows = []
    for name, check in {**data_checks(), **start_checks()}.items():
        found = [finding for finding in check.look(check.planted()) if finding.state != "good"]  # type: ignore[arg-type]
        rows.append((name.replace("_", " "), registry.part("check", name).summary, check.fault, found))
    return HEAD + "".join(
        f"| {name} | {summary} | {fault} | {_said(found)} |\n" for name, summary, fault, found in rows
    )


def _said(found: list[Finding]) -> str:
    said = " ".join(f"{'**bad** ' * (finding.state == 'bad')}{finding.sentence}" for finding in found)
    cures = " ".join(dict.fromkeys(finding.cure for finding in found))
    return f"{said.replace('|', chr(92) + '|')} | {cures.replace('|', chr(92) + '|')}"


def main() -> int:
    """Writes the table, or says that it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table is stale")
    wanted = page()
    if parser.parse_args().check:
        stale = not TABLE.exists() or TABLE.read_text(encoding="utf-8") != wanted
        print("docs/doctor.md is stale: run scripts/checks.py" if stale else "docs/doctor.md is up to date")
        return int(stale)
    TABLE.write_text(wanted, encoding="utf-8")
    print(f"{TABLE.relative_to(REPOSITORY)}: {wanted.count(chr(10)) - HEAD.count(chr(10))} checks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
