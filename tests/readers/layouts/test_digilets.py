import json
from pathlib import Path

import pytest

from netwright.errors import DataError
from netwright.readers import Cells, Found, find
from netwright.readers.layouts.digilets import CHARACTERS, DigiLets


def written(folder: Path, writer: str, *pairs: tuple[str, str]) -> None:
    """A writer's file; the numbers below each name beside it are passed over."""
    lines = [line for points, character in pairs for line in (points, character)]
    (folder / f"{writer}-f-20-left_2020-01-01_preprocessed").write_text("\n".join(lines) + "\n")
    (folder / f"{writer}-f-20-left_2020-01-01_preprocessed_info").write_text("0 0 0\n0\n")


def one_hot(character: str) -> str:
    return " ".join("1.0" if each == character else "0.0" for each in CHARACTERS)


def cells(found: Found, name: str) -> list[str]:
    column = found.columns[name]
    assert isinstance(column, Cells)
    return column.values.to_pylist()


POINTS = "0.5 0.25 0.9 1 0.0 0.5 0.75 0.9 0 0.02 0.1 0.2 0.3 1 0.04"


def test_a_line_of_points_and_below_it_its_class(tmp_path: Path) -> None:
    written(tmp_path, "004", (POINTS, one_hot("i")), (POINTS, one_hot("7")))
    written(tmp_path, "051", (POINTS, one_hot("Z")))
    found = find(tmp_path)
    assert found.layout == "digilets"
    assert cells(found, "category") == ["i", "7", "Z"]
    assert cells(found, "writer") == ["004", "004", "051"]
    assert json.loads(cells(found, "ink")[0]) == [[0.5, 0.25, 1], [0.5, 0.75, 0], [0.1, 0.2, 1]]
    assert found.ids[1].as_py() == "004-f-20-left_2020-01-01_preprocessed line 3"
    assert "2 writers" in found.notes[0]


def test_what_is_neither_is_refused_by_its_line(tmp_path: Path) -> None:
    good = (POINTS, one_hot("a"))
    written(
        tmp_path, "1", good, ("0.5 0.5 x", one_hot("a")), (POINTS[:-5], one_hot("a")), (POINTS, "1.0 1.0"), (POINTS, "")
    )
    found = find(tmp_path)
    assert cells(found, "category") == ["a"]
    assert [(each.where.rpartition(" ")[2], each.reason) for each in found.refused] == [
        ("3", "the numbers are no points of five numbers."),
        ("5", "the numbers are no points of five numbers."),
        ("7", "the numbers have no class below them."),
        ("9", "the numbers have no class below them."),
    ]


def test_other_folders_are_something_else(tmp_path: Path) -> None:
    assert not DigiLets().matches(tmp_path)
    (tmp_path / "a_preprocessed").write_text("some words\nand more\n\n")
    assert not DigiLets().matches(tmp_path)
    with pytest.raises(DataError, match="no file of it holds ink"):
        find(tmp_path, "digilets")
