"""Held-out tracks for the report: what was seen, how they went on, and how the net and a simple method say they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from netwright import files
from netwright.data.dataset import Dataset
from netwright.readers.kinds import track
from netwright.report.facts import TrackFacts
from netwright.run.answering import Answered
from netwright.tasks.series import Series
from netwright.tasks.task import Task
from netwright.tasks.track import Track

SHOWN, ORIGINS = 12, 6


def drawn(task: Task, dataset: Dataset, answered: Answered, order: Sequence[int]) -> list[TrackFacts]:
    """What is shown of an output that goes on from an input; nothing of another.

    Args:
        task: Of the output.
        dataset: The data.
        answered: The part that is shown.
        order: Rows of the part, drawn by chance.
    """
    if isinstance(task, Track):
        return tracks(task, dataset, answered, order)
    return series(task, dataset, answered, order) if isinstance(task, Series) else []


def tracks(task: Track, dataset: Dataset, answered: Answered, order: Sequence[int]) -> list[TrackFacts]:
    """Some held-out tracks, each of another group as long as there are such.

    Args:
        task: Of the output.
        dataset: The data.
        answered: The part that is shown.
        order: Rows of the part, drawn by chance.
    """
    field = task.field
    chosen: dict[object, int] = {}
    for row in order:
        group = row if answered.groups is None else int(answered.groups[row])
        chosen.setdefault(group, int(row))
        if len(chosen) == SHOWN:
            break
    found = []
    for row in chosen.values():
        position = int(answered.positions[row])
        raw = np.asarray(dataset.arrays[str(field.options["onward"])][np.array([position])][0])[:, : track.AXES]
        truth, answer = answered.targets[task.name][row], answered.answers[task.name][row]
        seen = torch.from_numpy(track.local(raw, field))
        way = seen[-1] - seen[-min(2, len(seen))]
        simple = seen[-1] + torch.arange(1, len(truth) + 1)[:, None] * way
        off = float((track.again(answer, field) - truth.double()).norm(dim=1).mean())
        found.append(
            TrackFacts(
                id=files.printable(str(dataset.ids[position])),
                seen=_points(seen, task),
                true=_points(truth.double(), task),
                answer=_points(track.again(answer, field), task),
                simple=_points(simple, task),
                off=off,
                measure=track.unit(field),
            )
        )
    return found


def series(task: Series, dataset: Dataset, answered: Answered, order: Sequence[int]) -> list[TrackFacts]:
    """Some held-out origins of a series: steps from the origin and the first number.

    Args:
        task: Of the output.
        dataset: The data.
        answered: The part that is shown.
        order: Rows of the part, drawn by chance.
    """
    found = []
    for row in sorted(order[:ORIGINS]):
        position = int(answered.positions[row])
        raw = np.asarray(dataset.arrays[str(task.field.options["onward"])][np.array([position])][0])[:, 0]
        answer = answered.answers[task.name][row][:, 0]
        truth = task.own(answered.targets[task.name][row][None])[0, :, 0]
        season = int(task.field.options.get("season", 0))
        ago = [raw[-season + k % season] for k in range(len(truth))] if 0 < season <= len(raw) else []
        found.append(
            TrackFacts(
                id=files.printable(str(dataset.ids[position])),
                seen=[(float(k - len(raw) + 1), float(value)) for k, value in enumerate(raw)],
                true=_over_time(truth),
                answer=_over_time(answer),
                simple=_over_time(ago),
                off=float((answer - truth).abs().mean()),
            )
        )
    return found


def _over_time(values: Sequence[float] | Tensor) -> list[tuple[float, float]]:
    return [(float(step), float(value)) for step, value in enumerate(values, start=1)]


def _points(local: Tensor, task: Track) -> list[tuple[float, float]]:
    """Points as the data has them, or on the globe in metres, where both axes are alike."""
    points = local if track.unit(task.field) else track.outer(local, task.field)
    return [(float(x), float(y)) for x, y in points.tolist()]
