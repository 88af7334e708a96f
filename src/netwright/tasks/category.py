"""One of several classes: softmax over their scores, or for two classes a sigmoid of one score.

Answers are always probabilities `(batch, class)`, also for two classes.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from netwright import losses, metrics
from netwright.errors import DataError, SpecError
from netwright.field import Field, Reason
from netwright.registry import nearest, resolve
from netwright.spec import OutputSpec
from netwright.tasks.bag import BAG, bags
from netwright.tasks.gradients import described, most_looked_at, pictures_among
from netwright.tasks.sought import SOUGHT_SCORES, Sought
from netwright.tasks.task import Baseline, Coded, Interval, Ranked, Task, loss_compares, rows_for_baseline, standardised

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

TOPS = (3, 5)  # of the scores "top3" and "top5", when there are more classes than that
HAND_MADE = "a linear model of edge directions and colours, features that nothing learned"
MOST_ITERATIONS = 2000  # of the linear baseline
MOST_WORK = 1e10  # numbers times classes times iterations of it: some seconds; no clock, so that equal runs agree


class Category(Task):
    """One of several classes.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the classes, in the order of their codes.
        spec: `unit: softmax` (or sigmoid for two classes); `loss`: cross_entropy, binary_cross_entropy, or squared
            between probabilities and 0/1 targets.

    Raises:
        DataError: Fewer than two classes.
        SpecError: Unit or loss do not fit a category.
    """

    headline = "accuracy"
    smooths = True
    watch = ("accuracy", "max")  # the loss turns upwards earlier, when a net that is right only grows too sure

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        self.classes, self._spec = field.vocabulary, spec
        if len(self.classes) < 2:
            only = f'one class, "{self.classes[0]}"' if self.classes else "no class"
            raise DataError(
                f"outputs.{name}: the data has {only}; telling apart needs at least two.",
                "Add examples of another class, or choose another output.",
            )
        self.unit = self._unit(spec)
        self.units = 1 if self.unit == "sigmoid" else len(self.classes)
        loss = spec.loss or ("binary_cross_entropy" if self.unit == "sigmoid" else "cross_entropy")
        self._on_values = self._fits(loss) == "values"
        self._loss, self.calibrates = resolve("loss", loss), loss in {"cross_entropy", "binary_cross_entropy"}
        self._weights = self._given_weights(spec)
        self.sought = self._seeks(spec)
        if self.sought:
            self.headline, self.watch = "average_precision", ("average_precision", "max")
        if spec.loss is None:
            why = "rewards the probability given to the true class, and its gradient never dies out"
            self.reasons.append(Reason(path=f"outputs.{name}.loss", value=loss, why=why))

    def _unit(self, spec: OutputSpec) -> Literal["sigmoid", "softmax"]:
        two, path = len(self.classes) == 2, f"outputs.{self.name}.unit"
        if spec.unit == "identity":
            raise SpecError(
                f'{path}: identity was asked for, but "{self.name}" is a category: its answer is a probability per '
                "class, and identity gives plain numbers.",
                f"Write {path}: {'sigmoid' if two else 'softmax'}, or leave it out; for a real number write "
                f"outputs.{self.name}.kind: number.",
            )
        if spec.unit == "sigmoid" and not two:
            raise SpecError(
                f'{path}: sigmoid was asked for, but "{self.name}" has {len(self.classes)} classes of which exactly '
                "one is true; a sigmoid answers one yes or no.",
                f"Write {path}: softmax, or leave it out.",
            )
        if spec.unit is not None:
            return spec.unit
        if two and spec.loss and loss_compares(spec.loss) == "classes":
            self.reasons.append(Reason(path=path, value="softmax", why=f"{spec.loss} compares a score per class"))
            return "softmax"
        why = (
            "two classes: one score says which" if two else f"{len(self.classes)} classes of which exactly one is true"
        )
        self.reasons.append(Reason(path=path, value="sigmoid" if two else "softmax", why=why))
        return "sigmoid" if two else "softmax"

    def _given_weights(self, spec: OutputSpec) -> Float[Tensor, " class"] | None:
        """How much each class counts in the loss; None when all count alike."""
        given, path = spec.class_weights, f"outputs.{self.name}.class_weights"
        if not isinstance(given, dict):
            return None
        unknown = [label for label in given if label not in self.classes]
        if unknown:
            raise SpecError(
                f'{path}: "{unknown[0]}" is not among the {len(self.classes)} classes'
                f"{nearest(unknown[0], self.classes)}.",
                f"Known: {', '.join(self.classes[:20])}.",
            )
        return torch.tensor([given.get(label, 1.0) for label in self.classes])

    def _seeks(self, spec: OutputSpec) -> Sought | None:
        """The class that is sought, where one is named."""
        if spec.positive is None:
            return None
        path = f"outputs.{self.name}.positive"
        if len(self.classes) != 2:
            raise SpecError(
                f'{path}: "{self.name}" has {len(self.classes)} classes; one is sought among two.',
                "Leave it out, or join the other classes in the data.",
            )
        if spec.positive not in self.classes:
            hint = nearest(spec.positive, self.classes)
            raise SpecError(f'{path}: "{spec.positive}" is no class{hint}.', f"Known: {', '.join(self.classes)}.")
        code = self.classes.index(spec.positive)
        return Sought(code, spec, self.field.thresholds[code] if self.field.thresholds else None)

    def _fits(self, loss: str) -> str:
        compares, path = loss_compares(loss), f"outputs.{self.name}"
        if compares in {"classes", "yes_no"} and (compares == "yes_no") != (self.unit == "sigmoid"):
            fitting = "binary_cross_entropy" if self.unit == "sigmoid" else "cross_entropy"
            takes = "one score (sigmoid)" if compares == "yes_no" else "a score per class (softmax)"
            raise SpecError(
                f'{path}.loss: {loss} takes {takes}, but the unit of "{self.name}" is {self.unit}.',
                f"Write {path}.loss: {fitting}, or leave it out.",
            )
        return compares

    def terms(self, outputs: Float[Tensor, "batch unit"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """The loss of each example; see `Task.terms`."""
        if self._on_values:
            wanted = functional.one_hot(targets, len(self.classes)).to(outputs.dtype)
            found = self._loss(self.answers(outputs), wanted)
        else:
            found = self._loss(outputs, targets)
        return found if self._weights is None else found * self._weights.to(found.device)[targets]

    def loss(self, outputs: Float[Tensor, "batch unit"], targets: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        """The mean of `terms`; one kernel instead of three where torch has it, a tenth of a small net's step."""
        if self._loss is losses.cross_entropy and self._weights is None:
            return functional.cross_entropy(outputs, targets)
        return self.terms(outputs, targets).mean()

    def blind(self, targets: Int[Tensor, " example"]) -> Float[Tensor, " unit"]:
        """Scores of the shares of the classes, as the loss weighs them; see `Task.blind`."""
        counts = torch.bincount(targets.cpu(), minlength=len(self.classes)).double()
        weighed = counts if self._weights is None else counts * self._weights.double()
        scores = (weighed / weighed.sum()).clamp_min(1e-9).log()
        return (scores if self.units > 1 else scores[1:] - scores[:1]).float()

    def certainty(self, outputs: Float[Tensor, "batch unit"], targets: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        """How sure the net is of the true class; see `Task.certainty`.

        It is the mean loss over all classes minus the loss of the true one, so that loss + share times this is the
        loss against targets of 1 - share + share / classes for the true class and share / classes for the others.

        Args:
            outputs: What the head gives.
            targets: Class codes.

        Source: Szegedy et al. 2016, arXiv:1512.00567, section 7.
        """
        if (
            self._loss is losses.cross_entropy and self._weights is None
        ):  # what its logarithm adds is the same for every class
            return (outputs.gather(1, targets[:, None])[:, 0] - outputs.mean(dim=1)).mean()
        every = [self.terms(outputs, torch.full_like(targets, code)) for code in range(len(self.classes))]
        return (torch.stack(every).mean(dim=0) - self.terms(outputs, targets)).mean()

    def answers(self, outputs: Float[Tensor, "batch unit"]) -> Float[Tensor, "batch class"]:
        """A probability for each class; see `Task.answers`."""
        if self.unit == "sigmoid":
            return torch.cat([torch.sigmoid(-outputs), torch.sigmoid(outputs)], dim=1)
        return torch.softmax(outputs, dim=1)

    def chosen(self, answers: Float[Tensor, "batch class"]) -> Int[Tensor, " batch"]:
        """The class answered for each example: the likeliest, or by the threshold of the one that is sought."""
        return self.sought.chosen(answers) if self.sought else answers.argmax(dim=1)

    def undefined(self, targets: Int[Tensor, " batch"]) -> tuple[str, ...]:
        """How well a sought class is found, where there is no example of it."""
        return SOUGHT_SCORES if self.sought and not bool((targets == self.sought.code).any()) else ()

    def settled(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> Field:
        """The field with the threshold that was chosen for the class that is sought; see `Task.settled`."""
        if not self.sought:
            return self.field
        threshold = self.sought.best(answers, targets)
        both = (threshold, 1 - threshold) if self.sought.code == 0 else (1 - threshold, threshold)
        return self.field.model_copy(update={"thresholds": both})

    def score(self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]) -> dict[str, float]:
        """accuracy, log_loss, top3 and top5 where there are more classes, and how well a sought one is found."""
        scores = {
            "accuracy": float(self._hits(answers, targets).mean()),
            "log_loss": metrics.log_loss(answers, targets),
        }
        scores |= {f"top{top}": metrics.accuracy(answers, targets, top) for top in self.tops}
        return {**(self.sought.scores(answers, targets) if self.sought else {}), **scores}

    def interval(
        self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"], groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """Wilson's for shares, a bootstrap for log_loss and for everything when there are groups."""
        columns = {"accuracy": self._hits(answers, targets), "log_loss": metrics.surprise(answers, targets)}
        columns |= {f"top{top}": metrics.hits(answers, targets, top) for top in self.tops}
        found = self.sought.intervals(answers, targets, groups) if self.sought else {}
        return found | {
            name: metrics.wilson(float(column.sum()), len(targets))
            if groups is None and name != "log_loss"
            else metrics.bootstrap(column.numpy(force=True)[:, None], lambda means: means[:, 0], groups)
            for name, column in columns.items()
        }

    @property
    def tops(self) -> list[int]:
        """How many of the likeliest classes may hold the true one, where there are more than that."""
        return [top for top in TOPS if len(self.classes) > top]

    def _hits(self, answers: Tensor, targets: Tensor) -> Tensor:
        return (self.chosen(answers) == targets).double()

    def confusion(
        self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"]
    ) -> Int[Tensor, "class class"]:
        """Counts by true class (row) and answered class (column)."""
        given = functional.one_hot(self.chosen(answers), len(self.classes)).double()
        return metrics.confusion(given, targets)

    def surest_mistakes(
        self, answers: Float[Tensor, "batch class"], targets: Int[Tensor, " batch"], most: int
    ) -> list[int]:
        """Places of examples that were answered wrongly, those first whose answer has the highest probability.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
            most: How many.
        """
        chosen = self.chosen(answers)
        wrong = (chosen != targets).nonzero().flatten()
        sure = answers.gather(1, chosen[:, None])[:, 0][wrong]
        return wrong[sure.argsort(descending=True, stable=True)][:most].tolist()

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """The share of each class in training for everyone, and logistic regression."""
        start = time.monotonic()
        shares = torch.bincount(train.targets, minlength=len(self.classes)).double() / max(len(train.targets), 1)
        majority = shares.expand(len(test.targets), -1)
        found = [self.baseline("majority", majority, test, start, f'always "{self.classes[int(shares.argmax())]}"')]
        if train.tokens:
            found += self._of_words(train, test, time.monotonic(), seed)
        else:
            found += self._linear("linear", (train, test), "", time.monotonic(), seed)
        if names := pictures_among(train):
            start = time.monotonic()
            by_hand = described(train, names, most_looked_at(train, names)), described(test, names)
            found += self._linear("hand_made", by_hand, HAND_MADE, start, seed)
        return found

    def _linear(self, name: str, parts: tuple[Coded, Coded], what: str, start: float, seed: int) -> list[Baseline]:
        """Logistic regression, learned from the first part and scored on the second; none of a single class."""
        train, test = parts
        rows, note = rows_for_baseline(train, seed)
        known = train.targets.numpy(force=True)[rows]
        if len(np.unique(known)) < 2:  # there is no line to draw
            return []
        inputs, asked = standardised(train.flat(rows), test.flat())
        learned, answers, early = self._logistic(inputs, known, asked)
        fitting = Category(self.name, self.settled(learned, torch.from_numpy(known)), self._spec)
        fitting.judge = self.judge
        return [fitting.baseline(name, answers, test, start, "; ".join(filter(None, [what, note, early])))]

    def _of_words(self, train: Coded, test: Coded, start: float, seed: int) -> list[Baseline]:
        """Logistic regression on the words of texts, and on what else goes in."""
        rows, note = rows_for_baseline(train, seed)
        known = train.targets.numpy(force=True)[rows]
        if len(np.unique(known)) < 2:
            return []
        inputs, asked = bags(train, test, rows)
        learned, answers, early = self._logistic(inputs, known, asked)
        fitting = Category(self.name, self.settled(learned, torch.from_numpy(known)), self._spec)
        fitting.judge = self.judge
        return [fitting.baseline("bag_of_words", answers, test, start, "; ".join(filter(None, [BAG, note, early])))]

    def _logistic(
        self, inputs: np.ndarray | csr_matrix, known: np.ndarray, asked: np.ndarray | csr_matrix
    ) -> tuple[Float[Tensor, "train class"], Float[Tensor, "test class"], str]:
        """Probabilities of scikit-learn's logistic regression for both, and in words if its budget ended it."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        most = min(MOST_ITERATIONS, max(20, int(MOST_WORK / (inputs.size * len(self.classes)))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said in the note instead
            model = LogisticRegression(max_iter=most).fit(inputs, known)
        done = int(model.n_iter_.max())
        answers = []
        for rows in (inputs, asked):
            found = torch.from_numpy(model.predict_proba(rows)).double()
            whole = torch.zeros(len(found), len(self.classes), dtype=torch.float64)
            whole[:, model.classes_] = found
            answers.append(whole)
        early = f"stopped after {done} iterations, before it had settled" if done >= most else ""
        return answers[0], answers[1], early

    def decode(self, answers: Float[Tensor, "batch class"], top: int = 3) -> list[Ranked]:
        """The class answered and then the likeliest others, with their probabilities; see `Task.decode`."""
        first = functional.one_hot(self.chosen(answers), len(self.classes))
        best = (answers + 2 * first).argsort(dim=1, descending=True, stable=True)[:, :top]
        chosen = answers.gather(1, best).tolist()
        return [
            [(self.classes[code], value) for code, value in zip(codes, values, strict=True)]
            for codes, values in zip(best.tolist(), chosen, strict=True)
        ]

    def words(self, answers: Float[Tensor, "batch class"] | Int[Tensor, " batch"]) -> list[str] | None:
        """The class answered for each example, where one is sought; see `Task.words`."""
        if not self.sought:
            return None
        codes = answers if answers.ndim == 1 else self.chosen(answers)
        return [self.classes[code] for code in codes.tolist()]

    def remarks(
        self, answers: Float[Tensor, "batch class"] | None = None, targets: Int[Tensor, " batch"] | None = None
    ) -> list[str]:
        """From which probability on a class that is sought is answered, and what mistakes cost; see `Task.remarks`."""
        if not self.sought:
            return []
        bill = self.sought.bill(answers, targets) if answers is not None and targets is not None else ""
        return [said for said in (self.sought.said(self.classes[self.sought.code]), bill) if said]
