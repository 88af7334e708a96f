"""Rows that are steps of sequences: in their order, with the ledger told of every one that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netwright import spec
from netwright.data.dataset import Dataset, prepare
from netwright.data.grouped import grouped, one_sequence, wanted
from netwright.errors import DataError, SpecError
from netwright.readers import Cells, Steps, from_memory

TABLE = """clip,frame,x,y,state,person,part
b,3,30,0,sit,ann,test
a,2,2,0.5,walk,bo,train
a,1,1,0.5,sit,bo,train
b,1,10,1,walk,ann,test
a,10,3,0.5,walk,bo,train
b,2,20,2,sit,ann,test
"""
WISH = (
    "{data: {group: clip, order: frame, split: {by: column, column: part, parts: [1, 0, 0]}}, "
    "inputs: {way: {kind: signal, from: [x, y]}}, outputs: {state: {per: way}}}"
)


def written(folder: Path, text: str = TABLE) -> spec.Spec:
    (folder / "frames.csv").write_text(text, encoding="utf-8")
    return spec.override(spec.load(WISH), {"data.path": str(folder / "frames.csv")})


def prepared(folder: Path, text: str = TABLE, **values: str) -> Dataset:
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return prepare(spec.override(written(folder, text), changes))


def test_rows_become_sequences_in_the_order_of_their_frames(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    assert data.ids.to_pylist() == ["b", "a"]  # as they begin in the table
    assert [row.tolist() for row in data.arrays["way"][np.array([0, 1])]] == [
        [[10, 1], [20, 2], [30, 0]],
        [[1, 0.5], [2, 0.5], [3, 0.5]],
    ]
    codes = data.arrays["state"][np.array([0, 1])]
    names = data.outputs["state"].vocabulary
    assert [[names[code] for code in row] for row in codes] == [["walk", "sit", "sit"], ["sit", "walk", "walk"]]
    assert (data.parts["train"].tolist(), data.parts["test"].tolist()) == ([1], [0])
    assert "6 rows are 2 sequences by clip, of 3 steps" in data.notes


def test_what_is_the_same_throughout_a_sequence_stays_one_cell() -> None:
    table = {"clip": ["a", "a", "b"], "x": [1, 2, 3], "person": ["bo", "bo", "ann"], "y": [5, 5, 5]}
    wish = spec.load("{data: {group: clip}, inputs: {s: {kind: signal, from: [x, y]}}, outputs: {person: {}}}")
    found = grouped(from_memory(table), wish.data, wanted(wish))
    assert isinstance(found.columns["person"], Cells)
    assert found.columns["person"].values.to_pylist() == ["bo", "ann"]
    assert isinstance(found.columns["y"], Steps)  # asked for at every step
    assert found.columns["y"].ends.tolist() == [2, 3]


def test_rows_that_belong_nowhere_are_in_the_ledger(tmp_path: Path) -> None:
    data = prepared(tmp_path, TABLE + ",7,1,1,sit,ann,test\nb,,1,1,sit,ann,test\n" * 1 + "a,4,1,1,sit,bo,train\n" * 30)
    told = data.ledger.table.to_pylist()
    left_out = [(row["id"], row["reason"]) for row in told if row["state"] != "used"]
    assert left_out == [
        ("row 7", "its clip is empty, so that it belongs nowhere."),
        ("row 8", "its frame is neither a number nor a date."),
    ]
    assert any("29 rows with the value of the row before" in note for note in data.notes)


@pytest.mark.parametrize(
    ("text", "changes", "says"),
    [
        (
            TABLE.replace("ann,test\na,2", "ann,train\na,2"),
            {},
            r'column "part" differs within the sequence b \(.*train',
        ),
        (TABLE, {"data__group": "clips"}, r'no column "clips" \(did you mean "clip"'),
        (TABLE, {"data__order": "state"}, "column \"state\" holds 'sit', neither a number nor a date"),
        (
            "clip,frame,x,y,state,person,part\na,01/02/2024,1,1,sit,bo,train\na,02/02/2024,1,1,sit,bo,train\n",
            {},
            r'"frame" holds dates that can be read two ways: "01/02/2024" is 2024-02-01 day first',
        ),
        (TABLE, {"outputs": "{state: {}}"}, r'outputs.state: column "state" differs within the sequence b'),
        (TABLE, {"outputs": "{state: {per: x}}"}, "outputs.state.per is x, which does not go in"),
        (TABLE, {"data__group": "null"}, "data.order orders the steps of sequences; data.group says"),
    ],
)
def test_what_cannot_be_grouped_is_told(tmp_path: Path, text: str, changes: dict[str, str], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        prepared(tmp_path, text, **changes)


def test_a_setting_decides_the_order_of_dates_that_order_steps(tmp_path: Path) -> None:
    rows = ["a,03/01/2024,1,0,sit,bo,train", "a,01/02/2024,2,0,sit,bo,train", "a,02/01/2024,3,0,sit,bo,train"]
    table = "\n".join(["clip,frame,x,y,state,person,part", *rows])
    for says, order in (("true", [3, 1, 2]), ("false", [2, 3, 1])):
        (way,) = prepared(tmp_path, table, data__day_first=says).arrays["way"]
        assert np.asarray(way)[:, 0].tolist() == order


def test_a_table_without_any_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row belongs to a sequence"):
        prepared(tmp_path, "clip,frame,x,y,state,person,part\n" + ",1,1,1,sit,ann,train\n" * 3)


def test_a_step_that_cannot_be_read_puts_its_sequence_aside_and_says_which(tmp_path: Path) -> None:
    data = prepared(tmp_path, TABLE.replace("b,1,10,1", "b,1,ten,1"))
    (left,) = [row for row in data.ledger.table.to_pylist() if row["state"] != "used"]
    assert (left["id"], left["where"]) == ("b", "frames.csv b")
    assert left["reason"].startswith("way: step 1: x:")


def test_as_many_answers_as_steps(tmp_path: Path) -> None:
    lines = ["x,said", '"[1,2,3]","a b a"', '"[1,2]","a b b"', '"[4,5,6]","b b a"']
    (tmp_path / "lists.csv").write_text("\n".join(lines).replace('"[', '"[').replace("'", '"'), encoding="utf-8")
    text = (
        f"{{data: {{path: {tmp_path / 'lists.csv'}}}, inputs: {{x: {{kind: signal}}}}, outputs: {{said: {{per: x}}}}}}"
    )
    data = prepare(spec.override(spec.load(text), {"data.split.parts": "[1, 0, 0]"}))
    (left,) = [row for row in data.ledger.table.to_pylist() if row["state"] != "used"]
    assert left["reason"] == "said: has 3 answers, x has 2 steps."
    assert len(data) == 2


def test_new_rows_without_a_group_are_one_sequence() -> None:
    wish = spec.load(WISH)
    found = one_sequence(from_memory({"x": [3, 4], "y": [1, 1]}), wish.data, wanted(wish), "new")
    assert found.ids.to_pylist() == ["new"]
    assert all(isinstance(found.columns[name], Steps) for name in ("x", "y"))


def test_all_number_columns_go_in_as_one_series_where_none_is_named(tmp_path: Path) -> None:
    data = prepared(
        tmp_path,
        TABLE.replace("0.5,walk,bo,train\na,1", "0.25,walk,bo,train\na,1"),
        inputs="{}",
        outputs="{state: {per: signal}}",
    )
    assert data.inputs["signal"].source == ("x", "y")
