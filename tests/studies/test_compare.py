"""Comparisons: every setting with every seed, gone on with when interrupted, a verdict known by thought."""

import json
import math
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from netwright import cli, spec
from netwright.errors import NetwrightError, SpecError
from netwright.progress import Silent
from netwright.resolved import load_resolved
from netwright.studies import compare
from netwright.studies.compare import Setting, mean_interval, verdict
from netwright.training import history

VARY = {"model.depth": ["1", "2", "3"]}


def _settings(*scores: list[float]) -> list[Setting]:
    return [
        Setting(f"depth {n}", {"model.depth": str(n)}, scores=dict(enumerate(values)))
        for n, values in enumerate(scores, 1)
    ]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"{i * 37 % 101},{i * 53 % 97},{'a' if i * 37 % 101 > 50 else 'b'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,y", *rows]) + "\n", encoding="utf-8")
    return tmp_path / "t.csv"


def _wanted(table: Path) -> spec.Spec:
    text = (
        "{data: {path: %s}, inputs: {x: number, z: number}, outputs: [y], "
        "model: {layers: ''}, training: {stop: {epochs: 2}}}"
    )
    return spec.load(text % table)


def test_every_setting_is_trained_with_every_seed_and_written_down(table: Path, tmp_path: Path) -> None:
    found = compare(_wanted(table), {"training.batch_size": ["8", "16"]}, seeds=2, out=tmp_path / "c")
    assert [setting.label for setting in found.settings] == ["batch size 8", "batch size 16"]
    assert all(sorted(setting.scores) == [0, 1] for setting in found.settings)
    assert found.score == "accuracy"
    runs = sorted(path.parent.name for path in (tmp_path / "c").glob("*/run.json"))
    assert len(runs) == 4
    kept = json.loads((tmp_path / "c" / "compare.json").read_text(encoding="utf-8"))
    assert kept["settings"][0]["validation"] == {"0": found.settings[0].scores[0], "1": found.settings[0].scores[1]}
    assert found.page.read_text(encoding="utf-8").startswith("<!")
    assert found.answer in found.text


def test_the_seed_of_the_spec_is_the_first(table: Path, tmp_path: Path) -> None:
    wanted = spec.override(_wanted(table), {"training.seed": "7"})
    found = compare(wanted, {"training.batch_size": ["8"]}, seeds=2, out=tmp_path / "c")
    assert sorted(found.settings[0].scores) == [7, 8]


def test_folds_test_every_example_once_beside_the_best_simple_method(table: Path, tmp_path: Path) -> None:
    found = compare(_wanted(table), {}, folds=3, out=tmp_path / "c")
    (setting,) = found.settings
    assert sorted(setting.scores) == [1, 2, 3]
    assert setting.scores == setting.test
    tested = [pq.read_table(path).to_pylist() for path in sorted((tmp_path / "c").glob("*/ledger.parquet"))]
    names = [row["id"] for rows in tested for row in rows if row["split"] == "test"]
    assert len(names) == len(set(names)) == 60
    assert found.text[0] == "test scores, mean of 3 folds:"
    assert any("on the same folds" in line for line in found.text)
    assert found.answer.startswith("Accuracy ")
    assert found.answer.endswith(" on 3 folds.")
    assert "How good on data it has not seen?" in found.page.read_text(encoding="utf-8")
    again = compare(_wanted(table), {}, folds=3, out=tmp_path / "c")  # reads what is there
    assert again.settings[0].scores == setting.scores


