"""What to type after a training exploded: a whole command that goes on from what is left, by shorter steps."""

from __future__ import annotations

import shlex
from pathlib import Path

from netwright import files, spec
from netwright.run.folder import RunFolder, find_data
from netwright.training.loop import Training

_BOUND = 1.0  # of the gradients' length, where the run had no bound


def way_on(folder: RunFolder, training: Training, *, good: bool) -> str:
    """How to go on, in a sentence that ends in a command: half of the rate at which it was lost, bounded gradients.

    Args:
        folder: The run.
        training: As it ended.
        good: Whether an epoch ended well, so that its weights are kept.
    """
    facts, wanted = folder.read(), spec.load(folder.spec)
    told = facts.get("options")
    options = told if isinstance(told, dict) else {}
    rate = training.learning_rate * _factor(training) / 2
    base = str(folder.path) if good else str(options.get("base") or "")
    begin = "Its best weights are kept; go on from them" if good else "Begin anew"
    if not facts.get("data_path"):  # no command has what was in memory
        given = f', base="{files.printable(base)}"' if base else ""
        clip = f" and training.clip {_BOUND:g}" if wanted.training.clip is None else ""
        return (
            f"{begin} by shorter steps, from Python: netwright.train(spec, data=...{given}) with training.optimizer.lr "
            f"{rate:.3g}{clip}."
        )
    words = ["netwright", "train", str(folder.spec)]
    said, where = wanted.data.path or "", find_data(folder)
    words += ["--data", where] if where not in {said, str(Path(said).resolve())} else []
    words += ["--from", base] if base else []
    words += ["--lr", f"{rate:.3g}"]
    words += ["--set", f"training.clip={_BOUND:g}"] if wanted.training.clip is None else []
    words += ["--strict"] if options.get("strict") else []
    words += ["--no-examples"] if options.get("examples") is False else []
    return f"{begin} by shorter steps: {files.printable(shlex.join(words))}"


def _factor(training: Training) -> float:
    """Of the rate asked for, what was left when it was lost; a schedule that ran to its end says nothing of that."""
    return training.lr_scale if training.stop_reason or not training.rate else training.rate
