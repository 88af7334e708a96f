"""A12: what hangs is ended with the place where it hangs; what computes, waits for a lock or was stopped goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from netwright.cli import watch
from netwright.progress import Silent

HANGS = """
import sys, threading, time
from netwright import cli
from netwright.cli import watch
from netwright.training.loop import Training
step, what = Training._step, sys.argv.pop(1)
watch.LOOK_SECONDS = 0.25

def hangs(self, *given, **more):
    step(self, *given, **more)
    if self.step == 7 and what != "goes on":
        watch.LOOKS = 8
    if self.step == 7 and what == "waits":
        threading.Event().wait()
    if self.step == 7 and what == "computes":
        over = time.monotonic() + 4
        while time.monotonic() < over:
            pass
    watch.LOOKS = 10_000

Training._step = hangs
sys.exit(cli.main())
"""
STOPPED = """
import time
from netwright.cli import watch
from netwright.progress import Silent
watch.LOOK_SECONDS, watch.LOOKS = 0.25, 12
with watch.watched(Silent(), "") as show:
    print("here", flush=True)
    time.sleep(2)
"""
LOCKED = """
import sys
from pathlib import Path
from netwright import files
from netwright.cli import watch
from netwright.progress import Silent
watch.LOOK_SECONDS, watch.LOOKS = 0.2, 3
with watch.watched(Silent(), ""):
    try:
        with files.lock(Path(sys.argv[1]), "the cache", wait_seconds=2):
            pass
    except Exception as exc:
        print(exc)
"""
HOLDS = """
import sys, time
from pathlib import Path
from netwright import files
with files.lock(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(60)
"""
WORDS = ("train", "digits", "--layers", "", "--epochs", "2", "--set", "training.threads=1", "--json")


@contextmanager
def started(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone when the block ends, however it ends."""
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a12_a_training_that_waits_for_ever_is_ended_and_resumes(tmp_path: Path) -> None:
    with started(HANGS, "waits", *WORDS, "--to", str(tmp_path / "run")) as run:
        document, said = run.communicate(timeout=100)
    assert run.returncode == 1
    assert "in hangs" in said  # the stack
    told = [line for line in said.splitlines() if line.startswith(("error:", "try:"))]
    assert told[0].startswith("error: nothing was computed for ")
    assert "it waits in training/loop.py:" in told[0]
    assert told[1].endswith("Then netwright resume goes on.")
    assert json.loads(document)["exit_code"] == 1
    words = [sys.executable, "-m", "netwright", "resume", str(tmp_path / "run")]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert (tmp_path / "run" / "model.netwright").exists()


def test_a12_a_step_that_computes_for_long_is_no_hang(tmp_path: Path) -> None:
    with started(HANGS, "computes", *WORDS, "--to", str(tmp_path / "run")) as run:
        _, said = run.communicate(timeout=100)
    assert run.returncode == 0, said


def test_a12_a_process_that_was_stopped_and_goes_on_is_no_hang() -> None:
    with started(STOPPED) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        process.send_signal(signal.SIGCONT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said


def test_a12_waiting_for_another_process_s_lock_is_no_hang(tmp_path: Path) -> None:
    path = str(tmp_path / "a.lock")
    with started(HOLDS, path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        done = subprocess.run([sys.executable, "-c", LOCKED, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the cache is in use by process" in done.stdout


def _ended(monkeypatch: pytest.MonkeyPatch, during: float, tells: bool = False) -> bool:
    """Whether the watchdog wants to end a block that does nothing for so many seconds, or tells something all along."""
    ends: list[str] = []
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(watch, "LOOKS", 5)
    monkeypatch.setattr(watch, "_end", lambda main, cure: ends.append(cure))
    with watch.watched(Silent(), "go on") as show:
        over = time.monotonic() + during
        while time.monotonic() < over:
            time.sleep(0.05)
            if tells:
                show.advance(1)
    return ends[:1] == ["go on"]


def test_a12_what_tells_how_far_it_is_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LEAST_SHARE", 1e9)  # whatever it computes
    assert not _ended(monkeypatch, 1.5, tells=True)
    assert _ended(monkeypatch, 1.5)


def test_a12_where_other_processes_are_hidden_this_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(*_: object, **__: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "children", hidden)
    before = watch._computed()
    works = threading.Thread(target=lambda: sum(range(3_000_000)))  # what the one who looks computes does not count
    works.start()
    works.join()
    assert watch._computed() > before + 0.001


def test_a12_what_a_child_computes_counts() -> None:
    burns = "import time\nover = time.process_time() + 0.5\nwhile time.process_time() < over: pass\ntime.sleep(60)"
    before = watch._computed()
    with started(burns):
        over = time.monotonic() + 30
        while watch._computed() - before < 0.4:
            assert time.monotonic() < over
            time.sleep(0.1)
