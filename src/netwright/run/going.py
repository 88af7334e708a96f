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
from netwright.tasks.track import Track

SHOWN = 12


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
        raw = np.asarray(dataset.arrays[task.goes_on[0]][position])[:, : track.AXES]  # type: ignore[index]
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


def _points(local: Tensor, task: Track) -> list[tuple[float, float]]:
    """Points as the data has them, or on the globe in metres, where both axes are alike."""
    points = local if track.unit(task.field) else track.outer(local, task.field)
    return [(float(x), float(y)) for x, y in points.tolist()]
