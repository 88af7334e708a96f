#!/usr/bin/env python3
"""Writes docs/promises.md: which faults are survived, each with the test that plants it and how that test ended.

Usage: scripts/promises.py [--junit FILE]

Without FILE the tests below tests/faults are run; FILE is the report of `pytest tests/faults --junitxml FILE`.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

REPOSITORY = Path(__file__).resolve().parents[1]
FAULTS, TABLE = REPOSITORY / "tests" / "faults", REPOSITORY / "docs" / "promises.md"
NAMED = re.compile(r"test_(?P<ids>[a-g]\d+(?:_[a-g]\d+)*)_(?P<words>\w+)")
HEAD = """# Faults that are survived

Each line is a fault that a test really plants: damaged files, full disks, killed processes, hostile archives. Written
by `scripts/promises.py` from the tests and from how they ended on {date}. A test that was skipped proves nothing, and
the table says so.

| fault | promise | test | result |
| --- | --- | --- | --- |
"""


@dataclass(frozen=True, order=True)
class Promise:
    """A fault test.

    Args:
        ids: Of its faults, e.g. ("C1",).
        node: Its name for pytest, from the repository's root.
        words: What it promises.
    """

    ids: tuple[str, ...]
    node: str
    words: str

    @property
    def key(self) -> tuple[str, int, str]:
        """Sorts C2 before C10."""
        return self.ids[0][0], int(self.ids[0][1:]), self.node


def promises(folder: Path = FAULTS) -> list[Promise]:
    """Every test that is named after a fault, by fault; read from the source, so that nothing has to run."""
    found = []
    for path in sorted(folder.glob("test_*.py")):
        where = f"{folder.parent.name}/{folder.name}/{path.name}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = NAMED.fullmatch(node.name) if isinstance(node, ast.FunctionDef) else None
            if named:
                ids = tuple(each.upper() for each in named["ids"].split("_"))
                found.append(Promise(ids, f"{where}::{named[0]}", named["words"].replace("_", " ")))
    return sorted(found, key=lambda promise: promise.key)


def results(junit: Path) -> dict[str, str]:
    """How each test ended, its parameters together: "passed", "skipped: why" or "failed".

    Args:
        junit: Report that pytest wrote.
    """
    found: dict[str, list[str]] = {}
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        where = (case.get("classname") or "").replace(".", "/")
        name = (case.get("name") or "").partition("[")[0]
        found.setdefault(f"{where}.py::{name}", []).append(_ended(case))
    return {node: _together(ends) for node, ends in found.items()}


def _ended(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    skipped = case.find("skipped")
    return "passed" if skipped is None else f"skipped: {skipped.get('message')}"


def _together(ends: list[str]) -> str:
    worst = next((end for end in ends if end == "failed"), None) or next((e for e in ends if e != "passed"), "passed")
    return f"{worst}, {len(ends)} cases" if len(ends) > 1 else worst


def page(found: list[Promise], ended: Mapping[str, str], date: str) -> str:
    """The table as Markdown."""
    rows = [
        f"| {', '.join(promise.ids)} | {promise.words} | `{promise.node}` | {ended.get(promise.node, 'not run')} |"
        for promise in found
    ]
    return HEAD.format(date=date) + "\n".join(rows) + "\n"


def listed(text: str) -> set[tuple[str, str]]:
    """The (faults, test) pairs of a written table."""
    return {(m[1], m[2]) for m in re.finditer(r"^\| ([A-G]\d+[^|]*?) \| [^|]* \| `([^`]+)` \|", text, re.MULTILINE)}


def main() -> int:
    """Writes the table; exit code 1 when a fault test failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--junit", type=Path, help="report of a run that was made already")
    given = parser.parse_args().junit
    with tempfile.TemporaryDirectory() as folder:
        report = given or Path(folder) / "faults.xml"
        if given is None:
            command = [sys.executable, "-m", "pytest", "-q", "-n", "2", str(FAULTS), "--junitxml", str(report)]
            subprocess.run(command, cwd=REPOSITORY, check=False)
        ended = results(report)
        suite = ElementTree.parse(report).getroot().find("testsuite")
    date = (suite.get("timestamp") or "")[:10] if suite is not None else ""
    found = promises()
    TABLE.write_text(page(found, ended, date), encoding="utf-8")
    failed = [promise.node for promise in found if ended.get(promise.node, "not run").startswith(("failed", "not run"))]
    print(f"{TABLE.relative_to(REPOSITORY)}: {len(found)} promises", *failed, sep="\n  not kept: ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
