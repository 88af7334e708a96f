"""Controls: acts of a person on a running training, read from an inbox folder between steps.

An act is a small JSON file put into the run's `control/` folder, e.g. `{"do": "lr", "factor": 0.5}`. Each act becomes
a line of the history with its step; a run that is resumed from before an act replays it at that step.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from netwright.training.history import Row
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy

ACTS = ("stop", "save", "lr")
_EVERY_SECONDS = 0.2


class Controls(Strategy):
    """Reads the inbox a few times a second.

    Args:
        inbox: The folder.
        replay: Acts of the history that lie beyond the checkpoint a resume starts from.
    """

    name = "controls"

    def __init__(self, inbox: Path, replay: list[Row] | None = None) -> None:
        self._inbox, self._next = inbox, 0.0
        self._replay = [row for row in replay or [] if row.get("act") == "lr"]

    def after_step(self, training: Training) -> None:
        """Do what the history says was done at this step, then what lies in the inbox."""
        while self._replay and int(self._replay[0]["step"] or 0) <= training.step:
            row = self._replay.pop(0)
            self._do(training, {"do": "lr", "factor": row["factor"]})
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_SECONDS
        for path in sorted(self._inbox.glob("*.json")) if self._inbox.is_dir() else ():
            self._read(training, path)

    def _read(self, training: Training, path: Path) -> None:
        try:
            act = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            act = None
        path.unlink(missing_ok=True)
        if isinstance(act, dict) and act.get("do") in ACTS:
            self._do(training, act)
        else:
            training.note(f"{path.name} in the control folder is no act; known: {', '.join(ACTS)}")

    def _do(self, training: Training, act: dict[str, object]) -> None:
        factor = act.get("factor")
        match act["do"]:
            case "lr" if isinstance(factor, int | float) and 0 < factor < 1e6:
                training.lr_scale *= factor
                training.act("person", "learning rate changed", act="lr", factor=float(factor))
            case "save":
                training.save_soon = True
            case "stop":
                training.act("person", "asked to stop", act="stop")
                training.leave(0)
            case _:
                training.note(f"control act {act} ignored: lr needs a positive factor")
