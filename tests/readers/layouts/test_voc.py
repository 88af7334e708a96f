"""PASCAL VOC's lists of classes: what each picture shows, lists that fit each other, pictures that are there."""

from pathlib import Path

import pytest
from PIL import Image

from netwright.data import fields
from netwright.errors import DataError
from netwright.readers import Cells, find
from netwright.spec import Spec


@pytest.fixture
def devkit(tmp_path: Path) -> Path:
    root = tmp_path / "VOCdevkit" / "VOC2012"
    (root / "JPEGImages").mkdir(parents=True)
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for name in ("2008_1", "2008_2", "2008_3", "2008_9"):
        Image.new("RGB", (2, 2)).save(root / "JPEGImages" / f"{name}.jpg")
    lists = {
        "train": "2008_1\n2008_2\n",
        "val": "2008_3\n",
        "cat_train": "2008_1  1\n2008_2 -1\n",
        "cat_val": "2008_3  0\n",
        "cat_trainval": "2008_1  1\n2008_2 -1\n2008_3  0\n",
        "dog_train": "2008_1  1\n2008_2 -1\n",
        "dog_val": "2008_3 -1\n",
    }
    for name, text in lists.items():
        (root / "ImageSets" / "Main" / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


def test_what_pictures_show_becomes_tags(devkit: Path) -> None:
    found = find(devkit)
    assert found.layout == "voc"
    objects = found.columns["objects"]
    assert isinstance(objects, Cells)
    assert objects.values.to_pylist() == [["cat", "dog"], [], ["cat"]]
    assert found.ids.to_pylist() == [f"JPEGImages/2008_{k}.jpg" for k in (1, 2, 3)]
    assert found.official is not None
    assert found.official.to_pylist() == ["train", "train", "validation"]
    assert [(each.where, each.reason) for each in found.refused] == [
        ("JPEGImages/2008_9.jpg", "in no list of ImageSets/Main")
    ]
    assert found.notes == (
        "2 classes of objects; train 2, val 1",
        "1 objects are marked as difficult (0) and count as shown",
    )
    plan = fields.choose(Spec.model_validate({"inputs": ["image"], "outputs": ["objects"]}), found, {}, {})
    assert plan.outputs["objects"].kind == "tags"
    assert plan.outputs["objects"].vocabulary == ("cat", "dog")


def test_lists_and_pictures_that_do_not_fit_are_told_together(devkit: Path) -> None:
    root = devkit / "VOCdevkit" / "VOC2012"
    (root / "JPEGImages" / "2008_2.jpg").unlink()
    (root / "ImageSets" / "Main" / "dog_train.txt").write_text("2008_1 1\n", encoding="utf-8")
    (root / "ImageSets" / "Main" / "dog_val.txt").unlink()
    told = (
        r"not whole\. dog_train\.txt has 1 rows, and lacks 1 of train\.txt\. dog_val\.txt missing in ImageSets/Main\. "
        r"JPEGImages lacks 1 of 3 pictures \(2008_2\)"
    )
    with pytest.raises(DataError, match=told):
        find(devkit)


def test_a_line_that_is_no_mark_is_named(devkit: Path) -> None:
    path = devkit / "VOCdevkit" / "VOC2012" / "ImageSets" / "Main" / "cat_train.txt"
    path.write_text("2008_1 1\n2008_2 yes\n", encoding="utf-8")
    with pytest.raises(DataError, match=r'cat_train\.txt line 2: "2008_2 yes", expected a picture and -1, 0 or 1'):
        find(devkit)
