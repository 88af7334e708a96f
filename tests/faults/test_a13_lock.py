"""A13: two runs in one directory: the second is refused with the first one's name; a killed holder frees the lock."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netwright import files
from netwright.errors import NetwrightError

HOLD = """
import sys, time; from pathlib import Path
from netwright import files
with files.lock(Path(sys.argv[1]), "the run"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a13_second_process_is_refused_and_told_who_holds_it(held: subprocess.Popen, tmp_path: Path) -> None:
    expected = rf"the run r is in use by process {held.pid} on {socket.gethostname()} since "
    with pytest.raises(NetwrightError, match=expected), files.lock(tmp_path / "lock", "the run r"):
        pass


def test_a13_lock_of_a_killed_holder_is_taken_over(held: subprocess.Popen, tmp_path: Path) -> None:
    os.kill(held.pid, signal.SIGKILL)
    held.wait()
    with files.lock(tmp_path / "lock", "the run"):
        assert str(os.getpid()) in (tmp_path / "lock.holder").read_text()
    assert not (tmp_path / "lock.holder").exists()


def test_a13_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with (
        files.lock(tmp_path / "lock", "the run"),
        pytest.raises(NetwrightError, match=f"in use by process {os.getpid()} "),
        files.lock(tmp_path / "lock", "the run"),
    ):
        pass
    with files.lock(tmp_path / "lock", "the run"):
        pass
