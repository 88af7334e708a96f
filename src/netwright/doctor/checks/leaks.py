"""One input column that tells the answer all by itself: a target that slipped in among the inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int, Num

from netwright import files
from netwright.doctor import plant
from netwright.doctor.border import Border, InputColumn
from netwright.doctor.check import DataCheck
from netwright.doctor.finding import Finding
from netwright.seeds import numpy_generator
from netwright.words import listed

SURE = 0.995
_FEWEST = 30  # examples; among fewer, a column fits by chance
_FEWEST_OTHERS = 5  # examples outside the most frequent class
_OF_GUESSING = 0.05  # of the mistakes that the most frequent class would make
_BETTER = 0.75  # of the mistakes of always answering the commonest class; a column with more tells next to nothing
_SHOWN = 3


class Leaks(DataCheck):
    """Columns from which, alone, nearly every answer can be read.

    A column of numbers is put in order, and each example is answered from its two neighbours; for two classes the
    area under the ROC curve counts as well. A column of classes answers with what the other examples of the same
    class have. No example is answered from itself, so that an id or a name that stands in one row tells nothing. With
    a single input there is nothing to compare it with, and nothing is said.
    """

    fault: ClassVar[str] = "a column that holds the class under another name"

    def look(self, border: Border) -> list[Finding]:
        """The columns that tell too much, and else the best one; see `DataCheck.look`."""
        columns = [column for column in border.columns if len(np.unique(column.values[:1000])) > 1]
        if len(columns) < 2 or len(border.rows) < _FEWEST:
            return []
        findings = []
        for name, field in border.outputs.items():
            values = border.targets(name)
            if values.ndim > 1 or not _telling(values, bool(field.vocabulary)):
                continue
            told = {c.name: _told(c, values, len(field.vocabulary), border.seed) for c in columns}
            findings.append(_finding(name, told, _commonest(values) if field.vocabulary else None))
        return findings

    def planted(self) -> Border:
        """The class again, renamed; see `DataCheck.planted`."""
        columns = plant.sound()
        code = {"elm": "E1", "fir": "F7", "oak": "O3"}
        return plant.border({**columns, "record": np.array([code[tree] for tree in columns["tree"]])})


@dataclass(frozen=True)
class _Told:
    """How much a column alone tells, up to 1, and in which measure."""

    share: float
    measure: str

    def __str__(self) -> str:
        return self.measure.format(f"{100 * max(self.share, 0):.1f} %", f"{self.share:.3f}")


def _finding(name: str, told: dict[str, _Told], commonest: float | None) -> Finding:
    """The columns that tell an output, and else the best one, where it beats answering the commonest class."""
    leaks = sorted((column for column in told if told[column].share >= SURE), key=lambda column: -told[column].share)
    if not leaks:
        best = max(told, key=lambda column: told[column].share)
        message = f"no column alone tells {name}"
        if commonest is None:
            message += f"; the best is {best}, with {told[best]}"
        elif 1 - told[best].share < _BETTER * (1 - commonest):
            message += f"; the best is {best}, with {told[best]} (always the commonest class: {100 * commonest:.1f} %)"
        return Finding("leaks", "good", files.printable(message))
    shown = listed([f"{column} ({told[column]})" for column in leaks], _SHOWN)
    message = f"{shown} tells {name} all by itself: the net may learn nothing else, and fail where it is missing"
    cure = (
        f"Would you know it before you know {name}? If not, leave it out: --without {files.printable(leaks[0])}. "
        "If you would, the task is easy and all is well."
    )
    return Finding("leaks", "note", files.printable(message), cure)


def _commonest(codes: Num[np.ndarray, " row"]) -> float:
    """The share of the commonest class."""
    return float(np.bincount(codes.clip(0)).max() / len(codes))


def _telling(values: Num[np.ndarray, " row"], classes: bool) -> bool:
    """Whether there is enough to be told about."""
    if not classes:
        return bool(np.ptp(values) > 0)
    counts = np.bincount(values.clip(0))
    return int(counts.sum() - counts.max()) >= _FEWEST_OTHERS


def _told(column: InputColumn, targets: Num[np.ndarray, " row"], classes: int, seed: int) -> _Told:
    right, variance, area = "{0} of the answers", "{0} of the variance", "an area of {1} under the ROC curve"
    if column.classes:
        return _Told(_by_class(column.values, targets, classes), right if classes else variance)
    order = numpy_generator(seed, "doctor leaks").permutation(len(targets))  # among equal values chance decides
    order = order[np.argsort(column.values[order], kind="stable")]
    sorted_targets = targets[order]
    if not classes:
        return _Told(_r2_of_neighbours(sorted_targets.astype(np.float64)), variance)
    told = _Told(_accuracy(_unlike_neighbours(sorted_targets), targets), right)
    ordered = _Told(_area(column.values, targets) if classes == 2 else 0.0, area)
    return ordered if told.share < SURE <= ordered.share else told


def _unlike_neighbours(targets: Int[np.ndarray, " row"]) -> int:
    """How many examples have another class than both of their neighbours."""
    unlike = targets[1:] != targets[:-1]
    return int((np.append(True, unlike) & np.append(unlike, True)).sum())


def _accuracy(wrong: int, targets: Int[np.ndarray, " row"]) -> float:
    """The share that is right; below `SURE` where guessing the most frequent class is nearly as good."""
    guessed = len(targets) - int(np.bincount(targets.clip(0)).max())
    right = 1 - wrong / len(targets)
    return right if wrong <= _OF_GUESSING * guessed else min(right, SURE - 0.001)


def _r2_of_neighbours(targets: Float[np.ndarray, " row"]) -> float:
    middle = targets[1:-1] - (targets[:-2] + targets[2:]) / 2
    spread = float(((targets - targets.mean()) ** 2).mean())
    return 1 - float((middle**2).mean()) / (1.5 * spread) if spread > 0 else 0.0  # 1.5: what unrelated neighbours give


def _area(values: Num[np.ndarray, " row"], targets: Int[np.ndarray, " row"]) -> float:
    """Area under the ROC curve of a column read in its better direction; ties count half."""
    yes = targets == 1
    pairs = int(yes.sum()) * int((~yes).sum())
    if min(int(yes.sum()), int((~yes).sum())) < 2 * _FEWEST_OTHERS:
        return 0.0
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    area = (ranks[yes].sum() - yes.sum() * (yes.sum() + 1) / 2) / pairs
    return float(max(area, 1 - area))


def _by_class(codes: Int[np.ndarray, " row"], targets: Num[np.ndarray, " row"], classes: int) -> float:
    """What the other examples of the same class of a column tell about each."""
    sizes = np.bincount(codes)[codes]
    if not classes:
        values = targets.astype(np.float64) - float(targets.mean())
        others = (np.bincount(codes, values)[codes] - values) / np.maximum(sizes - 1, 1)
        return 1 - float(((values - others) ** 2).mean()) / max(float((values**2).mean()), 1e-300)
    pairs, inverse, counts = np.unique(
        codes.astype(np.int64) * classes + targets, return_inverse=True, return_counts=True
    )
    most = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    np.maximum.at(most, pairs // classes, counts)
    alone = (counts[inverse] == most[codes]) & (sizes > 1) & (2 * counts[inverse] - 1 > sizes - 1)
    return _accuracy(int((~alone).sum()), targets)
