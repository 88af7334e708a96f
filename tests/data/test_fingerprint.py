import os
from pathlib import Path

import numpy as np
import pytest

from netwright.data import fingerprint
from netwright.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for category in ("cat", "dog"):
        (root / category).mkdir(parents=True)
        for number in range(3):
            (root / category / f"{number}.jpg").write_bytes(f"{category} {number}".encode())
    return root


def test_same_files_same_digest(folder: Path) -> None:
    assert fingerprint.take([folder]).digest() == fingerprint.take([folder]).digest()
    assert fingerprint.changes(fingerprint.take([folder]), fingerprint.take([folder])) == []


def test_summary_counts_files_and_bytes(folder: Path) -> None:
    summary = fingerprint.take([folder]).summary()
    assert summary["files"] == 6
    assert summary["bytes"] == 6 * len(b"cat 0")


def test_names_are_relative_so_that_a_moved_folder_is_the_same(folder: Path, tmp_path: Path) -> None:
    before = fingerprint.take([folder])
    folder.rename(tmp_path / "elsewhere")
    assert fingerprint.take([tmp_path / "elsewhere"]).digest() == before.digest()


def test_copied_folder_with_new_times_is_no_change(folder: Path) -> None:
    before = fingerprint.take([folder])
    for file in folder.rglob("*.jpg"):
        os.utime(file, ns=(1, 1))
    assert fingerprint.changes(before, fingerprint.take([folder])) == []


def test_written_fingerprint_reads_back(folder: Path, tmp_path: Path) -> None:
    before = fingerprint.take([folder])
    before.write(tmp_path / "files.parquet")
    again = fingerprint.Fingerprint.read(tmp_path / "files.parquet")
    assert again.digest() == before.digest()


def test_name_that_is_no_utf8_is_told_and_kept(folder: Path, tmp_path: Path) -> None:
    before = fingerprint.take([folder])
    Path(os.fsdecode(os.fsencode(folder) + b"/cat/\xff.jpg")).write_bytes(b"x")
    after = fingerprint.take([folder])
    assert fingerprint.changes(before, after) == [r"1 file new (cat/\xff.jpg)"]
    after.write(tmp_path / "files.parquet")
    assert fingerprint.Fingerprint.read(tmp_path / "files.parquet").digest() == after.digest()


def test_link_that_leads_back_up_ends(folder: Path) -> None:
    (folder / "cat" / "loop").symlink_to(folder)
    assert len(fingerprint.take([folder]).sizes) == 6


def test_several_sources_keep_their_names_apart(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a")
    names = fingerprint.take([folder, tmp_path / "labels.csv"]).names.to_pylist()
    assert b"labels.csv" in names
    assert b"photos/cat/0.jpg" in names


def test_edit_that_keeps_size_and_time_is_seen_in_a_sampled_file(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(b"a" * 1000)
    before = fingerprint.take([table])
    times = table.stat()
    table.write_bytes(b"a" * 500 + b"b" + b"a" * 499)
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint.changes(before, fingerprint.take([table])) == ["1 file changed (t.csv)"]


def test_arrays_in_memory_have_a_fingerprint_too() -> None:
    one = fingerprint.of_arrays({"x": np.arange(10)})
    assert one.digest() == fingerprint.of_arrays({"x": np.arange(10)}).digest()
    assert one.digest() != fingerprint.of_arrays({"x": np.arange(10)[::-1]}).digest()
    with pytest.raises(DataError, match=r"changed since the run began: 1 file changed \(x\)"):
        fingerprint.require_same(one, fingerprint.of_arrays({"x": np.zeros(10)}))


def test_sequences_in_memory_are_what_they_hold_and_not_where_they_lie() -> None:
    def rows(*texts: bytes) -> np.ndarray:
        whole = np.empty(len(texts), dtype=object)
        for place, text in enumerate(texts):
            whole[place] = np.frombuffer(text, dtype=np.uint8)
        return whole

    before = fingerprint.of_arrays({"text": rows(b"hell", b"o")})
    assert fingerprint.changes(before, fingerprint.of_arrays({"text": rows(b"hell", b"o")})) == []
    for other in (rows(b"hell", b"a"), rows(b"hel", b"lo")):
        assert fingerprint.changes(before, fingerprint.of_arrays({"text": other})) == ["1 file changed (text)"]