def test_the_steps_to_a_score_are_told_for_each_seed(table: Path, tmp_path: Path) -> None:
    vary = {"training.optimizer.lr": ["1.0", "1e-6"]}
    text = (
        "{data: {path: %s}, inputs: {x: number}, outputs: [y], "
        "model: {layers: ''}, training: {batch_size: 14, stop: {epochs: 5}}}"
    )
    wanted = spec.load(text % table)
    found = compare(wanted, vary, seeds=[1], reach=0.8, out=tmp_path / "c")  # seed 1 begins with all answers wrong
    quick, slow = found.settings
    (place,) = (tmp_path / "c").glob("lr-1.0-seed-1*")
    rows = [row for row in history.read(place / "history.jsonl") if row["kind"] == "epoch"]
    first = next(row["step"] for row in rows if float(row["validation/accuracy"] or 0) >= 0.8)
    assert (quick.reached, slow.reached) == ({1: first}, {1: None})
    lines = [line for line in found.text if line.startswith("steps to")]
    assert lines == [
        f"steps to validation accuracy 80.0\u00a0%: lr 1.0: {first}",
        "steps to validation accuracy 80.0\u00a0%: lr 1e-6: not within 15 steps",
    ]
    assert "lr 1e-6: not within 15 steps" in found.page.read_text(encoding="utf-8")
    again = compare(wanted, vary, seeds=[1], reach=0.0, out=tmp_path / "c")  # nothing is trained again
    assert [each.reached for each in again.settings] == [{1: 3}, {1: 3}]
    with pytest.raises(SpecError, match="--reach 95: accuracy is a share of one"):
        compare(wanted, vary, seeds=[1], reach=95.0, out=tmp_path / "c")


def test_what_all_trainings_say_is_said_once(table: Path, tmp_path: Path) -> None:
    told: list[str] = []

    class Remembers(Silent):
        def note(self, text: str) -> None:
            told.append(text)

    compare(_wanted(table), {"model.width": ["2", "3"]}, seeds=2, out=tmp_path / "out", show=Remembers())
    assert len(told) == len(set(told))
    assert [text for text in told if "seed 1 (2 of 2)" in text] == [
        "width 2, seed 1 (2 of 2)",
        "width 3, seed 1 (2 of 2)",
    ]
    assert any("training.optimizer" in text for text in told)


def test_what_the_results_are_worth_is_told_under_the_table_and_on_the_page(table: Path, tmp_path: Path) -> None:
    with table.open("a", encoding="utf-8") as sink:
        sink.write("3,4,a,b\n5,6,a,b\n")  # a cell too many
    found = compare(_wanted(table), {"model.width": ["2", "3"]}, seeds=1, out=tmp_path / "c")
    (told,) = [line for line in found.text if "set aside" in line]
    assert told.startswith("2 of 62 examples set aside (")
    assert "2 of 62 examples set aside (" in found.page.read_text(encoding="utf-8")


def test_an_interrupted_comparison_goes_on_where_it_was(table: Path, tmp_path: Path) -> None:
    vary = {"training.batch_size": ["8", "16"]}
    first = compare(_wanted(table), vary, seeds=1, out=tmp_path / "c")
    places = {path.parent: path.stat().st_mtime_ns for path in (tmp_path / "c").glob("*/model.netwright")}
    lost = max(places)
    shutil.rmtree(lost)
    second = compare(_wanted(table), vary, seeds=1, out=tmp_path / "c")
    assert [setting.scores for setting in second.settings] == [setting.scores for setting in first.settings]
    kept = next(path for path in places if path != lost)
    assert (kept / "model.netwright").stat().st_mtime_ns == places[kept]  # not trained again


def test_a_folder_of_another_question_is_refused(table: Path, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "question.json").write_text('{"spec": "version: 1", "vary": {}}', encoding="utf-8")
    with pytest.raises(NetwrightError, match="holds a study of another spec"):
        compare(_wanted(table), {"training.batch_size": ["8", "16"]}, seeds=1, out=tmp_path / "c")


def test_a_setting_that_diverges_is_told_and_does_not_end_the_rest(table: Path, tmp_path: Path) -> None:
    vary = {"training.optimizer.lr": ["1e-3", "1e20"]}
    text = (
        "{data: {path: %s}, inputs: {x: number}, outputs: {z: number}, "
        "model: {layers: ''}, training: {optimizer: sgd, stop: {epochs: 20}}}"
    )
    base = spec.load(text % table)
    found = compare(base, vary, seeds=1, out=tmp_path / "c")
    calm, wild = found.settings
    assert list(calm.scores) == [0]
    assert "the loss is" in wild.problems[0]
    assert "lr 1e-3" in found.answer


