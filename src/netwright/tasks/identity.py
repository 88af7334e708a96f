"""Identities: an embedding in which examples of one identity lie together and those of others apart.

The head's numbers, brought to length 1, are the embedding; distances between embeddings are Euclidean, 0 to 2. What is
learned is a way of comparing, so scores are about pairs of held-out examples and hold for identities never seen.

Source: Schroff, Kalenichenko, Philbin 2015, FaceNet, arXiv:1503.03832, sections 3.1 and 3.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from netwright import losses, metrics
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.figures.marks import number, percent
from netwright.registry import resolve
from netwright.spec import OutputSpec
from netwright.tasks import retrieval
from netwright.tasks.task import MOST_NUMBERS, Baseline, Coded, Interval, Task, loss_compares
from netwright.words import counted

DIM = 64  # numbers of an embedding; with faces by the million 128 were better by little (arXiv:1503.03832, table 5)
KNOWN = 0.95  # of the examples of learned identities are to be known
NOBODY = "nobody known"
_BEYOND = 8.0  # a squared distance further than any two points of length 1
_ROWS = 1024  # examples compared with all identities at once


class Identity(Task):
    """Who or what an example shows, by what it lies near to.

    Args:
        name: The output's name in the spec.
        field: Its vocabulary has the identities; centres and threshold are those of a finished training.
        spec: `dim` of the embedding; `loss`: triplet, or one's own on (outputs, codes).

    Raises:
        SpecError: Unit or loss do not fit identities.
    """

    headline = "precision_at_1"
    watch = ("precision_at_1", "max")
    unit = "identity"
    among_mates = True

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        self.identities, self.units = field.vocabulary, spec.dim or DIM
        loss, path = spec.loss or "triplet", f"outputs.{name}"
        self._own = self._given(loss, spec)
        self.threshold = field.thresholds[0] if field.thresholds else None
        self.centres = _matrix(field.centres, self.units)
        if spec.unit is None:
            why = f"an embedding of {self.units} numbers, brought to length 1; outputs.{name}.dim sets how many"
            self.reasons.append(Reason(path=f"{path}.unit", value="identity", why=why))
        if spec.loss is None:
            why = "an example must lie nearer to its own identity than to another, by a margin in squared distance of "
            self.reasons.append(Reason(path=f"{path}.loss", value=loss, why=f"{why}{losses.MARGIN:g}"))

    def _given(self, loss: str, spec: OutputSpec) -> Callable[[Tensor, Tensor], Tensor] | None:
        """A loss of one's own, where one is asked for."""
        path = f"outputs.{self.name}"
        if spec.unit not in (None, "identity"):
            raise SpecError(
                f'{path}.unit: {spec.unit} was asked for, but "{self.name}" gives embeddings, which are plain numbers.',
                f"Leave it out; for a probability of each class write {path}.kind: category.",
            )
        compares = loss_compares(loss)
        if compares not in {"", "triplets"}:
            raise SpecError(
                f'{path}.loss: {loss} compares {compares.replace("_", " or ")}, but "{self.name}" gives embeddings.',
                f"Write {path}.loss: triplet, or leave it out; for a probability of each class {path}.kind: category.",
            )
        return None if compares else resolve("loss", loss)

    # ---- training ----------------------------------------------------------------------------------------------------

    def terms(self, outputs: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """What the triplets cost whose anchor is each example: the mean over its positives in the batch.

        Every example of the same identity in the batch is a positive once. Its negative is semi-hard: of all examples
        of other identities that lie further from the anchor than the positive does, the nearest. The hardest one of
        all, which lies nearer, makes all embeddings fall into one point early in training. Where none lies further,
        the furthest one is taken. An example without a positive or a negative in its batch costs nothing.

        Args:
            outputs: What the head gives.
            targets: Codes of the identities.

        Source: arXiv:1503.03832, section 3.2: all pairs of anchor and positive, semi-hard negatives. There the loss is
        the sum over triplets; here it is their mean, so that the learning rate does not follow the batch.
        """
        if self._own is not None:
            return self._own(outputs, targets)
        points = self.answers(outputs)
        squares = retrieval.squared_distances(points, points)
        same = targets[:, None] == targets
        further, _ = squares.masked_fill(same, _BEYOND).sort(dim=1)  # negatives first, then one's own identity
        negatives = (~same).sum(dim=1, keepdim=True)
        place = torch.searchsorted(further.detach(), squares.detach().contiguous(), right=True)
        place = torch.minimum(place, (negatives - 1).clamp_min(0))
        cost = losses.triplet_cost(squares, further.gather(1, place))
        positives = same & ~torch.eye(len(targets), dtype=torch.bool, device=targets.device)
        return (cost * positives).sum(dim=1) / positives.sum(dim=1).clamp_min(1)

    def chance(self, targets: Int[Tensor, " example"]) -> float:
        """The margin: what triplets cost when all embeddings are one point; see `Task.chance`."""
        return losses.MARGIN if self._own is None else super().chance(targets[: retrieval.MOST_COMPARED])

    def answers(self, outputs: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """The embeddings, each of length 1; see `Task.answers`."""
        return functional.normalize(outputs, dim=1)

    # ---- scores ------------------------------------------------------------------------------------------------------

    def score(self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> dict[str, float]:
        """precision_at_1, mean_average_precision and auc; see `Task.score`.

        Args:
            answers: Points of any dimension; of many, `retrieval.MOST_COMPARED` are compared.
            targets: Codes of the identities.
        """
        points, codes, _ = _compared(answers, targets)
        asked = retrieval.ask(points, codes)
        sums = retrieval.roc_columns(points, codes).sum(axis=0, keepdims=True)
        return {
            "precision_at_1": _mean(asked.nearest),
            "mean_average_precision": _mean(asked.average),
            "auc": float(retrieval.area(sums)[0]),
        }

    def watched(self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> float:
        """precision_at_1 alone, which needs no ranking; see `Task.watched`."""
        points, codes, _ = _compared(answers, targets)
        return retrieval.precision_at_1(points, codes)

    def interval(
        self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"], groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """A bootstrap of the examples that ask, or of their groups; Wilson's for the share where there are none."""
        points, codes, places = _compared(answers, targets)
        asked, columns = retrieval.ask(points, codes), retrieval.roc_columns(points, codes)
        known = None if groups is None else groups[places]
        if not len(asked.places):
            return dict.fromkeys(("precision_at_1", "mean_average_precision", "auc"), (0.0, 1.0))
        columns, asking = columns[asked.places], None if known is None else known[asked.places]
        shares = [
            metrics.bootstrap(of[:, None], lambda means: means[:, 0], asking) for of in (asked.nearest, asked.average)
        ]
        if known is None:
            shares[0] = metrics.wilson(float(asked.nearest.sum()), len(asked.nearest))
        return {
            "precision_at_1": shares[0],
            "mean_average_precision": shares[1],
            "auc": metrics.bootstrap(columns, retrieval.area, asking),
        }

    def undefined(self, targets: Int[Tensor, " batch"]) -> tuple[str, ...]:
        """Every score, where no identity has two examples to be compared."""
        codes = targets[torch.from_numpy(retrieval.chosen(len(targets)))]
        return () if bool(retrieval.partnered(codes).any()) else ("precision_at_1", "mean_average_precision", "auc")

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """A neighbour drawn by chance, and the nearest one by the inputs as they are."""
        start, count = time.monotonic(), len(test.targets)
        found = [self.baseline("chance", torch.zeros(count, 1), test, start)]
        start = time.monotonic()
        width = sum(int(np.prod(group.shape[1:])) for group in test.inputs.values())
        places = np.sort(retrieval.chosen(count)[: max(100, MOST_NUMBERS // max(width, 1))])
        few = replace(
            test,
            targets=test.targets[torch.from_numpy(places)],
            groups=None if test.groups is None else test.groups[places],
        )
        fewer = len(places) < min(count, retrieval.MOST_COMPARED)
        note = f"among {len(places):,} of {count:,} test examples" if fewer else ""
        return [*found, self.baseline("inputs", torch.from_numpy(test.flat(places)), few, start, note)]

    # ---- known identities --------------------------------------------------------------------------------------------

    def learned(self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> Field:
        """The field with the mean direction of each identity's embeddings; see `Task.learned`."""
        sums = torch.zeros(len(self.identities), answers.shape[1], dtype=torch.float64)
        sums.index_add_(0, targets, answers.double())
        seen = torch.bincount(targets, minlength=len(self.identities)) > 0
        centres = functional.normalize(sums, dim=1).float().tolist()
        kept = tuple(tuple(row) if there else () for row, there in zip(centres, seen.tolist(), strict=True))
        return self.field.model_copy(update={"centres": kept, "thresholds": ()})

    def settled(self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> Field:
        """The field with the distance within which `KNOWN` of these examples lie, those of learned identities.

        Strangers cannot be held out to choose it, and learned identities are no stand-in for them: these were pushed
        apart, and real strangers lie nearer (docs/log.md).
        """
        known = self._known(targets)
        if self.centres is None or not bool(known.any()):
            return self.field
        own = (answers[known].double() - self.centres[targets[known]]).norm(dim=1)
        return self.field.model_copy(update={"thresholds": (float(own.quantile(KNOWN)),)})

    def distances(self, answers: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch identity"]:
        """To the centre of each identity; infinite to those that had no training example.

        Raises:
            ValueError: Training has not ended: there are no centres yet.
        """
        if self.centres is None:
            raise ValueError(f"{self.name} has no centres yet; they are made when training ends")
        squares = retrieval.squared_distances(answers.float(), self.centres)
        return squares.sqrt().nan_to_num(nan=torch.inf, posinf=torch.inf)

    def _known(self, targets: Tensor) -> Bool[Tensor, " batch"]:
        """Which examples are of an identity that has a centre; codes beyond the vocabulary are new in the data."""
        if self.centres is None:
            return torch.zeros(len(targets), dtype=torch.bool)
        learned = torch.isfinite(self.centres).all(dim=1)
        return (targets < len(learned)) & learned[targets.clamp(max=len(learned) - 1)]

    # ---- words -------------------------------------------------------------------------------------------------------

    def decode(self, answers: Float[Tensor, "batch dim"], top: int = 3) -> list[str] | list[list[float]]:
        """The nearest identities with their distances; the embedding itself before training has ended."""
        if self.centres is None:
            return answers.tolist()
        return [line for given in answers.split(_ROWS) for line in self._decoded(given, top)]

    def _decoded(self, answers: Tensor, top: int) -> Iterable[str]:
        apart, codes = self.distances(answers).topk(min(top, len(self.identities)), largest=False)
        for values, places in zip(apart.tolist(), codes.tolist(), strict=True):
            near = ", ".join(f"{self.identities[at]} at {v:.2f}" for v, at in zip(values, places, strict=True) if v < 4)
            yield near if self.threshold is None or values[0] <= self.threshold else f"{NOBODY} (nearest {near})"

    def nearest_known(self, answers: Float[Tensor, "batch dim"]) -> tuple[list[str | None], list[float]]:
        """Of each example the nearest identity, None beyond the threshold, and its distance."""
        names: list[str | None] = []
        distances: list[float] = []
        for given in answers.split(_ROWS):
            apart, codes = self.distances(given).min(dim=1)
            within = apart <= (torch.inf if self.threshold is None else self.threshold)
            distances += apart.tolist()
            names += [
                self.identities[at] if yes else None for at, yes in zip(codes.tolist(), within.tolist(), strict=True)
            ]
        return names, distances

    def columns(self, answers: Float[Tensor, "batch dim"]) -> Mapping[str, Sequence[str | float | None]]:
        """The nearest identity, its distance, and the numbers of the embedding; see `Task.columns`."""
        numbers = {f":{place + 1}": column for place, column in enumerate(answers.T.tolist())}
        if self.centres is None:
            return numbers
        names, distances = self.nearest_known(answers)
        return {"": names, "_distance": distances, **numbers}

    def remarks(
        self, answers: Float[Tensor, "batch dim"] | None = None, targets: Int[Tensor, " batch"] | None = None
    ) -> list[str]:
        """From which distance on nobody is known, and among how many examples the scores are; see `Task.remarks`."""
        told = []
        if self.threshold is not None:
            within = f"within it lie {100 * KNOWN:.0f} % of the validation examples of known ones"
            told.append(f"beyond a distance of {number(self.threshold)} nobody is known ({within})")
        if answers is None or targets is None:
            return told
        if self.threshold is not None:
            told += self._recognised(answers, self._known(targets))
        codes = targets[torch.from_numpy(retrieval.chosen(len(targets)))]
        if len(codes) < len(targets):
            told.append(f"the scores compare {len(codes):,} of {len(targets):,} examples, drawn by chance")
        if alone := int((~retrieval.partnered(codes)).sum()):
            told.append(f"{counted(alone, 'example')} had no other of the same identity to be found by")
        return told

    def _recognised(self, answers: Tensor, known: Tensor) -> list[str]:
        """How many examples of known identities, and of others, lie so near to a known one that they are named."""
        told = []
        for which, whose in ((known, "known"), (~known, "other")):
            if bool(which.any()):
                names, _ = self.nearest_known(answers[which])
                share = percent(sum(name is not None for name in names) / len(names))
                told.append(f"{share} of {len(names):,} examples of {whose} identities lie within it and are named")
        return told

    # ---- for a report ------------------------------------------------------------------------------------------------

    def apart(self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"]) -> retrieval.Apart | None:
        """Distances of same and of different pairs among the examples that the scores compare."""
        points, codes, _ = _compared(answers, targets)
        return retrieval.apart(points, codes)

    def nearest(self, answers: Float[Tensor, "batch dim"], place: int, most: int) -> list[tuple[int, float]]:
        """Places and distances of the other examples nearest to one."""
        return retrieval.nearest_to(answers.double(), place, most)

    def surest_mistakes(
        self, answers: Float[Tensor, "batch dim"], targets: Int[Tensor, " batch"], most: int
    ) -> list[int]:
        """Places of examples whose nearest neighbour is somebody else, those first that lie nearest to it.

        Args:
            answers: As `answers` gives them.
            targets: As in a batch.
            most: How many.
        """
        points, codes, places = _compared(answers, targets)
        asked = retrieval.ask(points, codes)
        wrong = asked.places[asked.nearest < 0.5]
        how_near = np.array([retrieval.nearest_to(points, int(at), 1)[0][1] for at in wrong])
        return places[wrong[np.argsort(how_near, kind="stable")]][:most].tolist()


def _matrix(centres: tuple[tuple[float, ...], ...], dim: int) -> Float[Tensor, "identity dim"] | None:
    """Centres as a matrix, with NaN for identities that had no training example; None before there are any."""
    if not any(centres):
        return None
    if any(len(row) not in {0, dim} for row in centres):
        raise ValueError(f"centres of {max(map(len, centres))} numbers for embeddings of {dim}")
    return torch.tensor([row or (float("nan"),) * dim for row in centres], dtype=torch.float32)


def _compared(answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, np.ndarray]:
    """The examples that are compared with each other, their identities, and their places among all."""
    places = retrieval.chosen(len(targets))
    picked = torch.from_numpy(places)
    return answers[picked].double(), targets[picked], places


def _mean(values: Float[np.ndarray, " query"]) -> float:
    return float(values.mean()) if len(values) else 0.0
