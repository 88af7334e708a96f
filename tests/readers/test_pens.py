import numpy as np
import pytest

from netwright.readers.pens import Pen, Way, recognised


def pens(*texts: str, name: str = "3") -> list[dict[str, np.ndarray]]:
    return [{name: np.array(list(text), dtype=np.float64)} for text in texts]


@pytest.mark.parametrize(
    ("inks", "name", "way"),
    [
        (["10000", "1001000", "1100"], "3", "begins"),  # a first stroke may be a dot
        (["00001", "0001001", "0011"], "3", "ends"),
        (["00100", "0010010"], "3", "begins"),  # the first stroke is not marked
        (["11101111", "0111"], "3", "down"),
        (["111", "1"], "3", "down"),
        (["1110000001110000"], "3", "down"),  # mostly in the air, and it begins on paper
        (["0000001110000000"], "3", "up"),
        (["00111", "011"], "pen_up", "up"),  # mostly in the air
        (["00001", "0001001"], "pen_up", "ends"),
        (["0010001", "01000"], "pen_down", "down"),
        (["000111222", "0"], "stroke", "number"),
        (["0011", "01"], "stroke", "number"),
        (["100100", "1000"], "stroke", "begins"),
    ],
)
def test_what_a_number_says_of_the_pen(inks: list[str], name: str, way: Way) -> None:
    found = recognised(pens(*inks, name=name))
    assert found is not None
    assert (found.at, found.way) == (name, way)


@pytest.mark.parametrize("inks", [[], ["000", "0"], ["0123"], ["010", "012"]])
def test_numbers_that_say_nothing_of_it(inks: list[str]) -> None:
    assert recognised(pens(*inks)) is None


def test_of_several_numbers_the_one_that_changes_between_0_and_1() -> None:
    def marks(**columns: str) -> dict[str, np.ndarray]:
        return {name.strip("_"): np.array(list(text), dtype=np.float64) for name, text in columns.items()}

    found = recognised([marks(_3="0123", _4="0000", _5="1011")])
    assert found is not None
    looked = "number 5 of each point is 1 at 75% of the points of 1 ink looked at"
    assert (found.at, found.why) == ("5", f"{looked}; what moves while the pen is up is not ink")
    named = recognised([marks(p="0579", stroke="0011")])  # here p is how hard it was pressed
    assert named is not None
    assert named.at == "stroke"


@pytest.mark.parametrize(
    ("way", "pen", "begins", "drawn"),
    [
        ("begins", "1001", "1001", "1111"),
        ("ends", "0110", "0011", "1111"),
        ("down", "0110", "0100", "0110"),
        ("up", "1001", "0100", "0110"),
        ("number", "0012", "0011", "1111"),
    ],
)
def test_where_strokes_begin(way: Way, pen: str, begins: str, drawn: str) -> None:
    found = Pen("3", way).strokes(pens(pen)[0], 4)
    assert ["".join(map(str, each.astype(int))) for each in found] == [begins, drawn]
