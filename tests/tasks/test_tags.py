"""Tags: a yes or no for each class, thresholds chosen on what was held out, baselines that do the same."""

from __future__ import annotations

import pytest
import torch

from netwright.errors import SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.tags import Tags
from netwright.tasks.task import Coded, task_for


def tags(*classes: str, thresholds: tuple[float, ...] = (), **said: str) -> Tags:
    field = Field(
        name="labels",
        kind="tags",
        source="labels",
        shape=(len(classes),),
        dtype="uint8",
        vocabulary=classes,
        thresholds=thresholds,
        options={"separator": ";"},
    )
    task = task_for("labels", field, OutputSpec.model_validate(said))
    assert isinstance(task, Tags)
    return task


def test_the_loss_is_the_mean_of_each_yes_or_no() -> None:
    task = tags("a", "b")
    terms = task.terms(torch.tensor([[0.0, 0.0], [30.0, -30.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    assert terms.tolist() == pytest.approx([0.693147, 15.0])
    squared = tags("a", "b", loss="squared").terms(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    assert squared.tolist() == [0.25]


def test_chance_is_the_entropy_of_the_shares() -> None:
    targets = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    assert tags("a", "b").chance(targets) == pytest.approx(0.693147 / 2, abs=1e-5)


def test_scores_follow_the_thresholds() -> None:
    answers = torch.tensor([[0.9, 0.3], [0.4, 0.2], [0.1, 0.1]])
    truth = torch.tensor([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    half, own = tags("a", "b"), tags("a", "b", thresholds=(0.25, 0.25))
    assert half.score(answers, truth) == pytest.approx(
        {"mean_average_precision": 1.0, "exact_match": 1 / 3, "f1": 2 / 4}
    )
    assert own.score(answers, truth) == {"mean_average_precision": 1.0, "exact_match": 1.0, "f1": 1.0}
    settled = half.settled(answers, truth)
    assert settled.thresholds == pytest.approx((0.25, 0.25))
    assert settled.unfitted() == half.field
    assert half.words(answers) == ["a", "", ""]
    assert own.words(answers) == own.words(truth) == ["a;b", "a", ""]
    assert own.decode(answers) == [
        [("a", pytest.approx(0.9)), ("b", pytest.approx(0.3))],
        [("a", pytest.approx(0.4))],
        [],
    ]
    assert half.surest_mistakes(answers, truth, 5) == [0, 1]
    first, second = half.by_class(answers, truth)
    assert (first.name, first.count, first.average_precision) == ("a", 2, 1.0)
    assert (first.threshold, first.precision, first.recall) == (0.5, 1.0, 0.5)
    assert (second.precision, second.recall) == (None, 0.0)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"unit": "softmax"}, r"softmax was asked for, but \"labels\" has tags, .*unit: sigmoid.*kind: category"),
        ({"unit": "identity"}, "identity was asked for"),
        ({"loss": "cross_entropy"}, r"cross_entropy takes one true class.*loss: binary_cross_entropy"),
    ],
)
def test_tags_refuse_what_does_not_fit_with_the_fix(said: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        tags("a", "b", **said)


def test_tags_are_compared_with_their_shares_and_a_line_each() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 4, generator=generator)
    targets = torch.stack([inputs[:, 0] > 0, inputs[:, 1] > 1, torch.zeros(400, dtype=torch.bool)], dim=1).float()
    train, test = Coded({"table": inputs[:300]}, targets[:300]), Coded({"table": inputs[300:]}, targets[300:])
    shares, linear = tags("a", "b", "c").baselines(train, test, seed=0)
    assert shares.scores["mean_average_precision"] == pytest.approx(float(targets[300:, :2].mean()))
    assert linear.scores["mean_average_precision"] > 0.98
    assert linear.scores["f1"] > 0.9
    low, high = linear.interval["mean_average_precision"]
    assert low <= linear.scores["mean_average_precision"] <= high


def test_a_mean_that_rests_on_few_examples_says_so() -> None:
    task, answers = tags("a", "b", "c"), torch.full((8, 3), 0.5)
    truth = torch.tensor([[1.0, 1.0, 0.0]] + [[1.0, 0.0, 0.0]] * 7)
    assert task.remarks(answers, truth) == [
        "the mean average precision rests on few examples of b (1)",
        "it leaves out what no example has: c",
    ]
    assert task.remarks(answers[:, :1], truth[:, :1]) == []
    assert task.remarks() == []
