import pytest
import torch

from netwright.field import UNKNOWN, Field
from netwright.spec import OutputSpec
from netwright.tasks.task import Coded, task_for

FIELD = Field(
    name="said", kind="text", source="said", dtype="uint8", ragged=True, vocabulary=(UNKNOWN, "yes", "no"),
    options={"tokens": "words", "align": "ctc"},
)  # fmt: skip


def test_a_word_that_is_not_known_agrees_with_nothing_not_even_with_another_one() -> None:
    task = task_for("said", FIELD, OutputSpec(align="ctc"))
    truth = torch.tensor([[1, 0], [1, 2]])
    part = Coded({"x": torch.zeros(2, 3)}, torch.tensor([[1, 0], [1, 0]]))
    test = Coded({"x": torch.zeros(2, 3)}, truth)
    commonest = task.baselines(part, test, 0)[0]
    assert commonest.note == 'always "yes"'
    assert commonest.scores == {"error": 0.5, "word_error": 0.5, "exact": 0.0}
    steps = torch.nn.functional.one_hot(torch.tensor([[1, 0, 0], [1, 0, 2]]), 3).float() * 60
    assert task.score(task.judged(steps, truth), truth) == pytest.approx(
        {"error": 0.25, "word_error": 0.25, "exact": 0.5}
    )
