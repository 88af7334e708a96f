"""An answer at every step: real steps alone count, each alike, and whole sequences are drawn for intervals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.per_step import PerStep
from netwright.tasks.task import Coded, task_for

NAN = float("nan")


def labels(*classes: str, **wish: object) -> PerStep:
    options = {"per": "x", "longest": 100}
    field = Field(
        name="out", kind="labels", source="out", dtype="int32", vocabulary=classes, ragged=True, options=options
    )
    task = task_for("out", field, OutputSpec.model_validate(wish))
    assert isinstance(task, PerStep)
    return task


def heights() -> PerStep:
    options = {"per": "x", "longest": 100}
    facts = {"shape": (1,), "mean": (10.0,), "std": (2.0,), "ragged": True, "options": options}
    task = task_for("out", Field(name="out", kind="signal", source="out", dtype="float64", **facts), OutputSpec())
    assert isinstance(task, PerStep)
    return task


TARGETS = torch.tensor([[0, 0, 1, 2], [2, 1, -1, -1]])
OUTPUTS = torch.tensor([[[9.0, 0, 0], [9, 0, 0], [9, 0, 0], [0, 0, 9]], [[0, 0, 9], [0, 0, 9], [NAN] * 3, [NAN] * 3]])


def test_steps_behind_the_end_change_no_loss_and_get_no_gradient() -> None:
    task = labels("a", "b", "c")
    outputs = OUTPUTS.clone().requires_grad_()
    loss = task.loss(outputs, TARGETS)
    flat = torch.nn.functional.cross_entropy(OUTPUTS[TARGETS >= 0], TARGETS[TARGETS >= 0])
    assert float(loss.detach()) == pytest.approx(float(flat))
    loss.backward()
    assert outputs.grad is not None
    assert torch.equal(outputs.grad[1, 2:], torch.zeros(2, 3))
    each = task.terms(OUTPUTS, TARGETS)
    assert float(each[0]) == pytest.approx((3 * 0.00025 + 9.00025) / 4, abs=1e-4)  # one of four steps is wrong
    assert float(each[1]) == pytest.approx((0.00025 + 9.00025) / 2, abs=1e-4)


def test_scores_count_steps_and_balanced_accuracy_classes() -> None:
    task = labels("a", "b", "c")
    scores = task.score(task.answers(OUTPUTS), TARGETS)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["balanced_accuracy"] == pytest.approx((1 + 0 + 1) / 3)
    assert task.confusion(task.answers(OUTPUTS), TARGETS).tolist() == [[2, 0, 0], [1, 0, 1], [0, 0, 2]]
    wrong = torch.tensor([[[10.0], [12.0]], [[20.0], [NAN]]])
    scores = heights().score(wrong, torch.tensor([[[10.0], [10.0]], [[21.0], [NAN]]]))
    assert scores["mae"] == pytest.approx(1.0)
    assert scores["rmse"] == pytest.approx((5 / 3) ** 0.5)


def test_intervals_draw_sequences_and_not_their_steps() -> None:
    """Half of the sequences are wholly right, the others wholly wrong: forty independent sequences, not 4,000 steps."""
    task = labels("a", "b")
    targets = torch.zeros(40, 100, dtype=torch.int64)
    answers = torch.zeros(40, 100, 2)
    answers[:20, :, 0] = 1
    answers[20:, :, 1] = 1
    low, high = task.interval(answers, targets)["accuracy"]
    assert 0.3 < low < 0.4 < 0.6 < high < 0.7
    pairs = np.arange(40) // 20  # two people: anything is possible
    assert task.interval(answers, targets, pairs)["accuracy"] == (0.0, 1.0)


def test_numbers_come_back_in_their_own_units_with_nothing_behind_the_end() -> None:
    task = heights()
    found = task.answers(torch.tensor([[[0.0], [1.0]], [[-1.0], [NAN]]]))
    assert found[0].flatten().tolist() == [10, 12]
    assert found[1, 0].item() == 8
    assert found[1, 1].isnan().all()
    flat, counts = task.steps(found)
    assert (flat.tolist(), counts) == ([10, 12, 8], [2, 1])
    assert task.decode(found) == ["10, 12", "8"]


def test_answers_are_told_as_stretches() -> None:
    task = labels("a", "b", "c")
    assert task.decode(task.answers(OUTPUTS)) == ["a 1-3, c 4", "c 1-2"]
    assert task.truths(TARGETS) == ["a", "a", "b", "c", "c", "b"]


def test_baselines_see_one_step_and_learn_from_all() -> None:
    """The class is the sign of the step: a line finds it; the commonest class is right in its share."""
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(30, 20, 2, generator=chance)
    targets = (x[..., 0] > -0.5).long()
    x[10:, 12:] = torch.nan
    targets[10:, 12:] = -1
    known = Coded({"x": torch.zeros(30, 5)}, targets, steps={"x": x})
    majority, linear = labels("no", "yes").baselines(known, known, seed=0)
    real = targets[targets >= 0]
    assert majority.scores["accuracy"] == pytest.approx(float((real == 1).float().mean()))
    assert majority.scores["balanced_accuracy"] == pytest.approx(0.5)
    assert linear.scores["accuracy"] > 0.98
    assert linear.note.startswith("on each step alone")
    numbers = Coded({}, torch.where(targets[..., None] >= 0, 3 * x[..., :1] + 1, torch.nan), steps={"x": x})
    mean, line = heights().baselines(numbers, numbers, seed=0)
    assert mean.scores["r2"] == pytest.approx(0.0, abs=1e-6)
    assert line.scores["r2"] > 0.999


def test_tokens_are_told_apart_one_by_one() -> None:
    tokens = torch.tensor([[1, 2, 1, 2], [2, 1, -1, -1]] * 8)
    targets = torch.where(tokens < 0, -1, tokens - 1)
    known = Coded({"x": torch.zeros(16, 3)}, targets, tokens={"x": tokens})
    found = labels("noun", "verb").baselines(known, known, seed=0)
    assert found[-1].name == "bag_of_words"
    assert found[-1].scores["accuracy"] == 1


def test_classes_can_weigh_differently() -> None:
    even, heavy = labels("a", "b", "c"), labels("a", "b", "c", class_weights={"b": 10.0})
    assert float(heavy.loss(OUTPUTS, TARGETS)) > 3 * float(even.loss(OUTPUTS, TARGETS))
