import gzip
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from netwright.errors import DataError
from netwright.readers import Arrays, Cells, find, from_memory
from netwright.readers.layouts.idx import read_idx
from netwright.readers.marks import marked


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def write_mnist(folder: Path, train: int = 4, test: int = 2) -> None:
    for part, count in (("train", train), ("t10k", test)):
        images = np.arange(count * 6, dtype=np.uint8).reshape(count, 2, 3)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count, dtype=np.uint8)))


def test_memory_takes_all_usual_forms() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    for data in (
        frame,
        pa.Table.from_pandas(frame),
        {"a": [1, 2], "b": ["x", None]},
        {"a": np.array([1, 2]), "b": frame["b"]},
    ):
        found = from_memory(data)
        assert found.ids.to_pylist() == ["row 1", "row 2"]
        a, b = found.columns["a"], found.columns["b"]
        assert isinstance(a, Cells)
        assert isinstance(b, Cells)
        assert a.values.to_pylist() == [1, 2]
        assert b.values.to_pylist() == ["x", None]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.large_string())])
def test_texts_of_every_type_are_read_alike_from_memory_and_parquet(kind: pa.DataType, tmp_path: Path) -> None:
    table = pa.table({"town": pa.array(["Ulm", "Bonn", None, "7 km"], pa.string()).cast(kind), "price": [1, 2, 3, 4]})
    pyarrow.parquet.write_table(table, tmp_path / "of-another-library.parquet")
    for found in (from_memory(table), find(tmp_path / "of-another-library.parquet")):
        (town,) = (column for name, column in found.columns.items() if name == "town")
        assert isinstance(town, Cells)
        assert town.values.type == pa.string()
        assert town.values.to_pylist() == ["Ulm", "Bonn", None, "7 km"]
        assert marked(found)[0].columns.keys() == {"town", "price"}


def test_memory_arrays() -> None:
    found = from_memory(
        {"v": np.zeros((3, 2)), "i": np.zeros((3, 4, 4), np.uint8), "t": torch.ones(3), "l": [[1, 2]] * 3}
    )
    assert {name: type(column) for name, column in found.columns.items()} == {
        "v": Arrays,
        "i": Arrays,
        "t": Cells,
        "l": Arrays,
    }
    found = from_memory((np.array([[1, 2], [3, 4]]), ["x", "y"]))
    assert list(found.columns) == ["x", "y"]
    found = from_memory(np.zeros((2, 3)))
    assert found.notes == ("columns named column_1 ... column_3",)


def test_memory_pictures_as_floats_and_channels_first() -> None:
    found = from_memory({"image": np.full((2, 3, 8, 8), 0.5, np.float32)})
    column = found.columns["image"]
    assert isinstance(column, Arrays)
    assert column.values.shape == (2, 8, 8, 3)
    assert (column.values == 128).all()
    assert len(found.notes) == 2
    with pytest.raises(DataError, match=r"holds pictures of float64 from -1\.0 to -1\.0"):
        from_memory({"image": np.full((1, 8, 8), -1.0)})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": [1], "b": [1, 2]}, "differ in length: a 1, b 2"),
        ({}, "no rows"),
        ({"a": []}, "no rows"),
        ({"a": [1, "x"]}, 'column "a" in memory cannot be read'),
        ({"a": [[[1], [2]], [[1, 2]]]}, 'column "a" in memory holds arrays of different shapes'),
        (3, "type int is not understood"),
        (np.zeros(3), "array of 1 dimensions"),
        ((np.zeros((2, 2)), ["x"]), "1 names for 2 columns"),
    ],
)
def test_memory_refuses(data: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_memory(data)


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2], "s": pa.array(["x", "y"]).dictionary_encode(), "v": [[1.0, 2.0], [3.0, 4.0]]})
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table, path)
    found = find(path)
    assert found.layout == "parquet"
    assert found.where(1) == "t.parquet row 2"
    assert isinstance(found.columns["v"], Arrays)
    assert find(tmp_path).layout == "parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"t\.parquet: cannot be read as Parquet"):
        find(path)


def test_idx_pairs(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    found = find(tmp_path)
    assert found.layout == "idx"
    images = found.columns["image"]
    assert isinstance(images, Arrays)
    assert images.values.shape == (6, 2, 3)
    assert found.official is not None
    assert found.official.to_pylist() == ["train"] * 4 + ["test"] * 2
    assert found.ids.to_pylist()[4] == "test 0"
    assert found.notes[0] == "train: 4 pictures, not the 60,000 of MNIST"


def test_idx_cut_download_names_file_and_bytes(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    path = tmp_path / "t10k-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match=r"t10k-labels-idx1-ubyte: found 1 bytes of data, expected 2 for 2; .*Delete it"
    ):
        find(tmp_path)
    packed = tmp_path / "train-images-idx3-ubyte.gz"
    packed.write_bytes(gzip.compress(idx(np.zeros((400, 28, 28), np.uint8)))[:-40])
    with pytest.raises(DataError, match=r"expected 313,600 for 400 x 28 x 28 \(.*\); the file has"):
        find(tmp_path)


def test_idx_missing_companion_and_wrong_counts(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(DataError, match="holds 4 pictures but train-labels-idx1-ubyte 3 labels"):
        find(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="train labels are missing"):
        find(tmp_path)


def test_idx_header_never_allocates_what_it_claims(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31))
    with pytest.raises(DataError, match="header asks for"):
        read_idx(path)
    path.write_bytes(b"<html>")
    with pytest.raises(DataError, match="not an idx file"):
        read_idx(path)


def test_mnist_itself(data_dir: Path) -> None:
    found = find(data_dir / "mnist")
    assert len(found) == 70_000
    assert found.notes == ()
