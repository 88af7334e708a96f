"""A2: kill -9 anywhere and `resume`: weights, optimizer, history, split and answers are those of the unbroken run."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Start, Started

Differences = Callable[[Path, Path], list[str]]


def _state(run: Path) -> str:
    return json.loads((run / "run.json").read_text())["state"] if (run / "run.json").exists() else ""


@pytest.mark.strace
@pytest.mark.parametrize("moment", ["caching", "saving", "scoring", "reporting"])
def test_a2_killed_in_every_stage(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, cache_home: Path, differences: Differences, moment: str
) -> None:
    run = tmp_path / "run"
    (cached,) = (path.parent.name for path in (unbroken.parent / "cache").glob("*/manifest.json"))
    (last,) = (path.name for path in (unbroken / "checkpoints").iterdir())
    takes_its_name = {
        "caching": cache_home / cached,
        "saving": run / "checkpoints" / last,
        "scoring": run / "model.netwright",
        "reporting": run / "report.html",
    }[moment]
    strace = ("-P", str(takes_its_name), "-e", "trace=rename", "-e", "inject=rename:signal=KILL", "-o", "/dev/null")
    broken = start(*words, "--to", run, strace=strace)
    assert broken.ends() == -9, broken.says()
    assert not takes_its_name.exists()
    assert _state(run) == {"caching": "preparing", "saving": "training"}.get(moment, "scoring")
    again = start("resume", run)
    assert again.ends() == 0, again.says()
    assert differences(run, unbroken) == []
    assert _state(run) == "done"
    assert not list(run.rglob(".tmp-*"))


def test_a2_killed_again_and_again_at_random_moments(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, differences: Differences
) -> None:
    run, draw, killed = tmp_path / "run", random.Random(4), 0
    process: Started = start(*words, "--to", run)
    for number in range(3):
        process.until(lambda: _state(run) in {"training", "scoring", "done"})
        (run / "control").mkdir(exist_ok=True)
        (run / "control" / f"{number}.json").write_text('{"do": "save"}')
        time.sleep(draw.uniform(0.0, 0.3))
        process.kill()
        killed += process.ends() == -9
        process = start("resume", run)
    assert process.ends() == 0, process.says()
    assert killed > 0
    assert differences(run, unbroken) == []
