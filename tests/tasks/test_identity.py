"""Identities: triplets against a plain count, retrieval on a line, known ones and strangers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from netwright import losses
from netwright.errors import SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks import retrieval
from netwright.tasks.identity import Identity
from netwright.tasks.task import Coded, task_for

LINE = torch.tensor([[0.0], [1.0], [5.0], [6.0], [8.0]], dtype=torch.float64)
WHO = torch.tensor([0, 0, 1, 2, 2])  # 5 stands alone; 6 lies nearer to it than to 8


def identity(*names: str, centres: tuple = (), thresholds: tuple[float, ...] = (), **said: object) -> Identity:
    field = Field(
        name="who",
        kind="identity",
        source="who",
        dtype="int32",
        vocabulary=names,
        centres=centres,
        thresholds=thresholds,
    )
    task = task_for("who", field, OutputSpec.model_validate(said))
    assert isinstance(task, Identity)
    return task


def on_circle(*degrees: float) -> Tensor:
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def counted_by_hand(points: Tensor, codes: Tensor, anchor: int) -> float:
    """Semi-hard triplets of one anchor, one by one."""
    apart = [float((points[anchor] - other).square().sum()) for other in points]
    negatives = [apart[n] for n in range(len(codes)) if codes[n] != codes[anchor]]
    costs = []
    for p in range(len(codes)):
        if p != anchor and codes[p] == codes[anchor] and negatives:
            further = [distance for distance in negatives if distance > apart[p]]
            costs.append(max(0.0, apart[p] - (min(further) if further else max(negatives)) + 0.2))
    return sum(costs) / len(costs) if costs else 0.0


@pytest.mark.parametrize("codes", [[0, 0, 1, 1, 2, 2, 2, 3], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 1]])
def test_every_pair_meets_the_nearest_negative_beyond_it(codes: list[int]) -> None:
    outputs = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    points, targets = torch.nn.functional.normalize(outputs, dim=1), torch.tensor(codes)
    terms = identity(*"abcd", dim=3).terms(outputs, targets)
    assert terms.tolist() == pytest.approx([counted_by_hand(points, targets, at) for at in range(8)], abs=1e-6)
    assert float(terms.max()) > 0


@pytest.mark.parametrize("codes", [[0, 1, 2, 3], [0, 0, 0, 0]])
def test_a_batch_without_positives_or_negatives_costs_and_teaches_nothing(codes: list[int]) -> None:
    outputs = torch.randn(4, 3, requires_grad=True)
    loss = identity(*"abcd", dim=3).loss(outputs, torch.tensor(codes))
    loss.backward()
    assert loss.item() == 0
    assert outputs.grad is not None
    assert outputs.grad.tolist() == [[0.0] * 3] * 4


def test_embeddings_in_one_point_cost_the_margin_and_find_by_chance() -> None:
    task, codes = identity("a", "b"), torch.arange(40) % 2
    assert float(task.loss(torch.zeros(40, 64), codes)) == pytest.approx(losses.MARGIN)
    assert task.chance(codes) == losses.MARGIN
    scores = task.score(torch.zeros(40, 64), codes)
    assert scores["precision_at_1"] == pytest.approx(19 / 39)
    assert scores["auc"] == 0.5


def test_scores_on_a_line() -> None:
    task = identity("a", "b", "c")
    scores = task.score(LINE, WHO)
    assert scores["precision_at_1"] == task.watched(LINE, WHO) == 0.75
    # 0 and 1 find each other first; of 6's others 5 is nearer than 8: 1/2; of 8's others 6 is the nearest
    assert scores["mean_average_precision"] == pytest.approx((1 + 1 + 1 / 2 + 1) / 4)
    # same pairs 1 and 2; different ones 5 6 8 4 5 7 1 3: the 1 ties with the first and lies within the second
    assert scores["auc"] == pytest.approx((7.5 + 7) / 16)
    spread = task.apart(LINE, WHO)
    assert spread is not None
    assert (sum(spread.same), sum(spread.different)) == (2, 8)
    assert spread.low <= 1
    assert spread.high >= 8
    assert task.nearest(LINE, 3, 2) == [(2, 1.0), (4, 2.0)]
    assert task.surest_mistakes(LINE, WHO, 5) == [3]
    assert "1 example had no other of the same identity to be found by" in task.remarks(LINE, WHO)


def test_identities_that_stand_alone_ask_for_nobody() -> None:
    task, alone = identity(*"abcde"), torch.arange(5)
    assert set(task.undefined(alone)) == set(task.score(LINE, alone)) == set(task.interval(LINE, alone))
    assert task.undefined(WHO) == ()
    assert task.score(LINE, alone)["precision_at_1"] == 0
    assert task.surest_mistakes(LINE, alone, 5) == []
    assert task.apart(LINE, alone) is None


def test_many_examples_are_drawn_by_chance_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "MOST_COMPARED", 50)
    points, codes = torch.randn(300, 4), torch.arange(300) % 3
    drawn = torch.from_numpy(retrieval.chosen(300))
    assert len(drawn) == 50
    task = identity("a", "b", "c", dim=4)
    assert task.score(points, codes) == pytest.approx(task.score(points[drawn], codes[drawn]))
    assert task.score(points, codes) != pytest.approx(task.score(points[:50], codes[:50]))
    assert "the scores compare 50 of 300 examples, drawn by chance" in task.remarks(points, codes)


def test_the_threshold_keeps_nearly_all_who_are_known() -> None:
    task = identity("ann", "bob", "cy", dim=2)
    assert task.decode(on_circle(0.0)) == [[1.0, 0.0]]
    assert set(task.columns(on_circle(0.0))) == {":1", ":2"}
    learned = task.learned(on_circle(-20, 20, 80, 100), torch.tensor([0, 0, 1, 1]))
    assert learned.centres == (pytest.approx((1, 0)), pytest.approx((0, 1), abs=1e-6), ())
    knows = identity("ann", "bob", "cy", centres=learned.centres, dim=2)
    settled = knows.settled(on_circle(10, 75, 200), torch.tensor([0, 1, 2]))  # cy was not learned and says nothing
    near, far = (2 * math.sin(math.radians(degrees / 2)) for degrees in (10, 15))
    assert settled.thresholds == (pytest.approx(near + 0.95 * (far - near), abs=1e-6),)
    sure = identity("ann", "bob", "cy", centres=learned.centres, thresholds=settled.thresholds, dim=2)
    asked = on_circle(5, 90, 180)
    assert sure.decode(asked, 1) == ["ann at 0.09", "bob at 0.00", "nobody known (nearest bob at 1.41)"]
    assert sure.decode(asked, 3)[0] == "ann at 0.09, bob at 1.35"
    columns = sure.columns(asked)
    assert columns[""] == ["ann", "bob", None]
    assert columns["_distance"] == pytest.approx([0.0872, 0.0, 2**0.5], abs=1e-3)
    assert columns[":2"] == pytest.approx([0.0872, 1.0, 0.0], abs=1e-3)
    told = sure.remarks(on_circle(10, 75, 75, 200, 5), torch.tensor([0, 1, 1, 2, 9]))
    assert told[0].startswith("beyond a distance of 0.257 nobody is known (within it lie 95 % of")
    assert told[1].startswith("33.3\u00a0% of 3 examples of known identities lie within it and are named")
    assert told[2].startswith("50.0\u00a0% of 2 examples of other identities lie within it and are named")


def test_no_threshold_is_chosen_where_nobody_held_out_is_known() -> None:
    task = identity("ann", "bob", dim=2)
    assert task.settled(on_circle(0), torch.tensor([0])) == task.field
    learned = task.learned(on_circle(0), torch.tensor([0]))
    knows = identity("ann", "bob", centres=learned.centres, dim=2)
    assert knows.settled(on_circle(50), torch.tensor([1])) == knows.field
    assert knows.settled(on_circle(50), torch.tensor([7])) == knows.field  # new in the data
    with pytest.raises(ValueError, match="who has no centres yet"):
        task.distances(on_circle(0))
    with pytest.raises(ValueError, match="centres of 2 numbers for embeddings of 64"):
        identity("ann", "bob", centres=learned.centres)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"unit": "softmax"}, r"softmax was asked for, but \"who\" gives embeddings.*kind: category"),
        ({"loss": "cross_entropy"}, r"cross_entropy compares classes, but \"who\" gives embeddings.*loss: triplet"),
    ],
)
def test_identities_refuse_what_does_not_fit_with_the_fix(said: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        identity("a", "b", **said)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"loss": "triplet"}, "triplet compares embeddings, and y is a category"),
        ({"dim": 8}, "y is a category and has no embedding"),
    ],
)
def test_others_have_no_embeddings(said: dict[str, object], message: str) -> None:
    field = Field(name="y", kind="category", source="y", dtype="int32", vocabulary=("a", "b"))
    with pytest.raises(SpecError, match=message):
        task_for("y", field, OutputSpec.model_validate(said))


def test_baselines_are_chance_and_the_inputs_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = torch.arange(60) % 3
    inputs = codes[:, None] + 0.01 * torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    data = Coded({"x": inputs}, codes, np.arange(60) // 2)
    chance, plain = identity("a", "b", "c").baselines(data, data, seed=0)
    assert chance.scores["precision_at_1"] == pytest.approx(19 / 59)
    assert plain.scores == {"precision_at_1": 1.0, "mean_average_precision": 1.0, "auc": 1.0}
    assert plain.note == ""
    monkeypatch.setattr("netwright.tasks.identity.MOST_NUMBERS", 1)
    wide = Coded({"x": inputs.repeat(3, 1)}, codes.repeat(3))
    assert identity("a", "b", "c").baselines(wide, wide, seed=0)[1].note == "among 100 of 180 test examples"
