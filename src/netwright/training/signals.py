"""SIGTERM and SIGINT handled for a while, then as before."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

LEAVING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def handled(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with the signal's number; outside the main thread signals stay with whoever owns it.

    Args:
        act: What to do; it may raise.
    """

    def handle(signum: int, frame: FrameType | None) -> None:
        act(signum)

    try:
        before = {number: signal.signal(number, handle) for number in LEAVING}
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def next_one_ends() -> None:
    """From now on a signal ends the process at once."""
    for number in LEAVING:
        signal.signal(number, signal.SIG_DFL)
