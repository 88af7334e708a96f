"""What every registered task keeps to; a new one joins by its registry line and a field of its kind in `FIELDS`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from netwright import registry
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.task import Coded, Task, task_for

COUNT = 24
BEST = {
    "mean_average_precision": 1.0,
    "exact_match": 1.0,
    "f1": 1.0,
    "accuracy": 1.0,
    "balanced_accuracy": 1.0,
    "top3": 1.0,
    "r2": 1.0,
    "log_loss": 0.0,
    "rmse": 0.0,
    "mae": 0.0,
    "precision_at_1": 1.0,
    "auc": 1.0,
    "ade": 0.0,
    "fde": 0.0,
    "bits": 0.0,
    "nats": 0.0,
    "perplexity": 1.0,
    "bleu": 100.0,
    "length": 1.0,
    "exact": 1.0,
    "error": 0.0,
    "word_error": 0.0,
}


def _field(kind: str, **facts: object) -> Field:
    return Field(name="out", kind=kind, source="out", dtype="float32", **facts)


def _codes(classes: int) -> Tensor:
    return torch.arange(COUNT) % classes


def _numbers(*shape: int) -> Tensor:
    return torch.randn(COUNT, *shape, generator=torch.Generator().manual_seed(0)) * 7 + 100


def _several(classes: int) -> Tensor:
    """Class k stands with every example whose number k + 2 divides."""
    return (torch.arange(COUNT)[:, None] % torch.arange(2, 2 + classes) == 0).float()


# by kind: (field, targets, the outputs of a perfect network)
FIELDS = {
    "category": [
        (
            _field("category", vocabulary=("no", "yes")),
            _codes(2),
            (_codes(2)[:, None] * 60 - 30).float(),
        ),
        (
            _field("category", vocabulary=tuple("abcde")),
            _codes(5),
            torch.nn.functional.one_hot(_codes(5), 5).float() * 60,
        ),
    ],
    "number": [(_field("number", mean=(100.0,), std=(7.0,)), _numbers(), (_numbers()[:, None] - 100) / 7)],
    "vector": [
        (
            _field("vector", shape=(3,), mean=(100.0,) * 3, std=(7.0,) * 3),
            _numbers(3),
            (_numbers(3) - 100) / 7,
        )
    ],
}
FIELDS["tags"] = [
    (
        _field("tags", shape=(3,), vocabulary=("a", "b", "c")),
        _several(3),
        _several(3) * 60 - 30,
    )
]
FIELDS["identity"] = [
    (
        _field("identity", vocabulary=tuple("abcde")),
        _codes(5),
        torch.nn.functional.one_hot(_codes(5), 64).float() * 60,
    )
]
_TEXTS = 1 + torch.arange(COUNT * 4).reshape(COUNT, 4) % 4
FIELDS["next"] = [
    (
        _field("text", vocabulary=("<unknown>", *"abcd"), ragged=True, options={"of": "text"}),
        _TEXTS,
        torch.nn.functional.one_hot(_TEXTS, 5).float() * 60,
    )
]
_WRITTEN = torch.cat(
    [2 + torch.arange(COUNT * 4).reshape(COUNT, 4) % 5, torch.ones(COUNT, 1, dtype=torch.int64)], dim=1
)
FIELDS["text"] = [
    (
        _field("text", vocabulary=("<unknown>", "<end>", *"abcde"), ragged=True, options={"ends": True}),
        _WRITTEN,
        torch.nn.functional.one_hot(_WRITTEN, 7).float() * 60,
    )
]
_READ_OFF = 1 + torch.arange(COUNT * 3).reshape(COUNT, 3) % 4
FIELDS["transcript"] = [
    (
        _field("text", vocabulary=("<unknown>", *"abcd"), ragged=True, options={"align": "ctc"}),
        _READ_OFF,
        torch.nn.functional.one_hot(_READ_OFF.repeat_interleave(2, dim=1), 5).float() * 60,
    )
]
_PATHS = torch.randn(COUNT, 3, 2, generator=torch.Generator().manual_seed(0)).cumsum(dim=1)
FIELDS["track"] = [
    (
        _field(
            "track", shape=(2,), mean=(100.0, 50.0), std=(1.0, 1.0), options={"onward": "x", "horizon": 3, "step": 1.5}
        ),
        _PATHS,
        _PATHS.flatten(1),
    )
]
FIELDS["series"] = [
    (
        _field(
            "series", shape=(2,), mean=(100.0, 50.0), std=(7.0, 1.0), options={"onward": "x", "horizon": 3, "season": 2}
        ),
        _PATHS,
        _PATHS.flatten(1),
    )
]
_CLASSES = torch.arange(COUNT * 4).reshape(COUNT, 4) % 5
_HEIGHTS = _numbers(4, 1)
_PLACES = _numbers(4, 3)
FIELDS["per_step"] = [
    (
        _field("labels", vocabulary=tuple("abcde"), ragged=True, options={"per": "x"}),
        _CLASSES,
        torch.nn.functional.one_hot(_CLASSES, 5).float() * 60,
    ),
    (
        _field("labels", vocabulary=("no", "yes"), ragged=True, options={"per": "x"}),
        _CLASSES % 2,
        ((_CLASSES % 2) * 60 - 30).float()[..., None],
    ),
    (
        _field("signal", shape=(1,), mean=(100.0,), std=(7.0,), ragged=True, options={"per": "x"}),
        _HEIGHTS,
        (_HEIGHTS - 100) / 7,
    ),
    (
        _field("signal", shape=(3,), mean=(100.0,) * 3, std=(7.0,) * 3, ragged=True, options={"per": "x"}),
        _PLACES,
        (_PLACES - 100) / 7,
    ),
]
CASES = [(kind, case) for kind in registry.parts("task") for case in range(len(FIELDS.get(kind, [None])))]
every_task = pytest.mark.parametrize(("kind", "case"), CASES)


def made(kind: str, case: int) -> tuple[Task, Tensor, Tensor]:
    field, targets, perfect = FIELDS[kind][case]
    return task_for("out", field, OutputSpec()), targets, perfect


def said(task: Task, outputs: Tensor) -> Tensor:
    """Outputs as they are without the truth: of a decoder the tokens it writes, of which those given are likeliest."""
    return outputs.argmax(dim=2) if task.writes else outputs


@every_task
def test_a_perfect_answer_gets_the_best_terms_and_scores(kind: str, case: int) -> None:
    task, targets, perfect = made(kind, case)
    assert (perfect.shape[0], perfect.shape[-1]) == (COUNT, task.units)
    assert (task.each_step or task.writes) == (perfect.ndim == 3)
    assert float(task.terms(perfect, targets).max()) < 1e-6
    scores = task.score(task.judged(said(task, perfect), targets), targets)
    assert task.headline in scores
    for name, value in scores.items():
        assert value == pytest.approx(BEST[name], abs=1e-4), name
    worse = task.score(task.judged(said(task, torch.zeros_like(perfect)), targets), targets)
    best = BEST[task.headline]
    assert abs(worse[task.headline] - best) > abs(scores[task.headline] - best)


@every_task
def test_terms_are_one_per_example_with_a_gradient_for_every_unit(kind: str, case: int) -> None:
    task, targets, _ = made(kind, case)
    outputs = torch.randn(made(kind, case)[2].shape).requires_grad_()
    terms = task.terms(outputs, targets)
    assert terms.shape == (COUNT,)
    assert terms.dtype == torch.float32
    terms.mean().backward()
    assert (outputs.grad != 0).all()


@every_task
def test_every_score_has_an_interval_and_so_has_every_baseline(kind: str, case: int) -> None:
    task, targets, perfect = made(kind, case)
    noise = torch.randn(perfect.shape, generator=torch.Generator().manual_seed(0))
    answers = task.judged(said(task, perfect + noise), targets)
    scores = task.score(answers, targets)
    for groups in (None, np.arange(COUNT) // 2):
        intervals = task.interval(answers, targets, groups)
        assert list(intervals) == list(scores)
        assert all(low <= high for low, high in intervals.values())
        assert intervals == task.interval(answers, targets, groups)
    steps = {"x": _PATHS} if task.goes_on else {}
    known = Coded({"x": torch.cat([perfect.flatten(1), torch.ones(COUNT, 1)], dim=1)}, targets, steps=steps)
    found = task.baselines(known, known, seed=0)
    assert len(found) >= (1 if task.writes else 2)
    assert all(list(baseline.scores) == list(scores) == list(baseline.interval) for baseline in found)


@every_task
def test_answers_can_be_read_by_a_person(kind: str, case: int) -> None:
    task, _, perfect = made(kind, case)
    assert len(task.decode(task.answers(said(task, perfect)))) == COUNT


@every_task
def test_unit_and_loss_come_with_their_reasons(kind: str, case: int) -> None:
    task, _, _ = made(kind, case)
    assert [reason.path for reason in task.reasons] == ["outputs.out.unit", "outputs.out.loss"]
    assert all(len(reason.why) > 10 for reason in task.reasons)
    assert task.weight == 1.0


@every_task
def test_the_loss_of_a_step_is_the_mean_of_the_terms(kind: str, case: int) -> None:
    task, targets, perfect = made(kind, case)
    outputs = perfect + torch.randn(perfect.shape, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(task.loss(outputs, targets), task.terms(outputs, targets).mean(), rtol=1e-6)


@every_task
def test_what_is_watched_is_the_loss_or_a_score_of_the_task(kind: str, case: int) -> None:
    task, targets, perfect = made(kind, case)
    score, better = task.watch
    assert better in {"min", "max"}
    assert score in {"loss", *task.score(task.judged(said(task, perfect), targets), targets)}
