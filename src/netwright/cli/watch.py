"""Ends a training that waits for what never comes: a drive that is gone, two threads that wait for each other.

Life is whatever is told on the display, and processor time of this process and of those that it started: a step may
take an hour if it computes. Time is counted in looks, so that a process that was stopped (Ctrl-Z, a closed lid) is not
taken for dead.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from netwright.cli.screen import console
from netwright.progress import Display

LOOK_SECONDS, LOOKS = 10.0, 180  # between looks, and how many of them in a row may find nothing
LEAST_SHARE = 0.05  # of a processor; drawing a bar, polling a lock and looking take less
_EXIT_CODE, _LAST_WORDS_SECONDS = 1, 20.0
_HOME = Path(__file__).resolve().parents[1]
_WAIT_RIGHTLY = {"filelock", "rich"}  # what another process holds, or a terminal that was told to stop (Ctrl-S)


class Pulse:
    """A display that counts what it is told.

    Args:
        display: Where everything goes.
    """

    def __init__(self, display: Display) -> None:
        self._display, self.beats = display, 0

    def stage(self, name: str, total: int) -> None:
        """Passes on."""
        self.beats += 1
        self._display.stage(name, total)

    def advance(self, done: int) -> None:
        """Passes on."""
        self.beats += 1
        self._display.advance(done)

    def note(self, text: str) -> None:
        """Passes on."""
        self.beats += 1
        self._display.note(text)

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        """Passes on."""
        self.beats += 1
        self._display.epoch(row)


@contextmanager
def watched(display: Display, cure: str) -> Iterator[Pulse]:
    """While the block runs, a hang of half an hour ends this process: with every thread's stack, and with what to do.

    Args:
        display: Where the work tells what it does.
        cure: How to go on, a sentence.
    """
    over, pulse = threading.Event(), Pulse(display)
    watch = threading.Thread(target=_watch, args=(over, pulse, threading.get_ident(), cure), name="watch", daemon=True)
    watch.start()
    try:
        yield pulse
    finally:
        over.set()


def _watch(over: threading.Event, pulse: Pulse, main: int, cure: str) -> None:
    before, beats, idle = _computed(), pulse.beats, 0
    while not over.wait(LOOK_SECONDS):
        now = _computed()
        lives = abs(now - before) > LEAST_SHARE * LOOK_SECONDS or pulse.beats != beats  # less: a child has ended
        idle = 0 if lives or _waits_rightly(main) else idle + 1
        before, beats = now, pulse.beats
        if idle >= LOOKS:
            _end(main, cure)


def _computed() -> float:
    """Seconds of processor time that this process and those that it started have used, without the looking itself."""
    total = time.process_time() - time.thread_time()
    with suppress(psutil.Error, OSError):  # where processes are hidden, this one alone counts
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error, OSError):
                total += sum(process.cpu_times()[:2])
    return total


def _frames(thread: int) -> Iterator[FrameType]:
    """What a thread is in, innermost first."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waits_rightly(thread: int) -> bool:
    names = (str(frame.f_globals.get("__name__", "")) for frame in _frames(thread))
    return any(name.partition(".")[0] in _WAIT_RIGHTLY for name in names)


def _end(main: int, cure: str) -> None:
    from netwright.cli.app import told  # not sooner: it imports every verb by name

    ours = (frame for frame in _frames(main) if _HOME in Path(frame.f_code.co_filename).parents)
    place = next((f"{Path(frame.f_code.co_filename).relative_to(_HOME)}:{frame.f_lineno}" for frame in ours), "")
    minutes = f"{LOOKS * LOOK_SECONDS / 60:g} minutes"
    message = f"nothing was computed for {minutes}; it waits{f' in {place}' if place else ''}. Above: every thread."
    try:
        faulthandler.dump_traceback_later(_LAST_WORDS_SECONDS, exit=True)  # should nobody read what is said
        faulthandler.dump_traceback()
        told(sys.argv, message, f"See whether the drive that the data lies on still answers. {cure}", _EXIT_CODE)
        console(stderr=True).show_cursor(True)
        with suppress(psutil.Error, OSError):
            for process in psutil.Process().children(recursive=True):
                process.kill()
    finally:
        os._exit(_EXIT_CODE)
