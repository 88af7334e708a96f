"""A text that a language model wrote, beside the one that it learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netwright.errors import DataError
from netwright.progress import Display, Silent
from netwright.report.facts import FormFacts
from netwright.run import forms, stages
from netwright.run.folder import RunFolder
from netwright.run.prediction import run_data


@dataclass(frozen=True)
class Judged:
    """What a text keeps of the forms of the learned one, and how much it copies.

    Args:
        forms: Those that the learned text keeps.
        copied: Characters in a row that stand there, too; None where the learned text is not at hand.
        notes: What a person should know.
    """

    forms: tuple[FormFacts, ...] = ()
    copied: int | None = None
    notes: tuple[str, ...] = ()


def judged(run_or_model: Path, text: str, show: Display | None = None) -> Judged:
    """A text beside the training part of a run's data.

    Args:
        run_or_model: Folder of a run with a language model; a model file has no data.
        text: What was written, without the prompt.
        show: Where progress is told.
    """
    if not run_or_model.is_dir():
        return Judged()
    try:
        dataset, _ = run_data(RunFolder(run_or_model), show or Silent())
    except DataError as exc:
        return Judged(notes=(f"forms and what is copied are not told: {exc.message}",))
    if (learned := stages.learned(dataset)) is None:
        return Judged()
    return Judged(tuple(stages.beside(text, stages.kept(learned))), forms.longest_copy(text, learned))
