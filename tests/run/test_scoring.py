"""After training: scores that can be recounted from the written answers, and facts that agree with them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from netwright import run
from netwright.report.facts import Facts
from netwright.run import gather, scoring
from netwright.run.folder import RunFolder


def test_scores_can_be_recounted_from_the_predictions(trained: Path) -> None:
    rows = pq.read_table(RunFolder(trained).predictions).to_pylist()
    outcome = run.resume(trained)
    for part in ("validation", "test"):
        mine = [row for row in rows if row["part"] == part]
        right = sum(row["class"] == row["class_truth"] for row in mine)
        assert outcome.scores["class"][part]["accuracy"] == pytest.approx(right / len(mine))
    assert all(row["class:small"] + row["class:tall"] == pytest.approx(1, abs=1e-6) for row in rows)


def test_facts_hold_intervals_baselines_and_a_confusion_that_adds_up(trained: Path) -> None:
    facts = Facts.read(RunFolder(trained).facts)
    (output,) = facts.outputs
    low, high = output.intervals["accuracy"]
    assert low <= output.scores["test"]["accuracy"] <= high
    assert {baseline.name for baseline in output.baselines} >= {"majority", "linear"}
    assert sum(map(sum, output.confusion)) == facts.ledger.splits["test"] == 18
    assert sum(output.confusion[i][i] for i in range(2)) / 18 == pytest.approx(output.scores["test"]["accuracy"])
    assert facts.test_reads == 1
    assert [point.epoch for point in facts.curves] == [1, 2, 3, 4, 5]
    assert facts.parameters == sum(layer.parameters for layer in facts.layers) == 49
    assert facts.ledger.counts == {"used": 120, "refused": 0, "quarantined": 0}
    assert facts.ledger.policy.startswith("stratified: every part has the same shares of the classes")
    assert facts.small_net is not None
    assert [len(units) for units in facts.small_net.units] == [4, 8, 1]


def test_a_linear_model_on_pictures_shows_its_templates(picture_run: Path) -> None:
    facts = Facts.read(RunFolder(picture_run).facts)
    assert [template.label for template in facts.templates] == ["dark"]  # one unit: the evidence for the second class
    assert facts.noun == "images"
    assert all(shown.picture for shown in facts.outputs[0].grid)


def test_answers_become_columns(trained: Path) -> None:
    classes = scoring.answer_columns("y", ("a", "b"), torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
    assert {name: column.to_pylist() for name, column in classes.items()} == {
        "y": ["b", "a"], "y:a": [0.25, 1.0], "y:b": [0.75, 0.0],
    }  # fmt: skip
    many = scoring.answer_columns("y", tuple(f"c{i}" for i in range(1001)), torch.eye(1001)[5:6])
    assert list(many) == ["y", "y_probability"]
    assert scoring.answer_columns("y", (), torch.tensor([1.5]))["y"].to_pylist() == [1.5]


def test_curves_are_the_epochs_of_the_history() -> None:
    rows = [
        {"kind": "step", "step": 1},
        {"kind": "epoch", "epoch": 1, "train/loss": 2.0, "validation/loss": None, "lr": 0.1},
        {"kind": "action", "step": 3},
    ]
    (point,) = gather.curves(rows)
    assert (point.epoch, point.train, point.validation, point.lr) == (1, {"loss": 2.0}, {"loss": None}, 0.1)
