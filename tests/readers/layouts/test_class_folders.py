import os
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from netwright.errors import DataError
from netwright.readers import Cells, Found, find


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(root / name)


def classes(found: Found) -> list[str]:
    column = found.columns["category"]
    assert isinstance(column, Cells)
    return column.values.to_pylist()


def test_one_folder_per_class_however_deep(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "cat/deep/er/2.png", "dog/1.png")
    found = find(tmp_path)
    assert found.layout == "class_folders"
    assert found.ids.to_pylist() == ["cat/1.png", "cat/deep/er/2.png", "dog/1.png"]
    assert classes(found) == ["cat", "cat", "dog"]
    assert found.official is None
    assert found.where(1) == "cat/deep/er/2.png"


def test_a_split_given_by_folders(tmp_path: Path) -> None:
    put(tmp_path, "train/cat/1.png", "train/dog/1.png", "valid/cat/2.png", "Test/dog/3.png", "extra/dog/9.png")
    found = find(tmp_path)
    assert found.official is not None
    assert dict(zip(found.ids.to_pylist(), found.official.to_pylist(), strict=True)) == {
        "Test/dog/3.png": "test",
        "train/cat/1.png": "train",
        "train/dog/1.png": "train",
        "valid/cat/2.png": "validation",
    }
    assert classes(found) == ["dog", "cat", "dog", "cat"]
    assert [(item.where, item.reason) for item in found.refused] == [
        ("extra/dog/9.png", "outside the train, validation and test folders")
    ]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_reads_like_the_folder_inside_it(tmp_path: Path, mode: str) -> None:
    put(tmp_path / "set", "photos/train/cat/1.png", "photos/train/dog/1.png", "photos/test/cat/2.png")
    archive = tmp_path / "set.tar.x"
    with tarfile.open(archive, mode) as tar:
        tar.add(tmp_path / "set" / "photos", "photos")
    found = find(archive)
    assert sorted(classes(found)) == ["cat", "cat", "dog"]
    assert found.official is not None
    assert sorted(found.official.to_pylist()) == ["test", "train", "train"]


def test_an_outer_folder_is_no_class(tmp_path: Path) -> None:
    put(tmp_path, "photos/cat/1.png", "photos/dog/1.png")
    assert classes(find(tmp_path)) == ["cat", "dog"]


def test_nothing_usable_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match=r"no picture in a class folder\. Found 1 text \(a/notes\.txt: not a picture"):
        find(tmp_path)


def test_names_that_are_no_utf8_are_shown_and_read(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / "dog" / "1.png").rename(tmp_path / "dog" / os.fsdecode(b"\xff.png"))
    found = find(tmp_path)
    assert found.ids.to_pylist() == ["cat/1.png", "dog/\\xff.png"]
    column = found.columns["image"]
    assert column.one(1).startswith(b"\x89PNG")  # type: ignore[union-attr]


def test_real_photos(data_dir: Path) -> None:
    found = find(data_dir / "hymenoptera_256")
    assert found.notes == ("split given by folders: train 245, validation 153",)
