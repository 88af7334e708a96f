"""A4: a full disk costs a checkpoint and not the run, nor an older one. A5: training never ends for a log."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from netwright.errors import ResourceError
from netwright.training import checkpoint

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Fill = Callable[[Path, int], Path]
FULL = r"the disk is full \(\d+\.\d MB needed, \d+\.\d MB free\)"


@pytest.mark.mount
def test_a4_a_save_on_a_full_disk_leaves_the_old_checkpoint_and_says_how_much_is_needed(
    small_disk: Path, fill: Fill
) -> None:
    (small_disk / "run").mkdir()
    folder, tensors = small_disk / "run" / "checkpoints", {"a": torch.ones(200_000)}  # 0.8 MB
    checkpoint.save(folder, 1, tensors, {"step": 1})
    filler = fill(small_disk, 500_000)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for _ in range(3):
        with pytest.raises(ResourceError, match=FULL.replace(r"\d+\.\d MB needed", r"0\.8 MB needed")):
            checkpoint.save(folder, 2, tensors, {"step": 2})
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    filler.unlink()
    checkpoint.save(folder, 3, tensors, {"step": 3})
    found = checkpoint.latest(folder)
    assert found is not None
    assert found.facts["step"] == 3


@pytest.mark.mount
def test_a4_training_goes_on_and_saves_again_when_there_is_room(
    start: Start, table: Path, small_disk: Path, fill: Fill
) -> None:
    run = small_disk / "run"
    wide = ("--layers", "dense 300, relu, dense 60, relu", "--epochs", "100000", "--patience", "0")
    process = start("train", table, "--out", "class", *wide, "--to", run)
    process.until(
        lambda: (run / "run.json").exists() and json.loads((run / "run.json").read_text())["state"] == "training"
    )
    (run / "control").mkdir()
    (run / "control" / "1.json").write_text('{"do": "save"}')
    process.until(lambda: list(run.glob("checkpoints/step-*")))
    first = checkpoint.latest(run / "checkpoints")
    filler = fill(small_disk, 300_000)
    (run / "control" / "2.json").write_text('{"do": "save"}')
    process.until(lambda: "no checkpoint at step" in process.says())
    said = " ".join(process.says().split())
    assert re.search(rf"no checkpoint at step \d+: .*{FULL}.*The older ones are whole; trying again", said)
    now = checkpoint.latest(run / "checkpoints")
    assert first is not None
    assert now is not None
    assert checkpoint.same(first, now) == []
    filler.unlink()
    process.kill(signal.SIGTERM)
    assert process.ends() == 143, process.says()
    last = checkpoint.latest(run / "checkpoints")
    assert last is not None
    assert last.refused == ()
    assert last.facts["step"] > first.facts["step"]


SAVE = """
import sys; from pathlib import Path
import torch
from netwright.errors import NetwrightError
from netwright.training import checkpoint
try:
    checkpoint.save(Path(sys.argv[1]), 2, {"a": torch.ones(200_000)}, {"step": 2})
except NetwrightError as error:
    print(type(error).__name__, error.message, flush=True)
"""


@pytest.mark.strace
@pytest.mark.parametrize(
    "call",
    ["write:error=ENOSPC", "fsync:error=ENOSPC", "fsync:error=EIO", "rename:error=ENOSPC", "mkdir:error=ENOSPC:when=2"],
)
def test_a4_every_refusing_call_is_a_resource_error_and_leaves_nothing(start: Start, tmp_path: Path, call: str) -> None:
    folder = tmp_path / "run" / "checkpoints"
    folder.parent.mkdir()
    checkpoint.save(folder, 1, {"a": torch.ones(9)}, {"step": 1})
    name, _, error = call.partition(":")
    inject = (
        f"inject={call}" if ":when=" in error else f"inject={call}:when=1"
    )  # the first mkdir finds its folder there
    process = start(folder, code=SAVE, strace=("-e", f"trace={name}", "-e", inject, "-o", "/dev/null"))
    process.ends()
    assert "ResourceError" in process.says()
    assert "disk" in process.says()
    assert [path.name for path in folder.iterdir()] == ["step-000000000001"]


@pytest.mark.strace
def test_a5_logs_that_cannot_be_written_cost_one_warning_each(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    logs = ("-P", str(run / "history.jsonl"), "-P", str(run / "timing.jsonl"))
    process = start(
        *words, "--to", run, strace=(*logs, "-e", "trace=write", "-e", "inject=write:error=ENOSPC", "-o", "/dev/null")
    )
    assert process.ends() == 0, process.says()
    said = " ".join(process.says().split())
    assert said.count("The history waits in memory") == 1
    assert said.count("Times are not written any more") == 1
    assert json.loads((run / "run.json").read_text())["state"] == "done"
    assert (run / "predictions.parquet").read_bytes() == (unbroken / "predictions.parquet").read_bytes()
