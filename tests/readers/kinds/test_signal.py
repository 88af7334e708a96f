"""Signal: numbers step by step; what is missing is not what is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field
from netwright.readers import Arrays, Blobs, Cells, Column, Several, Steps, from_memory, infer
from netwright.readers.kinds.labels import Labels
from netwright.readers.kinds.signal import Signal
from netwright.spec import InputSpec, OutputSpec


def cells(*values: object) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]))


def planned(column: Column, **wish: object) -> Field:
    names = {"from": list(column.names)} if isinstance(column, Several) else {}
    spec = InputSpec.model_validate({"kind": "signal", **names, **wish})
    return Signal().plan("x", column, spec, from_memory({"y": [0] * len(column)}))[0]


def read(column: Column, field: Field) -> tuple[np.ndarray, dict[int, str]]:
    sink = np.empty(len(column), dtype=object)
    return sink, Signal().read(column, field, np.arange(len(column)), sink, lambda done: None)


def rows(*texts: list[str], ends: tuple[int, ...]) -> Several:
    found = tuple(Steps(cells(*column), np.array(ends)) for column in texts)
    return Several(tuple("abc"[: len(texts)]), found)


def test_a_missing_number_is_told_apart_from_a_step_that_is_not_there() -> None:
    column = rows(["1", "", "3", "5", "5"], ["1", "2", "3", "4", "NA"], ends=(3, 5))
    field = planned(column)
    values, failed = read(column, field)
    assert not failed
    field = Signal().fit(values, field)
    assert field.missing == (1, 1)
    coded = Signal().code(values, field)
    assert coded.shape == (2, 3, 4)  # two numbers, and for each whether it is missing
    assert coded[0, 1].tolist() == pytest.approx([0.0, -0.5 / 1.118034, 1.0, 0.0], abs=1e-5)
    assert coded[1, 1, 2:].tolist() == [0.0, 1.0]
    assert coded[1, 2].isnan().all()  # padding
    assert not coded[:, :2].isnan().any()
    assert Signal().names(field) == ["a", "b", "a missing", "b missing"]


def test_a_number_that_never_was_missing_may_not_be() -> None:
    field = planned(rows(["1", "2"], ["1", "2"], ends=(2,)))
    _, failed = read(rows(["1", "2", "3"], ["1", "", "x"], ends=(2, 3)), field)
    assert failed[0].startswith("step 2: b:")
    assert failed[1].startswith("step 1: b:")
    with pytest.raises(CellError, match="step 2"):
        Signal().one([[1.0, 2.0], [None, 1.0]], field)


def test_numbers_are_written_as_in_the_columns_of_a_table() -> None:
    column = rows(["1,5", "2,25"], ["1.234,5", "2.000,0"], ends=(2,))
    field = planned(column)
    values, _ = read(column, field)
    assert values[0].tolist() == [[1.5, 1234.5], [2.25, 2000.0]]
    assert Signal().one([["1,5", "1.234,5"]], field).tolist() == [[1.5, 1234.5]]


@pytest.mark.parametrize(
    "column",
    [
        cells([[1, 2], [3, 4]], [[5, 6]]),
        cells("[[1, 2], [3, 4]]", "[[5, 6]]"),
        cells("1 2\n3 4", "5;6"),
        Several(("a", "b"), (cells([1, 3], [5]), cells([2, 4], [6]))),
        rows(["1", "3", "5"], ["2", "4", "6"], ends=(2, 3)),
    ],
)
def test_the_same_series_in_every_form(column: Column) -> None:
    if isinstance(column, Cells) and column.is_text:
        column = Cells(pa.chunked_array([pa.array([*column.values.to_pylist()[:1], "[[5, 6]]"])]))
    field = planned(column)
    values, failed = read(column, field)
    assert not failed
    assert [row.tolist() for row in values] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert field.shape == (2,)


def test_arrays_and_files_hold_series(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    field = planned(Arrays(values))
    assert np.array_equal(np.stack(list(read(Arrays(values), field)[0])), values)
    (tmp_path / "a.csv").write_text("time,height\n0,1\n1,2\n")
    (tmp_path / "b.csv").write_text("0 5\n")
    blobs = Blobs(tmp_path, ("a.csv", "b.csv"))
    found, failed = read(blobs, planned(blobs))
    assert not failed
    assert [row.tolist() for row in found] == [[[0, 1], [1, 2]], [[0, 5]]]


def test_what_is_no_series_is_told() -> None:
    with pytest.raises(SpecError, match="no sequence has more than one step"):
        planned(Several(("a", "b"), (cells("1", "2"), cells("3", "4"))))
    with pytest.raises(SpecError, match="kind signal needs numbers at every step"):
        planned(cells(None, None))
    with pytest.raises(
        SpecError, match="no cell holds such: one separates numbers by , and by ;: write decimal points"
    ):
        planned(cells("0,12;0,85\n0,13;0,9", "0,1;0,2"))
    field = planned(cells("[[1, 2], [3, 4]]", "[[5, 6]]"))
    _, failed = read(cells("[[1, 2], [3]]", "[[1, 2, 3]]", "{", "[[1, 2]"), field)
    assert "steps of 1 to 2 numbers" in failed[0]
    assert failed[1] == "has 3 numbers at a step, expected 2."
    assert "is no JSON list" in failed[3]


def test_lists_of_numbers_are_series_without_being_named() -> None:
    assert infer(cells([1, 2], [3]), "input")[0] == "signal"
    assert infer(rows(["1", "2"], ends=(2,)).columns[0], "input")[0] == "signal"
    assert infer(rows(["1", "2"], ["1", "3"], ends=(2,)), "input")[0] == "signal"
    assert infer(cells(["sun", "sea"], ["sea"]), "input")[0] == "tags"


def test_only_so_many_steps_are_read() -> None:
    column = cells([1, 2, 3, 4], [5])
    field = planned(column, longest=2)
    values, _ = read(column, field)
    assert [row.flatten().tolist() for row in values] == [[1, 2], [5]]
    (said,) = [reason for reason in Signal().decided(values, Signal().fit(values, field)) if "longest" in reason.path]
    assert said.why == "1 of 2 sequences reach it; what stands behind is not read"


def test_classes_are_read_step_by_step() -> None:
    column = Steps(cells("walk", "sit", "sit", "run"), np.array([1, 4]))
    field, _ = Labels().plan("x", column, OutputSpec(), from_memory({"y": [0, 0]}))
    assert field.vocabulary == ("run", "sit", "walk")
    sink = np.empty(2, dtype=object)
    other = Steps(cells("walk", "sit", "fly", "run"), np.array([1, 4]))
    failed = Labels().read(other, field, np.arange(2), sink, lambda done: None)
    assert failed == {1: 'step 2: class "fly" is not among the 3 known classes.'}
    assert sink[0].tolist() == [2]
    assert Labels().preview(np.array([1, 1, 0]), field) == "sit 2, run 1"
    with pytest.raises(SpecError, match="goes out only"):
        Labels().plan("x", column, InputSpec(), from_memory({"y": [0, 0]}))
    assert torch.equal(Labels().flat(torch.tensor([[1, 1, 0, -1]]), field), torch.tensor([[1 / 3, 2 / 3, 0.0]]))
