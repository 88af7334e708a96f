"""ImageNet on disk: val sorted or flat, each way of naming its classes, and what a cut download looks like."""

from pathlib import Path

import pytest
from PIL import Image

from netwright.errors import DataError
from netwright.readers import Cells, Found, find

TENCH, FISH = "n01440764", "n01443537"


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(root / name, "JPEG")
    return root


def pairs(found: Found) -> dict[str, tuple[str, str]]:
    """Class and part by id."""
    column = found.columns["category"]
    assert isinstance(column, Cells)
    assert found.official is not None
    parts = found.official.to_pylist()
    return {
        one: (label, part)
        for one, label, part in zip(found.ids.to_pylist(), column.values.to_pylist(), parts, strict=True)
    }


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return put(
        tmp_path,
        f"train/{TENCH}/{TENCH}_1.JPEG",
        f"train/{FISH}/{FISH}_1.JPEG",
        "val/ILSVRC2012_val_00000001.JPEG",
        "val/ILSVRC2012_val_00000002.JPEG",
    )


def test_val_sorted_into_classes(tmp_path: Path) -> None:
    put(tmp_path, f"train/{TENCH}/a.JPEG", f"train/{FISH}/b.JPEG", f"val/{FISH}/c.JPEG", "test/d.JPEG")
    (tmp_path / "words.txt").write_text(f"{TENCH}\ttench, Tinca tinca\n{FISH}\tgoldfish\n", encoding="utf-8")
    found = find(tmp_path)
    assert found.layout == "imagenet"
    assert pairs(found) == {
        f"train/{TENCH}/a.JPEG": (f"tench {TENCH}", "train"),
        f"train/{FISH}/b.JPEG": (f"goldfish {FISH}", "train"),
        f"val/{FISH}/c.JPEG": (f"goldfish {FISH}", "validation"),
    }
    assert [(each.where, each.reason) for each in found.refused] == [
        ("test/d.JPEG", "outside the train and val folders")
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("imagenet_2012_validation_synset_labels.txt", f"{FISH}\n{TENCH}\n"),
        (
            "LOC_val_solution.csv",
            f"ImageId,PredictionString\nILSVRC2012_val_00000002,{TENCH} 85 1 \nILSVRC2012_val_00000001,{FISH} 1 2\n",
        ),
        (
            "val/val_annotations.txt",
            f"ILSVRC2012_val_00000001.JPEG\t{FISH}\t0\t32\t44\t62\nILSVRC2012_val_00000002.JPEG\t{TENCH}\t0\t0\t1\t1\n",
        ),
    ],
)
def test_val_flat_beside_a_list(flat: Path, name: str, text: str) -> None:
    (flat / name).write_text(text, encoding="utf-8")
    found = find(flat)
    held_out = {one: label for one, (label, part) in pairs(found).items() if part == "validation"}
    assert held_out == {"val/ILSVRC2012_val_00000001.JPEG": FISH, "val/ILSVRC2012_val_00000002.JPEG": TENCH}
    assert found.notes == ("split given by folders: train 2, validation 2", f"classes of val from {Path(name).name}")


def test_the_folders_of_the_full_download_may_stand_above(flat: Path, tmp_path: Path) -> None:
    inner = tmp_path / "all" / "ILSVRC" / "Data" / "CLS-LOC"
    inner.parent.mkdir(parents=True)
    flat.joinpath("train").rename(inner.parent / "train")
    inner.mkdir()
    (inner.parent / "train").rename(inner / "train")
    flat.joinpath("val").rename(inner / "val")
    (tmp_path / "all" / "LOC_val_solution.csv").write_text(
        f"ImageId,PredictionString\nILSVRC2012_val_00000001,{FISH} 1\nILSVRC2012_val_00000002,{TENCH} 1\n",
        encoding="utf-8",
    )
    found = find(tmp_path / "all")
    assert len(found) == 4
    assert {path.name for path in found.sources} == {"CLS-LOC", "LOC_val_solution.csv"}


def test_a_flat_val_without_a_list_says_which_would_do(flat: Path) -> None:
    with pytest.raises(DataError, match=r"2 pictures of val have no class: .*ground_truth.*synset_labels\.txt"):
        find(flat)


def test_a_cut_download_is_told(flat: Path) -> None:
    labels = flat / "imagenet_2012_validation_synset_labels.txt"
    labels.write_text(f"{FISH}\n{TENCH}\n{TENCH}\n", encoding="utf-8")
    with pytest.raises(DataError, match="has 3 classes, one a line, for 2 pictures in val"):
        find(flat)
    labels.unlink()
    (flat / "LOC_val_solution.csv").write_text(
        "\n".join(["ImageId,PredictionString", *(f"ILSVRC2012_val_0000000{k},{FISH} 1" for k in (1, 2, 3))]),
        encoding="utf-8",
    )
    (flat / "train" / "n02000000").mkdir()
    told = r"not whole\. 1 of 3 classes of train have no picture \(n02000000\)\. LOC_val_solution\.csv names 3 pictures"
    with pytest.raises(DataError, match=told):
        find(flat)
    (flat / "LOC_val_solution.csv").write_text("a,b\nILSVRC2012_val_00000001,cat\n", encoding="utf-8")
    with pytest.raises(DataError, match=r'csv line 2: "ILSVRC2012_val_00000001 cat" names no class'):
        find(flat)


def test_packed_classes_say_how_to_unpack(flat: Path) -> None:
    (flat / "train" / "n02000000.tar").write_bytes(b"")
    with pytest.raises(DataError, match=r"holds 1 classes that are still packed \(n02000000\.tar\)\..*mkdir"):
        find(flat)
