"""One of two classes that is sought among many of the other: fraud, a tumour, a spare part that will fail.

The question is not which class is likelier but from which probability on to raise the alarm. The threshold is chosen
on the validation part, for the best F1 or the least cost, and the score is the average precision (the area under the
curve of precision against recall), which does not reward answering the common class.

Source: Davis & Goadrich 2006, The Relationship Between Precision-Recall and ROC Curves; Elkan 2001, The Foundations of
Cost-Sensitive Learning, for thresholds by cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from netwright import metrics
from netwright.figures.marks import number
from netwright.spec import CostSpec, OutputSpec
from netwright.words import counted

SOUGHT_SCORES = ("average_precision", "precision", "recall", "f1")
CURVE = 200  # points of the curve that a report draws
_WANTED_RECALL = 0.9
_RULES = {"f1": "best F1 on validation", "cost": "least cost on validation", "likeliest": "likelier class"}


@dataclass(frozen=True)
class Alarm:
    """What comes of one threshold.

    Args:
        name: Why this one.
        threshold: Probability from which the alarm is raised.
        alarms: Examples with an alarm.
        precision: Share of the alarms that are right; None without alarms.
        recall: Share of the sought that raise one; None when there are none.
        missed: Sought examples without an alarm.
        false_alarms: Others with one.
        cost: What misses and false alarms cost in all.
    """

    name: str
    threshold: float
    alarms: int
    precision: float | None
    recall: float | None
    missed: int
    false_alarms: int
    cost: float


class Sought:
    """The class that is sought, the threshold from which on it is answered, and what mistakes cost.

    Args:
        code: Of the class.
        spec: Its rule: a number, likeliest, f1 or cost; and the cost of a miss and of a false alarm.
        threshold: As chosen when training ended; None before.
    """

    def __init__(self, code: int, spec: OutputSpec, threshold: float | None) -> None:
        self.code, self.rule, self.cost = code, spec.threshold or "likeliest", spec.cost or CostSpec()
        self.priced = self.rule == "cost" or spec.cost is not None
        fixed = self.rule if isinstance(self.rule, float | int) else 0.5
        self.threshold = fixed if threshold is None else threshold

    def chance(self, answers: Float[Tensor, "batch class"]) -> Float[Tensor, " batch"]:
        """The probability of the class that is sought."""
        return answers[:, self.code].double()

    def chosen(self, answers: Float[Tensor, "batch class"]) -> Int[Tensor, " batch"]:
        """The class answered for each example."""
        return torch.where(self.chance(answers) >= self.threshold, self.code, 1 - self.code)

    def best(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> float:
        """The threshold that the rule chooses on these examples."""
        chance, true = self.chance(answers)[:, None], (targets == self.code).double()[:, None]
        if self.rule == "f1":
            return metrics.best_thresholds(chance, true)[0]
        if self.rule == "cost":
            return metrics.cheapest_threshold(chance[:, 0], true[:, 0], self.cost.missed, self.cost.false_alarm)
        return self.threshold

    def scores(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> dict[str, float]:
        """average_precision, and precision, recall and f1 at the threshold; the mean cost where costs were given."""
        counts = self._counts(answers, targets).sum(axis=0, keepdims=True)
        return {
            "average_precision": metrics.mean_average_precision(*self._column(answers, targets)),
            "precision": float(_share(counts, 1)[0]),
            "recall": float(_share(counts, 2)[0]),
            "f1": float(metrics.f1(counts)[0]),
        }

    def intervals(
        self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"], groups: np.ndarray | None
    ) -> dict[str, tuple[float, float]]:
        """Bootstrap intervals of `scores`."""
        counts = self._counts(answers, targets)
        return {
            "average_precision": metrics.precision_interval(*self._column(answers, targets), groups),
            "precision": metrics.bootstrap(counts, lambda means: _share(means, 1), groups),
            "recall": metrics.bootstrap(counts, lambda means: _share(means, 2), groups),
            "f1": metrics.bootstrap(counts, metrics.f1, groups),
        }

    def alarms(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> list[Alarm]:
        """What comes of the chosen threshold, of the likelier class, and of finding nine of ten."""
        chance, true = self.chance(answers), targets == self.code
        found = chance[true].sort(descending=True).values
        wide = float(found[int(np.ceil(_WANTED_RECALL * len(found))) - 1]) if len(found) else 0.5
        named = {f"chosen: {_RULES.get(str(self.rule), 'as given')}": self.threshold, "likelier class": 0.5}
        named[f"finds {100 * _WANTED_RECALL:.0f} % of them"] = wide
        return [self._alarm(name, threshold, chance, true) for name, threshold in named.items()]

    def said(self, label: str) -> str:
        """From which probability on the class is answered and why; nothing where the likelier class is.

        Args:
            label: The class, as the data has it.
        """
        if self.rule == "likeliest":
            return ""
        why = _RULES.get(str(self.rule), "as given")
        if self.rule == "cost":
            why = f"least cost: a miss {number(self.cost.missed)}, a false alarm {number(self.cost.false_alarm)}"
        return f"{label} is answered from {number(100 * self.threshold)} % on ({why})"

    def bill(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> str:
        """What the mistakes among these answers cost in all; nothing where no cost was asked about."""
        if not self.priced:
            return ""
        alarm = self._alarm("", self.threshold, self.chance(answers), targets == self.code)
        mistakes = f"{alarm.missed:,} missed, {counted(alarm.false_alarms, 'false alarm')}"
        return f"the cost on {counted(len(targets), 'example')} is {number(alarm.cost, 4)}: {mistakes}"

    def curve(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> list[tuple[float, float]]:
        """(recall, precision) over all thresholds, at most `CURVE` points."""
        order = self.chance(answers).argsort(descending=True, stable=True)
        true = (targets == self.code)[order].double()
        found = true.cumsum(0)
        if not len(found) or not float(found[-1]):
            return []
        recall, precision = found / found[-1], found / torch.arange(1, len(found) + 1)
        hits = true.nonzero().flatten()
        picked = hits[torch.linspace(0, len(hits) - 1, min(CURVE, len(hits))).round().long()]
        return list(zip(recall[picked].tolist(), precision[picked].tolist(), strict=True))

    def _alarm(self, name: str, threshold: float, chance: Tensor, true: Tensor) -> Alarm:
        given = chance >= threshold
        right, false, missed = (int(of.sum()) for of in (given & true, given & ~true, ~given & true))
        return Alarm(
            name=name,
            threshold=threshold,
            alarms=right + false,
            precision=right / (right + false) if right + false else None,
            recall=right / (right + missed) if right + missed else None,
            missed=missed,
            false_alarms=false,
            cost=missed * self.cost.missed + false * self.cost.false_alarm,
        )

    def _column(self, answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return self.chance(answers)[:, None], (targets == self.code).double()[:, None]

    def _counts(self, answers: Tensor, targets: Tensor) -> np.ndarray:
        """Per example: sought and found, alarm for nothing, sought and missed."""
        given, true = self.chosen(answers) == self.code, targets == self.code
        return torch.stack([given & true, given & ~true, ~given & true], dim=1).double().numpy(force=True)


def _share(counts: np.ndarray, beside: int) -> np.ndarray:
    """Of counts as in `Sought._counts` the right ones over the right and the others of one column; 1 without any."""
    every = counts[:, 0] + counts[:, beside]
    return np.where(every > 0, counts[:, 0] / np.where(every > 0, every, 1), 1.0)
