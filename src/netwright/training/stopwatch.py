"""A few steps timed before a long training, to choose between ways that find the same.

Ways alternate, so that a clock that drifts favours none; no weight is moved, and nothing random is drawn that the run
after it would have drawn.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch

from netwright.training.strategies.strategy import Terms

WORTH_MULTIPLY_ADDS = 2e11  # of all steps together; below, a training takes seconds
FASTER = 1.2  # times, to leave the usual way: what two measurements of the same disagree by is less
SECONDS, LEAST, MOST = 1.0, 2, 20  # of measuring each way, in seconds and in steps


def passes(ways: Mapping[str, Callable[[], Callable[[], Terms]]]) -> dict[str, tuple[float, float]]:
    """What forward and backward passes of one batch take.

    Args:
        ways: By name: gets ready, which is not timed, and gives what computes the losses.

    Returns:
        By name: seconds of a pass, their median, and the loss of the first.

    Raises:
        RuntimeError: A way has no kernel here.
    """
    with torch.random.fork_rng():
        first = {name: _pass(ready())[1] for name, ready in ways.items()}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        while not _enough(next(iter(seconds.values()))):
            for name, ready in ways.items():
                seconds[name].append(_pass(ready())[0])
    return {name: (statistics.median(seconds[name]), first[name]) for name in ways}


def _enough(seconds: list[float]) -> bool:
    return len(seconds) >= MOST or (len(seconds) >= LEAST and sum(seconds) > SECONDS)


def _pass(losses: Callable[[], Terms]) -> tuple[float, float]:
    """Seconds of one forward and backward pass, and the loss."""
    torch.manual_seed(0)  # all leave out the same units
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # getting ready is over
    start = time.perf_counter()
    total = sum(losses().values())
    total.backward()  # type: ignore[union-attr]
    value = float(total.detach())  # type: ignore[union-attr]  # on a CUDA device this waits for the kernels
    return time.perf_counter() - start, value
