"""Pictures of what a classifier takes for what: of each frequent confusion the surest ones."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from netwright.figures.matrix import confused_pairs
from netwright.report import facts as report
from netwright.tasks.category import Category

_PAIRS = 12
_EACH = 4  # pictures of a pair


def confused(
    task: Category, answers: Tensor, targets: Tensor, picture: Callable[[int], str | None]
) -> list[report.Confused]:
    """The most frequent confusions with pictures of them, surest first; none where examples are no pictures.

    Args:
        task: Of the classifier.
        answers: Probabilities of the held-out examples.
        targets: Their classes.
        picture: Of the example in a row of both, as PNG text.
    """
    if picture(0) is None:
        return []
    chosen = task.chosen(answers)
    sure = answers.gather(1, chosen[:, None])[:, 0]
    found = []
    for truth, answer, _, _ in confused_pairs(task.confusion(answers, targets).tolist(), task.classes, _PAIRS):
        them = (targets == task.classes.index(truth)) & (chosen == task.classes.index(answer))
        rows = them.nonzero().flatten()
        surest = rows[sure[rows].argsort(descending=True, stable=True)][:_EACH].tolist()
        pictures = [png for row in surest if (png := picture(row)) is not None]
        found.append(report.Confused(truth=truth, answer=answer, pictures=pictures))
    return found
