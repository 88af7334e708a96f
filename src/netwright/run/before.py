"""How a model that a run starts from answers the run's held-out examples, before it learns from the others."""

from __future__ import annotations

import json
import math

from netwright import files
from netwright.data.dataset import Dataset
from netwright.model_file import Model
from netwright.run.answering import answer
from netwright.run.continued import Base
from netwright.run.folder import RunFolder
from netwright.tasks.task import Baseline

NAME = "before"
_NOTE = "the model that it started from"


def keep(folder: RunFolder, dataset: Dataset, model: Model, base: Base, *, resident: bool) -> None:
    """Scores a fresh model with its base's weights, once, for the outputs whose classes are all the base's.

    Args:
        folder: The run.
        dataset: Its data.
        model: Its model, before the first step.
        base: What its weights come from.
        resident: Whether the part is kept in memory.
    """
    known = [
        name
        for name, field in model.outputs.items()
        if (old := base.model.outputs.get(name)) and (old.kind, old.vocabulary) == (field.kind, field.vocabulary)
    ]
    part = next((part for part in ("test", "validation") if len(dataset.parts[part])), None)
    if folder.before.exists() or not known or part is None or any(model.tasks[n].goes_on for n in known):
        return
    found = answer(model, dataset, part, resident)
    scores = {}
    for name in known:
        task, given, truth = model.tasks[name], found.answers[name], found.targets[name]
        ends = task.interval(given, truth, found.groups)
        within = {key: pair for key, pair in ends.items() if all(map(math.isfinite, pair))}
        scores[name] = {"scores": task.score(given, truth), "interval": within}
    files.write_text(folder.before, json.dumps(scores, sort_keys=True) + "\n")


def baseline(folder: RunFolder, output: str) -> list[Baseline]:
    """What was kept of one output, as the simple methods beside it are told; nothing where nothing was.

    Args:
        folder: The run.
        output: Its name.
    """
    if not folder.before.exists():
        return []
    found = json.loads(folder.before.read_text(encoding="utf-8")).get(output)
    if found is None:
        return []
    interval = {name: (low, high) for name, (low, high) in found["interval"].items()}
    return [Baseline(NAME, found["scores"], interval, 0.0, _NOTE)]
