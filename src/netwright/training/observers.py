"""What an observer is: it watches training and changes nothing.

The loop hands observers finished numbers and read-only facts; an observer that computes with the network works on a
copy under a generator of its own. All observers on or off give the same weights, bit for bit.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from netwright import files
from netwright.errors import NetwrightError
from netwright.progress import Display
from netwright.training.history import Row

if TYPE_CHECKING:
    from netwright.training.loop import Training


class Observer:
    """An observer that sees nothing; real ones define some of these."""

    def begin(self, training: Training) -> None:
        """Before the first step; not on a resume."""

    def step(self, training: Training) -> None:
        """After every step."""

    def epoch(self, training: Training, row: Row) -> None:
        """After every epoch, with its row of the history."""

    def finish(self, training: Training) -> None:
        """When training has ended by itself and the networks are as they are kept."""


_SHOWN = ("epoch", "train/loss", "lr")


class Progress(Observer):
    """Tells a display how far training is, at most ten times a second.

    Args:
        display: What draws it.
        total: Steps at most.
        minutes: Minutes at most, 0 for no limit; with a limit the bar counts seconds, so that its time left is true.
    """

    def __init__(self, display: Display, total: int, minutes: float = 0.0) -> None:
        self._display, self._next, self._timed = display, 0.0, minutes > 0
        self._told = 0
        if self._timed:
            display.stage(f"training, at most {minutes:g} min, in seconds", max(1, round(minutes * 60)))
        else:
            display.stage("training", total)

    def step(self, training: Training) -> None:
        """Advance the bar now and then."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 0.1
            self._advance(training)

    def epoch(self, training: Training, row: Row) -> None:
        """Show the epoch's scores."""
        self._advance(training)
        plain = {k: v for k, v in row.items() if isinstance(v, float) or k == "epoch"}
        shown = {k: v for k, v in plain.items() if k in _SHOWN or k.startswith("validation/")}  # the rest is kept, too
        self._display.epoch({k: v for k, v in shown.items() if v is not None})
        self._tell(training)

    def finish(self, training: Training) -> None:
        """Tell what was noted since the last epoch."""
        self._tell(training)

    def _tell(self, training: Training) -> None:
        for note in training.notes[self._told :]:
            self._display.note(note)
        self._told = len(training.notes)

    def _advance(self, training: Training) -> None:
        self._display.advance(int(training.elapsed()) if self._timed else training.step)


class Timing(Observer):
    """Writes when each epoch ended to a file of its own, since the history knows no clock.

    Args:
        path: The file, e.g. `runs/digits-1/timing.jsonl`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def epoch(self, training: Training, row: Row) -> None:
        """One line: epoch, step, seconds of training so far."""
        facts = {"epoch": row["epoch"], "step": training.step, "seconds": round(training.elapsed(), 3)}
        try:
            files.append(self._path, json.dumps(facts) + "\n")
        except NetwrightError as exc:  # a log is never worth a training
            training.note(f"{exc.message} Times are not written any more.")
            self.epoch = lambda training, row: None  # type: ignore[method-assign]
