"""Confusions with pictures: the most frequent first, of each the surest first."""

import torch

from netwright.field import Field
from netwright.run.confused import confused
from netwright.spec import OutputSpec
from netwright.tasks.category import Category

TASK = Category(
    "animal",
    Field(name="animal", kind="category", source="animal", dtype="int32", vocabulary=("cat", "dog", "eel")),
    OutputSpec(),
)
ANSWERS = torch.tensor([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1]])
TARGETS = torch.tensor([1, 1, 0, 0, 1])


def test_pairs_come_with_their_surest_pictures() -> None:
    found = confused(TASK, ANSWERS, TARGETS, lambda row: f"row{row}")
    assert [(each.truth, each.answer, each.pictures) for each in found] == [
        ("dog", "cat", ["row1", "row0"]),
        ("cat", "eel", ["row3"]),
    ]


def test_nothing_without_pictures() -> None:
    assert confused(TASK, ANSWERS, TARGETS, lambda row: None) == []
