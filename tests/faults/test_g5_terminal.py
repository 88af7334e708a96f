"""G5: Ctrl-C, a closed pipe, no terminal, a narrow one, NO_COLOR: quiet exits and legible words."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "netwright"]


def on_terminal(words: list[str], folder: Path, columns: int, **env: str) -> tuple[int, str]:
    """Exit code and everything shown by a command on a real terminal of its own."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **env},
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = b""
    while select.select([main], [], [], 30)[0]:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the terminal is gone with its last process
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    return process.wait(30), shown.decode()


def test_g5_closed_pipe_leaves_no_words(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "recipes"], stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_g5_head_leaves_no_words(tmp_path: Path) -> None:
    line = f"{sys.executable} -m netwright train --help | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.startswith("Usage: netwright train")
    assert done.stderr == ""
    assert done.returncode == 0


def test_g5_closed_standard_error_is_no_second_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [*COMMAND, "plan", "dgits"], stdout=subprocess.PIPE, stderr=writer, cwd=tmp_path, env=buffered, check=False
    )
    os.close(writer)
    assert done.stdout == b""
    assert done.returncode == 2
    closed = subprocess.run(["sh", "-c", '"$@" 2>&- >&-', "sh", *COMMAND, "plan", "dgits"], cwd=tmp_path, check=False)
    assert closed.returncode == 2


def test_g5_without_a_terminal_nothing_is_coloured(netwright: Run) -> None:
    done = netwright("plan", "dgits", env={"TERM": "xterm-256color"})
    assert "\x1b" not in done.stderr
    assert done.stderr.startswith("error: ")


def test_g5_a_terminal_gets_colour_unless_no_color_is_set(tmp_path: Path) -> None:
    _, shown = on_terminal(["plan", "dgits"], tmp_path, 80)
    assert "\x1b[1;31merror:" in shown
    _, shown = on_terminal(["plan", "dgits"], tmp_path, 80, NO_COLOR="1")
    assert "\x1b[" not in shown
    assert "error: " in shown


@pytest.mark.parametrize("columns", [30, 50])
def test_g5_narrow_terminal_wraps_and_cuts_nothing(tmp_path: Path, columns: int) -> None:
    code, shown = on_terminal(["plan", "dgits"], tmp_path, columns, NO_COLOR="1")
    assert code == 2
    lines = shown.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= columns
    assert 'no file, folder or recipe is called "dgits"' in " ".join(" ".join(lines).split())
    code, shown = on_terminal(["recipes"], tmp_path, columns, NO_COLOR="1")
    assert code == 0
    assert max(map(len, shown.replace("\r", "").splitlines())) <= columns


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_g5_a_poor_code_page_still_gets_words(netwright: Run, encoding: str) -> None:
    done = netwright("plan", "図.csv", env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 2
    assert "\\u56f3.csv" in done.stderr
    assert netwright("--help", env={"PYTHONIOENCODING": encoding}).returncode == 0


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.3, 0.7])
def test_g5_ctrl_c_while_it_starts_is_quiet(tmp_path: Path, seconds: float) -> None:
    code = (
        "import signal, sys; from netwright.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell in the background had it ignored
        "print('begun', flush=True); sys.exit(main(['train', 'digits', '--minutes', '1']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        time.sleep(seconds)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert "Traceback" not in said
    assert "mistake of its own" not in said
    assert started.returncode == 130
