"""D3 object arrays, D5 archives that try to write or read outside: nothing is unpacked, nothing is linked."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.errors import DataError
from netwright.readers import Blobs, find, from_memory


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(buffer, "PNG")
    return buffer.getvalue()


def add(
    tar: tarfile.TarFile, name: str, content: bytes = b"", change: Callable[[tarfile.TarInfo], None] | None = None
) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    if change:
        change(info)
    tar.addfile(info, io.BytesIO(content))


def link_to(target: str, kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = kind, target

    return change


def of_type(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type = kind

    return change


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_d5_hostile_members_are_refused_and_nothing_is_written(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    archive = folder / "set.tar"
    with tarfile.open(archive, mode) as tar:
        add(tar, "cat/1.png", picture())
        add(tar, "dog/1.png", picture())
        add(tar, "../escape.png", picture())
        add(tar, "/tmp/absolute.png", picture())
        add(tar, "cat/../../up.png", picture())
        add(tar, "C:\\drive.png", picture())
        add(tar, "cat/link.png", b"", link_to("/etc/passwd", tarfile.SYMTYPE))
        add(tar, "cat/hard.png", b"", link_to("cat/1.png", tarfile.LNKTYPE))
        add(tar, "cat/dev.png", b"", of_type(tarfile.CHRTYPE))
        add(tar, "cat/pipe.png", b"", of_type(tarfile.FIFOTYPE))
        add(tar, "cat/1.png", b"second of the name")
        add(tar, "CAT/1.png", picture())
    before = sorted(tmp_path.rglob("*"))
    found = find(archive)
    assert found.ids.to_pylist() == ["cat/1.png", "dog/1.png", "CAT/1.png"]
    assert {item.where: item.reason for item in found.refused} == {
        "../escape.png": "path that leads out of the archive (..)",
        "/tmp/absolute.png": "absolute path in an archive",
        "cat/../../up.png": "path that leads out of the archive (..)",
        "C:\\drive.png": "absolute path in an archive",
        "cat/link.png": "link in an archive (to /etc/passwd)",
        "cat/hard.png": "link in an archive (to cat/1.png)",
        "cat/dev.png": "special member of an archive (device, pipe or sparse file)",
        "cat/pipe.png": "special member of an archive (device, pipe or sparse file)",
        "cat/1.png": "second member of the same name",
    }
    assert found.notes == ('classes: "CAT" and "cat" differ only in case or spaces',)
    images = found.columns["image"]
    assert isinstance(images, Blobs)
    assert [read() for _, read in images.blobs()] == [picture()] * 3
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_d5_a_cut_archive_is_an_error_that_says_how_far_it_went(tmp_path: Path, mode: str) -> None:
    archive = tmp_path / "set.tar.xz"
    with tarfile.open(archive, mode) as tar:
        for number in range(50):
            add(tar, f"cat/{number}.bin", np.random.default_rng(number).bytes(2000))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"set\.tar\.xz: the archive is cut or damaged after .* files"):
        find(archive, "class_folders")


def test_d6_an_archive_bomb_is_refused_while_streaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.layouts.listing._BOMB_FLOOR", 2**20)
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(8):
            add(tar, f"cat/{number}.png", bytes(2**20))
    with pytest.raises(DataError, match="like an archive bomb"):
        find(archive)


def test_d6_a_bomb_of_empty_files_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.layouts.listing._BOMB_FLOOR", 2**20)
    monkeypatch.setattr("netwright.readers.layouts.listing._BOMB_RATIO", 10)
    archive = tmp_path / "empty.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(3000):
            add(tar, f"cat/{number}.png", b"")
    with pytest.raises(DataError, match="like an archive bomb"):
        find(archive)


def test_d6_a_packed_idx_file_is_read_no_further_than_its_header_says(tmp_path: Path) -> None:
    head = b"\x00\x00\x08\x03" + b"\x00\x00\x00\x01" * 3
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + bytes(50 * 2**20)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00\x00\x01\x00")
    with pytest.raises(DataError, match="found more than 1 bytes of data, expected 1"):
        find(tmp_path)


def test_d3_objects_in_arrays_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="a file of kind npy, which fits no layout"):
        find(tmp_path / "x.npy")
    with pytest.raises(DataError, match='column "x" in memory cannot be read'):
        from_memory({"x": np.array([object()])})
