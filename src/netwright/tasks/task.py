"""What every task is: the border between a network's outputs and the answers a person reads.

A task is made from an output's field and spec. It says how wide the head is, turns targets into loss terms and outputs
into answers, scores the answers with intervals, and brings the baselines that every score is printed beside.
Adding one is a class with these methods and a line in the registry's room "task", under the kind it serves.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from netwright import seeds
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.registry import part, parts, resolve
from netwright.spec import OutputSpec

MOST_NUMBERS = 25_000_000  # inputs a baseline learns from: 100 MB of float32

Interval = tuple[float, float]
Ranked = list[tuple[str, float]]  # (class, probability), likeliest first
Decoded = list[Ranked] | list[float] | list[list[float]] | list[str]


@dataclass(frozen=True)
class Whole:
    """All examples of a part, a few at a time.

    Args:
        count: How many there are.
        chunks: Begins anew and gives inputs by group and targets, in an order drawn by chance.
    """

    count: int
    chunks: Callable[[], Iterator[tuple[Mapping[str, Tensor], Tensor]]]


@dataclass(frozen=True)
class Coded:
    """A part of the data as the network gets it.

    Args:
        inputs: By group, each `(example, *shape)`, coded.
        targets: Of one output, as in a batch.
        groups: Which group (writer, video, person) each example belongs to, if the data has groups.
        whole: The part that these examples were drawn from, where they may not be all of it.
        tokens: Texts by group, `(example, time)`, padded as `readers/padding.py` says; `inputs` has them as rows of
            frequent tokens.
        fields: How these texts are read.
        steps: Sequences of numbers by group, `(example, time, dim)`, padded likewise; `inputs` has them as rows.
    """

    inputs: Mapping[str, Tensor]
    targets: Tensor
    groups: np.ndarray | None = None
    whole: Whole | None = None
    tokens: Mapping[str, Tensor] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    steps: Mapping[str, Tensor] = field(default_factory=dict)

    def flat(self, positions: np.ndarray | None = None) -> Float[np.ndarray, "example dim"]:
        """All groups' numbers side by side in one matrix.

        Args:
            positions: Which examples; all when left out.
        """
        columns = [
            (group if positions is None else group[torch.from_numpy(positions)]).flatten(1).numpy(force=True)
            for group in self.inputs.values()
        ]
        return np.ascontiguousarray(np.concatenate(columns, axis=1), dtype=np.float32)


@dataclass(frozen=True)
class Baseline:
    """What a simple method scores on the same test examples.

    Args:
        name: E.g. "majority" or "linear".
        scores: As the task scores a network.
        interval: 95 % intervals of the scores.
        seconds: To fit and answer.
        note: What a reader must know: capped rows, stopped early.
    """

    name: str
    scores: dict[str, float]
    interval: dict[str, Interval]
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Onward:
    """What next steps go on from.

    Args:
        of: The input.
        steps: How many.
        base: What the network adds to: motion, season or last.
    """

    of: str
    steps: int
    base: str


class Task(ABC):
    """The border between outputs and answers.

    Args:
        name: The output's name in the spec.
        field: What is known about its data.
        spec: What the user said about it.

    Attributes:
        units: Width of the head.
        unit: Function of the output units: identity, sigmoid or softmax.
        weight: Factor of this output's loss in the sum of all; `terms` does not contain it.
        watch: The score that stops training early, and which way is better.
        headline: The score shown first.
        among_mates: Whether `terms` compares an example with the others of its batch.
        each_step: Whether it answers at every step of a sequence: its outputs are `(batch, time, unit)`.
        goes_on: Of next steps what they go on from; None for anything else.
        writes: Whether a decoder writes its answers: its outputs are scores of the true tokens `(batch, time, unit)`,
            or without the truth codes of tokens `(batch, time)`.
        smooths: Whether its targets can be softened by label smoothing; `certainty` then says what that adds.
        calibrates: Whether it is trained on probabilities that scores give, which a temperature can make true.
        judge: Who scores the answers of its baselines, where that is another task, of which this one is a part.
        reasons: Why unit and loss are what they are, where the user left them open.
    """

    units: int
    unit: Literal["identity", "sigmoid", "softmax"]
    headline: str
    reasons: list[Reason]
    watch: tuple[str, Literal["min", "max"]] = ("loss", "min")
    among_mates: bool = False
    each_step: bool = False
    writes: bool = False
    goes_on: Onward | None = None
    smooths: bool = False
    calibrates: bool = False
    judge: Task | None = None

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        self.name = name
        self.field = field
        self.weight = spec.weight
        self.reasons = []

    @abstractmethod
    def terms(self, outputs: Float[Tensor, "batch unit"], targets: Tensor) -> Float[Tensor, " batch"]:
        """The loss of each example, unweighted.

        Args:
            outputs: What the head gives.
            targets: As in a batch: class codes, or numbers in their own units.
        """

    def loss(self, outputs: Float[Tensor, "batch *unit"], targets: Tensor) -> Float[Tensor, ""]:
        """The mean of `terms`, which a step differentiates.

        Args:
            outputs: What the head gives.
            targets: As in a batch.
        """
        return self.terms(outputs, targets).mean()

    def certainty(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, ""]:
        """What label smoothing adds to the loss, for each unit of its strength; only of a task that `smooths`.

        Args:
            outputs: What the head gives.
            targets: As in a batch.
        """
        raise NotImplementedError(type(self).__name__)

    def blind(self, targets: Tensor) -> Float[Tensor, " unit"]:
        """The outputs that are best without looking at the inputs; here 0, the mean of standardised targets.

        Args:
            targets: Of the training part.
        """
        return torch.zeros(self.units)

    def chance(self, targets: Tensor) -> float:
        """The mean loss of answering without looking at the inputs: what there is to learn.

        Args:
            targets: Of the training part.
        """
        return float(self.loss(self.blind(targets).expand(len(targets), -1), targets))

    @abstractmethod
    def answers(self, outputs: Float[Tensor, "batch unit"]) -> Tensor:
        """What the outputs mean: class probabilities `(batch, class)`, or numbers in their own units.

        Args:
            outputs: What the head gives.
        """

    def judged(self, outputs: Tensor, targets: Tensor, *, quick: bool = False) -> Tensor:
        """What is kept of outputs whose truth is known, for scores; here the answers.

        Args:
            outputs: What the head gives.
            targets: As in a batch.
            quick: Answers may be worse than those of `answers`, if they are found sooner: after every epoch.
        """
        del targets
        return self.answers(outputs)

    @abstractmethod
    def score(self, answers: Tensor, targets: Tensor) -> dict[str, float]:
        """Scores by name.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
        """

    def watched(self, answers: Tensor, targets: Tensor) -> float:
        """The headline score, as it is told after every epoch.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
        """
        return self.score(answers, targets)[self.headline]

    @abstractmethod
    def interval(self, answers: Tensor, targets: Tensor, groups: np.ndarray | None = None) -> dict[str, Interval]:
        """The 95 % interval of each score.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
            groups: Which group each example belongs to; groups are resampled whole.
        """

    @abstractmethod
    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """What answering without a network would score on `test`: the most common answer, and a linear model.

        Args:
            train: What the baselines learn from.
            test: What they are scored on.
            seed: Of the choice of rows when there are too many.
        """

    @abstractmethod
    def decode(self, answers: Tensor, top: int = 3) -> Decoded:
        """Answers for a person: the likeliest classes with their probabilities, plain numbers, or words.

        Args:
            answers: As `answers` gives them.
            top: How many classes.
        """

    def compared(self, values: Tensor) -> Tensor:
        """What a loss is given of numbers as wide as the head; here these themselves.

        Args:
            values: Outputs or targets.
        """
        return values

    def informed(self, targets: Iterable[Tensor]) -> Field:
        """The field with what is kept of the training part's targets before training begins; here as it is.

        Args:
            targets: As in batches, of each training example once.
        """
        return self.field

    def learned(self, answers: Tensor, targets: Tensor) -> Field:
        """The field with what is kept of the training part once training has ended; here as it is.

        Args:
            answers: Of the training part, as `answers` gives them.
            targets: As in a batch.
        """
        return self.field

    def settled(self, answers: Tensor, targets: Tensor) -> Field:
        """The field with what is chosen on the validation part once training has ended; here as it is.

        Args:
            answers: Of the validation part, as `answers` gives them.
            targets: As in a batch.
        """
        return self.field

    def undefined(self, targets: Tensor) -> tuple[str, ...]:
        """Scores that mean nothing on examples with these targets.

        Args:
            targets: As in a batch.
        """
        return ()

    def words(self, answers: Tensor) -> list[str] | None:
        """Each example's answer in one text, where it is not the likeliest class; None otherwise.

        Args:
            answers: As `answers` gives them, or targets of the same form.
        """
        return None

    def columns(self, answers: Tensor) -> Mapping[str, Sequence[str | float | None]] | None:
        """What a table of answers has instead of a class and probabilities; None where it has these, or the number.

        Args:
            answers: As `answers` gives them.

        Returns:
            Columns by what stands behind the output's name in theirs.
        """
        return None

    def remarks(self, answers: Tensor | None = None, targets: Tensor | None = None) -> list[str]:
        """What a reader of the answers must know about how they are chosen, in sentences; here nothing.

        Args:
            answers: Held-out answers, to be told what they come to as well.
            targets: What is true of them.
        """
        return []

    def baseline(self, name: str, answers: Tensor, test: Coded, since: float, note: str = "") -> Baseline:
        """A baseline's answers, scored like a network's.

        Args:
            name: Of the baseline.
            answers: For every example of `test`.
            test: The examples.
            since: `time.monotonic()` at its start.
            note: What a reader must know.
        """
        judge = self.judge or self
        scores, interval = judge.score(answers, test.targets), judge.interval(answers, test.targets, test.groups)
        return Baseline(name, scores, interval, time.monotonic() - since, note)


def task_name(field: Field) -> str:
    """The task of an output: that of its kind, or of what it has to do with an input.

    What comes next where it follows one, what is read off one, or an answer at each of its steps.

    Args:
        field: What is known about its data.
    """
    if field.options.get("align"):
        return "transcript"
    if field.options.get("per"):
        return "per_step"
    return "next" if field.options.get("of") else field.kind


def task_for(name: str, field: Field, spec: OutputSpec) -> Task:
    """The task of an output, by its kind.

    Args:
        name: The output's name in the spec.
        field: What is known about its data.
        spec: What the user said about it.

    Raises:
        SpecError: No task serves this kind, or unit, loss or another setting do not fit it.
    """
    _refuse_unread(name, field, spec)
    task = _task_for(name, field, spec)
    if spec.calibrate and not task.calibrates:
        steps = task.each_step and field.options.get("per")
        why = "answers at every step are not calibrated"
        if not steps:
            why = "it is not trained on probabilities by cross-entropy, so there is nothing to calibrate"
        raise SpecError(f"outputs.{name}.calibrate: {why}.", "Leave it out.")
    return task


def _task_for(name: str, field: Field, spec: OutputSpec) -> Task:
    if task_name(field) != field.kind:
        return resolve("task", task_name(field))(name, field, spec)
    if field.kind not in parts("task"):
        kinds = ", ".join(task for task in parts("task") if task not in {"next", "transcript", "per_step"})
        raise SpecError(
            f'outputs.{name}: kind "{field.kind}" cannot be an output; {kinds} can.',
            f"Make {name} an input, or give outputs.{name}.kind.",
        )
    if spec.loss and field.kind != "identity" and loss_compares(spec.loss) == "triplets":
        raise SpecError(
            f"outputs.{name}.loss: {spec.loss} compares embeddings, and {name} is a {field.kind}.",
            f"Leave it out, or write outputs.{name}.kind: identity.",
        )
    if spec.dim and field.kind != "identity":
        raise SpecError(f"outputs.{name}.dim: {name} is a {field.kind} and has no embedding.", "Leave it out.")
    task = resolve("task", field.kind)(name, field, spec)
    if spec.loss and not part("loss", spec.loss).facts:
        _check_own_loss(task, spec.loss)
    return task


_OF_TEXTS = ("tokens", "lower", "vocabulary", "longest", "align", "grams")


def _refuse_unread(name: str, field: Field, spec: OutputSpec) -> None:
    """A setting that belongs to another kind would be ignored in silence."""
    given = next((setting for setting in _OF_TEXTS if getattr(spec, setting) is not None), None)
    if given and field.kind != "text":
        cure = f"Leave it out, or write outputs.{name}.kind: text."
        raise SpecError(f"outputs.{name}.{given}: {name} is a {field.kind}, no text.", cure)
    if given and (of := field.options.get("of")):
        raise SpecError(f"outputs.{name}.{given}: {name} has the tokens of {of}.", f"Say it of inputs.{of}.")
    if spec.when_mirrored and field.kind != "number":
        raise SpecError(f"outputs.{name}.when_mirrored: {name} is a {field.kind}, no number.", "Leave it out.")


def _check_own_loss(task: Task, loss: str) -> None:
    """That a loss of one's own gives one number per example and a derivative, tried on a few outputs before training.

    Raises:
        SpecError: It fails, gives another shape, or nothing can be learned from it.
    """
    path, count = f"outputs.{task.name}.loss: {loss}", 6
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs = torch.randn(count, task.units, requires_grad=True)
        values = torch.randn(count, task.units)
    targets = torch.arange(count) % len(task.field.vocabulary) if task.field.vocabulary else values
    if task.goes_on:
        outputs, targets = task.compared(outputs), task.compared(values)
    if task.field.kind == "tags":
        targets = (values > 0).float()
    try:
        terms = resolve("loss", loss)(outputs, targets)
    except (RuntimeError, TypeError, ValueError, IndexError) as exc:
        raise SpecError(f"{path} fails on {count} outputs: {exc}.", "It is called with (outputs, targets).") from exc
    if terms.shape != (count,):
        raise SpecError(
            f"{path} gives shape {tuple(terms.shape)} for {count} examples, expected one number for each.",
            "Leave out the mean over the batch; the training loop takes it.",
        )
    moved = torch.autograd.grad(terms.sum(), outputs)[0] if terms.requires_grad else torch.zeros(1)
    if not float(moved.abs().sum()) > 0:
        raise SpecError(
            f"{path} has no derivative, or one that is 0 everywhere: nothing could be learned from it.",
            "argmax, round and comparisons have none; use probabilities or distances in their place.",
        )


def loss_compares(name: str) -> str:
    """What a loss is given: "classes", "yes_no", "values", or "" for a loss of one's own that takes what comes.

    Raises:
        SpecError: No such loss.
    """
    return part("loss", name).facts.get("compares", "")


def rows_for_baseline(train: Coded, seed: int) -> tuple[np.ndarray, str]:
    """Which training examples a linear baseline learns from (all, or as many as `MOST_NUMBERS` allows), in words too.

    Args:
        train: The training part.
        seed: Of the choice.
    """
    count = len(train.targets)
    dim = sum(int(np.prod(group.shape[1:])) for group in train.inputs.values())
    most = max(100, MOST_NUMBERS // max(dim, 1))
    total = train.whole.count if train.whole else count
    note = f"learned from {min(most, count):,} of {total:,} training examples" if min(most, count) < total else ""
    if count <= most:
        return np.arange(count), note
    return np.sort(seeds.numpy_generator(seed, "baseline").choice(count, most, replace=False)), note


def standardised(
    train: Float[np.ndarray, "example dim"], others: Shaped[np.ndarray, "test dim"]
) -> tuple[Float[np.ndarray, "example dim"], Float[np.ndarray, "test dim"]]:
    """Both with the mean and spread of the first taken out of each column.

    Args:
        train: What mean and spread are taken from.
        others: Treated the same way.
    """
    mean, std = train.mean(axis=0), train.std(axis=0)
    std[std == 0] = 1
    return (train - mean) / std, (others - mean) / std
