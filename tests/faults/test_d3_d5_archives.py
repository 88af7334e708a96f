"""D3 object arrays, D5 archives that try to write or read outside: nothing is unpacked, nothing is linked."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(8):
            add(tar, f"cat/{number}.png", bytes(2**20))
    with pytest.raises(DataError, match="like an archive bomb"):
        find(archive)


def test_d6_a_bomb_of_empty_files_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    monkeypatch.setattr("netwright.readers.columns._BOMB_RATIO", 10)
    archive = tmp_path / "empty.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for number in range(3000):
            add(tar, f"cat/{number}.png", b"")
    with pytest.raises(DataError, match="like an archive bomb"):
        find(archive)


def test_d6_a_size_below_nothing_does_not_hide_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    archive = tmp_path / "bomb.tar.gz"

    def folder_of_less_than_nothing(info: tarfile.TarInfo) -> None:
        info.type, info.size = tarfile.DIRTYPE, -(2**40)

    with tarfile.open(archive, "w:gz", format=tarfile.GNU_FORMAT) as tar:
        add(tar, "cat", b"", folder_of_less_than_nothing)
        for number in range(8):
            add(tar, f"cat/{number}.png", bytes(2**20))
    with pytest.raises(DataError, match="like an archive bomb"):
        find(archive, "class_folders")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_d6_long_headers_are_read_up_to_a_bound(tmp_path: Path, mode: str, kind: bytes) -> None:
    archive = tmp_path / "set.tar"
    with tarfile.open(archive, mode) as tar:
        add(tar, "cat/1.png", picture())
        add(tar, "dog/1.png", picture())
        add(tar, "long", b"a" * 2**21, of_type(kind))
        add(tar, "dog/2.png", picture())
    with pytest.raises(
        DataError, match=r'set\.tar: the header behind "dog/1\.png" takes more than 262,144 bytes'
    ) as told:
        find(archive, "class_folders")
    assert "give the folder" in told.value.cure


def test_d6_headers_of_headers_without_end_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar"
    with tarfile.open(archive, "w") as tar:
        for _ in range(400):
            add(tar, "long", b"name", of_type(tarfile.GNUTYPE_LONGNAME))
        add(tar, "cat/1.png", picture())
    with pytest.raises(DataError, match=r"set\.tar: the (header at its beginning|archive is cut or damaged)"):
        find(archive, "class_folders")


def test_d6_a_member_that_claims_more_than_its_data_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar.gz"

    def sparse(info: tarfile.TarInfo) -> None:
        info.pax_headers = {"GNU.sparse.realsize": "1000000000000"}

    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "cat/1.png", picture(), sparse)
        add(tar, "dog/1.png", picture())
    with pytest.raises(DataError, match=r'damaged after 0 files.*"cat/1\.png" claims 1,000,000,000,000 bytes'):
        find(archive, "class_folders")


def test_d6_a_member_longer_than_its_archive_is_not_looked_for(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar"

    def endless(info: tarfile.TarInfo) -> None:
        info.type, info.size = b"Z", 2**36

    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        add(tar, "cat/1.png", picture())
        tar.addfile(tarfile.TarInfo("cat/2.png"))
    whole, header = bytearray(archive.read_bytes()), tarfile.TarInfo("cat/2.png")
    endless(header)
    whole[1024:1536] = header.tobuf(tarfile.GNU_FORMAT)
    archive.write_bytes(whole)
    with pytest.raises(DataError, match=r'damaged after 1 files.*"cat/2\.png" goes on behind the end of the file'):
        find(archive, "class_folders")


def test_d6_a_member_larger_than_any_picture_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.readers.layouts.listing.MAX_CELL_BYTES", 1000)
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        add(tar, "cat/1.png", picture())
        add(tar, "dog/1.png", picture())
        add(tar, "dog/2.png", picture() + bytes(1000))
    refused = {item.where: item.reason for item in find(archive, "class_folders").refused}
    assert list(refused) == ["dog/2.png"]
    assert refused["dog/2.png"].endswith("bytes, more than 1,000.")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda whole: whole[:2048], "no end mark"),
        (lambda whole: whole[: 2048 + 100], "no end mark"),
        (lambda whole: whole[:2048] + b"X" + whole[2049:], 'the header behind "dog/1.png" is damaged'),
    ],
)
def test_d6_an_archive_without_its_end_is_not_taken_for_whole(
    tmp_path: Path, pack: Callable[[bytes], bytes], change: Callable[[bytes], bytes], told: str
) -> None:
    archive, plain = tmp_path / "set.tar", tmp_path / "plain.tar"
    with tarfile.open(plain, "w") as tar:
        for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
            add(tar, name, picture())
    archive.write_bytes(pack(change(plain.read_bytes())))
    with pytest.raises(DataError, match=rf"set\.tar: the archive is cut or damaged after 2 files.*\({told}\)"):
        find(archive, "class_folders")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_d6_what_lies_behind_an_end_mark_is_told(tmp_path: Path, mode: str) -> None:
    parts = []
    for number in range(2):
        with tarfile.open(tmp_path / "part.tar", mode) as tar:
            add(tar, f"cat/{number}.png", picture())
            add(tar, f"dog/{number}.png", picture())
        parts.append((tmp_path / "part.tar").read_bytes())
    (tmp_path / "set.tar").write_bytes(b"".join(parts))
    with pytest.raises(DataError, match=r"set\.tar: more stands behind its end mark"):
        find(tmp_path / "set.tar", "class_folders")


def test_d6_a_packed_table_unpacks_to_no_more_than_an_archive_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"a,b\n" * 2**21))
    with pytest.raises(DataError, match=r"table\.csv\.gz: unpacks to more than [\d,]+ bytes from"):
        find(tmp_path / "table.csv.gz")


def test_d6_a_packed_idx_file_may_not_ask_for_what_only_a_bomb_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    head = b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (8, 1024, 1024))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + bytes(8 * 2**20)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00\x00\x08" + bytes(8))
    with pytest.raises(DataError, match=r"unpacks to 8,388,608 bytes from .*, like a bomb"):
        find(tmp_path)


def test_d6_a_parquet_file_of_one_value_a_million_times_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**16)
    monkeypatch.setattr("netwright.readers.columns._BOMB_RATIO", 20)
    values = pa.array(np.zeros(5_000_000, np.int8))
    pq.write_table(pa.table({"x": values, "y": values}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"unpacks to 10,000,000 bytes or more from .*, like a bomb") as caught:
        find(tmp_path / "a.parquet")
    assert "as CSV" in caught.value.cure


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_d6_a_packed_table_with_damage_inside_is_told(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(b"a,b\n" + np.random.default_rng(0).bytes(3000).hex().encode()))
    packed[20:60] = b"\xff" * 40
    (tmp_path / "table.csv.packed").write_bytes(packed)
    with pytest.raises(DataError, match=r"the compressed file is cut or damaged \("):
        find(tmp_path / "table.csv.packed", "csv")


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
