"""Any number of classes at once: a sigmoid for each class, its own threshold chosen on the validation part.

Answers are probabilities `(batch, class)` that need not sum to 1. Which tags an example gets is decided by a threshold
for each class; until these are chosen they are 1/2.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from netwright import metrics
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.files import printable
from netwright.readers.kinds.tags import joined
from netwright.registry import resolve
from netwright.spec import OutputSpec
from netwright.tasks.category import MOST_ITERATIONS, MOST_WORK
from netwright.tasks.task import Baseline, Coded, Interval, Ranked, Task, loss_compares, rows_for_baseline, standardised
from netwright.words import listed

_FEW = 5  # examples of a class, with which one mistake moves its average precision by a tenth or more


@dataclass(frozen=True)
class OneClass:
    """How well one class is told.

    Args:
        name: Of the class.
        count: Examples that have it.
        average_precision: None when no example has it.
        threshold: Probability from which an example gets it.
        precision: Share of the examples given it that have it; None when none is given it.
        recall: Share of the examples that have it that are given it; None when none has it.
    """

    name: str
    count: int
    average_precision: float | None
    threshold: float
    precision: float | None
    recall: float | None


class Tags(Task):
    """Several classes at once, or none.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the classes; its thresholds, one for each, are those of a finished training.
        spec: `unit: sigmoid`; `loss`: binary_cross_entropy, or squared between probabilities and 0/1 targets.

    Raises:
        SpecError: Unit or loss do not fit tags.
    """

    headline = "mean_average_precision"
    watch = ("mean_average_precision", "max")
    unit = "sigmoid"

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        self.classes, self.units, self._spec = field.vocabulary, len(field.vocabulary), spec
        self.thresholds = torch.tensor(field.thresholds or (0.5,) * self.units, dtype=torch.float64)
        loss = spec.loss or "binary_cross_entropy"
        self._compares, self._loss = loss_compares(loss), resolve("loss", loss)
        self._check(spec, loss)
        path = f"outputs.{name}"
        if spec.unit is None:
            self.reasons.append(
                Reason(path=f"{path}.unit", value="sigmoid", why="each class is a yes or no of its own")
            )
        if spec.loss is None:
            why = "the mean over the classes of what each yes or no costs"
            self.reasons.append(Reason(path=f"{path}.loss", value=loss, why=why))

    def _check(self, spec: OutputSpec, loss: str) -> None:
        path = f"outputs.{self.name}"
        if spec.unit not in (None, "sigmoid"):
            raise SpecError(
                f'{path}.unit: {spec.unit} was asked for, but "{self.name}" has tags, of which any number is true.',
                f"Write {path}.unit: sigmoid, or leave it out; where exactly one is true write {path}.kind: category.",
            )
        if self._compares == "classes":
            raise SpecError(
                f'{path}.loss: {loss} takes one true class, but "{self.name}" has any number of tags.',
                f"Write {path}.loss: binary_cross_entropy, or leave it out.",
            )

    def terms(
        self, outputs: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]
    ) -> Float[Tensor, " batch"]:
        """The loss of each example, averaged over the classes; see `Task.terms`."""
        if self._compares == "yes_no":
            return self._loss(outputs.reshape(-1, 1), targets.reshape(-1).long()).reshape(targets.shape).mean(dim=1)
        return self._loss(self.answers(outputs) if self._compares == "values" else outputs, targets)

    def blind(self, targets: Float[Tensor, "example class"]) -> Float[Tensor, " class"]:
        """Scores of the share of each class; see `Task.blind`."""
        return targets.double().mean(dim=0).clamp(1e-9, 1 - 1e-9).logit().float().cpu()

    def answers(self, outputs: Float[Tensor, "batch class"]) -> Float[Tensor, "batch class"]:
        """A probability for each class; see `Task.answers`."""
        return torch.sigmoid(outputs)

    def chosen(self, answers: Float[Tensor, "batch class"]) -> Bool[Tensor, "batch class"]:
        """Which tags each example gets: those whose probability reaches their threshold."""
        return answers.double() >= self.thresholds.to(answers.device)

    def settled(self, answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]) -> Field:
        """The field with the threshold of each class that gives the best F1 here; see `Task.settled`."""
        return self.field.model_copy(update={"thresholds": tuple(metrics.best_thresholds(answers, targets))})

    def score(self, answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]) -> dict[str, float]:
        """mean_average_precision, exact_match (all tags right) and f1 over all tags; see `Task.score`."""
        right, counts = self._counted(answers, targets)
        return {
            "mean_average_precision": metrics.mean_average_precision(answers, targets),
            "exact_match": float(right.mean()),
            "f1": float(metrics.f1(counts.sum(axis=0, keepdims=True))[0]),
        }

    def interval(
        self,
        answers: Float[Tensor, "batch class"],
        targets: Float[Tensor, "batch class"],
        groups: np.ndarray | None = None,
    ) -> dict[str, Interval]:
        """A bootstrap of examples or groups; Wilson's for exact_match where there are no groups."""
        right, counts = self._counted(answers, targets)
        exact = (
            metrics.wilson(float(right.sum()), len(right))
            if groups is None
            else metrics.bootstrap(right[:, None], lambda means: means[:, 0], groups)
        )
        return {
            "mean_average_precision": metrics.precision_interval(answers, targets, groups),
            "exact_match": exact,
            "f1": metrics.bootstrap(counts, metrics.f1, groups),
        }

    def remarks(
        self,
        answers: Float[Tensor, "batch class"] | None = None,
        targets: Float[Tensor, "batch class"] | None = None,
    ) -> list[str]:
        """Of which classes so few are held out that the mean over classes rests on luck; see `Task.remarks`."""
        counts = [] if targets is None else (targets > 0).sum(dim=0).tolist()
        few = [f"{name} ({count})" for name, count in zip(self.classes, counts, strict=False) if 0 < count < _FEW]
        none = [name for name, count in zip(self.classes, counts, strict=False) if not count]
        told = [f"the mean average precision rests on few examples of {printable(listed(few))}"] if few else []
        return told + ([f"it leaves out what no example has: {printable(listed(none))}"] if none else [])

    def _counted(self, answers: Tensor, targets: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Per example whether all tags are right; and how many are true and given, false and given, true and not."""
        given, true = self.chosen(answers), targets > 0
        counts = [(given & true).sum(dim=1), (given & ~true).sum(dim=1), (~given & true).sum(dim=1)]
        right = (given == true).all(dim=1)
        return right.double().numpy(force=True), torch.stack(counts, dim=1).double().numpy(force=True)

    def by_class(self, answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"]) -> list[OneClass]:
        """How well each class is told."""
        precisions = metrics.average_precision(answers, targets).tolist()
        given, true = self.chosen(answers), targets > 0
        both, given, true = (of.sum(dim=0).tolist() for of in (given & true, given, true))
        return [
            OneClass(
                name=name,
                count=true[at],
                average_precision=precisions[at] if true[at] else None,
                threshold=float(self.thresholds[at]),
                precision=both[at] / given[at] if given[at] else None,
                recall=both[at] / true[at] if true[at] else None,
            )
            for at, name in enumerate(self.classes)
        ]

    def surest_mistakes(
        self, answers: Float[Tensor, "batch class"], targets: Float[Tensor, "batch class"], most: int
    ) -> list[int]:
        """Places of examples with a wrong tag, those first whose worst probability is furthest from the truth.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
            most: How many.
        """
        wrong = (self.chosen(answers) != (targets > 0)).any(dim=1).nonzero().flatten()
        apart = (answers - targets).abs().amax(dim=1)[wrong]
        return wrong[apart.argsort(descending=True, stable=True)][:most].tolist()

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """The share of each class in training for everyone, and a logistic regression for each class."""
        start = time.monotonic()
        shares = train.targets.double().mean(dim=0)
        alone = Tags(self.name, self.field.model_copy(update={"thresholds": ()}), self._spec)
        found = [alone.baseline("shares", shares.expand(len(test.targets), -1), test, start)]
        start = time.monotonic()
        rows, note = rows_for_baseline(train, seed)
        inputs, asked = standardised(train.flat(rows), test.flat())
        known = train.targets.numpy(force=True)[rows]
        learned, answers, early = _logistic(inputs, known, asked)
        fitting = Tags(self.name, self.settled(learned, torch.from_numpy(known)), self._spec)
        note = "; ".join(filter(None, [note, early]))
        return [*found, fitting.baseline("linear", answers, test, start, note)]

    def decode(self, answers: Float[Tensor, "batch class"], top: int = 3) -> list[Ranked]:
        """The tags given to each example, likeliest first, with their probabilities; all of them, whatever `top`."""
        ranked = []
        for given, values in zip(self.chosen(answers).tolist(), answers.tolist(), strict=True):
            found = [(name, value) for name, yes, value in zip(self.classes, given, values, strict=True) if yes]
            ranked.append(sorted(found, key=lambda pair: -pair[1]))
        return ranked

    def words(self, answers: Float[Tensor, "batch class"]) -> list[str]:
        """The tags given to each example as a cell holds them; see `Task.words`."""
        return [joined(row, self.field) for row in self.chosen(answers).numpy(force=True)]


def _logistic(
    inputs: Float[np.ndarray, "example dim"], known: Float[np.ndarray, "example class"], asked: np.ndarray
) -> tuple[Float[Tensor, "example class"], Float[Tensor, "test class"], str]:
    """Probabilities of one logistic regression per class for both, and in words if the budget ended one."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    most = min(MOST_ITERATIONS, max(20, int(MOST_WORK / (inputs.size * known.shape[1]))))
    answers = [np.zeros((len(rows), known.shape[1])) for rows in (inputs, asked)]
    early = 0
    for place in range(known.shape[1]):
        wanted = known[:, place]
        if wanted.min() == wanted.max():  # no line to draw
            for of in answers:
                of[:, place] = wanted[0]
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said in the note instead
            model = LogisticRegression(max_iter=most).fit(inputs, wanted)
        early += int(model.n_iter_.max()) >= most
        for of, rows in zip(answers, (inputs, asked), strict=True):
            of[:, place] = model.predict_proba(rows)[:, 1]
    note = f"{early} of {known.shape[1]} stopped after {most} iterations, before they had settled" if early else ""
    return torch.from_numpy(answers[0]), torch.from_numpy(answers[1]), note
