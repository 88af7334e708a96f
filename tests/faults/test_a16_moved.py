"""A16: a run that was moved, alone or together with its data, goes on where it is now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netwright import run

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Differences = Callable[[Path, Path], list[str]]


@pytest.fixture
def stopped(start: Start, words: tuple[str, ...], table: Path, tmp_path: Path) -> Path:
    """A run stopped through its inbox, beside a copy of its data."""
    home = tmp_path / "old"
    home.mkdir()
    data = shutil.copy2(table, home / table.name)
    process = start(*(str(data) if word == str(table) else word for word in words), "--to", home / "run")
    state = home / "run" / "run.json"
    process.until(state.exists)  # before the first step, after which the inbox is read
    (home / "run" / "control").mkdir()
    (home / "run" / "control" / "1.json").write_text('{"do": "stop"}')
    assert process.ends() == 0, process.says()
    assert json.loads(state.read_text())["state"] == "stopped"
    return home


def _without_the_act(folder: Path) -> None:
    """The person's act stands in the history of the stopped run alone; all else must be equal."""
    path = folder / "history.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"by":"person"' not in line))


@pytest.mark.parametrize("with_data", [True, False], ids=["with its data", "alone"])
def test_a16_a_moved_run_goes_on(
    stopped: Path, unbroken: Path, tmp_path: Path, differences: Differences, with_data: bool
) -> None:
    new = tmp_path / "new" / "deeper"
    new.parent.mkdir()
    if with_data:
        stopped.rename(new)
    else:
        new.mkdir()
        (stopped / "run").rename(new / "run")
    run.resume(new / "run")
    _without_the_act(new / "run")
    assert set(differences(new / "run", unbroken)) <= {"checkpoint history_bytes"}
