"""What the tasks about tokens share: a text is written, read off or continued, and of each example counts are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from netwright import metrics
from netwright.errors import SpecError
from netwright.field import UNKNOWN_CODE, Reason
from netwright.readers import padding
from netwright.readers.kinds.text import spelled
from netwright.spec import OutputSpec
from netwright.tasks.task import Interval, Task

NOWHERE = -2  # in place of a true token that is not known
Columns = Callable[[np.ndarray], dict[str, np.ndarray]]  # scores by name from means of counts, one row for each


class Texts(Task):
    """A task whose answers are texts: codes of tokens `(batch, time)`, padded."""

    end: ClassVar[int] = padding.NO_TOKEN  # the token behind the last one of a text, where there is one

    def texts(self, codes: Int[Tensor, "batch time"]) -> list[list[int]]:
        """The tokens of each text.

        Args:
            codes: Answers or targets.
        """
        return [[code for code in row if code >= 0 and code != self.end] for row in codes.tolist()]

    def known(self, codes: Int[Tensor, "batch time"]) -> list[list[int]]:
        """The tokens of true texts, where one that is not known is none that could be answered: nothing agrees with it.

        Args:
            codes: Targets.
        """
        return [[NOWHERE if code == UNKNOWN_CODE else code for code in row] for row in self.texts(codes)]

    def said(self, codes: Sequence[int]) -> str:
        """A text in words.

        Args:
            codes: Of its tokens.
        """
        return "".join(spelled([self.field.vocabulary[code] for code in codes], self.field))

    def commonest(self, targets: Int[Tensor, "batch time"]) -> list[int]:
        """The text that comes most often, the first in order among several; what is not known is left out.

        Args:
            targets: Of the training part.
        """
        counts = Counter(tuple(code for code in text if code != UNKNOWN_CODE) for text in self.texts(targets))
        return list(min(counts, key=lambda text: (-counts[text], text), default=()))

    def decode(self, answers: Int[Tensor, "batch time"], top: int = 3) -> list[str]:
        """The texts; see `Task.decode`."""
        del top
        return [self.said(codes) for codes in self.texts(answers)]

    def words(self, answers: Tensor) -> list[str] | None:
        """The texts of targets; see `Task.words`."""
        return None if answers.is_floating_point() else self.decode(answers)


class EachToken(Task):
    """A task that chooses each token of a text, by cross-entropy; every token counts alike."""

    smooths = True

    def loss(self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch time"]) -> Float[Tensor, ""]:
        """The mean of all tokens; see `Task.loss`."""
        return functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), ignore_index=padding.NO_TOKEN)

    def certainty(
        self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, ""]:
        """What label smoothing adds to the loss; see `Task.certainty`."""
        there = targets >= 0
        true = outputs.gather(2, targets.clamp(min=0)[..., None])[..., 0]
        return (true - outputs.mean(dim=2))[there].mean()

    def terms(
        self, outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, " batch"]:
        """The mean loss of each example's tokens; see `Task.terms`."""
        return each_loss(outputs, targets).sum(dim=1) / padding.lengths(targets).clamp(min=1)

    def blind(self, targets: Int[Tensor, "example time"]) -> Float[Tensor, " unit"]:
        """Scores of how often each token comes; see `Task.blind`."""
        counts = torch.bincount(targets[targets >= 0].cpu(), minlength=self.units).double()
        return (counts / counts.sum().clamp(min=1)).clamp_min(1e-9).log().float()

    def chance(self, targets: Int[Tensor, "example time"]) -> float:
        """The mean loss of guessing by how often tokens come; see `Task.chance`."""
        shares = torch.log_softmax(self.blind(targets).double(), dim=0)
        return float(-shares[targets[targets >= 0].cpu()].mean())


def begin(task: Task, spec: OutputSpec, what: str, each: str, loss: str, why: str) -> None:
    """Unit, units and reasons of a task that chooses among tokens; its loss is its own.

    Args:
        task: The task, its name and field set.
        spec: What the user said about it.
        what: What it does, in words.
        each: What is chosen, in words.
        loss: Name of the loss.
        why: What the loss is, in words.

    Raises:
        SpecError: Another loss or unit, weights of classes or a class that is sought were asked for.
    """
    wrong = [key for key in ("loss", "class_weights", "positive") if getattr(spec, key) is not None]
    if spec.unit not in {None, "softmax"}:
        wrong.append("unit")
    if wrong:
        raise SpecError(f"outputs.{task.name}.{wrong[0]}: {what}.", "Leave it out.")
    task.unit, task.units = "softmax", len(task.field.vocabulary)
    task.reasons.append(Reason(path=f"outputs.{task.name}.unit", value="softmax", why=each))
    task.reasons.append(Reason(path=f"outputs.{task.name}.loss", value=loss, why=why))


def each_loss(outputs: Float[Tensor, "batch time unit"], targets: Int[Tensor, "batch time"]) -> Tensor:
    """Cross-entropy of every token, `(batch, time)`; 0 for what is not there.

    Args:
        outputs: Scores of every token at every step.
        targets: The true ones, padded.
    """
    return functional.cross_entropy(outputs.transpose(1, 2), targets, ignore_index=padding.NO_TOKEN, reduction="none")


def scores(counts: Float[Tensor, "example count"], columns: Columns) -> dict[str, float]:
    """Scores of all examples together.

    Args:
        counts: What is kept of each.
        columns: Makes scores of their means.
    """
    return {name: float(values[0]) for name, values in columns(counts.double().mean(dim=0)[None].numpy()).items()}


def intervals(
    counts: Float[Tensor, "example count"], columns: Columns, names: Sequence[str], groups: np.ndarray | None
) -> dict[str, Interval]:
    """95 % intervals of scores, from drawing examples (or groups of them) anew.

    Args:
        counts: What is kept of each example.
        columns: Makes scores of their means.
        names: Of the scores.
        groups: Which group each example belongs to.
    """
    rows = counts.double().numpy(force=True)
    return {name: metrics.bootstrap(rows, lambda means, name=name: columns(means)[name], groups) for name in names}
