"""A14: files hold UTC whatever the zone; durations come from a clock that only goes forward."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Differences = Callable[[Path, Path], list[str]]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "XYZ+11:30"])
def test_a14_files_hold_utc_and_zones_change_nothing(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, differences: Differences, zone: str
) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    process = start(*words, "--to", "run", env={"TZ": zone})
    assert process.ends() == 0, process.says()
    after = datetime.now(UTC)
    created = json.loads((tmp_path / "run" / "run.json").read_text())["created_utc"]
    assert before <= datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) <= after
    assert differences(tmp_path / "run", unbroken) == []
    seconds = [json.loads(line)["seconds"] for line in (tmp_path / "run" / "timing.jsonl").read_text().splitlines()]
    assert seconds == sorted(seconds)
    assert 0 < seconds[-1] < 60


def test_a14_training_and_runs_ask_no_clock_that_jumps(repository: Path) -> None:
    """A jump of the wall clock cannot be made here without harm; so it is shown that nobody asks that clock."""
    jumping = {"time.time", "time.localtime", "time.ctime", "datetime.now", "datetime.today", "date.today"}
    asked = []
    for room in ("training", "run", "studies", "lens", "tasks", "models"):
        for path in sorted((repository / "src" / "netwright" / room).rglob("*.py")):
            calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
            asked += [f"{path.name}: {ast.unparse(call)}" for call in calls if ast.unparse(call) in jumping]
    assert asked == []
