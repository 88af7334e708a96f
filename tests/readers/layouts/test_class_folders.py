import os
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from netwright import spec
from netwright.data.dataset import prepare
from netwright.errors import DataError
from netwright.readers import Cells, Found, find, infer


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
    (tmp_path / "a" / "notes.json").write_text("hello")
    with pytest.raises(DataError, match=r"no picture in a class folder\. Found 1 text \(a/notes\.json: not a picture"):
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


@pytest.mark.parametrize(
    ("name", "content", "column"),
    [
        ("1.txt", "Not a bad film at all.", "text"),
        ("1.inkml", "<ink><trace>0 0, 1 1</trace></ink>", "ink"),
        ("1.upx", ".VERSION 1.0\n.PEN_DOWN\n0 0\n1 1\n.PEN_UP\n", "ink"),
    ],
)
def test_texts_and_pen_ink_in_folders(tmp_path: Path, name: str, content: str, column: str) -> None:
    for place in ("train/good", "train/bad", "test/good", "test/bad"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / name).write_text(content)
    (tmp_path / "train" / "good" / "scores.csv").write_text("a,b\n1,2\n")
    found = find(tmp_path)
    assert list(found.columns) == [column, "category"]
    assert infer(found.columns[column], "input")[0] == column
    assert classes(found) == ["bad", "good", "bad", "good"]
    assert [(item.where, item.reason.split(" (")[0]) for item in found.refused] == [
        ("train/good/scores.csv", f"not a {'pen ink' if column == 'ink' else 'text'}")
    ]


def test_what_is_asked_for_is_read_where_most_files_are_something_else(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "cat/2.png", "dog/1.png")
    for place, content in (("cat/1.json", "[[0, 1], [1, 1]]"), ("dog/1.csv", "0,1\n1,1\n")):
        (tmp_path / place).write_text(content)
    found = find(tmp_path, asked="ink")
    assert (list(found.columns), found.ids.to_pylist()) == (["ink", "category"], ["cat/1.json", "dog/1.csv"])
    wanted = spec.load("{inputs: {ink: {}}, outputs: [category], data: {split: {parts: [1, 0, 0]}}}")
    dataset = prepare(spec.override(wanted, {"data.path": f'"{tmp_path}"'}))
    assert (dataset.inputs["ink"].kind, len(dataset.parts["train"])) == ("ink", 2)


def test_texts_beside_pictures_leave_them_pictures(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png")
    for place in ("cat/1.txt", "cat/note.txt", "dog/1.txt", "dog/more.txt", "dog/licence.md"):
        (tmp_path / place).write_text("where it was taken")
    assert list(find(tmp_path).columns) == ["image", "category"]
