"""C10: odd classes are reported before training. C22: nothing, one example, one class, a constant: one line, exit 3."""

from pathlib import Path

import numpy as np
import pytest

from netwright import spec
from netwright.data import dataset
from netwright.errors import DataError


def table(path: Path, labels: list[str], column: str = "label") -> Path:
    random = np.random.default_rng(0)
    lines = [f"x,z,{column}"] + [f"{random.normal():.6f},{random.normal():.6f},{label}" for label in labels]
    path.write_text("\n".join(lines) + "\n")
    return path


def prepare(path: Path, output: str = "label", data: str = "") -> dataset.Dataset:
    return dataset.prepare(spec.load(f"{{data: {{path: '{path}'{data}}}, outputs: [{output}]}}"))


def test_c10_class_of_one_and_two_train_and_are_reported(tmp_path: Path) -> None:
    labels = ["common"] * 30 + ["other"] * 30 + ["pair"] * 2 + ["single"]
    data = prepare(table(tmp_path / "t.csv", labels))
    assert 'label: classes "pair", "single" with fewer than 3 examples; all of these train.' in data.notes
    codes, train = np.asarray(data.arrays["label"]), set(data.parts["train"].tolist())
    rare = [i for i, code in enumerate(codes) if data.outputs["label"].vocabulary[code] in ("pair", "single")]
    assert len(rare) == 3
    assert set(rare) <= train


def test_c10_class_only_in_test_is_reported(tmp_path: Path) -> None:
    lines = ["x,label,part"] + [f"{i * 0.7:.2f},{'ab'[i % 2]},train" for i in range(40)]
    lines += [f"{50 + i},{'abc'[i % 3]},test" for i in range(15)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    data = prepare(tmp_path / "t.csv", data=", split: {by: column, column: part}")
    assert 'label: class "c" without a training example: not to be learned.' in data.notes


def test_c10_case_twins_are_reported_and_stay_apart_and_outer_spaces_are_cut(tmp_path: Path) -> None:
    data = prepare(table(tmp_path / "t.csv", ["Cat", "cat", '"cat "', "dog"] * 10))
    assert data.outputs["label"].vocabulary == ("Cat", "cat", "dog")
    said = [*data.notes, *(f"{reason.value}" for reason in data.reasons)]
    assert any("differ only in case or spaces" in text for text in said)
    assert "10 cells with outer spaces" in said


def test_c10_imbalance_is_reported_with_both_numbers(tmp_path: Path) -> None:
    data = prepare(table(tmp_path / "t.csv", ["many"] * 990 + ["few"] * 9))
    assert any('990 examples of "many" against 9 of "few"' in note for note in data.notes)


def test_c10_empty_class_folder_leaves_its_class_out(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("cat", "dog", "empty"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for number in range(5):
            Image.fromarray(random.integers(0, 256, (9, 9, 3)).astype(np.uint8)).save(
                tmp_path / "photos" / name / f"{number}.png"
            )
    assert prepare(tmp_path / "photos", "category").outputs["category"].vocabulary == ("cat", "dog")


def test_c22_no_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,label\n")
    with pytest.raises(DataError, match=r"t\.csv") as told:
        prepare(tmp_path / "t.csv")
    assert told.value.exit_code == 3


def test_c22_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="photos"):
        prepare(tmp_path / "photos", "category")


def test_c22_one_example(tmp_path: Path) -> None:
    lines = "photo,label\n1.5,a\n"
    (tmp_path / "t.csv").write_text(lines)
    with pytest.raises(DataError, match=r"there is only one example, with ") as told:
        prepare(tmp_path / "t.csv")
    assert "\n" not in str(told.value)


def test_c22_two_examples_of_two_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 usable examples cannot be divided into training, validation and test"):
        prepare(table(tmp_path / "t.csv", ["a", "b"]))


def test_c22_all_of_one_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='label: all 20 examples are of class "cat": nothing to learn') as told:
        prepare(table(tmp_path / "t.csv", ["cat"] * 20))
    assert "\n" not in str(told.value)


def test_c22_constant_target(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", ["3.5"] * 20, "price")
    with pytest.raises(DataError, match=r"price is always 3\.5: there is nothing to learn"):
        prepare(path, "price")
    path = table(tmp_path / "whole.csv", ["5"] * 20, "y")  # read as a class, told as a number
    with pytest.raises(DataError, match=r"^y is always 5: there is nothing to learn\. Name another output"):
        prepare(path, "y")


def test_c22_every_row_has_the_same_inputs(tmp_path: Path) -> None:
    lines = ["x,label"] + [f"1.0,{'ab'[i % 2]}" for i in range(30)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="nothing is left for validation and test out of 30 examples"):
        prepare(tmp_path / "t.csv")
