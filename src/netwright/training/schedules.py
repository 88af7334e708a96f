"""Learning-rate schedules: pure functions of the step, so that nothing has to be saved for a resume.

A schedule gives the factor on the optimizer's learning rate for a step; its keywords are settings of
`training.schedule`.
"""

from __future__ import annotations

import math


def constant(step: int, total: int) -> float:
    """The same rate throughout."""
    return 1.0


def cosine(step: int, total: int, floor: float = 0.0) -> float:
    """Half a cosine from 1 at the first step down to `floor` at the last.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        floor: Factor at the end, in [0, 1].

    Source: Loshchilov and Hutter, arXiv:1608.03983, equation 5, without restarts.

    Example:
        >>> [round(cosine(step, 4), 3) for step in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(step, total) / max(total, 1)))
