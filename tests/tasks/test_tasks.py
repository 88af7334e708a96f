"""Tasks: what each accepts, refuses, answers and is compared with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwright import metrics
from netwright.errors import DataError, SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.task import MOST_NUMBERS, Coded, Task, Whole, rows_for_baseline, task_for


def category(*classes: str, **said: object) -> Task:
    field = Field(name="animal", kind="category", source="animal", dtype="int32", vocabulary=classes)
    return task_for("animal", field, OutputSpec(**said))


def number(mean: float = 0.0, std: float = 1.0, **said: object) -> Task:
    field = Field(name="price", kind="number", source="price", dtype="float32", mean=(mean,), std=(std,))
    return task_for("price", field, OutputSpec(**said))


def vector(mean: tuple[float, ...], std: tuple[float, ...]) -> Task:
    field = Field(name="place", kind="vector", source="p", shape=(len(mean),), dtype="float32", mean=mean, std=std)
    return task_for("place", field, OutputSpec())


@pytest.mark.parametrize(
    ("classes", "said", "unit", "units"),
    [
        (("a", "b"), {}, "sigmoid", 1),
        (("a", "b"), {"unit": "softmax"}, "softmax", 2),
        (("a", "b"), {"loss": "squared"}, "sigmoid", 1),
        (("a", "b", "c"), {}, "softmax", 3),
        (("a", "b", "c"), {"loss": "squared"}, "softmax", 3),
    ],
)
def test_a_category_has_the_head_its_classes_need(
    classes: tuple[str, ...], said: dict[str, str], unit: str, units: int
) -> None:
    task = category(*classes, **said)
    assert (task.unit, task.units, task.headline, task.watch) == (unit, units, "accuracy", ("accuracy", "max"))
    answers = task.answers(torch.randn(5, units))
    assert answers.shape == (5, len(classes))
    torch.testing.assert_close(answers.sum(dim=1), torch.ones(5))
    assert task.terms(torch.randn(5, units), torch.tensor([0, 1, 0, 1, 1])).shape == (5,)


def test_what_is_left_open_comes_with_a_reason() -> None:
    assert [(reason.path, reason.value) for reason in category("a", "b").reasons] == [
        ("outputs.animal.unit", "sigmoid"),
        ("outputs.animal.loss", "binary_cross_entropy"),
    ]
    assert category("a", "b", "c", unit="softmax", loss="cross_entropy").reasons == []
    assert [(reason.path, reason.value) for reason in number().reasons] == [
        ("outputs.price.unit", "identity"),
        ("outputs.price.loss", "squared"),
    ]


def test_one_score_speaks_for_the_second_class() -> None:
    task = category("cat", "dog")
    answers = task.answers(torch.tensor([[2.0], [-1000.0], [1000.0]]))
    assert answers[0].tolist() == pytest.approx([0.1192, 0.8808], abs=1e-4)
    assert answers[1:].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_softmax_of_the_lecture_example() -> None:
    answers = category("a", "b", "c").answers(torch.tensor([[-0.62, 8.12, 2.53]]))
    assert answers[0].tolist() == pytest.approx([0.0002, 0.9961, 0.0037], abs=5e-5)


@pytest.mark.parametrize("said", [{}, {"loss": "squared"}])
@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_outputs_of_a_thousand_give_no_nan(classes: tuple[str, ...], said: dict[str, str]) -> None:
    task = category(*classes, **said)
    outputs = torch.tensor([[1000.0], [-1000.0]]).repeat(1, task.units).requires_grad_()
    terms = task.terms(outputs, torch.tensor([0, 1]))
    terms.sum().backward()
    assert torch.isfinite(terms).all()
    assert torch.isfinite(outputs.grad).all()
    assert torch.isfinite(task.answers(outputs)).all()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"unit": "softmax"},
            r'outputs\.price\.unit: softmax was asked for, but "price" is a real number.*identity, or leave it out',
        ),
        ({"unit": "sigmoid"}, r"cannot leave the range 0 to 1.*Write outputs\.price\.unit: identity"),
        ({"loss": "cross_entropy"}, r"outputs\.price\.loss: cross_entropy compares class probabilities.*loss: squared"),
        ({"loss": "sqared"}, r'unknown loss "sqared" \(did you mean "squared"\?\)'),
        ({"unit": "softmax", "loss": "cross_entropy"}, r"(?s)price\.unit: softmax.*price\.loss: cross_entropy"),
    ],
)
def test_a_number_refuses_units_and_losses_of_classes_with_the_fix(said: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        number(**said)


@pytest.mark.parametrize(
    ("classes", "said", "message"),
    [
        (("a", "b"), {"unit": "identity"}, r"identity was asked for, but .* is a category.*unit: sigmoid"),
        (("a", "b", "c"), {"unit": "identity"}, r"Write outputs\.animal\.unit: softmax.*kind: number"),
        (("a", "b", "c"), {"unit": "sigmoid"}, r"has 3 classes of which exactly one is true.*unit: softmax"),
        (
            ("a", "b"),
            {"loss": "cross_entropy", "unit": "sigmoid"},
            r"takes a score per class .* is sigmoid.*binary_cross_entropy",
        ),
        (("a", "b", "c"), {"loss": "binary_cross_entropy"}, r"takes one score .* is softmax.*loss: cross_entropy"),
    ],
)
def test_a_category_refuses_what_does_not_fit_with_the_fix(
    classes: tuple[str, ...], said: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        category(*classes, **said)


@pytest.mark.parametrize(
    "setting", [{"tokens": "words"}, {"lower": True}, {"vocabulary": 9}, {"align": "ctc"}, {"longest": 4}]
)
def test_what_is_said_of_texts_is_refused_elsewhere_and_not_passed_over(setting: dict[str, object]) -> None:
    (name,) = setting
    with pytest.raises(SpecError, match=rf"outputs\.animal\.{name}: animal is a category, no text"):
        category("cat", "dog", **setting)
    with pytest.raises(SpecError, match=rf"outputs\.price\.{name}: price is a number, no text"):
        number(**setting)


def test_the_tokens_of_what_comes_next_are_said_of_what_goes_in() -> None:
    field = Field(name="next", kind="text", source="next", dtype="uint8", ragged=True, vocabulary=("?", "a", "b"))
    field = field.model_copy(update={"options": {"of": "text", "tokens": "characters"}})
    with pytest.raises(SpecError, match=r"outputs\.next\.tokens: next has the tokens of text") as caught:
        task_for("next", field, OutputSpec(of="text", tokens="words"))
    assert caught.value.cure == "Say it of inputs.text."


def test_only_a_number_turns_with_its_picture() -> None:
    with pytest.raises(SpecError, match=r"outputs\.animal\.when_mirrored: animal is a category, no number"):
        category("cat", "dog", when_mirrored="negate")


@pytest.mark.parametrize(("classes", "message"), [((), "no class"), (("cat",), 'one class, "cat"')])
def test_a_category_needs_two_classes(classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        category(*classes)


def test_a_kind_that_cannot_come_out_is_named() -> None:
    field = Field(name="photo", kind="image", source="photo", shape=(8, 8, 3), dtype="uint8")
    with pytest.raises(
        SpecError,
        match=r'outputs\.photo: kind "image" cannot be an output; category, number, .* track, series, identity can',
    ):
        task_for("photo", field, OutputSpec())


def test_numbers_are_learned_standardised_and_answered_in_their_own_units() -> None:
    task = number(mean=200_000.0, std=50_000.0)
    targets = torch.tensor([150_000.0, 300_000.0])
    perfect = torch.tensor([[-1.0], [2.0]])
    assert task.terms(perfect, targets).tolist() == [0.0, 0.0]
    assert task.terms(torch.zeros(2, 1), targets).tolist() == [1.0, 4.0]
    assert task.answers(perfect).tolist() == targets.tolist()
    assert task.decode(task.answers(perfect)) == [150_000.0, 300_000.0]


def test_vectors_have_a_scale_for_each_number() -> None:
    task = vector((10.0, -1.0), (2.0, 0.5))
    assert task.units == 2
    assert task.answers(torch.tensor([[1.0, -2.0]])).tolist() == [[12.0, -2.0]]
    assert task.terms(torch.tensor([[1.0, -2.0]]), torch.tensor([[12.0, -1.0]])).tolist() == [2.0]


def test_targets_that_never_change_do_not_divide_by_zero() -> None:
    assert number(mean=3.0, std=0.0).terms(torch.zeros(1, 1), torch.tensor([3.0])).tolist() == [0.0]


def test_the_likeliest_classes_come_first() -> None:
    task = category("ant", "bee", "cat", "dog")
    (ranked,) = task.decode(torch.tensor([[0.1, 0.6, 0.05, 0.25]]))
    assert [name for name, _ in ranked] == ["bee", "dog", "ant"]
    assert [share for _, share in ranked] == pytest.approx([0.6, 0.25, 0.1])
    assert len(task.decode(torch.full((1, 4), 0.25), top=9)[0]) == 4


def test_intervals_hold_the_score_and_widen_with_groups() -> None:
    task = category("a", "b", "c", "d")
    torch.manual_seed(0)
    targets = torch.arange(200) % 4
    groups = np.arange(200) // 20
    outputs = torch.randn(10, 4).repeat_interleave(20, 0) + torch.nn.functional.one_hot(targets, 4)
    answers = task.answers(outputs)
    scores, alone = task.score(answers, targets), task.interval(answers, targets)
    grouped = task.interval(answers, targets, groups)
    assert list(scores) == ["accuracy", "log_loss", "top3"] == list(alone) == list(grouped)
    for name, score in scores.items():
        assert alone[name][0] <= score <= alone[name][1]
        assert grouped[name][0] <= score <= grouped[name][1]


def test_the_five_likeliest_count_where_there_are_more_classes() -> None:
    answers = torch.tensor([[0.3, 0.25, 0.2, 0.1, 0.08, 0.05, 0.02]]).repeat(4, 1)
    targets = torch.tensor([0, 2, 4, 5])
    task = category(*"abcdefg")
    scores, intervals = task.score(answers, targets), task.interval(answers, targets)
    assert (scores["accuracy"], scores["top3"], scores["top5"]) == (0.25, 0.5, 0.75)
    assert intervals["top5"] == pytest.approx(metrics.wilson(3, 4))
    assert "top5" not in category(*"abcde").score(answers[:, :5], targets[:3].repeat(2)[:4])


def test_intervals_of_numbers_hold_the_score() -> None:
    for task, wanted in ((number(1e6, 10), torch.randn(300).double() * 10 + 1e6), (vector((0, 0), (1, 1)), None)):
        targets = torch.randn(300, 2).double() * torch.tensor([1.0, 100.0]) if wanted is None else wanted
        answers = targets + torch.randn(targets.shape) * 0.5
        scores, intervals = task.score(answers, targets), task.interval(answers, targets)
        assert list(scores) == ["rmse", "mae", "r2"] == list(intervals)
        assert all(intervals[name][0] <= scores[name] <= intervals[name][1] for name in scores)


def coded(count: int, targets: torch.Tensor, inputs: torch.Tensor) -> Coded:
    return Coded({"table": inputs[:count]}, targets[:count])


def test_a_category_is_compared_with_the_majority_and_a_line() -> None:
    task = category("cat", "dog", "eel")
    torch.manual_seed(0)
    inputs = torch.randn(600, 3) * torch.tensor([1.0, 1000.0, 0.0])
    targets = torch.where(inputs[:, 0] > 0.5, 2, torch.where(inputs[:, 1] > 0, 1, 0))
    train = Coded({"table": inputs[:400]}, targets[:400])
    test = Coded({"table": inputs[400:]}, targets[400:])
    majority, linear = task.baselines(train, test, seed=0)
    assert (majority.name, linear.name) == ("majority", "linear")
    share = float((test.targets == train.targets.mode().values).double().mean())
    assert majority.scores["accuracy"] == pytest.approx(share)
    assert linear.scores["accuracy"] > 0.9
    assert linear.interval["accuracy"][0] < linear.scores["accuracy"] <= linear.interval["accuracy"][1]


def test_pictures_are_compared_with_features_made_by_hand_as_well() -> None:
    generator = torch.Generator().manual_seed(0)
    across = torch.randn(300, 1, 1, 16, generator=generator).expand(-1, 1, 16, -1)
    targets = torch.arange(300) % 2
    stripes = torch.where((targets == 1)[:, None, None, None], across, across.transpose(2, 3)).contiguous()
    parts = [Coded({"image": stripes[rows]}, targets[rows]) for rows in (slice(0, 200), slice(200, 300))]
    found = {each.name: each for each in category("level", "upright").baselines(parts[0], parts[1], seed=0)}
    assert list(found) == ["majority", "linear", "hand_made"]
    assert found["hand_made"].scores["accuracy"] > 0.95  # which way stripes go, wherever they are
    assert found["linear"].scores["accuracy"] < 0.75
    assert found["hand_made"].note.startswith("a linear model of edge directions and colours")


def test_a_baseline_that_saw_only_some_of_a_part_says_so() -> None:
    inputs, targets = torch.randn(50, 2), torch.arange(50) % 2
    whole = Whole(900, lambda: iter([({"t": inputs}, targets)]))
    linear = category("a", "b").baselines(Coded({"t": inputs}, targets, whole=whole), Coded({"t": inputs}, targets), 0)[
        1
    ]
    assert linear.note == "learned from 50 of 900 training examples"


def test_a_class_missing_from_training_gets_no_probability() -> None:
    task = category("cat", "dog", "eel")
    inputs = torch.randn(60, 2)
    targets = (inputs[:, 0] > 0).long()
    found = task.baselines(Coded({"t": inputs}, targets), Coded({"t": inputs}, targets), seed=0)
    assert [baseline.name for baseline in found] == ["majority", "linear"]
    alone = task.baselines(Coded({"t": inputs}, targets * 0), Coded({"t": inputs}, targets), seed=0)
    assert [baseline.name for baseline in alone] == ["majority"]


def test_a_budget_ends_the_linear_baseline_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.tasks.category.MOST_ITERATIONS", 2)
    inputs = torch.randn(500, 50)
    targets = (inputs @ torch.randn(50) > 0).long()
    known = Coded({"t": inputs}, targets)
    linear = category("a", "b").baselines(known, known, seed=0)[1]
    assert linear.note == "stopped after 2 iterations, before it had settled"


def test_numbers_are_compared_with_the_mean_and_least_squares() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(300, 4)
    targets = inputs @ torch.tensor([1.0, -2.0, 0.0, 3.0]) * 100 + 5000
    known = Coded({"table": inputs[:, :2], "more": inputs[:, 2:].reshape(300, 1, 2, 1)}, targets)
    mean, linear = number().baselines(known, known, seed=0)
    assert mean.scores["r2"] == pytest.approx(0.0, abs=1e-6)
    assert linear.scores["r2"] > 0.999
    pairs = Coded({"table": inputs}, torch.stack([targets, -targets], dim=1))
    assert vector((0.0, 0.0), (1.0, 1.0)).baselines(pairs, pairs, seed=0)[1].scores["r2"] > 0.999


def test_baselines_learn_from_fewer_rows_when_there_are_too_many_and_say_so() -> None:
    wide = Coded({"image": torch.empty(1, 1).expand(400, MOST_NUMBERS // 200)}, torch.zeros(400))
    rows, note = rows_for_baseline(wide, seed=0)
    assert (len(rows), note) == (200, "learned from 200 of 400 training examples")
    assert np.array_equal(rows, rows_for_baseline(wide, seed=0)[0])
    assert len(np.unique(rows)) == 200
