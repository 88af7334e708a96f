"""An answer at every step of a sequence: what one step is asked is a category, a number or a vector like any other.

Losses and scores are those of real steps, each of which counts alike; intervals draw whole examples anew, since the
steps of one resemble each other. Answers are `(batch, time, class)` or `(batch, time, number)`, padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor
from torch.nn import functional

from netwright import metrics
from netwright.field import Field
from netwright.readers import padding
from netwright.registry import resolve
from netwright.spec import OutputSpec
from netwright.tasks.category import Category
from netwright.tasks.task import Baseline, Coded, Interval, Task

LINEAR = "on each step alone"  # what the linear baseline sees
_SHOWN = 6  # stretches of equal answers, or numbers
_KINDS = {"labels": "category", "signal": "vector"}


class PerStep(Task):
    """A task that is asked at every step.

    Args:
        name: The output's name in the spec.
        field: Of kind labels or signal; its option `per` names the input.
        spec: As for the task of one step.

    Raises:
        DataError: Fewer than two classes.
        SpecError: Unit or loss do not fit.
    """

    each_step = True

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        kind = "number" if field.kind == "signal" and field.shape == (1,) else _KINDS[field.kind]
        shape = () if kind == "number" else field.shape
        alone = field.model_copy(update={"kind": kind, "shape": shape, "ragged": False})
        self.inner: Task = resolve("task", kind)(name, alone, spec)
        self.inner.judge = self
        self.units, self.unit, self.reasons = self.inner.units, self.inner.unit, self.inner.reasons
        self.headline, self.watch = self.inner.headline, self.inner.watch
        self.per = str(field.options["per"])

    def loss(self, outputs: Float[Tensor, "batch time unit"], targets: Num[Tensor, "batch time *n"]) -> Tensor:
        """The mean of all steps that are there; see `Task.loss`."""
        held = padding.there(targets)
        return self.inner.loss(outputs[held], self._plain(targets[held]))

    def terms(self, outputs: Float[Tensor, "batch time unit"], targets: Num[Tensor, "batch time *n"]) -> Tensor:
        """The mean loss of each example's steps; see `Task.terms`."""
        held = padding.there(targets)
        each = torch.zeros(held.shape, dtype=outputs.dtype, device=outputs.device)
        each[held] = self.inner.terms(outputs[held], self._plain(targets[held])).to(outputs.dtype)
        return each.sum(dim=1) / held.sum(dim=1).clamp(min=1)

    def blind(self, targets: Num[Tensor, "example time *n"]) -> Float[Tensor, " unit"]:
        """Those of one step; see `Task.blind`."""
        return self.inner.blind(self._plain(targets[padding.there(targets)]))

    def chance(self, targets: Num[Tensor, "example time *n"]) -> float:
        """That of all steps; see `Task.chance`."""
        return self.inner.chance(self._plain(targets[padding.there(targets)]))

    def answers(self, outputs: Float[Tensor, "batch time unit"]) -> Float[Tensor, "batch time n"]:
        """Probabilities of the classes, or numbers, at every step; NaN behind the end; see `Task.answers`."""
        found = self.inner.answers(outputs.flatten(0, 1))
        return found.reshape(*outputs.shape[:2], -1)

    def steps(self, answers: Float[Tensor, "batch time n"]) -> tuple[Tensor, list[int]]:
        """Answers of all steps end to end, as the task of one step gives them, and how many each example has.

        Args:
            answers: As `answers` gives them.
        """
        held = padding.there(answers)
        return self._plain(answers[held]), held.sum(dim=1).tolist()

    def truths(self, targets: Num[Tensor, "batch time *n"]) -> list[str] | list[float] | list[list[float]]:
        """What is true of all steps end to end: classes, numbers or rows of them.

        Args:
            targets: As in a batch.
        """
        flat = self._plain(targets[padding.there(targets)]).tolist()
        return [self.field.vocabulary[code] for code in flat] if self.field.vocabulary else flat

    def score(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        """Scores of all steps: those of the task of one, and of classes the mean share of each that is right."""
        counts, _ = self._counts(answers, targets, None)
        return {name: float(values[0]) for name, values in self._columns(counts.mean(axis=0)[None]).items()}

    def interval(self, answers: Tensor, targets: Tensor, groups: np.ndarray | None = None) -> dict[str, Interval]:
        """Intervals from drawing examples (or groups of them) anew; see `Task.interval`."""
        counts, who = self._counts(answers, targets, groups)
        names = list(self._columns(counts.mean(axis=0)[None]))
        return {
            name: metrics.bootstrap(counts, lambda means, name=name: self._columns(means)[name], who) for name in names
        }

    def confusion(self, answers: Float[Tensor, "batch time n"], targets: Tensor) -> Tensor | None:
        """Steps by true class (row) and answered class (column); None where there are no classes."""
        if not isinstance(self.inner, Category):
            return None
        flat, truth, _ = self._flat(answers, targets, None)
        return self.inner.confusion(flat, truth)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """Those of one step, which see that step alone: the commonest answer, and a linear model."""
        found = self.inner.baselines(self._each(train), self._each(test), seed)
        return [
            replace(each, note="; ".join(filter(None, [LINEAR, each.note]))) if each.name == "linear" else each
            for each in found
        ]

    def decode(self, answers: Float[Tensor, "batch time n"], top: int = 3) -> list[str]:
        """Each example in one text: stretches of one class with their steps, or the first numbers."""
        del top
        flat, counts = self.steps(answers)
        if isinstance(self.inner, Category):
            codes = self.inner.chosen(flat).split(counts)
            return [_stretches([self.field.vocabulary[code] for code in row.tolist()]) for row in codes]
        return [_first(row) for row in flat.reshape(len(flat), -1)[:, 0].split(counts)]

    def _plain(self, flat: Tensor) -> Tensor:
        """Values of steps as the task of one takes them: a number is no row of one."""
        return flat[:, 0] if flat.ndim == 2 and not self.field.vocabulary and self.field.shape == (1,) else flat

    def _flat(self, answers: Tensor, targets: Tensor, groups: np.ndarray | None) -> tuple[Tensor, Tensor, np.ndarray]:
        """All steps, and which example or group each belongs to; steps that stand end to end already stay as they are.

        Baselines hand in the latter, with the example of each step as its group.
        """
        padded = targets.ndim > 1 if self.field.vocabulary else targets.ndim > (1 if self.field.shape == (1,) else 2)
        if not padded:
            return answers, targets, np.arange(len(targets)) if groups is None else groups
        held = padding.there(targets)
        who = torch.arange(len(targets), device=held.device)[:, None].expand_as(held)[held].numpy(force=True)
        return self._plain(answers[held]), self._plain(targets[held]), who if groups is None else groups[who]

    def _counts(self, answers: Tensor, targets: Tensor, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Of each step what scores are means of, and whose step it is."""
        flat, truth, who = self._flat(answers, targets, groups)
        if isinstance(self.inner, Category):
            true = functional.one_hot(truth, len(self.field.vocabulary)).double()
            hit = (self.inner.chosen(flat) == truth).double()[:, None]
            tops = [metrics.hits(flat, truth, top).double()[:, None] for top in self.inner.tops]
            columns = [metrics.surprise(flat, truth).double()[:, None], *tops, true, true * hit]
        else:
            wanted = truth.double().reshape(len(flat), -1)
            wrong = flat.double().reshape(len(flat), -1) - wanted
            centred = wanted - wanted.mean(dim=0)  # so that the squares lose no digits
            columns = [wrong.square(), wrong.abs(), centred, centred.square()]
        return torch.cat(columns, dim=1).numpy(force=True), who

    def _columns(self, means: np.ndarray) -> dict[str, np.ndarray]:
        """Scores by name from means over steps, one row for each."""
        if not isinstance(self.inner, Category):
            squares, sizes, centre, spread = np.split(means, 4, axis=1)
            return {
                "rmse": np.sqrt(squares.mean(axis=1)),
                "mae": sizes.mean(axis=1),
                "r2": metrics.explained(squares, np.maximum(spread - centre**2, 0)).mean(axis=1),
            }
        tops, classes = self.inner.tops, len(self.field.vocabulary)
        true, right = means[:, 1 + len(tops) : -classes], means[:, -classes:]
        there = true > 0
        each = np.where(there, right / np.where(there, true, 1), 0)
        return {
            "accuracy": right.sum(axis=1),
            "balanced_accuracy": each.sum(axis=1) / np.maximum(there.sum(axis=1), 1),
            "log_loss": means[:, 0],
            **{f"top{top}": means[:, 1 + place] for place, top in enumerate(tops)},
        }

    def _each(self, part: Coded) -> Coded:
        """A part whose examples are single steps, each with the example that it belongs to as its group."""
        held = padding.there(part.targets)
        who = torch.arange(len(held))[:, None].expand_as(held)[held]
        targets, groups = self._plain(part.targets[held]), who.numpy()
        if self.per in part.tokens:
            alone = part.tokens[self.per][held][:, None]
            return Coded({}, targets, groups, tokens={self.per: alone}, fields=part.fields)
        if self.per in part.steps:
            return Coded({self.per: part.steps[self.per][held]}, targets, groups)
        return Coded({name: values[who] for name, values in part.inputs.items()}, targets, groups)


def _stretches(labels: Sequence[str]) -> str:
    """Equal answers that follow each other with their steps, e.g. `none 1-40, walk 41-70`."""
    told, start = [], 0
    for step in range(1, len(labels) + 1):
        if step == len(labels) or labels[step] != labels[start]:
            told.append(f"{labels[start]} {start + 1}" + (f"-{step}" if step > start + 1 else ""))
            start = step
    more = f", ... ({len(labels):,} steps)" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more


def _first(numbers: Tensor) -> str:
    more = f", ... ({len(numbers):,} steps)" if len(numbers) > _SHOWN else ""
    return ", ".join(f"{value:.4g}" for value in numbers[:_SHOWN].tolist()) + more
