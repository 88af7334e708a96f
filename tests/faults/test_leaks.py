"""C12: the same content on both sides of a split is refused, kept together, or listed; near twins are found."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import spec
from netwright.data import dataset
from netwright.errors import DataError


def paint(path: Path, seed: int, side: int = 40) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def divided(tmp_path: Path) -> Path:
    """A folder that brings its own train and test."""
    for number in range(40):
        paint(tmp_path / "photos" / "train" / ("cat", "dog")[number % 2] / f"{number}.png", number)
    for number in range(10):
        paint(tmp_path / "photos" / "test" / ("cat", "dog")[number % 2] / f"{number}.png", 100 + number)
    return tmp_path / "photos"


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A folder that netwright divides itself."""
    for number in range(60):
        paint(tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.png", number)
    return tmp_path / "photos"


def prepare(path: Path, data: str = "", output: str = "category") -> dataset.Dataset:
    return dataset.prepare(spec.load(f"{{data: {{path: '{path}'{data}}}, outputs: [{output}]}}"))


def test_c12_clean_split_is_silent(divided: Path) -> None:
    assert not any("same content" in note for note in prepare(divided).notes)


def test_c12_copy_in_the_official_test_is_refused_with_the_pair(divided: Path) -> None:
    shutil.copy(divided / "train" / "cat" / "0.png", divided / "test" / "cat" / "copy.png")
    with pytest.raises(
        DataError, match=r"train/cat/0\.png \((train|validation)\) = test/cat/copy\.png \(test\)"
    ) as told:
        prepare(divided)
    assert "data.duplicates: accept" in told.value.cure
    assert told.value.exit_code == 3


def test_c12_copy_under_another_class_is_found_as_well(divided: Path) -> None:
    shutil.copy(divided / "train" / "cat" / "0.png", divided / "test" / "dog" / "copy.png")
    with pytest.raises(DataError, match=r"same content stands in two parts of the split \(1 pair\)"):
        prepare(divided)


def test_c12_accepted_copies_are_listed_and_stay(divided: Path) -> None:
    shutil.copy(divided / "train" / "cat" / "0.png", divided / "test" / "cat" / "copy.png")
    data = prepare(divided, ", duplicates: accept")
    assert any("accepted" in note and "test/cat/copy.png" in note for note in data.notes)
    assert [set(pair[:2]) for pair in data.twins] == [{"train/cat/0.png", "test/cat/copy.png"}]


def test_c12_copies_in_our_own_split_stay_together(whole: Path) -> None:
    for number in range(0, 20, 2):
        for copy in range(2):
            shutil.copy(whole / "cat" / f"{number}.png", whole / "cat" / f"{number} copy {copy}.png")
    data = prepare(whole)
    part_of = {row["id"]: row["split"] for row in data.ledger.table.to_pylist()}
    for number in range(0, 20, 2):
        assert len({part_of[f"cat/{number}{suffix}.png"] for suffix in ("", " copy 0", " copy 1")}) == 1
    assert any(reason.path == "data.duplicates" and "20 examples" in reason.why for reason in data.reasons)


def test_c12_equal_rows_of_a_table_stay_together(tmp_path: Path) -> None:
    lines = ["a,b,label"] + [f"{i % 12},{i % 5},{'xy'[i % 2]}" for i in range(240)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    data = prepare(tmp_path / "t.csv", output="label")
    part_of: dict[str, set[str]] = {}
    for row in data.ledger.table.to_pylist():
        part_of.setdefault(row["content"], set()).add(row["split"])
    assert len(part_of) == 60
    assert all(len(parts) == 1 for parts in part_of.values())
    assert {len(part) > 0 for part in data.parts.values()} == {True}


def test_c12_equal_rows_in_other_groups_are_told_not_refused(tmp_path: Path) -> None:
    lines = ["a,who,label"] + [f"{i % 3},p{i % 9},{'xy'[i % 2]}" for i in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    data = prepare(tmp_path / "t.csv", ", split: {by: group, column: who}", "label")
    assert any("rows have the same inputs as a row in another part" in note for note in data.notes)


def test_c12_recompressed_copy_is_listed_as_a_near_twin(divided: Path) -> None:
    data = io.BytesIO()
    with Image.open(divided / "train" / "dog" / "3.png") as picture:
        picture.resize((55, 55)).save(data, "JPEG", quality=90)
    (divided / "test" / "dog" / "twin.jpg").write_bytes(data.getvalue())
    found = prepare(divided)
    assert [set(pair[:2]) for pair in found.twins] == [{"train/dog/3.png", "test/dog/twin.jpg"}]
    assert found.twins[0][2] >= 0.98
    assert any(reason.path == "data.twins" and reason.value == "1" for reason in found.reasons)


def test_c12_real_photos_with_a_clean_split_are_not_refused(data_dir: Path) -> None:
    assert prepare(data_dir / "hymenoptera_256").ledger.counts()["used"] == 398
