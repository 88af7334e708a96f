"""Curves -> a verdict: fitting, over-fitting since epoch n, or under-fitting, with the evidence.

The rules, tried in this order. Validation losses are first smoothed by a running median of three, so that one lucky or
unlucky epoch decides nothing. "What there was to learn" is `chance`, the loss of answering without looking at the
inputs (e.g. ln 10 for ten balanced classes); when it is not given, the loss of the first epoch stands for it.

1. **undecided**: fewer than four epochs have both losses.
2. **over-fitting** (the curve turns up): from some epoch on the validation loss lies above its lowest value by more
   than 3 % of what there was to learn and by more than three times its usual jump from epoch to epoch, to the end and
   for at least two epochs, while the training loss is lower at the end than it was at that lowest value.
   Since: that epoch.
3. **over-fitting** (the curves part): at the end the validation loss exceeds the training loss by more than a quarter
   of what there was to learn. Since: the first epoch from which the gap stays that large.
4. **under-fitting** (little learned): at the best epoch the training loss is still above two thirds of `chance`.
5. **under-fitting** (not finished): the best epoch is among the last two, and the last fifth of the epochs (at least
   two) still brought more than 5 % of all that was learned, and more than three times the usual jump.
6. **fitting**: none of these.

What the rules cannot see: whether the inputs hold enough to do better. A loss that stays high may be noise in the
data, and the sentence says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from netwright.words import counted

_FEWEST_EPOCHS = 4
_RISE = 0.03  # of what there was to learn
_JUMPS = 3.0  # usual jumps from epoch to epoch
_GAP = 0.25  # of what there was to learn
_LITTLE = 2 / 3  # of the loss of answering blindly
_UNFINISHED = 0.05  # of what was learned, in the last fifth of the epochs

Real = int | float
Label = Literal["fitting", "over-fitting", "under-fitting", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """The judgement of one training run.

    Args:
        label: What it is.
        since_epoch: First epoch of over-fitting; None otherwise.
        sentence: The judgement in plain words, with what to do.
        evidence: The numbers it rests on, one per phrase.
    """

    label: Label
    since_epoch: int | None
    sentence: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class _Curves:
    epochs: list[int]
    train: list[Real]
    validation: list[Real]  # as measured
    smooth: list[Real]
    chance: Real

    @property
    def noise(self) -> Real:
        """A change of the validation loss that may be chance."""
        return _JUMPS * median(abs(b - a) for a, b in zip(self.validation, self.smooth, strict=True))

    @property
    def best(self) -> int:
        return self.smooth.index(min(self.smooth))


def judge(
    epochs: Sequence[int],
    train: Sequence[Real | None],
    validation: Sequence[Real | None],
    *,
    chance: Real | None = None,
) -> Verdict:
    """The verdict on the loss curves of one run; the module's docstring has the rules.

    Args:
        epochs: Number of each epoch, ascending.
        train: Training loss of each epoch; None or not finite where it was not measured.
        validation: Validation loss of each epoch, likewise.
        chance: Loss of the best answer that ignores the inputs, > 0, in the unit of the losses.

    Example:
        >>> rising = [1.0, 0.6, 0.5, 0.5, 0.6, 0.7, 0.8]
        >>> verdict = judge(range(1, 8), [0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], rising)
        >>> verdict.label, verdict.since_epoch
        ('over-fitting', 5)
    """
    known = [
        (epoch, a, b)
        for epoch, a, b in zip(epochs, train, validation, strict=True)
        if a is not None and b is not None and math.isfinite(a) and math.isfinite(b)
    ]
    if len(known) < _FEWEST_EPOCHS:
        sentence = f"Too early to tell: a verdict needs {_FEWEST_EPOCHS} epochs with training and validation loss."
        return Verdict("undecided", None, sentence, (counted(len(known), "such epoch"),))
    measured = [b for _, _, b in known]
    start = chance if chance is not None and chance > 0 else max(known[0][1], known[0][2])
    curves = _Curves([e for e, _, _ in known], [a for _, a, _ in known], measured, _smoothed(measured), start)
    return _turned_up(curves) or _parted(curves) or _little_learned(curves) or _unfinished(curves) or _fitting(curves)


def _smoothed(values: list[Real]) -> list[Real]:
    inner = [median(values[k - 1 : k + 2]) for k in range(1, len(values) - 1)]
    return [values[0], *inner, median([values[-1], inner[-1]])]


def _turned_up(curves: _Curves) -> Verdict | None:
    smooth, best = curves.smooth, curves.best
    limit = smooth[best] + max(_RISE * curves.chance, curves.noise)
    since = len(smooth)
    while since > 0 and smooth[since - 1] > limit:
        since -= 1
    fell = curves.train[-1] < curves.train[best]
    if len(smooth) - since < 2 or since <= best or not fell:
        return None
    epoch, lowest, to_loss = curves.epochs[since], curves.validation.index(min(curves.validation)), smooth[-1]
    sentence = (
        f"From epoch {epoch} on the net got better at the training examples and worse at examples it had not seen. "
        "More data, augmentation, or stronger regularisation should help, and so does stopping there."
    )
    evidence = (
        f"validation loss rose from {curves.validation[lowest]:.3g} at epoch {curves.epochs[lowest]} to {to_loss:.3g}",
        f"training loss went from {curves.train[lowest]:.3g} to {curves.train[-1]:.3g} in that time",
    )
    return Verdict("over-fitting", epoch, sentence, evidence)


def _parted(curves: _Curves) -> Verdict | None:
    gaps = [b - a for a, b in zip(curves.train, curves.smooth, strict=True)]
    limit = _GAP * curves.chance
    since = len(gaps)
    while since > 0 and gaps[since - 1] > limit:
        since -= 1
    if since == len(gaps):
        return None
    epoch = curves.epochs[since]
    sentence = (
        f"From epoch {epoch} on the net knew the training examples much better than examples it had not seen. "
        "More data, augmentation, or stronger regularisation should narrow the gap."
    )
    at_end = f"at the end the training loss is {curves.train[-1]:.3g} and the validation loss {curves.smooth[-1]:.3g}"
    share = f"the gap is {100 * gaps[-1] / curves.chance:.0f} % of the {curves.chance:.3g} there was to learn"
    return Verdict("over-fitting", epoch, sentence, (at_end, share))


def _little_learned(curves: _Curves) -> Verdict | None:
    loss = curves.train[curves.best]
    if loss <= _LITTLE * curves.chance:
        return None
    sentence = (
        "The net does not do well even on the examples it was trained on: it is too small, trained too briefly or at a "
        "wrong learning rate, or the inputs do not tell enough. Try a wider or deeper net and more epochs."
    )
    return Verdict("under-fitting", None, sentence, (_learned(curves),))


def _unfinished(curves: _Curves) -> Verdict | None:
    count = len(curves.smooth)
    last = max(2, count // 5)
    learned = curves.chance - curves.smooth[-1]
    fell = curves.smooth[-1 - last] - curves.smooth[-1]
    if curves.best < count - 2 or learned <= 0 or fell <= max(_UNFINISHED * learned, curves.noise):
        return None
    sentence = "The net was still getting better on examples it had not seen when training ended: give it more epochs."
    evidence = (
        f"the last {last} epochs still lowered the validation loss by {fell:.3g}, "
        f"{100 * fell / learned:.0f} % of all that was learned"
    )
    return Verdict("under-fitting", None, sentence, (evidence,))


def _fitting(curves: _Curves) -> Verdict:
    best = curves.best
    apart = max(0.0, (curves.smooth[best] - curves.train[best]) / curves.chance)
    sentence = (
        "The net learned what carries over to examples it had not seen: its loss on them did not turn upwards, and the "
        f"gap to the training loss is {100 * apart:.2g} % of what there was to learn."
    )
    gap = (
        f"at epoch {curves.epochs[best]} the training loss is {curves.train[best]:.3g} and the validation loss "
        f"{curves.smooth[best]:.3g}"
    )
    return Verdict("fitting", None, sentence, (gap, _learned(curves)))


def _learned(curves: _Curves) -> str:
    share = 1 - curves.train[curves.best] / curves.chance
    return f"the training loss fell by {100 * share:.0f} % of the {curves.chance:.3g} there was to learn"
