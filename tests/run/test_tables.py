"""Whole runs on tables: what is missing, dates, tags and several outputs; the same from CSV and from Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.datasets import load_digits

from netwright import load, run, spec
from netwright.data.dataset import prepare
from netwright.errors import DataError, Stopped
from netwright.field import Field
from netwright.model_file import group_shapes
from netwright.progress import Silent
from netwright.report.facts import Facts
from netwright.resolved import load_resolved
from netwright.run.folder import RunFolder

SHORT = "model: {layers: 'dense 8, relu'}, training: {batch_size: 32, optimizer: {lr: 0.02}, stop: {epochs: 4}}"
LONGER = SHORT.replace("epochs: 4", "epochs: 20")


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
    decided = load_resolved(missing_run / "resolved.yaml")
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
    wishes = {
        name: spec.load(f"{{data: {{path: {shops[name]}}}, outputs: [takings], {LONGER}}}") for name in ("typed", "iso")
    }
    outcome = run.train(wishes["typed"], out=tmp_path / "run")
    assert outcome.scores["takings"]["test"]["r2"] > 0.7
    model = load(outcome.model)
    assert (model.inputs["day"].kind, model.inputs["day"].parts) == ("date", ("year", "week", "day"))
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total == 55
    text = prepare(wishes["iso"])
    assert text.inputs == model.inputs
    assert np.array_equal(text.arrays["day"], prepare(wishes["typed"]).arrays["day"], equal_nan=True)
    asked = ["2026-01-10 08:00", "2026-07-01", None]
    answers = run.predict(outcome.run, {"day": asked})["takings"].to_pylist()
    typed = {"day": pa.array([datetime(2026, 1, 10, 8), datetime(2026, 7, 1), None])}
    assert answers == run.predict(outcome.run, typed)["takings"].to_pylist()
    assert answers[0] > answers[1] + 5
    assert model.predict([{"day": datetime(2026, 1, 10, 8)}])["takings"].tolist() == pytest.approx(answers[:1])
    (wrong,) = run.predict(outcome.run, {"day": ["soon"]}).to_pylist()
    assert wrong["problem"] == 'day: "soon" is not a date such as 2026-01-31.'
    told = [f"{r.path}: {r.value} ({r.why})" for r in load_resolved(outcome.run / "resolved.yaml").reasons]
    assert any(line.startswith("inputs.day.parts: days, place in the year, weekday, time of day") for line in told)
    assert any(line.startswith("inputs.day.missing: 1 of 365 cells are empty (filled with the mean") for line in told)


def test_a_split_by_time_follows_the_calendar_and_not_the_letters(shops: dict[str, Path]) -> None:
    data = f"data: {{path: {shops['day_first']}, split: {{by: time, column: day}}}}"
    dataset = prepare(spec.load(f"{{{data}, inputs: {{day: {{}}}}, outputs: [takings]}}"))
    seconds = np.asarray(dataset.arrays["day"])
    last = [(seconds[dataset.parts[part]].min(), seconds[dataset.parts[part]].max()) for part in dataset.parts]
    assert last[0][1] < last[1][0] < last[1][1] < last[2][0]
    shown = "\n".join(run.data_show(spec.load(f"{{{data}, inputs: {{day: {{}}}}, outputs: [takings]}}")).text)
    assert "day: date, coded as days, year, week, day" in shown
    assert "takings: number" in shown


# ---- tags ------------------------------------------------------------------------------------------------------------


def beaches(folder: Path, name: str = "b.csv") -> Path:
    """150 places by hand: warm ones have sun, those at 0 m have sea, and a few are a city."""
    lines = ["warmth,height,tags"]
    for at in range(150):
        warmth, height = at * 37 % 150 / 15, at * 53 % 97
        tags = ["sun"] * (warmth > 5) + ["sea"] * (height < 30) + ["city"] * (at * 37 % 150 % 11 == 3)
        lines.append(f"{warmth:.3f},{height},{';'.join(tags)}")
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("beaches")
    wanted = spec.load(f"{{data: {{path: {beaches(folder)}}}, outputs: [tags], {LONGER}}}")
    return run.train(wanted, out=folder / "run").run


def test_tags_are_inferred_trained_scored_and_kept_with_their_thresholds(tagged: Path) -> None:
    model = load(tagged / "model.netwright")
    field = model.outputs["tags"]
    assert (field.kind, field.vocabulary, field.options["separator"]) == ("tags", ("city", "sea", "sun"), ";")
    assert len(field.thresholds) == 3
    assert set(field.thresholds) != {0.5}
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total
    scores = run.resume(tagged).scores["tags"]["test"]
    assert set(scores) == {"mean_average_precision", "exact_match", "f1", "loss"}
    assert scores["mean_average_precision"] > 0.6
    assert run.evaluate(tagged).scores["tags"] == pytest.approx(scores)
    assert run.evaluate(tagged / "model.netwright", data=tagged.parent / "b.csv").examples == 150
    facts = Facts.read(tagged / "facts.json")
    (output,) = facts.outputs
    assert [each.name for each in output.per_class] == ["city", "sea", "sun"]
    assert [each.threshold for each in output.per_class] == list(field.thresholds)
    assert {baseline.name for baseline in output.baselines} == {"shares", "linear"}
    page = (tagged / "report.html").read_text(encoding="utf-8")
    assert "Tag by tag" in page
    assert "mean average precision" in page
    rows = pq.read_table(tagged / "predictions.parquet").to_pylist()
    mine = [row for row in rows if row["part"] == "test"]
    assert sum(row["tags"] == row["tags_truth"] for row in mine) / len(mine) == pytest.approx(scores["exact_match"])


def test_tags_are_predicted_with_probabilities_and_misspelt_ones_are_named(tagged: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("warmth,height,tags\n9.5,5,sun;see\n1,90,\n", encoding="utf-8")
    answers = run.predict(tagged, [new]).to_pylist()
    assert set(answers[0]) == {"id", "tags", "tags:city", "tags:sea", "tags:sun"}
    assert {"sea", "sun"} <= set(answers[0]["tags"].split(";"))
    assert answers[0]["tags:sun"] > 0.5 > answers[1]["tags:sun"]
    thresholds = load(tagged / "model.netwright").outputs["tags"].thresholds
    for row in answers:
        least = dict(zip(("city", "sea", "sun"), thresholds, strict=True))
        assert row["tags"] == ";".join(name for name in least if row[f"tags:{name}"] >= least[name])
    wanted = spec.load(f"{{data: {{path: {new}, split: {{parts: [1, 0, 0]}}}}, outputs: [tags]}}")
    found = prepare(wanted, fields=_fields(tagged))
    assert found.ledger.reasons()[0].reason == 'tags: tag "see" is not among the 3 known tags (did you mean "sea"?).'


def _fields(folder: Path) -> dict[str, Field]:
    model = load(folder / "model.netwright")
    return {**model.inputs, **model.outputs}


def test_tags_are_shown_planned_and_checked(tagged: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {tagged.parent / 'b.csv'}}}, outputs: [tags], {SHORT}}}")
    shown = "\n".join(run.data_show(wanted).text)
    assert "tags: tags, 3 classes (city, sea, sun)" in shown
    assert "no tag" in shown or "sun" in shown.partition("batch 1")[2]
    planned = "\n".join(run.plan(wanted).text)
    assert "outputs.tags.kind: tags (" in planned
    assert 'words; ";" stands in' in planned
    checked = {finding.name: finding.message for finding in run.data_check(wanted)}
    assert "1 class of tags with fewer than 20 examples: city (14)" in checked["rare classes"]
    category = spec.load(f"{{data: {{path: {tagged.parent / 'b.csv'}}}, outputs: {{tags: category}}, {SHORT}}}")
    assert prepare(category).outputs["tags"].kind == "category"


def test_more_tags_can_be_learned_from_where_the_first_ones_ended(tagged: Path, tmp_path: Path) -> None:
    lines = beaches(tmp_path).read_text(encoding="utf-8").splitlines()
    more = [line + ";port" * (at % 9 == 1) for at, line in enumerate(lines)]
    (tmp_path / "more.csv").write_text("\n".join([lines[0], *more[1:]]) + "\n", encoding="utf-8")
    wanted = spec.load(f"{{data: {{path: {tmp_path / 'more.csv'}}}, outputs: [tags], {SHORT}}}")
    outcome = run.train(wanted, out=tmp_path / "run", base=tagged)
    field = load(outcome.model).outputs["tags"]
    assert (field.vocabulary, field.shape) == (("city", "sea", "sun", "port"), (4,))


def test_tags_of_real_digits_are_told_better_than_by_a_line(tmp_path: Path) -> None:
    digits = load_digits()
    tags = [
        ["even"] * (digit % 2 == 0) + ["big"] * (digit > 4) + ["round"] * (digit in {0, 6, 8, 9})
        for digit in digits.target.tolist()
    ]
    wanted = spec.load(
        "{outputs: [tags], model: {layers: 'dense 64, relu'}, training: {batch_size: 32, stop: {epochs: 8}}}"
    )
    outcome = run.train(wanted, data={"pixels": digits.data, "tags": tags}, out=tmp_path / "run")
    (output,) = Facts.read(outcome.run / "facts.json").outputs
    linear = next(each for each in output.baselines if each.name == "linear")
    assert output.kind == "tags"
    assert output.intervals["mean_average_precision"][0] > linear.scores["mean_average_precision"] > 0.8
    assert outcome.scores["tags"]["test"]["exact_match"] > linear.scores["exact_match"] + 0.05


# ---- several outputs -------------------------------------------------------------------------------------------------


def houses(folder: Path) -> Path:
    """160 houses with every kind of input; three outputs; two rows lack one of them, and one has an unreadable size."""
    lines = ["size,built,area,extras,price,style,features"]
    for at in range(160):
        size = "" if at % 8 == 0 else "many" if at == 33 else f"{40 + at * 29 % 113}"
        area = "" if at % 6 == 0 else "ABC"[at % 3]
        extras = ";".join(["pool"] * (at % 2) + ["garden"] * (at % 3 == 0))
        price = "" if at == 50 else f"{100 + at * 29 % 113 * 2 + 20 * (at % 2):.1f}"
        style = "modern" if at * 7 % 160 > 80 else "old"
        features = ";".join(["light"] * (at * 29 % 113 > 50) + ["quiet"] * (at % 3 == 0))
        built = f"{1 + at % 28:02d}.{1 + at % 12:02d}.{1950 + at * 7 % 160 // 2}"
        lines.append(f"{size},{built},{area},{extras},{price},{style},{features}")
    lines.append("60,01.01.1990,A,pool,120,old,light;quite")
    (folder / "houses.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "houses.csv"


HOUSES = f"{{data: {{path: %s}}, outputs: {{price: {{}}, style: {{}}, features: {{weight: 2}}}}, {SHORT}}}"


@pytest.fixture(scope="module")
def housed(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("houses")
    return run.train(spec.load(HOUSES % houses(folder)), out=folder / "run").run


def test_a_class_a_number_and_tags_come_out_of_one_net(housed: Path) -> None:
    model = load(housed / "model.netwright")
    assert {name: field.kind for name, field in model.inputs.items()} == {
        "size": "number", "built": "date", "area": "category", "extras": "tags",
    }  # fmt: skip
    assert {name: field.kind for name, field in model.outputs.items()} == {
        "price": "number", "style": "category", "features": "tags",
    }  # fmt: skip
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total
    facts = Facts.read(housed / "facts.json")
    assert facts.ledger.counts == {"used": 159, "refused": 0, "quarantined": 2}
    assert sorted(group.reason for group in facts.ledger.reasons) == [
        "price: the cell is empty, expected a number.",
        'size: "many" is not a finite number.',
    ]
    assert sum(facts.ledger.splits.values()) == 159
    assert {output.name: output.headline for output in facts.outputs} == {
        "price": "r2", "style": "accuracy", "features": "mean_average_precision",
    }  # fmt: skip
    page = (housed / "report.html").read_text(encoding="utf-8")
    for words in ("price: Predicted against true", "style: What is taken for what", "features: Tag by tag"):
        assert words in page
    assert "size missing" in page  # an example's own words
    assert "features: mean average precision by epoch" in page


def test_every_output_is_named_at_the_end_and_answered_in_the_examples(housed: Path) -> None:
    said = run.resume(housed).text
    for name, words in (("price", "A typical error of"), ("style", "held-out examples right"), ("features", "Mean")):
        assert [line for line in said if line.startswith(f"{name}: ") and words in line], name
    at = said.index("held-out examples and the likeliest answers:")
    assert said[at + 1].startswith("  row ")
    for name, line in zip(("price", "style", "features"), said[at + 2 : at + 5], strict=True):
        assert line.startswith(f"    {name} (is ")
    assert RunFolder(housed).read()["headline"].startswith("price: A typical error of")


def test_what_was_set_aside_belongs_to_the_result(housed: Path) -> None:
    [line] = [line for line in run.resume(housed).text if "set aside" in line]
    assert line.startswith("2 of 161 examples set aside (1 x price: the cell is empty")
    assert line.endswith(f"see {housed}/ledger.parquet)")


def test_all_outputs_are_predicted_scored_and_written(housed: Path, tmp_path: Path) -> None:
    scores = run.resume(housed).scores
    found = run.evaluate(housed).scores
    for name in ("price", "style", "features"):
        assert found[name] == pytest.approx(scores[name]["test"])
    new = tmp_path / "new.csv"
    new.write_text("size,built,area,extras\n,13.05.1990,,\n70,1990,A,pool\n70,01.02.1990,A,pol\n", encoding="utf-8")
    answers = run.predict(housed, [new], out=tmp_path / "answers.csv").to_pylist()
    assert set(answers[0]) == {
        "id", "price", "style", "style:modern", "style:old",
        "features", "features:light", "features:quiet", "features:quite", "problem",
    }  # fmt: skip
    assert answers[0]["problem"] == ""
    assert answers[1]["problem"] == 'built: "1990" is not a date day first.'
    assert answers[2]["problem"] == 'extras: tag "pol" is not among the 2 known tags (did you mean "pool"?).'
    assert [row["features"] is None for row in answers] == [False, True, True]
    rows = pq.read_table(housed / "predictions.parquet")
    assert {"price_truth", "style_truth", "features_truth", "features"} <= set(rows.column_names)


class Stop(Silent):
    """Asks a training to stop when its second epoch ended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.epochs = folder, 0

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        self.epochs += 1
        if self.epochs == 2:
            (self.folder / "control").mkdir(exist_ok=True)
            (self.folder / "control" / "1.json").write_text('{"do": "stop"}', encoding="utf-8")


def test_a_run_with_several_outputs_goes_on_bit_for_bit(
    housed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netwright.training.strategies.controls._EVERY_SECONDS", 0)
    wanted = spec.load(HOUSES % (housed.parent / "houses.csv"))
    with pytest.raises(Stopped, match="stopped"):
        run.train(wanted, out=tmp_path / "run", show=Stop(tmp_path / "run"))
    outcome = run.resume(tmp_path / "run")
    assert outcome.scores == run.resume(housed).scores
    one, other = (load(folder / "model.netwright") for folder in (housed, outcome.run))
    assert one.outputs == other.outputs
    weights = other.network.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in one.network.state_dict().items())
