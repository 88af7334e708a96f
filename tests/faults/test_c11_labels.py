"""C11 files without a label and labels without a file, C10 class names that are twins: both lists are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from netwright.readers import find, infer
from netwright.readers.kinds.image import Image as ImageKind
from netwright.spec import InputSpec


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(root / name)


def test_c11_pictures_without_a_class_folder_are_listed(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png", "stray.png")
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"x")
    found = find(tmp_path)
    assert len(found) == 2
    assert {item.where: item.reason for item in found.refused} == {
        "stray.png": "no class: it lies beside the class folders, not in one",
        "README.md": "not a picture (holds text), no class",
        "Thumbs.db": "file of the operating system, not data",
        "cat/.hidden.png": "hidden file",
    }
    assert {item.state for item in found.refused} == {"refused"}


def test_c11_a_table_tells_rows_without_file_and_files_without_row(tmp_path: Path) -> None:
    put(tmp_path, "img/a.png", "img/b.png", "img/c.png", "img/d.png")
    (tmp_path / "labels.csv").write_text("file,label\nimg/a.png,cat\nimg/missing.png,dog\nimg/b.png,dog\n")
    for given in (tmp_path, tmp_path / "labels.csv"):
        found = find(given)
        column = found.columns["file"]
        assert infer(column, "input")[0] == "image"
        field, reasons = ImageKind().plan("file", column, InputSpec.model_validate({}), found)
        assert [(r.value, r.why) for r in reasons][-1] == ("2 files without a row, left out", "img/c.png, img/d.png")
        sink = np.zeros((3, *field.shape), np.uint8)
        failed = ImageKind().read(column, field, np.arange(3), sink, lambda _: None)
        assert {found.where(k): why for k, why in failed.items()} == {
            "labels.csv line 3": '"img/missing.png": no such file.'
        }


def test_c11_files_in_the_folder_beside_the_table_are_found(tmp_path: Path) -> None:
    put(tmp_path, "IMG/a.png", "IMG/b.png")
    (tmp_path / "log.csv").write_text("center,steering\na.png,0.1\nb.png,0.2\n")
    found = find(tmp_path)
    assert found.notes == ("table log.csv", "center: files are in IMG/")
    _, reasons = ImageKind().plan("center", found.columns["center"], InputSpec.model_validate({}), found)
    assert "files without a row" not in str(reasons)


def test_c10_class_folders_that_differ_in_case_or_space_are_told(tmp_path: Path) -> None:
    put(tmp_path, "Cat/1.png", "cat /1.png", "dog/1.png")
    assert find(tmp_path).notes == ('classes: "Cat" and "cat " differ only in case or spaces',)
