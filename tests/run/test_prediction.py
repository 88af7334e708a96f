"""Answers for new examples: ids, probabilities, problems by name, and files no spreadsheet runs."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from PIL import Image

from netwright import model_file, run, spec
from netwright.errors import DataError, SpecError
from netwright.figures.marks import number
from netwright.run import prediction
from netwright.run.folder import RunFolder
from netwright.run.prediction import harmless


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_one_picture(picture_run: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8), 30).save(tmp_path / "night.png")
    answers = run.predict(picture_run, [tmp_path / "night.png"])
    assert answers.num_rows == 1
    assert answers["id"][0].as_py().endswith("night.png")
    assert answers["category"][0].as_py() == "dark"


def test_a_folder_of_pictures_with_one_that_is_none(picture_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    (folder / "deep").mkdir(parents=True)
    Image.new("L", (8, 8), 30).save(folder / "a.png")
    Image.new("RGB", (50, 20), (200, 210, 190)).save(folder / "deep" / "b.jpg")
    (folder / "c.png").write_text("<html>not found</html>")
    answers = run.predict(picture_run, str(folder)).to_pylist()
    found = {Path(row["id"]).name: row for row in answers}
    assert set(found) == {"a.png", "b.jpg", "c.png"}
    assert found["a.png"]["category"] == "dark"
    assert found["b.jpg"]["category"] == "bright"
    assert found["c.png"]["category"] is None
    assert found["c.png"]["problem"]


def test_of_several_sources_those_that_cannot_be_read_are_rows_with_their_problem(
    picture_run: Path, pictures: Path, tmp_path: Path
) -> None:
    good, text, gone = next((pictures / "dark").iterdir()), tmp_path / "notes.jpg", tmp_path / "gone.jpg"
    text.write_text("not a picture")
    rows = run.predict(picture_run, [text, good, gone]).to_pylist()
    assert [row["id"] for row in rows] == [str(text), good.name, str(gone)]
    assert [row["category"] is None for row in rows] == [True, False, True]
    assert "notes.jpg: not a picture, sound or pen ink (holds text)" in rows[0]["problem"]
    assert list(rows[0])[-1] == "problem"  # whichever is the first that cannot be answered
    assert not rows[1]["problem"]
    assert "no such file" in rows[2]["problem"]
    with pytest.raises(DataError, match="not a picture"):
        run.predict(picture_run, [text, gone])
    twin = tmp_path / good.name
    twin.write_bytes(good.read_bytes())
    assert run.predict(picture_run, [good, twin]).column("id").to_pylist() == [str(good), str(twin)]


def test_pictures_of_the_training_folder_are_answered_without_their_classes(picture_run: Path, pictures: Path) -> None:
    answers = run.predict(picture_run, [pictures])
    assert answers.num_rows == 60
    right = sum(row["category"] == Path(row["id"]).parent.name for row in answers.to_pylist())
    assert right > 55


@pytest.fixture
def new_table(tmp_path: Path) -> Path:
    lines = ["colour,size,age,note", "red,0.5,1,=cmd()", "blue,11.5,6,x", "red,big,6,x", "green,3,3,x", "red,,2,x"]
    lines.append('green,"3,5",many,x')
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "new.csv"


def test_a_table_to_a_table_with_ids_probabilities_and_problems(trained: Path, new_table: Path, tmp_path: Path) -> None:
    table, answered, _ = prediction.answers(trained, [new_table], out=tmp_path / "all.csv", top=1)
    shown = table.to_pylist()
    full = _rows(tmp_path / "all.csv")
    assert [row["id"] for row in full] == [row["id"] for row in shown] == [f"row {n}" for n in range(1, 7)]
    assert full[0]["class"] == answered["class"][0].as_py() == "small"
    assert full[1]["class"] == "tall"
    for row in full[:2]:
        assert float(row["class:small"]) + float(row["class:tall"]) == pytest.approx(1, abs=1e-6)
        assert row["problem"] == ""
    assert shown[0]["class"].startswith("small ")
    assert "," not in shown[0]["class"]
    assert "size" in full[2]["problem"]
    assert "big" in full[2]["problem"]
    assert full[2]["class"] == full[2]["class:small"] == ""
    assert "colour" in full[3]["problem"]
    assert "green" in full[3]["problem"]
    assert "size" in full[4]["problem"]
    told = full[5]["problem"]
    assert 'size: "3,5" is written in another way than this column (decimal point): write 3.5. age: "many"' in told
    assert 'colour: class "green"' in told


def test_parquet_in_and_out_gives_the_same_answers(trained: Path, new_table: Path, tmp_path: Path) -> None:
    good = pacsv.read_csv(pa.BufferReader(b"colour,size,age\nred,0.5,1\nblue,11.5,6\n"))
    pq.write_table(good, tmp_path / "new.parquet")
    run.predict(trained, [tmp_path / "new.parquet"], out=tmp_path / "all.parquet")
    run.predict(trained, [new_table], out=tmp_path / "all.csv")
    columns = pq.read_table(tmp_path / "all.parquet").to_pylist()
    for one, other in zip(columns, _rows(tmp_path / "all.csv")[:2], strict=True):
        assert one["class"] == other["class"]
        assert one["class:tall"] == pytest.approx(float(other["class:tall"]), abs=1e-6)


def test_answers_of_many_rows_are_those_of_single_rows(trained: Path, flowers: Path) -> None:
    whole = run.predict(trained, [flowers])
    lines = flowers.read_text(encoding="utf-8").splitlines()
    size, age, colour, _ = lines[77].split(",")
    alone = run.predict(trained, {"size": [float(size)], "age": [float(age)], "colour": [colour]})
    assert alone["class"][0].as_py() == whole["class"][76].as_py()


def test_a_cell_that_a_spreadsheet_would_run_stays_text() -> None:
    for cell in ("=cmd()", "+1", "-1", "@x", "\tx", "\rx"):
        assert harmless(cell) == f"'{cell}"
    assert [harmless(cell) for cell in ("x=1", -1.5, None, "", "a\n=b")] == ["x=1", -1.5, None, "", "a\n=b"]


def test_a_file_called_like_a_formula_is_escaped_in_the_answers(picture_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    Image.new("L", (8, 8), 30).save(folder / "=cmd().png")
    run.predict(picture_run, [folder], out=tmp_path / "all.csv")
    (row,) = _rows(tmp_path / "all.csv")
    assert not row["id"].startswith("=")
    assert row["id"].endswith("=cmd().png")


def test_a_missing_column_names_all_that_are_needed(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("size,colour\n1,red\n2,blue\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"age.*The model needs the columns size, age, colour"):
        run.predict(trained, [tmp_path / "new.csv"])


@pytest.mark.parametrize("name", ["all.txt", "all"])
def test_answers_are_written_as_csv_or_parquet_only(trained: Path, flowers: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match=r"answers are written as \.csv or \.parquet"):
        run.predict(trained, [flowers], out=tmp_path / name)


def test_nothing_to_predict_is_said(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nothing says what to predict"):
        run.predict(trained, [])
    with pytest.raises(DataError, match="missing"):
        run.predict(trained, [tmp_path / "missing.csv"])


def test_a_model_file_alone_predicts(trained: Path, flowers: Path, tmp_path: Path) -> None:
    alone = shutil.copy(RunFolder(trained).model, tmp_path / "m.netwright")
    assert run.predict(Path(alone), [flowers]).equals(run.predict(trained, [flowers]))


# ---- evaluate --------------------------------------------------------------------------------------------------------


def test_a_model_is_printed_in_one_line(done_run: Path) -> None:
    told = repr(model_file.load(RunFolder(done_run).model))
    assert told.startswith("<netwright model: size, age, colour -> class; dense 8, relu; ")
    accuracy = run.evaluate(done_run).scores["class"]["accuracy"]
    assert told.endswith(f" parameters; class: test accuracy {accuracy:.3g}>")


def test_every_reading_of_the_test_part_is_counted_and_told(done_run: Path) -> None:
    first = run.evaluate(done_run)
    second = run.evaluate(done_run)
    assert (first.reads, second.reads) == (2, 3)
    assert any("was now read 3 times" in line for line in second.text)
    assert first.scores == second.scores
    assert run.evaluate(done_run, part="validation").reads == 0
    assert RunFolder(done_run).reads() == {"test": 3}


def test_scores_are_those_of_the_run_and_lie_in_their_intervals(done_run: Path) -> None:
    found = run.evaluate(done_run)
    outcome = run.resume(done_run)
    assert found.scores["class"]["accuracy"] == pytest.approx(outcome.scores["class"]["test"]["accuracy"])
    low, high = found.intervals["class"]["accuracy"]
    assert low <= found.scores["class"]["accuracy"] <= high
    assert found.examples == 18


def test_other_data_is_scored_whole_and_counts_no_reading(done_run: Path, flowers: Path) -> None:
    found = run.evaluate(done_run, data=flowers)
    assert (found.examples, found.reads) == (120, 0)
    assert RunFolder(done_run).reads() == {"test": 1}
    alone = run.evaluate(RunFolder(done_run).model, data=flowers)
    assert alone.scores == found.scores


def test_what_cannot_be_scored_is_said(done_run: Path) -> None:
    with pytest.raises(SpecError, match="a model file has no examples to score on"):
        run.evaluate(RunFolder(done_run).model)
    with pytest.raises(SpecError, match=r"the run has no tset examples\. It has: train, validation, test"):
        run.evaluate(done_run, part="tset")
    with pytest.raises(SpecError, match="test is a part of the run's own examples, and other data was given"):
        run.evaluate(done_run, part="test", data=done_run)


def test_intervals_draw_whole_writers_anew_where_these_were_kept_together(tmp_path: Path) -> None:
    """Each of ten writers is all right or all wrong, since `a` is always answered; one alone tells nothing."""
    lines = [f"{n},{7919 * n % 200},w{n // 20},{'a' if n < 140 else 'b'}" for n in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["n,x,writer,y", *lines]) + "\n", encoding="utf-8")
    text = (
        "{data: {path: %s, duplicates: accept%s}, inputs: {x: number}, outputs: {y: category}, "
        "model: {layers: ''}, training: {optimizer: {name: adam, lr: 0.1}, stop: {epochs: 20}}}"
    )
    together = run.train(
        spec.load(text % (tmp_path / "t.csv", ", split: {by: group, column: writer}")), out=tmp_path / "g"
    )
    apart = run.train(spec.load(text % (tmp_path / "t.csv", "")), out=tmp_path / "a")
    wide, narrow = (
        np.subtract(*reversed(run.evaluate(each.run, data=tmp_path / "t.csv").intervals["y"]["accuracy"]))
        for each in (together, apart)
    )
    assert wide > 2 * narrow
    (tmp_path / "one.csv").write_text("\n".join(["n,x,writer,y", *lines[:20]]) + "\n", encoding="utf-8")
    one = run.evaluate(together.run, data=tmp_path / "one.csv")
    assert np.isnan(one.intervals["y"]["accuracy"]).all()
    assert not any("nan" in line for line in one.text)


def test_a_sought_class_is_answered_from_its_threshold_on(tmp_path: Path) -> None:
    """Trained, read back from the model file and asked again: the threshold chosen on validation decides."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=800)
    fraud = draw.random(800) < 1 / (1 + np.exp(-(2 * x - 3.5)))
    rows = "\n".join(f"{a:.4f},{'yes' if b else 'no'}" for a, b in zip(x, fraud, strict=True))
    (tmp_path / "f.csv").write_text(f"amount,fraud\n{rows}\n", encoding="utf-8")
    text = (
        "{data: {path: %s}, outputs: {fraud: {cost: {missed: 20}}}, model: {layers: ''}, training: {stop: {epochs: 8}}}"
    )
    outcome = run.train(spec.load(text % (tmp_path / "f.csv")), out=tmp_path / "run")
    field = model_file.load(outcome.model).outputs["fraud"]
    threshold = field.thresholds[field.vocabulary.index("yes")]
    assert 0 < threshold < 0.4
    answers = run.predict(outcome.model, tmp_path / "f.csv")
    given = [label == "yes" for label in answers["fraud"].to_pylist()]
    assert given == [chance >= threshold for chance in answers["fraud:yes"].to_pylist()]
    scored = run.evaluate(outcome.run, part="test")
    assert scored.scores["fraud"]["recall"] == pytest.approx(outcome.scores["fraud"]["test"]["recall"])
    page = outcome.report.read_text(encoding="utf-8")
    assert "Finding yes" in page
    rule = f"yes is answered from {number(100 * threshold)} % on (least cost: a miss 20, a false alarm 1)"
    assert rule in outcome.text
    assert f"{rule}: the class answered stands first" in page
    assert f"  fraud: {rule}" in scored.text
    assert prediction.answers(outcome.model, tmp_path / "f.csv").remarks == [rule]
    table = pq.read_table(outcome.run / "predictions.parquet")
    test = table.filter(pc.equal(table["part"], "test")).to_pylist()
    missed = sum(row["fraud"] == "no" and row["fraud_truth"] == "yes" for row in test)
    alarms = sum(row["fraud"] == "yes" and row["fraud_truth"] == "no" for row in test)
    bill = f"the cost on {len(test)} examples is {20 * missed + alarms}: {missed} missed, {alarms} false alarms"
    assert bill in outcome.text
    assert f"  fraud: {bill}" in scored.text


def test_an_identifier_that_training_left_out_names_the_answers(tmp_path: Path) -> None:
    rows = [f"C-{n:04},{n * 0.37:.2f},note {n} on it,{n * 0.2 + n % 5:.2f}" for n in range(1100)]
    (tmp_path / "t.csv").write_text("\n".join(["customer_id,x,note,y", *rows]) + "\n", encoding="utf-8")
    text = "{data: {path: %s}, outputs: [y], model: {layers: ''}, training: {stop: {epochs: 1}}}"
    model = run.train(spec.load(text % (tmp_path / "t.csv")), out=tmp_path / "run").model
    new = tmp_path / "new.csv"
    new.write_text("customer_id,x,note\nD-1,2,a new one\nD-2,3,another one\n", encoding="utf-8")
    assert run.predict(model, new)["id"].to_pylist() == ["D-1", "D-2"]
    new.write_text("customer_id,x,note\nD-1,2,a new one\nD-1,3,another one\n", encoding="utf-8")
    assert run.predict(model, new)["id"].to_pylist() == ["row 1", "row 2"]  # they would not tell the two apart
