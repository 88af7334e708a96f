import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright import files
from netwright.errors import NetwrightError, ResourceError


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_write_replaces_whole_content_and_leaves_no_temporary(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "note.txt"
    files.write_text(target, "one")
    files.write_text(target, "two\n")
    assert target.read_bytes() == b"two\n"
    assert names(target.parent) == ["note.txt"]


def test_failed_block_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    files.write_bytes(target, b"old")

    def write_half() -> None:
        with files.writing(target) as file:
            file.write(b"new, but only half")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_half()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 255)
    files.write_bytes(target, b"1")
    assert target.read_bytes() == b"1"


def test_name_of_256_bytes_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NetwrightError, match="the name is too long"):
        files.write_bytes(tmp_path / ("x" * 256), b"1")


def test_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with files.making_folder(target) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a").write_text("a")
        assert not target.exists()
    assert (target / "inner" / "a").read_text() == "a"

    def stop_half_way() -> None:
        with files.making_folder(tmp_path / "other") as half:
            (half / "a").write_text("a")
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        stop_half_way()
    assert names(tmp_path) == ["folder"]


def test_full_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("mine")
    with pytest.raises(NetwrightError, match="exists already"), files.making_folder(tmp_path / "full"):
        pass
    assert (tmp_path / "full" / "precious").read_text() == "mine"


def test_errors_of_the_block_itself_are_not_reworded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), files.making_folder(tmp_path / "folder"):
        Path("/nonexistent/elsewhere").read_bytes()


def test_append_adds_lines(tmp_path: Path) -> None:
    log = tmp_path / "history.jsonl"
    files.append(log, "1\n")
    files.append(log, "2\n")
    assert log.read_text() == "1\n2\n"


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert files.sha256(path) == hashlib.sha256(b"abc").hexdigest()


def test_sweep_takes_leftovers_of_the_dead_only(tmp_path: Path) -> None:
    dead = 2**22 + 17  # above the kernel's largest process id
    host = files._host_hash()
    (tmp_path / f".tmp-{host}-{dead}-00000000").write_text("leftover")
    (tmp_path / f".tmp-{host}-{dead}-00000001").mkdir()
    (tmp_path / f".tmp-{host}-{os.getpid()}-00000002").write_text("being written")
    (tmp_path / f".tmp-{host}-1-00000003").write_text("being written by another process")
    (tmp_path / "mine.txt").write_text("mine")
    assert files.sweep(tmp_path) == 2
    assert names(tmp_path) == sorted([f".tmp-{host}-{os.getpid()}-00000002", f".tmp-{host}-1-00000003", "mine.txt"])


def test_require_space_states_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"the cache does not fit: [\d,]+ MB needed, [\d,]+ MB free"):
        files.require_space(tmp_path, 2**60, "the cache")
    files.require_space(tmp_path, 1, "the cache")


def test_free_mb_of_a_path_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert files.free_mb(tmp_path / "not" / "yet") > 0


@given(st.text())
def test_safe_name_is_one_harmless_component(text: str) -> None:
    name = files.safe_name(text)
    assert name
    assert "/" not in name
    assert "\\" not in name
    assert "\0" not in name
    assert name not in (".", "..")
    assert not name.startswith((".", "-"))
    assert len(name.encode()) <= 80
    assert files.safe_name(name) == name
