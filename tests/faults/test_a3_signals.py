"""A3: one SIGTERM or SIGINT finishes the step, saves and exits 143 or 130; a second one ends at once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Differences = Callable[[Path, Path], list[str]]
MOST_SECONDS = 10  # to finish a step and save; with a loaded machine in mind


def _facts(run: Path) -> dict:
    return json.loads((run / "run.json").read_text()) if (run / "run.json").exists() else {"state": ""}


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a3_one_signal_saves_and_a_resume_ends_as_the_unbroken_run(
    start: Start,
    words: tuple[str, ...],
    unbroken: Path,
    tmp_path: Path,
    differences: Differences,
    signum: int,
    code: int,
) -> None:
    run = tmp_path / "run"
    process = start(*words, "--to", run)
    process.until(lambda: _facts(run)["state"] == "training")
    began = time.monotonic()
    process.kill(signum)
    assert process.ends() == code, process.says()
    assert time.monotonic() - began < MOST_SECONDS
    assert _facts(run)["state"] == "stopped"
    said = process.says()
    assert "stopped:" in said
    assert f"netwright resume {run}" in said
    assert "Traceback" not in said
    again = start("resume", run)
    assert again.ends() == 0, again.says()
    assert differences(run, unbroken) == []


def test_a3_a_signal_while_preparing_leaves_a_run_that_can_go_on(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, differences: Differences
) -> None:
    run = tmp_path / "run"
    process = start(*words, "--to", run)
    process.until(lambda: _facts(run)["state"] == "preparing")
    process.kill(signal.SIGTERM)
    assert process.ends() == 143, process.says()
    again = start("resume", run)
    assert again.ends() == 0, again.says()
    assert differences(run, unbroken) == []


SLOW = """
import time
from netwright import register

@register("activation", "slow")
def slow(x):
    with open("steps", "a") as file:
        file.write("x")
    time.sleep(1.5)
    return x.relu()
"""


def test_a3_a_second_signal_ends_at_once(start: Start, table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (tmp_path / "slow.py").write_text(SLOW)
    process = start("train", table, "--out", "class", "--layers", "dense 8, slow", "--use", "slow.py", "--to", run)
    steps = tmp_path / "steps"
    process.until(lambda: _facts(run)["state"] == "training")
    before = steps.read_text() if steps.exists() else ""
    process.until(lambda: steps.exists() and len(steps.read_text()) > len(before))  # in the middle of a step
    process.kill(signal.SIGTERM)

    def caught() -> bool:
        status = Path(f"/proc/{process.pid}/status").read_text()
        mask = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
        return bool(mask >> (signal.SIGTERM - 1) & 1)

    process.until(lambda: not caught())  # the first one was heard, and the step still sleeps
    began = time.monotonic()
    process.kill(signal.SIGTERM)
    assert process.ends() == -signal.SIGTERM
    assert time.monotonic() - began < 1
    assert _facts(run)["state"] == "training"
