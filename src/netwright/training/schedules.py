"""Learning-rate schedules: pure functions of the step, so that nothing has to be saved for a resume.

A schedule gives the factor on the optimizer's learning rate for a step; its keywords are settings of
`training.schedule`. `warmup` is the number of first steps over which the rate rises in a straight line.
"""

from __future__ import annotations

import math


def constant(step: int, total: int, warmup: int = 0) -> float:
    """The same rate throughout.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        warmup: Steps of the rise at the start.

    Example:
        >>> [constant(step, 8, warmup=4) for step in range(6)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """
    return _risen(step, warmup)


def cosine(step: int, total: int, floor: float = 0.0, warmup: int = 0) -> float:
    """Half a cosine from 1 at the first step down to `floor` at the last.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        floor: Factor at the end, in [0, 1].
        warmup: Steps of the rise at the start.

    Source: Loshchilov and Hutter, arXiv:1608.03983, equation 5, without restarts.

    Example:
        >>> [round(cosine(step, 4), 3) for step in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    way = min(max(step - warmup, 0) / max(total - warmup, 1), 1.0)
    return _risen(step, warmup) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * way)))


def step(step: int, total: int, drops: int = 3, factor: float = 0.1, warmup: int = 0) -> float:
    """Stairs: the rate is multiplied by `factor` at `drops` places that cut the run into equal parts.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        drops: How many times it drops.
        factor: What it is multiplied by each time, in (0, 1).
        warmup: Steps of the rise at the start.

    Example:
        >>> [round(step(done, 8), 4) for done in range(0, 8, 2)]
        [1.0, 0.1, 0.01, 0.001]
    """
    return _risen(step, warmup) * factor ** min(step * (drops + 1) // max(total, 1), drops)


def exponential(step: int, total: int, end: float = 0.01, warmup: int = 0) -> float:
    """The same share of the rate is lost at every step, down to `end` at the last.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        end: Factor at the end, in (0, 1].
        warmup: Steps of the rise at the start.

    Example:
        >>> [round(exponential(done, 4), 4) for done in range(5)]
        [1.0, 0.3162, 0.1, 0.0316, 0.01]
    """
    return _risen(step, warmup) * end ** min(step / max(total, 1), 1.0)


def one_cycle(step: int, total: int, rise: float = 0.3, start: float = 0.04, end: float = 0.0001) -> float:
    """Up from `start` to the full rate and down to `end`, both along half a cosine.

    Args:
        step: Steps done so far.
        total: Steps of the whole run.
        rise: Share of the run that goes up, in (0, 1).
        start: Factor at the first step.
        end: Factor at the last step.

    Source: Smith and Topin, arXiv:1708.07120, with cosines for its straight lines and without its cycled momentum.

    Example:
        >>> [round(one_cycle(done, 10), 2) for done in (0, 3, 10)]
        [0.04, 1.0, 0.0]
    """
    way, top = min(step / max(total, 1), 1.0), rise
    share, low = (way / top, start) if way < top else ((1 - way) / (1 - top), end)
    return low + (1 - low) * 0.5 * (1 - math.cos(math.pi * share))


def _risen(step: int, warmup: int) -> float:
    return min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
