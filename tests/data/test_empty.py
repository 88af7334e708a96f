"""`data.empty`: own marks of a cell without a value, in texts, typed columns and arrays, in training and afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from netwright import model_file, run, spec
from netwright.data.dataset import prepare
from netwright.run import prediction
from netwright.run.folder import RunFolder
from netwright.spec import Spec

WANTED = "{%soutputs: {y: {kind: number}}, model: {layers: ''}, training: {stop: {epochs: 1}}}"


def _wanted(rest: str) -> Spec:
    return spec.load(WANTED % rest)


def _table(path: Path) -> Path:
    rows = [
        f"{i},{-999 if i % 5 == 0 else i * 3},{'not asked' if i % 4 == 0 else 'ab'[i % 2]},{i}.5" for i in range(60)
    ]
    path.write_text("\n".join(["age,income,kind,y", *rows]), encoding="utf-8")
    return path


def test_marked_cells_of_texts_have_no_value_and_are_counted(tmp_path: Path) -> None:
    data = prepare(_wanted(f"data: {{path: {_table(tmp_path / 't.csv')}, empty: [-999, not asked]}}, "))
    assert np.isnan(np.asarray(data.arrays["income"])).sum() == 12
    assert data.inputs["kind"].vocabulary == ("", "a", "b")
    assert 'data.empty: 27 cells with "-999", "not asked" have no value' in data.notes
    again = prepare(_wanted(f"data: {{path: {tmp_path / 't.csv'}}}, "))
    assert np.isnan(np.asarray(again.arrays["income"])).sum() == 0  # another wish is another reading


def test_a_mark_that_stands_nowhere_is_told(tmp_path: Path) -> None:
    data = prepare(_wanted(f"data: {{path: {_table(tmp_path / 't.csv')}, empty: -99}}, "))
    assert 'data.empty: 0 cells with "-99" have no value' in data.notes


def test_an_output_that_holds_a_mark_sets_its_row_aside(tmp_path: Path) -> None:
    data = prepare(_wanted(f"data: {{path: {_table(tmp_path / 't.csv')}, empty: '7.5'}}, "))
    assert len(data) == 59


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_typed_columns_and_arrays(dtype: type) -> None:
    values = np.where(np.arange(60) % 6 == 0, -1, np.arange(60)).astype(dtype)
    y = np.linspace(0, 1, 60)
    for x in (values, np.stack([values, values + 1], axis=1), pa.chunked_array([pa.array(values)])):
        data = {"x": x, "y": y} if isinstance(x, np.ndarray) else pa.table({"x": x, "y": pa.array(y)})
        read = prepare(_wanted("data: {empty: [-1, none]}, "), data=data)
        held = np.asarray(read.arrays["x"]).reshape(60, -1)[:, 0]
        assert np.isnan(held).sum() == 10
        assert np.nanmax(held) == 59


def test_what_training_was_told_holds_for_new_examples_and_in_the_model_file(tmp_path: Path) -> None:
    wanted = _wanted(f"data: {{path: {_table(tmp_path / 't.csv')}, empty: [-999, not asked]}}, ")
    outcome = run.train(wanted, out=tmp_path / "run")
    new = tmp_path / "new.csv"
    new.write_text("age,income,kind\n3,-999,not asked\n3,,\n3,-9,a\n", encoding="utf-8")
    marked, empty, other = prediction.answers(outcome.run, [new]).full["y"].to_pylist()
    assert marked == empty != other
    model = model_file.load(RunFolder(outcome.run).model)
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total
    cells = [{"age": 3, "income": income, "kind": kind} for income, kind in ((-999, "not asked"), (None, None))]
    one, two = model.predict(cells)["y"].flatten().tolist()
    assert one == two == pytest.approx(marked)
