"""The history of a run: one JSON line per event, keyed by step, with no clock in it.

Two runs of the same spec and seed write the same bytes, whether or not one of them was killed and resumed. Times go
to a file of their own. A full disk never stops training: lines wait in memory and are written when there is room.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from netwright import files
from netwright.errors import NetwrightError

Row = dict[str, float | int | str | None]


def _line(row: Row) -> str:
    """One line of JSON; a value that is no finite number becomes null, which every reader understands."""
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
    return json.dumps(clean, separators=(",", ":")) + "\n"


class History:
    """Append-only record of steps, epochs and actions.

    Args:
        path: The file, e.g. `runs/digits-1/history.jsonl`; None keeps the lines in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._waiting: list[str] = []
        self._size = path.stat().st_size if path and path.exists() else 0
        self.rows: list[Row] = read(path) if path else []
        self.warning = ""

    def add(self, row: Row) -> None:
        """Record one event; on disk after the next `write`."""
        line = _line(row)
        self.rows.append(json.loads(line))
        self._waiting.append(line)

    def write(self) -> int:
        """Put waiting lines on disk.

        Returns:
            The size of the file in bytes, -1 when it could not be written (`warning` says why, training goes on).
        """
        if not self._waiting or self._path is None:
            return self._size
        text = "".join(self._waiting)
        try:
            files.append(self._path, text)
        except NetwrightError as exc:
            self.warning = f"{exc.message} The history waits in memory and is written when there is room."
            return -1
        self._waiting.clear()
        self.warning = ""
        self._size += len(text.encode())
        return self._size

    def cut(self, size: int) -> list[Row]:
        """Drop what lies beyond a checkpoint.

        Args:
            size: Bytes to keep.

        Returns:
            The actions among the dropped rows: a resumed run replays them at their steps.
        """
        if self._path is None or not self._path.exists():
            return []
        kept = self._path.read_bytes()[:size]
        dropped = read(self._path)[kept.count(b"\n") :]
        files.write_bytes(self._path, kept)
        self._size, self.rows = len(kept), read(self._path)
        return [row for row in dropped if row.get("kind") == "action" and row.get("by") == "person"]


def read(path: Path) -> list[Row]:
    """The rows of a history; a last line that a killed writer left half written is not one."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    rows: list[Row] = []
    for line in lines[:-1]:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows
