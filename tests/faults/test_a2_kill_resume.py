"""A2: kill -9 anywhere and `resume`: weights, optimizer, history, split and answers are those of the unbroken run."""

from __future__ import annotations

import json
import random
import re
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


MOMENTS = {
    "caching": r"/[0-9a-f]{32}$",
    "saving": r"/checkpoints/step-\d+$",
    "scoring": r"/model\.netwright$",
    "reporting": r"/report\.html$",
}


@pytest.mark.strace
@pytest.mark.parametrize("moment", MOMENTS)
def test_a2_killed_in_every_stage(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, differences: Differences, moment: str
) -> None:
    """Killed in the middle of the rename that gives something its name; which one it is, is counted beforehand."""
    run, log = tmp_path / "run", unbroken.parent / "renames.txt"
    named = re.findall(r'rename\("[^"]*", "([^"]*)"', log.read_text())
    place = next(number for number, target in enumerate(named, 1) if re.search(MOMENTS[moment], target))
    inject = ("-e", "trace=rename", "-e", f"inject=rename:signal=KILL:when={place}", "-o", "/dev/null")
    broken = start(*words, "--to", run, strace=inject)
    assert broken.ends() == -9, broken.says()
    assert not [path for path in run.rglob("*") if re.search(MOMENTS[moment], str(path))]
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
