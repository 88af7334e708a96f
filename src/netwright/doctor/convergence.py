"""How a training ended: converged, still improving, oscillating or diverged, from its training losses.

Looked at are the last fifth of the epochs, at least four. A straight line through their training losses gives the
trend over them; what is left beside the line gives the swing. Both are shares of all that was learned: the loss of
answering blindly (the first epoch's, when it is not known) less the lowest loss.

1. **undecided**: fewer than five epochs.
2. **diverged**: the last loss is no number, or half of those looked at are more than twice that of answering blindly.
3. **oscillating**: the swing is more than 3 %, and the trend is less than twice as much: chance alone can make that.
4. **still improving**: the trend is downwards by more than 1 %, and by more than twice the swing.
5. **converged**: none of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

_FEWEST, _LAST = 5, 4
_LOST = 2.0  # times the loss of answering blindly
_SWING, _TREND = 0.03, 0.01  # shares of what was learned


@dataclass(frozen=True)
class Ending:
    """How a training ended.

    Args:
        label: In one word.
        sentence: What that means and what to do.
        evidence: The numbers it rests on.
    """

    label: Literal["converged", "still improving", "oscillating", "diverged", "undecided"]
    sentence: str
    evidence: str


def judge(losses: Sequence[int | float | None], *, chance: float | None = None, over_fitting: bool = False) -> Ending:
    """The ending of one run.

    Args:
        losses: Training loss of each epoch, None where it was no number.
        chance: Loss of the best answer that ignores the inputs.
        over_fitting: The loss on unseen examples no longer falls with it.

    Example:
        >>> judge([2.0, 1.0, 0.5, 0.4, 0.36, 0.355, 0.352, 0.351, 0.35]).label
        'converged'
        >>> judge([2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.8]).label
        'still improving'
    """
    values = [math.nan if value is None else float(value) for value in losses]
    known = [value for value in values if math.isfinite(value)]
    if len(known) < _FEWEST:
        return Ending("undecided", f"Too early to tell how training ends: {_FEWEST} epochs are needed.", "")
    start = max(chance or 0.0, known[0])
    count = max(_LAST, len(known) // 5)
    if not math.isfinite(values[-1]) or np.median(known[-count:]) > _LOST * start:
        sentence = "Training lost what it had learned; a smaller learning rate or clipping should hold it."
        return Ending("diverged", sentence, f"the training loss ended at {values[-1]:.3g} and was {min(known):.3g}")
    trend, swing = _line(known[-count:])
    learned = max(start - min(known), 1e-12)
    fell, swung = -trend / learned, swing / learned
    evidence = (
        f"over the last {count} epochs the training loss {'fell' if fell >= 0 else 'rose'} by {100 * abs(fell):.2g} % "
        f"of all that was learned and swung by {100 * swung:.2g} %"
    )
    if swung > _SWING and abs(fell) < 2 * swung:
        sentence = (
            "The training loss goes up and down without getting anywhere; lower the learning rate, or let it fall."
        )
        return Ending("oscillating", sentence, evidence)
    if fell > _TREND and fell > 2 * swung:
        sentence = "The training loss was still falling when training ended; more epochs would lower it further"
        sentence += ", but not the loss on unseen examples." if over_fitting else "."
        return Ending("still improving", sentence, evidence)
    return Ending("converged", "More epochs of the same would hardly change the training loss.", evidence)


def _line(values: list[float]) -> tuple[float, float]:
    """Change along the straight line through the values, and the standard deviation beside it."""
    places = np.arange(len(values))
    slope, level = np.polyfit(places, values, 1)
    beside = np.asarray(values) - (slope * places + level)
    return float(slope * (len(values) - 1)), float(beside.std())
