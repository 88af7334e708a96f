"""Whole runs on tables: what is missing, dates, tags and several outputs; the same from CSV and from Parquet."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from netwright import load, run, spec
from netwright.data.dataset import prepare
from netwright.errors import DataError
from netwright.model_file import group_shapes

SHORT = "model: {layers: 'dense 8, relu'}, training: {batch_size: 32, optimizer: {lr: 0.02}, stop: {epochs: 4}}"


def passengers(folder: Path) -> Path:
    """120 rows; every fifth age and every seventh town are missing; no fare is."""
    rng = np.random.default_rng(0)
    age = [None if i % 5 == 0 else round(float(x), 3) for i, x in enumerate(rng.normal(40, 12, 120))]
    fare = np.round(rng.gamma(2, 15, 120), 2).tolist()
    town = [None if i % 7 == 0 else "ABC"[i % 3] for i in range(120)]
    left = [round(float(x), 3) if i % 3 else None for i, x in enumerate(rng.normal(0, 1, 120))]
    right = np.round(rng.normal(5, 2, 120), 3).tolist()
    survived = [
        "yes" if (50 if a is None else a) + f > 70 + 5 * (t == "A") else "no"
        for a, f, t in zip(age, fare, town, strict=True)
    ]
    columns = {"age": age, "fare": fare, "town": town, "left": left, "right": right, "survived": survived}
    pq.write_table(pa.table(columns), folder / "p.parquet")
    pacsv.write_csv(pa.table(columns), folder / "p.csv")
    return folder / "p.parquet"


def wish(path: Path, more: str = "") -> spec.Spec:
    inputs = "{age: {}, fare: {}, town: {}, sides: {kind: vector, from: [left, right]}}"
    return spec.load(f"{{data: {{path: {path}}}, inputs: {inputs}, outputs: [survived], {SHORT}{more}}}")


@pytest.fixture(scope="module")
def missing_run(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("passengers")
    return run.train(wish(passengers(folder)), out=folder / "run").run


def test_rows_without_a_value_are_used_and_the_model_file_answers_them_again(missing_run: Path) -> None:
    model = load(missing_run / "model.netwright")
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total == 18
    assert {name: sum(field.missing) > 0 for name, field in model.inputs.items()} == {
        "age": True, "fare": False, "town": False, "sides": True,
    }  # fmt: skip
    assert model.inputs["town"].vocabulary == ("", "A", "B", "C")
    assert group_shapes(model.inputs) == {"table": (2 + 1 + 4 + 3,)}
    decided = spec.load_resolved(missing_run / "resolved.yaml")
    told = {reason.path: f"{reason.value} ({reason.why})" for reason in decided.reasons}
    assert told["inputs.age.missing"].startswith("24 of 120 cells are empty (filled with the training mean")
    assert told["inputs.sides.missing"].startswith("of 120 cells are empty: left 40")
    assert told["inputs.town.missing"] == '18 of 120 cells are empty (they are a class of their own, "")'
    assert "inputs.fare.missing" not in told
    assert "age missing" in (missing_run / "report.html").read_text(encoding="utf-8")


def test_a_table_as_text_gives_the_same_run(missing_run: Path, tmp_path: Path) -> None:
    outcome = run.train(wish(missing_run.parent / "p.csv"), out=tmp_path / "run")
    assert outcome.scores == run.resume(missing_run).scores
    assert load(outcome.model).inputs == load(missing_run / "model.netwright").inputs


def test_a_missing_value_is_answered_where_training_missed_some_and_refused_elsewhere(missing_run: Path) -> None:
    rows = {"age": [None, 40.0, 40.0], "fare": [20.0, None, 20.0], "town": ["A", "A", None], "left": [0.1, 0.1, None]}
    rows["right"] = [5.0, 5.0, 5.0]
    answers = run.predict(missing_run, pa.table(rows)).to_pylist()
    assert [row["survived"] in {"yes", "no"} for row in answers] == [True, False, True]
    assert answers[1]["problem"] == "fare: the cell is empty, expected a number."
    model = load(missing_run / "model.netwright")
    cells = [{key: column[at] for key, column in rows.items()} for at in (0, 2)]
    assert model.predict(cells)["survived"][:, 1].tolist() == [answers[0]["survived:yes"], answers[2]["survived:yes"]]
    with pytest.raises(DataError, match=r"example 1, fare: the cell is empty, expected a number"):
        model.predict([{key: column[1] for key, column in rows.items()}])


def test_missing_values_are_scored_again_shown_planned_and_checked(missing_run: Path) -> None:
    scores = run.resume(missing_run).scores["survived"]
    assert run.evaluate(missing_run, part="validation").scores["survived"] == pytest.approx(scores["validation"])
    assert run.evaluate(missing_run / "model.netwright", data=missing_run.parent / "p.csv").examples == 120
    wanted = wish(missing_run.parent / "p.parquet")
    assert any(
        "age: number" in line and "training cells empty and filled" in line for line in run.data_show(wanted).text
    )
    assert any("inputs.age.missing: 24 of 120 cells are empty" in line for line in run.plan(wanted).text)
    told = [finding.message for finding in run.data_check(wanted) if finding.name == "missing"]
    assert told[0].startswith('inputs.town: 18 of 120 cells are empty, they are a class of their own, ""')
    assert told[1].startswith("inputs.age: 24 of 120 cells are empty, filled with the training mean")


# ---- dates -----------------------------------------------------------------------------------------------------------


def shop(folder: Path) -> dict[str, Path]:
    """A year of takings, high in winter and at week's end: typed, as ISO text, and as day-first text out of order."""
    days = [datetime(2025, 1, 1) + timedelta(days=at, hours=8 * (at % 3)) for at in range(365)]
    high = [10 + 8 * np.cos(2 * np.pi * at / 365) + 3 * (day.weekday() > 4) for at, day in enumerate(days)]
    when = pa.array([None if at == 100 else day for at, day in enumerate(days)], pa.timestamp("ms"))
    takings = np.round(high, 4).tolist()
    files = {
        name: folder / f"{name}.{'parquet' if name == 'typed' else 'csv'}" for name in ("typed", "iso", "day_first")
    }
    pq.write_table(pa.table({"day": when, "takings": takings}), files["typed"])
    rows = [f"{day.isoformat() if day else ''},{value}" for day, value in zip(when.to_pylist(), takings, strict=True)]
    files["iso"].write_text("\n".join(["day,takings", *rows]) + "\n")
    mixed = np.random.default_rng(0).permutation(365)
    rows = [f"{days[at]:%d/%m/%Y %H:%M},{takings[at]}" for at in mixed]
    files["day_first"].write_text("\n".join(["day,takings", *rows]) + "\n")
    return files


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return shop(tmp_path_factory.mktemp("shop"))


