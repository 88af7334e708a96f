import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from netwright.errors import CellError, DataError, SpecError
from netwright.readers.columns import Blobs, Cells, Found, Several, read_regular, twins, unique_ids
from netwright.readers.layouts.listing import list_archive


def cells(*values: str) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]))


def found(**columns: Cells) -> Found:
    return Found("csv", "t.csv", unique_ids(["a", "b"]), dict(columns), lines=np.array([2, 5]), place="t.csv")


def test_where_names_file_and_line() -> None:
    assert found(x=cells("1", "2")).where(1) == "t.csv line 5"


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(DataError, match="columns differ in length"):
        found(x=cells("1"))


def test_a_missing_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecError, match=r'no column "prise" \(did you mean "price"\?\)'):
        found(price=cells("1", "2")).column("prise")


def test_several_columns_are_one() -> None:
    several = found(x=cells("1", "2"), y=cells("3", "4")).column(["x", "y"])
    assert isinstance(several, Several)
    assert several.names == ("x", "y")
    assert len(several) == 2


def test_names_that_print_alike_keep_different_ids() -> None:
    assert unique_ids(["a\udcff.jpg", "a\\xff.jpg"]).to_pylist() == ["a\\xff.jpg", "a\\xff.jpg (2)"]


def test_twins_are_told() -> None:
    assert twins(["cat ", "Cat", "dog"]) == ['"Cat" and "cat " differ only in case or spaces']


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "in/../../secret.txt", "link/secret.txt"])
def test_a_name_in_a_table_never_leads_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "data" / "in").mkdir(parents=True)
    (tmp_path / "data" / "link").symlink_to(tmp_path)
    ((_, read),) = Cells(cells(name).values, tmp_path / "data").files().blobs()
    with pytest.raises(CellError, match="leads outside the folder"):
        read()


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CellError, match="not a regular file"):
        read_regular(tmp_path / "pipe")
    with pytest.raises(CellError, match=r"not a regular file|cannot be opened|cannot be read"):
        read_regular(tmp_path)
    with pytest.raises(CellError, match="not a regular file"):
        read_regular("/dev/zero")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_members_of_an_archive_come_in_any_order_and_twice(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, mode) as tar:
        for number in range(5):
            info = tarfile.TarInfo(f"f{number}")
            info.size = 600 + number
            tar.addfile(info, io.BytesIO(bytes([number]) * info.size))
    blobs = list_archive(path).blobs
    index = np.array([4, 0, 4, 2])
    content = {k: read() for k, read in blobs.blobs(index)}
    assert {k: (raw[0], len(raw)) for k, raw in content.items()} == {0: (4, 604), 1: (0, 600), 2: (4, 604), 3: (2, 602)}
    assert blobs.one(3) == b"\x03" * 603
    assert [head[0] for head in blobs.heads(5, 1)] == [0, 1, 2, 3, 4]


def test_heads_are_spread_over_a_folder(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / str(number)).write_bytes(bytes([number]) * 10)
    assert Blobs(tmp_path, tuple(map(str, range(9)))).heads(3, 2) == [b"\x00\x00", b"\x04\x04", b"\x08\x08"]
