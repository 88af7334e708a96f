"""A1: kill -9 at every system call of a checkpoint write: the newest whole one loads, leftovers are swept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from netwright.training import checkpoint

if TYPE_CHECKING:
    from tests.faults.conftest import Start

CALLS = ("openat", "write", "fsync", "rename", "mkdir", "unlink", "unlinkat", "rmdir")
SAVE = """
import sys; from pathlib import Path
import torch
from netwright.training import checkpoint
checkpoint.save(Path(sys.argv[1]), 3, {"a": torch.full((500,), 3.0), "b": torch.tensor(3)}, {"step": 3})
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two checkpoints: writing a third drops the first."""
    folder = tmp_path / "two" / "checkpoints"
    folder.parent.mkdir()
    for step in (1, 2):
        checkpoint.save(folder, step, {"a": torch.full((500,), float(step)), "b": torch.tensor(step)}, {"step": step})
    return folder


def _copy(two: Path, name: str) -> Path:
    return Path(shutil.copytree(two.parent, two.parent.parent / name)) / "checkpoints"


@pytest.mark.strace
def test_a1_kill_at_every_system_call_of_a_save(start: Start, two: Path, tmp_path: Path) -> None:
    log = tmp_path / "calls.txt"
    whole = start(_copy(two, "whole"), code=SAVE, strace=("-e", f"trace={','.join(CALLS)}", "-o", str(log)))
    assert whole.ends() == 0, whole.says()
    called = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE)
    points = [(call, k) for call in CALLS for k in range(1, called.count(call) + 1)]
    assert {"openat", "write", "fsync", "rename"} <= {call for call, _ in points}
    killed, steps = 0, set()
    for first in range(0, len(points), 4):
        batch = []
        for call, k in points[first : first + 4]:
            folder = _copy(two, f"{call}-{k}")
            inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}", "-o", "/dev/null")
            batch.append((start(folder, code=SAVE, strace=inject), folder))
        for process, folder in batch:
            code = process.ends()
            assert code in {-9, 0}, process.says()  # 0: it did one call less than the run that was counted
            killed += code == -9
            found = checkpoint.latest(folder)
            assert found is not None
            assert found.refused == ()
            step = found.facts["step"]
            assert step in {2, 3}
            assert torch.equal(found.tensors["a"], torch.full((500,), float(step)))
            steps.add(step)
            checkpoint.save(folder, 4, {"a": torch.zeros(1)}, {"step": 4})
            assert [path.name for path in folder.iterdir() if path.name.startswith(".tmp")] == []
            assert len(list(folder.iterdir())) == 2
    assert killed >= 0.8 * len(points)
    assert steps == {2, 3}
