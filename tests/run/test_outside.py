"""New examples far from all of training are named; the others, and those without a value, are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netwright import run, spec
from netwright.data.dataset import prepare
from netwright.field import Field
from netwright.run import prediction
from netwright.run.outside import outside

HOUSES = """
data: {path: %s, split: {parts: [1, 0, 0]}}
outputs: [price]
model: {layers: ""}
training: {stop: {epochs: 2}}
"""


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("houses")
    rows = [f"{40 + i % 60},20{10 + i % 9}-0{1 + i % 9}-11,{i % 4 or ''},{i * 1.5}" for i in range(90)]
    table = folder / "houses.csv"
    table.write_text("\n".join(["area,built,rooms,price", *rows]), encoding="utf-8")
    return table, run.train(spec.load(HOUSES % table), out=folder / "run").run


def test_what_training_saw_is_remembered_with_the_field(houses: tuple[Path, Path]) -> None:
    inputs = prepare(spec.load(HOUSES % houses[0])).inputs
    assert inputs["area"].limits == ((40.0, 99.0),)
    assert inputs["rooms"].limits == ((1.0, 3.0),)
    assert inputs["area"].unfitted().limits == ()


def test_numbers_and_dates_far_outside_are_told_with_the_farthest(houses: tuple[Path, Path], tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    rows = ["50,2012-03-04,2", "104,2018-12-30,", "400,1890-01-01,3", "900,2012-01-01,2", "none,2012-01-01,2"]
    new.write_text("\n".join(["area,built,rooms", *rows]), encoding="utf-8")
    told = prediction.answers(houses[1], [new]).remarks
    assert told == [
        "area: 2 of 5 examples, 900 of row 4, outside of what training saw (40 to 99)",
        "built: 1 of 5 examples, 1890-01-01 of row 3, outside of what training saw (2010-01-11 to 2018-09-11)",
        "Such answers are guesses.",
    ]


def test_nothing_is_told_of_examples_like_those_of_training(houses: tuple[Path, Path]) -> None:
    assert prediction.answers(houses[1], [houses[0]]).remarks == []


def test_columns_of_a_vector_are_named_and_many_are_cut_short() -> None:
    field = Field(name="v", kind="vector", source="v", shape=(9,), dtype="float64", limits=((0.0, 1.0),) * 9)
    raw = np.zeros((2, 9))
    raw[1] = 7
    told = outside({"v": field}, {"v": raw}, ["a", "b"], np.array([True, True]))
    assert told[0] == "v 1: 1 of 2 examples, 7 of b, outside of what training saw (0 to 1)"
    assert told[5:] == ["and 4 more columns", "Such answers are guesses."]
    assert outside({"v": field}, {"v": raw}, ["a", "b"], np.array([True, False])) == []


def test_a_column_that_never_changed_in_training_has_no_width() -> None:
    field = Field(name="x", kind="number", source="x", dtype="float64", limits=((3.0, 3.0),))
    told = outside({"x": field}, {"x": np.array([3.0, 3.01])}, ["a", "b"], np.array([True, True]))
    assert told[0] == "x: 1 of 2 examples, 3.01 of b, outside of what training saw (3 to 3)"


def test_sequences_far_shorter_or_longer_than_those_of_training_are_told() -> None:
    field = Field(
        name="sound", kind="signal", source="sound", shape=(1,), dtype="float32", ragged=True, steps=(30, 100)
    )
    raw = np.empty(4, dtype=object)
    raw[:] = [np.zeros((count, 1), np.float32) for count in (10, 25, 140, 400)]
    told = outside({"sound": field}, {"sound": raw}, ["tick", "b", "c", "song"], np.ones(4, dtype=bool))
    assert told == [
        "sound: 2 of 4 examples, 400 steps of song, outside of what training saw (30 to 100)",
        "Such answers are guesses.",
    ]
    few = outside({"sound": field}, {"sound": raw[:1]}, ["tick"], np.ones(1, dtype=bool))
    assert few[0] == "sound: 10 steps of tick, outside of what training saw (30 to 100)"
