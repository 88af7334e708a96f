from pathlib import Path

import pytest

from netwright.errors import DataError
from netwright.readers import Cells, Found, find


def lines(path: Path, *given: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in given), encoding="utf-8")
    return path


def cells(found: Found, name: str) -> list[str]:
    column = found.columns[name]
    assert isinstance(column, Cells)
    return column.values.to_pylist()


GOOD, BAD = "1 a moving film", "0 a dull one"


def test_a_line_is_a_class_and_a_text(tmp_path: Path) -> None:
    found = find(lines(tmp_path / "reviews.all", GOOD, BAD, "", "0", *[GOOD] * 38))
    assert found.layout == "labelled_lines"
    assert cells(found, "category")[:2] == ["1", "0"]
    assert cells(found, "text")[:2] == ["a moving film", "a dull one"]
    assert found.ids[1].as_py() == "reviews.all line 2"
    assert [(each.where, each.reason) for each in found.refused] == [
        ("reviews.all line 4", "the line has no text behind its class.")
    ]
    assert found.official is None


def test_classes_as_fasttext_writes_them(tmp_path: Path) -> None:
    found = find(lines(tmp_path / "x.txt", *[f"__label__{name} some words" for name in "abcdefgh"]))
    assert cells(found, "category") == list("abcdefgh")


def test_parts_beside_each_other_are_one_set(tmp_path: Path) -> None:
    for part, count in (("train", 8), ("dev", 4), ("test", 5)):
        lines(tmp_path / f"sst.{part}", *[GOOD, BAD, *[GOOD] * (count - 2)])
    found = find(tmp_path / "sst.train")
    assert found.official is not None
    assert found.official.to_pylist() == ["train"] * 8 + ["validation"] * 4 + ["test"] * 5
    assert "one data set of sst.train, sst.dev, sst.test" in found.notes


def test_a_table_stays_a_table(tmp_path: Path) -> None:
    rows = ["good\ta moving film", "bad\ta dull one"] * 10
    assert find(lines(tmp_path / "x.txt", "label\ttext", *rows)).layout == "csv"


@pytest.mark.parametrize("given", [["a line of prose", "another one here", "and a third"], ["1", "0"], ["1 a"]])
def test_prose_and_bare_numbers_are_something_else(tmp_path: Path, given: list[str]) -> None:
    with pytest.raises(DataError, match="fits no layout"):
        find(lines(tmp_path / "x.text", *given))
