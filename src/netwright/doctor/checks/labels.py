"""Examples whose class looks wrong: two simple judges that never saw them agree on another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.field import ONE_CLASS, Field
from netwright.seeds import numpy_generator

MOST_EXAMPLES = 4_000
MOST_NUMBERS = 30_000_000
FEWEST_EXAMPLES = 100
FEWEST_PER_CLASS = 10
SURE = 0.9  # probability of another class
NEIGHBOURS, AGREEING = 5, 4
GOOD_ENOUGH = 0.8  # accuracy; where classes overlap more, wrong labels cannot be told from hard examples
MANY = 0.01  # of the quarter of examples that the model is surest of; clean data has 0 to 0.5 % (docs/log.md)
_MOST_CLASSES = 100
_FEWEST_DOUBTS = 3
_FOLDS = 5
_DIMENSIONS = 48  # kept of wide examples: those along which they differ most
_SHRINK = 0.05  # of the mean variance, added to every variance
_SHOWN = 8


class Labels(DataCheck):
    """Training examples that a cross-validated linear model and four of five neighbours put into another class.

    Confident learning with linear discriminant analysis: an example is doubtful when the probability of another class
    reaches that class's usual self-confidence and `SURE`. The nearest neighbours must agree, which keeps what is only
    hard out of the list. Hard examples lie near the borders of their classes and wrong labels lie anywhere, so the list
    is told only when at least `MANY` of what the model is surest of is doubtful.

    Source: Northcutt, Jiang, Chuang 2021, Confident Learning, arXiv:1911.00068, section 3.1 (the counted threshold);
    the second judge and the limits are ours.
    """

    fault: ClassVar[str] = "the classes of 5 % of the examples exchanged"

    def look(self, border: Border) -> list[Finding]:
        """The most doubtful labels of each category or identity that comes out; see `DataCheck.look`."""
        named = [(name, field) for name, field in border.outputs.items() if field.kind in ONE_CLASS]
        if not named or not border.dataset.inputs:
            return []
        rows, values = border.matrix(MOST_EXAMPLES, MOST_NUMBERS)
        if len(rows) < FEWEST_EXAMPLES:
            return []
        points = principal(values, border.seed)
        if not points.shape[1]:  # every example is the same
            return []
        return [found for name, field in named for found in _judged(border, name, field, rows, points)]

    def planted(self) -> Border:
        """Thirty of 600 labels exchanged; see `DataCheck.planted`."""
        columns = plant.sound()
        draw = numpy_generator(0, "planted flips")
        tree = np.array([plant.TREES.index(label) for label in columns["tree"]])
        far = draw.normal(0, 1, (len(tree), 2)) + np.eye(3)[tree][:, :2] * 9
        wrong = draw.permutation(len(tree))[:30]
        tree[wrong] = (tree[wrong] + draw.integers(1, 3, 30)) % 3
        return plant.border({**columns, "height": far[:, 0], "girth": far[:, 1], "tree": np.array(plant.TREES)[tree]})


def _judged(
    border: Border, name: str, field: Field, rows: Int[np.ndarray, " row"], points: Float[np.ndarray, "row dim"]
) -> list[Finding]:
    codes = border.targets(name, rows)
    counts = np.bincount(codes.clip(0), minlength=len(field.vocabulary))
    large = np.flatnonzero(counts >= FEWEST_PER_CLASS)
    if not 2 <= len(large) <= _MOST_CLASSES:
        return []
    kept = np.flatnonzero(np.isin(codes, large))
    renumbered = np.searchsorted(large, codes[kept])
    doubts = doubtful(points[kept], renumbered, len(large), border.seed)
    wrong, likelier, count, looked = doubts.places, doubts.likelier, len(doubts.places), len(kept)
    if doubts.accuracy < GOOD_ENOUGH:
        told = f"{name}: a linear model is right in {100 * doubts.accuracy:.0f} %, too few to suspect single labels"
        return [Finding("labels", "good", told)]
    if count < _FEWEST_DOUBTS or doubts.among_surest < MANY:
        told = f"{name}: {count:,} of {looked:,} labels look doubtful, no more than hard examples give by themselves"
        return [Finding("labels", "good", told)]
    shown = ", ".join(
        f"{border.named(int(rows[kept[at]]))} ({field.vocabulary[int(codes[kept[at]])]}, looks like "
        f"{field.vocabulary[int(large[other])]})"
        for at, other in zip(wrong[:_SHOWN].tolist(), likelier[:_SHOWN].tolist(), strict=True)
    )
    more = ", ..." if count > _SHOWN else ""
    doubts = {
        int(rows[kept[at]]): f"{name} looks like {field.vocabulary[int(large[other])]}"
        for at, other in zip(wrong.tolist(), likelier.tolist(), strict=True)
    }
    told = (
        f"{count:,} of {looked:,} training examples looked at ({100 * count / looked:.1f} %) seem to have the wrong "
        f"{name}, the likeliest first: {shown}{more}"
    )
    cure = f"Look at these and correct the wrong ones; wrong labels cost the net and make the {name} score too low."
    return [Finding("labels", "note", files.printable(told), cure, doubts)]


@dataclass(frozen=True, eq=False)
class Doubts:
    """Labels that look wrong.

    Args:
        places: The examples, the most doubtful first.
        likelier: The class that each looks like.
        accuracy: Of the cross-validated model, measured on the given labels.
        among_surest: Share of doubtful examples in the quarter that the model is surest of.
    """

    places: Int[np.ndarray, " doubt"]
    likelier: Int[np.ndarray, " doubt"]
    accuracy: float
    among_surest: float


def doubtful(points: Float[np.ndarray, "row dim"], codes: Int[np.ndarray, " row"], classes: int, seed: int) -> Doubts:
    """Which examples look as if their class were wrong.

    Args:
        points: The examples.
        codes: Their classes, 0 to classes - 1, none of them rare.
        classes: How many there are.
        seed: Of the folds.
    """
    chances, margin = cross_validated(points, codes, classes, seed)
    every = np.arange(len(codes))
    own, likeliest = chances[every, codes], chances.argmax(axis=1)
    sure = chances[every, likeliest]
    usual = np.array([own[codes == code].mean() for code in range(classes)])
    wrong = np.flatnonzero((likeliest != codes) & (sure >= np.maximum(usual[likeliest], SURE)))
    wrong = wrong[_neighbours_agree(points, codes, wrong, likeliest[wrong])]
    wrong = wrong[np.argsort(np.round(own[wrong] - sure[wrong], 6), kind="stable")]
    surest = np.argsort(-margin, kind="stable")[: max(1, len(codes) // 4)]
    return Doubts(wrong, likeliest[wrong], float((likeliest == codes).mean()), float(np.isin(surest, wrong).mean()))


def principal(values: Float[np.ndarray, "row dim"], seed: int) -> Float[np.ndarray, "row kept"]:
    """The examples along the directions in which they differ most, at most `_DIMENSIONS` of them.

    Args:
        values: The examples.
        seed: Of the directions that the search starts from.

    Source: Halko, Martinsson, Tropp 2011, Finding Structure with Randomness, algorithm 4.4 with two rounds.
    """
    centred = values - values.mean(axis=0)
    centred = centred[:, centred.any(axis=0)]
    centred /= max(float(np.abs(centred).max(initial=0.0)), 1e-300)
    if centred.shape[1] <= _DIMENSIONS:
        return centred
    directions = numpy_generator(seed, "doctor directions").standard_normal((centred.shape[1], _DIMENSIONS))
    for _ in range(2):
        directions = centred.T @ (centred @ directions)
        squares = directions.T @ directions
        squares[np.diag_indices_from(squares)] += 1e-9 * np.trace(squares)
        directions = np.linalg.solve(np.linalg.cholesky(squares), directions.T).T  # orthonormal, and cheaper than QR
    return centred @ directions


def cross_validated(
    points: Float[np.ndarray, "row dim"], codes: Int[np.ndarray, " row"], classes: int, seed: int
) -> tuple[Float[np.ndarray, "row class"], Float[np.ndarray, " row"]]:
    """Probabilities of every class from linear discriminant analyses that did not see the example, and their margin.

    The margin is by how much the score of the likeliest class exceeds that of the next.

    Args:
        points: The examples.
        codes: Their classes.
        classes: How many there are.
        seed: Of the folds.
    """
    fold = numpy_generator(seed, "doctor labels").permutation(len(codes)) % _FOLDS
    chances, margin = np.zeros((len(codes), classes)), np.zeros(len(codes))
    for held in range(_FOLDS):
        seen, x = fold != held, points[fold != held]
        member = np.eye(classes)[codes[seen]]
        counts = member.sum(axis=0)
        means = (member.T @ x) / np.maximum(counts, 1)[:, None]
        within = x - means[codes[seen]]
        variance = within.T @ within / len(x)
        variance[np.diag_indices_from(variance)] += _SHRINK * np.trace(variance) / len(variance) + 1e-12
        weights = np.linalg.solve(variance, means.T)
        bias = np.log(np.maximum(counts, 0.5) / len(x)) - 0.5 * (means.T * weights).sum(axis=0)
        scores = points[fold == held] @ weights + bias
        first_two = np.partition(scores, classes - 2, axis=1)[:, -2:]
        margin[fold == held] = first_two[:, 1] - first_two[:, 0]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances[fold == held] = shares / shares.sum(axis=1, keepdims=True)
    return chances, margin


def _neighbours_agree(
    points: Float[np.ndarray, "row dim"],
    codes: Int[np.ndarray, " row"],
    which: Int[np.ndarray, " doubt"],
    other: Int[np.ndarray, " doubt"],
) -> Bool[np.ndarray, " doubt"]:
    if not len(which) or len(points) <= NEIGHBOURS:
        return np.zeros(len(which), dtype=bool)
    squares = (points**2).sum(axis=1)
    apart = squares - 2 * points[which] @ points.T
    apart[np.arange(len(which)), which] = np.inf
    nearest = np.argpartition(apart, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return (codes[nearest] == other[:, None]).sum(axis=1) >= AGREEING
