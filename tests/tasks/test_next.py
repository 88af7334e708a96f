import math

import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.field import UNKNOWN, Field
from netwright.spec import OutputSpec
from netwright.tasks.grams import surprise
from netwright.tasks.next import Next
from netwright.tasks.task import Coded, task_for

FIELD = Field(
    name="next", kind="text", source="next", dtype="uint8", ragged=True, vocabulary=(UNKNOWN, "a", "b", "c"),
    options={"of": "text", "tokens": "characters"},
)  # fmt: skip
TARGETS = torch.tensor([[1, 2, 3], [2, -1, -1]])


def task() -> Next:
    found = task_for("next", FIELD, OutputSpec(of="text"))
    assert isinstance(found, Next)
    return found


def sure(targets: torch.Tensor, score: float = 20.0) -> torch.Tensor:
    return torch.nn.functional.one_hot(targets.clamp(min=0), 4) * score


def test_who_knows_nothing_is_as_surprised_as_there_are_tokens() -> None:
    outputs = torch.zeros(2, 3, 4)
    assert float(task().loss(outputs, TARGETS)) == pytest.approx(math.log(4))
    scores = task().score(task().judged(outputs, TARGETS), TARGETS)
    assert scores["bits"] == pytest.approx(2)
    assert scores["perplexity"] == pytest.approx(4)


def test_every_step_counts_alike_and_padding_not_at_all() -> None:
    outputs = sure(TARGETS)
    outputs[1, 0] = torch.tensor([20.0, 0, 0, 0])  # the one step of the second text is wrong
    outputs[1, 1:] = torch.nan  # what is not there
    judged = task().judged(outputs, TARGETS)
    assert judged[:, 1].tolist() == [3, 1]
    assert task().score(judged, TARGETS)["accuracy"] == 0.75
    outputs[1, 1:] = 0
    assert float(task().loss(outputs, TARGETS)) == pytest.approx(20 / 4, abs=1e-4)
    assert task().terms(outputs, TARGETS).tolist() == pytest.approx([0, 20], abs=1e-4)


def test_no_guess_is_right_about_a_token_that_is_not_known() -> None:
    unknown = torch.tensor([[0, 0, 1], [0, -1, -1]])
    assert task().judged(sure(unknown), unknown)[:, 2].tolist() == [1, 0]
    assert surprise(unknown, unknown, 1, 4)[:, 2].tolist() == [0, 0]


def test_the_answer_is_what_comes_after_the_last_step() -> None:
    outputs = torch.full((2, 3, 4), torch.nan)
    outputs[0], outputs[1, 0] = 0, torch.tensor([0, 0, 9.0, 0])
    outputs[0, 2, 3] = 9
    assert [row[0][0] for row in task().decode(task().answers(outputs))] == ["c", "b"]


def test_guessing_by_how_often_each_comes() -> None:
    targets = torch.tensor([[1, 1, 1, 2]])
    expected = -(3 * math.log(0.75) + math.log(0.25)) / 4
    assert task().chance(targets) == pytest.approx(expected)


def test_baselines_are_scored_on_the_same_steps() -> None:
    text = torch.tensor([[1, 2, 3] * 20])
    part = Coded({"text": torch.zeros(1, 4)}, text)
    unigram, five = task().baselines(part, part, 0)
    assert unigram.scores["bits"] == pytest.approx(math.log2(3), abs=0.1)
    assert five.scores["bits"] < 0.3  # what comes next is always the same
    assert five.scores["accuracy"] > 0.95


def test_counts_of_pairs_by_hand() -> None:
    """After b there was always c: with one kind seen twice, c has (2 + 1 x share) / 3, as Witten and Bell weigh it."""
    train, test = torch.tensor([[1, 2, 3, 2, 3]]), torch.tensor([[2, 3]])
    share = (2 + 3 * 0.25) / (5 + 3)  # of c among all: seen twice in five, three kinds, mixed with one in four
    found = surprise(train, test, 2, 4)
    first = (0 + 1 * share) / (1 + 1)  # b, where a text began with something else once
    assert float(found[0, 0]) == pytest.approx(-math.log((2 + 1 * share) / 3) - math.log(first), abs=1e-6)
    assert found[0, 1:].tolist() == [2, 1]


def test_five_tokens_are_counted_however_many_there_are() -> None:
    """What four tokens before say is told apart only by the first of them; a million tokens leave no room for five."""
    train = torch.tensor([[1, 7, 8, 9, 2, 3, 7, 8, 9, 4] * 50])
    test = torch.tensor([[1, 7, 8, 9, 2, 3, 7, 8, 9, 4]])
    few, many = (surprise(train, test, 5, tokens) for tokens in (10, 1_000_000))
    assert few[0, 2] == many[0, 2] >= 9
    assert surprise(train, test, 4, 1_000_000)[0, 2] < many[0, 2]


def test_probabilities_of_counts_sum_to_one() -> None:
    chance = np.random.default_rng(0)
    train = torch.from_numpy(chance.integers(1, 5, (1, 200)))
    for before in ([1, 2], [3, 3], [4, 1]):
        each = [math.exp(-float(surprise(train, torch.tensor([[*before, token]]), 3, 5)[0, 0])) for token in range(5)]
        prefix = math.exp(-float(surprise(train, torch.tensor([before]), 3, 5)[0, 0]))
        assert sum(each) == pytest.approx(prefix)


@pytest.mark.parametrize("wish", [{"loss": "hinge"}, {"unit": "sigmoid"}, {"class_weights": "balanced"}])
def test_other_losses_are_refused(wish: dict[str, str]) -> None:
    with pytest.raises(SpecError, match="what comes next is one of all tokens, by cross-entropy"):
        task_for("next", FIELD, OutputSpec.model_validate({"of": "text", **wish}))
