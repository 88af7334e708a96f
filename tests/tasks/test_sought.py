"""One class that is sought: thresholds, costs and scores, with answers known by thought."""

from __future__ import annotations

import pytest
import torch

from netwright import metrics
from netwright.errors import SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.category import Category
from netwright.tasks.task import task_for

CHANCE = torch.tensor([0.9, 0.8, 0.4, 0.3, 0.2, 0.1])
TRUE = torch.tensor([1, 0, 1, 0, 0, 0])
ANSWERS = torch.stack([1 - CHANCE, CHANCE], dim=1)


def sought(positive: str = "yes", *, thresholds: tuple[float, ...] = (), **said: object) -> Category:
    field = Field(
        name="fraud", kind="category", source="f", dtype="int32", vocabulary=("no", "yes"), thresholds=thresholds
    )
    task = task_for("fraud", field, OutputSpec.model_validate({"positive": positive, **said}))
    assert isinstance(task, Category)
    return task


def test_its_scores_are_about_finding_it() -> None:
    task = sought()
    scores = task.score(ANSWERS, TRUE)
    assert task.headline == "average_precision"
    assert scores["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0.5, 0.5, 0.5)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert list(task.interval(ANSWERS, TRUE)) == list(scores)


def test_without_an_example_of_it_nothing_can_be_said_of_finding_it() -> None:
    task = sought()
    assert task.undefined(TRUE) == ()
    assert set(task.undefined(torch.zeros(6, dtype=torch.int64))) == {"average_precision", "precision", "recall", "f1"}


def test_either_class_may_be_sought() -> None:
    other = sought("no").score(ANSWERS, TRUE)
    assert other["recall"] == pytest.approx(3 / 4)
    assert other["precision"] == pytest.approx(3 / 4)


def test_the_best_f1_is_chosen_between_two_answers_and_kept_in_the_field() -> None:
    task = sought(threshold="f1")
    field = task.settled(ANSWERS, TRUE)
    assert field.thresholds == pytest.approx((0.65, 0.35))
    kept = sought(threshold="f1", thresholds=field.thresholds)
    assert kept.chosen(ANSWERS).tolist() == [1, 1, 1, 0, 0, 0]
    assert kept.score(ANSWERS, TRUE)["recall"] == 1
    assert kept.words(ANSWERS) == ["yes", "yes", "yes", "no", "no", "no"]
    assert kept.words(TRUE) == ["yes", "no", "yes", "no", "no", "no"]


@pytest.mark.parametrize(
    ("missed", "alarm", "found"), [(1, 100, [1, 0, 0, 0, 0, 0]), (10, 1, [1, 1, 1, 0, 0, 0]), (0, 1, [0] * 6)]
)
def test_costs_decide_where_the_alarm_begins(missed: float, alarm: float, found: list[int]) -> None:
    said = {"threshold": "cost", "cost": {"missed": missed, "false_alarm": alarm}}
    field = sought(**said).settled(ANSWERS, TRUE)
    assert sought(**said, thresholds=field.thresholds).chosen(ANSWERS).tolist() == found


def test_no_threshold_is_cheaper_than_the_cheapest() -> None:
    generator = torch.Generator().manual_seed(0)
    chance = torch.rand(200, generator=generator)
    true = (torch.rand(200, generator=generator) < chance**2).double()

    def cost(threshold: float) -> float:
        given = chance.double() >= threshold
        return float(5 * (true * ~given).sum() + 2 * ((1 - true) * given).sum())

    best = metrics.cheapest_threshold(chance, true, 5.0, 2.0)
    assert all(cost(best) <= cost(place / 500) for place in range(501))


def test_a_number_is_the_threshold_as_given() -> None:
    task = sought(threshold=0.25)
    assert task.chosen(ANSWERS).tolist() == [1, 1, 1, 1, 0, 0]
    assert task.settled(ANSWERS, TRUE).thresholds == (0.75, 0.25)


def test_the_table_of_alarms_adds_up() -> None:
    task = sought(threshold="cost", cost={"missed": 10, "false_alarm": 1})
    assert task.sought is not None
    chosen, likelier, wide = task.sought.alarms(ANSWERS, TRUE)
    assert (likelier.alarms, likelier.missed, likelier.false_alarms, likelier.cost) == (2, 1, 1, 11)
    assert chosen.name == "chosen: least cost on validation"
    assert (wide.name, wide.recall, wide.false_alarms) == ("finds 90 % of them", 1.0, 1)
    assert sum(task.sought.curve(ANSWERS, TRUE), ()) == pytest.approx((0.5, 1.0, 1.0, 2 / 3))


def test_the_answered_class_stands_first_though_it_is_not_the_likelier() -> None:
    task = sought(threshold=0.25)
    assert [label for label, _ in task.decode(ANSWERS[2:3])[0]] == ["yes", "no"]
    assert task.confusion(ANSWERS, TRUE).tolist() == [[2, 2], [0, 2]]


def test_what_is_no_class_or_not_among_two_is_refused() -> None:
    with pytest.raises(SpecError, match=r'"yess" is no class \(did you mean "yes"\?\)'):
        sought("yess")
    field = Field(name="f", kind="category", source="f", dtype="int32", vocabulary=("a", "b", "c"))
    with pytest.raises(SpecError, match="has 3 classes; one is sought among two"):
        task_for("f", field, OutputSpec(positive="a"))


def test_calibration_compares_what_was_said_with_what_came() -> None:
    bins = metrics.calibration(torch.tensor([0.95, 0.95, 0.05, 1.0]), torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert sum(bins, ()) == pytest.approx((0.05, 0.0, 1, 2.9 / 3, 2 / 3, 3))
    assert metrics.calibration_error(bins) == pytest.approx((0.05 + 3 * (2.9 / 3 - 2 / 3)) / 4)
