"""A9, A10, A12, A15: memory used up, killed and stopped processes, too many open files.

netwright keeps nothing in shared memory: its processes speak through pipes.
"""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.readers import decoding
from netwright.readers.pictures import Frame

LIMITED = """
import os, resource, sys
from netwright.cli import main
import netwright.run.fit
import netwright.tasks.category
kind, most = int(sys.argv[1]), int(sys.argv[2])
if kind == resource.RLIMIT_AS:
    with open("/proc/self/statm") as file:
        most += int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(kind, (most, most))
sys.argv = ["netwright", *sys.argv[3:]]
sys.exit(main())
"""
PAIR = ("--in", "image", "--out", "category")
WIDE = ("--layers", "x10 {dense 20000, relu, dense 10, relu}", "--batch-size", "all", "--epochs", "1")


def limited(kind: int, most: int, *words: str) -> subprocess.CompletedProcess[str]:
    """A command line that may use no more than this beyond what it has when everything is loaded."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(kind), str(most), *words], capture_output=True, text=True, check=False
    )


def picture() -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.full((8, 8, 3), 200, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a9_memory_used_up_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = limited(resource.RLIMIT_AS, 700_000_000, "train", "digits", *WIDE, "--to", str(tmp_path / "run"))
    assert done.returncode == 5, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith(("error:", "try:"))]
    assert "the memory of this machine is used up" in told[0]
    assert re.search(r": \d+ bytes more were asked for", told[0])
    assert "smaller --batch-size" in told[1]


def test_a10_a_decoding_process_that_was_killed_loses_no_picture() -> None:
    child = decoding._Child(Frame(8, 8, 3))
    os.kill(child._process.pid, signal.SIGKILL)
    pixels, failed = child.decoded([(0, picture())])
    child.close()
    assert pixels[0].min() == 200
    assert failed == {}


def test_a10_a_killed_process_is_told_with_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MANY", 100)
    monkeypatch.setattr(decoding, "_TINY_SECONDS", 1.0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    began = decoding._Child.__init__

    def doomed(child: decoding._Child, frame: Frame) -> None:
        began(child, frame)
        os.kill(child._process.pid, signal.SIGKILL)
        child._process.wait()

    monkeypatch.setattr(decoding._Child, "__init__", doomed)
    count, raw = 600, picture()
    sink = np.zeros((count, 8, 8, 3), np.uint8)
    with pytest.warns(RuntimeWarning, match=r"decoding process(es)? died \(signal 9.*decoded by netwright itself"):
        failed = decoding.decode_all(((k, lambda: raw) for k in range(count)), count, Frame(8, 8, 3), sink, id)
    assert failed == {}
    assert sink.min() == 200


def test_a9_a_killed_run_says_what_may_have_been_the_reason_and_goes_on(tmp_path: Path) -> None:
    words = ["netwright", "train", "digits", "--epochs", "100", "--patience", "0", "--to", str(tmp_path / "run")]
    with subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        for awaited in ("history.jsonl", "checkpoints/*"):
            while not list((tmp_path / "run").glob(awaited)):
                assert run.poll() is None
                time.sleep(0.05)
            asked = tmp_path / "run" / "control" / "1.json"  # the first checkpoint is due only after half a minute
            asked.parent.mkdir(exist_ok=True)
            asked.write_text('{"do": "save"}')
        run.send_signal(signal.SIGKILL)
    words = ["netwright", "resume", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the run was killed; if the system did that for want of memory, use a smaller --batch-size" in done.stderr


def test_a10_half_an_answer_of_a_decoding_process_is_thrown_away() -> None:
    child = decoding._Child(Frame(8, 8, 3))
    child.close()
    half = "import sys; sys.stdin.buffer.readline(); sys.stdout.write('{}\\nhalf')"
    child._process = subprocess.Popen([sys.executable, "-c", half], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pixels, failed = child.decoded([(0, picture())])
    child.close()
    assert pixels[0].min() == 200
    assert failed == {}


def test_a12_a_decoding_process_that_hangs_is_ended_and_its_pictures_decoded_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "_SILENT_SECONDS", 0.5)
    child = decoding._Child(Frame(8, 8, 3))
    os.kill(child._process.pid, signal.SIGSTOP)
    pixels, failed = child.decoded([(0, picture())])
    child.close()
    assert child._process.returncode == -signal.SIGKILL
    assert pixels[0].min() == 200
    assert failed == {}


def test_a15_too_many_open_files_names_the_limit(tmp_path: Path) -> None:
    for k in range(40):
        (tmp_path / "data" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "ab"[k % 2] / f"{k}.png").write_bytes(picture())
    done = limited(resource.RLIMIT_NOFILE, 4, "train", str(tmp_path / "data"), *PAIR, "--to", str(tmp_path / "run"))
    assert done.returncode == 5, done.stderr
    assert "too many open files" in done.stderr
    assert "ulimit -n" in done.stderr