@pytest.mark.parametrize(
    ("vary", "seeds", "says"),
    [
        ({}, 1, "nothing is varied"),
        ({"model.depht": ["1", "2"]}, 1, "depht"),
        ({"training.batch_size": ["8", "-1"]}, 1, "batch_size"),
        ({"training.batch_size": ["8"]}, 0, "at least one seed"),
    ],
)
def test_every_mistake_is_found_before_the_first_training(
    table: Path, tmp_path: Path, vary: dict[str, list[str]], seeds: int, says: str
) -> None:
    with pytest.raises(SpecError, match=says):
        compare(_wanted(table), vary, seeds=seeds, out=tmp_path / "c")
    assert not (tmp_path / "c").exists()


# ---- the verdict -----------------------------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_students() -> None:
    assert mean_interval([0.5]) is None
    assert mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)
    low, high = mean_interval([1.0, 2.0, 3.0]) or (0, 0)
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), abs=1e-5)


def test_a_clear_winner_is_named_alone_and_growth_that_stops_helping_is_seen() -> None:
    said = verdict(_settings([0.60, 0.61, 0.62], [0.90, 0.91, 0.92], [0.899, 0.911, 0.919]), "accuracy", VARY)
    assert said.startswith("Best: depth 2 with accuracy 91.0")
    assert "Not to be told from it on 3 seeds: depth 3." in said
    assert "More depth stopped helping at 2" in said


def test_a_winner_that_explains_nothing_is_no_winner() -> None:
    settings = _settings([-0.02, -0.01, -0.03], [0.05, 0.06, 0.02], [-0.1, -0.1, -0.1])
    settings[1].scores = {0: 0.2, 1: -0.05, 2: 0.06}
    assert verdict(settings, "r2", VARY).endswith("no setting is better than always answering the mean.")


def test_growth_that_still_helps_is_seen() -> None:
    said = verdict(_settings([0.1, 0.11, 0.12], [0.5, 0.51, 0.52], [0.9, 0.91, 0.92]), "accuracy", VARY)
    assert said.startswith("Best: depth 3")
    assert "Not to be told" not in said
    assert "More depth still helped at 3." in said


def test_of_errors_the_smaller_is_better() -> None:
    said = verdict(_settings([5.0, 5.1], [1.0, 1.1]), "rmse", {"model.depth": ["1", "2"]})
    assert said.startswith("Best: depth 2")


def test_one_seed_proves_nothing_and_no_run_says_so() -> None:
    assert "One seed cannot tell luck from merit" in verdict(_settings([0.9], [0.1]), "accuracy", VARY)
    assert verdict(_settings([math.nan], []), "accuracy", VARY) == "No setting finished a run."


def test_a_seed_without_a_score_does_not_hide_the_others() -> None:
    said = verdict(_settings([0.5, 0.5, 0.5], [math.nan, 0.9, 0.91]), "accuracy", {"model.depth": ["1", "2"]})
    assert said.startswith("Best: depth 2")


def test_options_of_a_network_with_a_name_can_be_varied_and_set(tmp_path: Path) -> None:
    words = ["compare", "digits", "--net", "cifar_resnet", "--epochs", "1", "--seeds", "1"]
    words += ["--set", "model.net.depth=8", "--set", "model.net.width=0.25", "--vary", "model.net.shortcut=true,false"]
    assert cli.main([*words, "--to", str(tmp_path / "both"), "--quiet"]) == 0
    folders = [path.parent for path in (tmp_path / "both").glob("*/resolved.yaml")]
    texts = [str(load_resolved(folder / "resolved.yaml").spec.model.layers) for folder in folders]
    assert sorted("add" in text for text in texts) == [False, True]
