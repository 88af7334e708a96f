"""Where a study of several runs lies: the same question finds the same folder again, so that it goes on there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from netwright import files
from netwright.errors import NetwrightError

Question = Mapping[str, object]


def study_folder(kind: str, name: str, question: Question) -> Path:
    """`runs/<kind>-<name>-<number>`: that of the same question if it was begun here, else a new one.

    Args:
        kind: Of study, e.g. "compare".
        name: Of the data.
        question: What is asked, as JSON values.
    """
    number = 1
    while True:
        folder = Path("runs") / f"{kind}-{name}-{number}"
        if not folder.exists() or _asked(folder) == question:
            return folder
        number += 1


def remember(folder: Path, question: Question, deciding: tuple[str, ...]) -> None:
    """Note in a study's folder what is asked there.

    Args:
        folder: Of the study.
        question: What is asked, as JSON values.
        deciding: The words of the question that may not change when a study goes on.

    Raises:
        NetwrightError: Something else was asked there.
    """
    before = _asked(folder)
    if isinstance(before, dict) and any(before.get(word) != question[word] for word in deciding):
        raise NetwrightError(
            f"{files.printable(folder)} holds a study of another {' or '.join(deciding)}.",
            "Name another folder with --to.",
        )
    files.write_text(folder / "question.json", json.dumps(question, indent=1) + "\n")


def _asked(folder: Path) -> object:
    try:
        return json.loads((folder / "question.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
