"""What is trained on besides the built-in losses: one's own, classes that count more, and the blind answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from netwright import registry
from netwright.errors import SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.task import Task, task_for


@pytest.fixture
def own() -> Iterator[Callable[[Callable[[Tensor, Tensor], Tensor]], str]]:
    """Registers a loss under a name and takes it away again."""

    def add(loss: Callable[[Tensor, Tensor], Tensor]) -> str:
        registry.register("loss", "own_of_a_test")(loss)
        return "own_of_a_test"

    yield add
    registry._own.pop(("loss", "own_of_a_test"), None)


def category(*classes: str, **said: object) -> Task:
    field = Field(name="animal", kind="category", source="animal", dtype="int32", vocabulary=classes)
    return task_for("animal", field, OutputSpec(**said))


def number(**said: object) -> Task:
    field = Field(name="price", kind="number", source="price", dtype="float64", mean=(10.0,), std=(2.0,))
    return task_for("price", field, OutputSpec(**said))


def test_a_loss_of_ones_own_is_used_by_name(own: Callable) -> None:
    loss = own(lambda outputs, targets: (outputs - targets).abs().pow(1.5).mean(dim=1))
    found = number(loss=loss).terms(torch.tensor([[1.0], [0.0]]), torch.tensor([10.0, 18.0]))
    assert found.tolist() == pytest.approx([1.0, 8.0])


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (lambda outputs, targets: (outputs.argmax(dim=1) != targets).float(), "has no derivative, or one that is 0"),
        (lambda outputs, targets: outputs.round()[:, 0], "has no derivative, or one that is 0"),
        (lambda outputs, targets: outputs.square().mean(), r"gives shape \(\) for 6 examples, expected one number for"),
        (lambda outputs, targets: outputs @ outputs, "fails on 6 outputs: mat1 and mat2"),
    ],
)
def test_a_loss_that_cannot_teach_is_refused_before_training(loss: Callable, told: str, own: Callable) -> None:
    with pytest.raises(SpecError, match=told):
        category("a", "b", "c", loss=own(loss))


def test_a_score_per_class_is_made_for_a_loss_that_needs_one() -> None:
    task = category("a", "b", loss="hinge")
    assert (task.unit, task.units) == ("softmax", 2)
    assert task.terms(torch.tensor([[0.0, 3.0]]), torch.tensor([0])).tolist() == [4.0]


def test_a_class_counts_as_much_as_it_is_said_to() -> None:
    plain, weighed = category("a", "b", "c"), category("a", "b", "c", class_weights={"b": 3.0})
    outputs, targets = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    factors = torch.tensor([1.0, 3.0, 1.0, 3.0])
    torch.testing.assert_close(weighed.terms(outputs, targets), plain.terms(outputs, targets) * factors)
    torch.testing.assert_close(weighed.loss(outputs, targets), (plain.terms(outputs, targets) * factors).mean())


def test_a_weight_for_no_class_names_the_nearest() -> None:
    with pytest.raises(SpecError, match=r'"catt" is not among the 2 classes \(did you mean "cat"\?\)'):
        category("cat", "dog", class_weights={"catt": 2.0})


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("a", "b"), {}),
        (("a", "b", "c"), {}),
        (("a", "b", "c"), {"class_weights": {"a": 5.0}}),
        (("a", "b"), {"unit": "softmax"}),
        (("a", "b"), {"class_weights": {"b": 4.0}}),
    ],
)
def test_nothing_that_ignores_the_inputs_beats_the_blind_answer(classes: tuple[str, ...], said: dict) -> None:
    task = category(*classes, **said)
    targets = torch.tensor([0] * 12 + [1] * 5 + [len(classes) - 1] * 3)
    best, chance = task.blind(targets), task.chance(targets)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = (best + 0.2 * torch.randn(task.units, generator=generator)).expand(20, -1)
        assert float(task.loss(other, targets)) >= chance - 1e-6


def test_the_blind_answer_to_a_number_is_the_mean() -> None:
    assert number().chance(torch.tensor([8.0, 12.0])) == pytest.approx(1.0)
