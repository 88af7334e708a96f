"""A6: a disk that refuses gives a clear error and no half file. A7: the order of system calls survives a power loss."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netwright import files
from netwright.errors import NetwrightError, ResourceError

STRACE = shutil.which("strace")


def python(code: str, *strace: str, path: Path) -> subprocess.CompletedProcess[str]:
    prefix = [STRACE, "-f", *strace] if strace and STRACE else []
    return subprocess.run(
        [*prefix, sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False
    )


WRITE = """
import sys; from pathlib import Path
from netwright import files
from netwright.errors import NetwrightError
try:
    files.write_bytes(Path(sys.argv[1]), b"new content")
except NetwrightError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def writable_by_nobody(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "note").write_text("old")
    return folder


def test_a6_folder_deleted_meanwhile_is_said(tmp_path: Path) -> None:
    def write_while_it_is_deleted() -> None:
        with files.writing(tmp_path / "run" / "a") as file:
            file.write(b"x")
            shutil.rmtree(tmp_path / "run")

    with pytest.raises(NetwrightError, match="its folder is gone"):
        write_while_it_is_deleted()
    with pytest.raises(NetwrightError, match="its folder is gone"):
        files.append(tmp_path / "run" / "log", "line\n")
    assert not (tmp_path / "run").exists()


def test_a6_a_file_where_a_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NetwrightError, match=r"a part of the path is a file|exists already"):
        files.write_bytes(tmp_path / "file" / "deep" / "a", b"x")


def test_a6_unwritable_folder_is_said_and_holds_no_half_file(writable_by_nobody: Path) -> None:
    writable_by_nobody.chmod(0o555)
    code = WRITE
    if os.getuid() == 0:  # root may write anywhere: become somebody who may not, once everything is loaded
        for folder in (writable_by_nobody, *writable_by_nobody.parents):
            folder.chmod(folder.stat().st_mode | 0o055)
        code = WRITE.replace("try:", "import os; os.setgroups([]); os.setuid(65534)\ntry:")
    done = python(code, path=writable_by_nobody / "note")
    assert "NetwrightError" in done.stdout, done.stderr
    assert "permission denied" in done.stdout
    assert [entry.name for entry in writable_by_nobody.iterdir()] == ["note"]
    assert (writable_by_nobody / "note").read_text() == "old"


@pytest.mark.mount
def test_a6_read_only_file_system_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and the right to mount")
    try:
        with pytest.raises(NetwrightError, match="its file system is read-only"):
            files.write_bytes(folder / "a", b"x")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.mount
def test_a6_full_disk_keeps_the_old_file_and_states_megabytes(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root and the right to mount")
    try:
        files.write_bytes(folder / "a", b"old")
        with pytest.raises(ResourceError, match=r"disk is full \(3\.0 MB needed, \d\.\d MB free\)"):
            files.write_bytes(folder / "a", bytes(3 * 1024 * 1024))
        assert (folder / "a").read_bytes() == b"old"
        assert [entry.name for entry in folder.iterdir()] == ["a"]
        files.append(folder / "log", "whole line\n")
        with pytest.raises(ResourceError, match="disk is full"):
            files.append(folder / "log", "x" * 2 * 1024 * 1024)
        assert (folder / "log").read_text() == "whole line\n"
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.strace
def test_a6_input_output_error_at_fsync_keeps_the_old_file(tmp_path: Path) -> None:
    if STRACE is None:
        pytest.skip("needs strace")
    (tmp_path / "note").write_text("old")
    done = python(WRITE, "-o", os.devnull, "-e", "inject=fsync:error=EIO:when=1", path=tmp_path / "note")
    assert "ResourceError" in done.stdout, done.stderr
    assert "input/output error" in done.stdout
    assert (tmp_path / "note").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["note"]


def system_calls(code: str, path: Path, log: Path) -> list[str]:
    done = python(code, "-y", "-o", str(log), "-e", "trace=write,fsync,rename,renameat,renameat2", path=path)
    assert done.returncode == 0, done.stderr
    calls = []
    for line in log.read_text().splitlines():
        name = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if name and str(path.parent) in line:
            calls.append(name[1].replace("renameat2", "rename").replace("renameat", "rename"))
    return calls


@pytest.mark.strace
def test_a7_file_is_synced_before_the_rename_and_the_folder_after(tmp_path: Path) -> None:
    if STRACE is None:
        pytest.skip("needs strace")
    folder = tmp_path / "there"
    folder.mkdir()
    calls = system_calls(WRITE, folder / "note", tmp_path / "trace")
    assert calls == ["write", "fsync", "rename", "fsync"]


@pytest.mark.strace
def test_a7_every_file_of_a_folder_is_synced_before_its_rename(tmp_path: Path) -> None:
    if STRACE is None:
        pytest.skip("needs strace")
    code = """
import sys; from pathlib import Path
from netwright import files
with files.making_folder(Path(sys.argv[1])) as folder:
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
"""
    folder = tmp_path / "there"
    folder.mkdir()
    calls = system_calls(code, folder / "made", tmp_path / "trace")
    assert calls == ["write", "write", "fsync", "fsync", "fsync", "rename", "fsync"]


@pytest.mark.strace
def test_a7_killed_at_every_call_leaves_old_or_new(tmp_path: Path) -> None:
    if STRACE is None:
        pytest.skip("needs strace")
    for call in ("fsync:when=1", "fsync:when=2", "rename:when=1"):
        target = tmp_path / "note"
        target.write_text("old")
        name, when = call.split(":")
        python(WRITE, "-o", os.devnull, "-e", f"inject={name}:signal=KILL:{when}", path=target)
        assert target.read_bytes() in (b"old", b"new content")
        files.sweep(tmp_path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["note"]
