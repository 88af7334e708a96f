"""CIFAR's binary version: pixels where they belong, counts checked, pickles refused."""

from pathlib import Path

import numpy as np
import pytest

from netwright.errors import DataError
from netwright.readers import Arrays, Cells, find

TEN = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FILES = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]


def write(folder: Path, name: str, rows: int, labels: int = 1) -> Path:
    """Rows of zeros, which cost no disk space, but for the first: class 9 (or 99), red 1, green 2, blue 3."""
    folder.mkdir(parents=True, exist_ok=True)
    first = np.repeat(np.array([1, 2, 3], np.uint8), 1024)
    first[1] = 77  # second pixel of the first line
    with (folder / name).open("wb") as file:
        file.write(bytes([7, 99][-labels:] if labels == 2 else [9]) + first.tobytes())
        file.truncate(rows * (labels + 3072))
    return folder


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    for name in FILES:
        write(tmp_path / "cifar", name, 10_000)
    (tmp_path / "cifar" / "batches.meta.txt").write_text("\n".join(TEN) + "\n\n", encoding="utf-8")
    return tmp_path / "cifar"


def test_all_rows_with_their_classes_and_parts(ten: Path) -> None:
    found = find(ten)
    assert found.layout == "cifar"
    assert found.notes == ("CIFAR-10: 50,000 pictures to train, 10,000 to test",)
    image, category = found.columns["image"], found.columns["category"]
    assert isinstance(image, Arrays)
    assert isinstance(category, Cells)
    assert image.values.shape == (60_000, 32, 32, 3)
    assert image.values[10_000, 0, :3].tolist() == [[1, 2, 3], [77, 2, 3], [1, 2, 3]]
    assert category.values.slice(9_999, 2).to_pylist() == ["airplane", "truck"]
    assert found.ids[10_001].as_py() == "data_batch_2 1"
    assert found.ids[50_000].as_py() == "test_batch 0"
    assert found.official is not None
    assert found.official.slice(49_999, 2).to_pylist() == ["train", "test"]


def test_the_folder_around_it_may_be_given_and_names_may_be_missing(ten: Path) -> None:
    (ten / "batches.meta.txt").unlink()
    found = find(ten.parent)
    assert found.layout == "cifar"
    assert len(found) == 60_000


def test_a_partial_download_is_told_whole(ten: Path) -> None:
    write(ten, "data_batch_3.bin", 20)
    (ten / "data_batch_5.bin").unlink()
    with (ten / "test_batch.bin").open("r+b") as file:
        file.truncate(3073 * 9_999 + 5)
    told = (
        r"CIFAR-10 is not whole\. data_batch_3\.bin has 20 rows, expected 10,000\. data_batch_5\.bin is missing\. "
        r"test_batch\.bin has 9,999 rows and 5 bytes of another, expected 10,000\..*Fetch and unpack it again"
    )
    with pytest.raises(DataError, match=told):
        find(ten)


def test_labels_and_names_are_checked(ten: Path) -> None:
    (ten / "data_batch_2.bin").write_bytes(b"\x0a" + bytes(3073 * 10_000 - 1))
    with pytest.raises(DataError, match=r"data_batch_2\.bin row 0: class 10, expected 0 to 9"):
        find(ten)
    (ten / "batches.meta.txt").write_text("\n".join([*TEN[:9], "lorry"]), encoding="utf-8")
    with pytest.raises(DataError, match=r'batches\.meta\.txt: "lorry" is no class of CIFAR-10'):
        find(ten)
    (ten / "batches.meta.txt").write_text("\n".join(TEN[:9]), encoding="utf-8")
    with pytest.raises(DataError, match="has 9 different names of classes, expected 10"):
        find(ten)


def test_a_hundred_classes_have_two_labels_and_names_of_their_own(tmp_path: Path) -> None:
    write(write(tmp_path, "train.bin", 50_000, 2), "test.bin", 10_000, 2)
    with pytest.raises(DataError, match=r"fine_label_names\.txt with the names of the classes is missing"):
        find(tmp_path)
    (tmp_path / "fine_label_names.txt").write_text("\n".join(f"class{k}" for k in range(100)), encoding="utf-8")
    found = find(tmp_path)
    category, image = found.columns["category"], found.columns["image"]
    assert isinstance(category, Cells)
    assert isinstance(image, Arrays)
    assert category.values.slice(0, 2).to_pylist() == ["class99", "class0"]
    assert image.values[0, 0, 1].tolist() == [77, 2, 3]


@pytest.mark.parametrize("names", [("data_batch_1", "test_batch", "batches.meta"), ("train", "test", "meta")])
def test_pickles_are_refused_with_what_to_fetch(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"\x80\x02}q\x01.")
    with pytest.raises(DataError, match=r"are pickles, and reading a pickle can run any code.*cifar-100?-binary\.tar"):
        find(tmp_path)


def test_archives_say_what_to_do(tmp_path: Path) -> None:
    for name, told in (
        ("cifar-10-python.tar.gz", r"pickles.*cifar-10-binary\.tar\.gz"),
        ("cifar-100-binary.tar.gz", "tar -xf"),
    ):
        (tmp_path / name).write_bytes(b"\x1f\x8b")
        with pytest.raises(DataError, match=told):
            find(tmp_path / name)