def test_dates_go_in_the_same_from_typed_cells_and_from_text(shops: dict[str, Path], tmp_path: Path) -> None:
    found = {}
    for name in ("typed", "iso"):
        wanted = spec.load(
            f"{{data: {{path: {shops[name]}}}, outputs: [takings], {SHORT.replace('epochs: 4', 'epochs: 30')}}}"
        )
        found[name] = run.train(wanted, out=tmp_path / name)
        model = load(found[name].model)
        assert (model.inputs["day"].kind, model.inputs["day"].parts) == ("date", ("year", "week", "day"))
        assert model.replayed is not None
        assert model.replayed.matches == model.replayed.total == 55
    assert found["typed"].scores == found["iso"].scores
    assert found["typed"].scores["takings"]["test"]["r2"] > 0.8
    asked = {"day": ["2026-01-10 08:00", "2026-07-01", None]}
    typed = {"day": pa.array([datetime(2026, 1, 10, 8), datetime(2026, 7, 1), None])}
    answers = run.predict(found["iso"].run, asked)["takings"].to_pylist()
    assert answers == run.predict(found["typed"].run, typed)["takings"].to_pylist()
    assert answers[0] > answers[1] + 5
    model = load(found["typed"].model)
    assert model.predict([{"day": datetime(2026, 1, 10, 8)}])["takings"].tolist() == pytest.approx(answers[:1])
    (wrong,) = run.predict(found["iso"].run, {"day": ["soon"]}).to_pylist()
    assert wrong["problem"] == 'day: "soon" is not a date such as 2026-01-31.'
    told = [f"{r.path}: {r.value} ({r.why})" for r in spec.load_resolved(tmp_path / "iso" / "resolved.yaml").reasons]
    assert any(line.startswith("inputs.day.parts: days, place in the year, weekday, time of day") for line in told)
    assert any(
        line.startswith("inputs.day.missing: 1 of 365 cells are empty (filled with the mean tra") for line in told
    )


def test_a_split_by_time_follows_the_calendar_and_not_the_letters(shops: dict[str, Path]) -> None:
    data = f"data: {{path: {shops['day_first']}, split: {{by: time, column: day}}}}"
    dataset = prepare(spec.load(f"{{{data}, inputs: {{day: {{}}}}, outputs: [takings]}}"))
    seconds = np.asarray(dataset.arrays["day"])
    last = [(seconds[dataset.parts[part]].min(), seconds[dataset.parts[part]].max()) for part in dataset.parts]
    assert last[0][1] < last[1][0] < last[1][1] < last[2][0]
    shown = "\n".join(run.data_show(spec.load(f"{{{data}, inputs: {{day: {{}}}}, outputs: [takings]}}")).text)
    assert "day: date, coded as days, year, week, day" in shown
    assert "takings: number" in shown
