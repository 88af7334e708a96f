"""How well a network does on pictures moved aside: it saw the same things at other places.

Each picture is moved up, down, left and right by so many pixels; what comes in at a border is what lay there,
reflected, as the transform `shift` fills it. The score of a distance is that of all four directions together, and its
interval resamples pictures, so that the four views of one picture count as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netwright.data.augment.geometry import moved
from netwright.data.batches import Batch
from netwright.errors import SpecError
from netwright.lens.activations import looking
from netwright.model_file import Model
from netwright.tasks.category import Category
from netwright.tasks.task import Task

_DIRECTIONS = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True)
class ShiftScore:
    """The score at one distance.

    Args:
        px: How far the pictures were moved.
        score: Mean over the directions.
        interval: 95 % interval of that mean.
        changed: Share of the answers that are another class than of the picture where it was; None without classes.
    """

    px: int
    score: float
    interval: tuple[float, float]
    changed: float | None = None


def shift_scores(
    model: Model, output: str, batches: Iterable[Batch], to_px: int, told: Callable[[int], None] = lambda done: None
) -> list[ShiftScore]:
    """The headline score of an output on pictures moved by 0, 1, ... pixels.

    Args:
        model: With at least one picture going in; other inputs stay as they are.
        output: Which one is scored.
        batches: The examples.
        to_px: Largest distance, below the pictures' sides.
        told: Called with the number of examples done.

    Raises:
        SpecError: No picture goes in, or the pictures are too small for the distance.
    """
    if to_px > largest_px(model):
        raise SpecError(f"pictures cannot be moved by {to_px} pixels.", f"Use {largest_px(model)} or less.")
    task = model.tasks[output]
    answers: list[list[Tensor]] = [[] for _ in range(to_px + 1)]
    targets: list[list[Tensor]] = [[] for _ in range(to_px + 1)]
    index: list[list[Tensor]] = [[] for _ in range(to_px + 1)]
    done = 0
    with looking(model.network) as device:
        for batch in batches:
            inputs = {group: values.to(device) for group, values in batch.inputs.items()}
            for px in range(to_px + 1):
                for direction in _DIRECTIONS if px else _DIRECTIONS[:1]:
                    seen = {group: _aside(values, px, direction) for group, values in inputs.items()}
                    given = [model.network(piece)[output].cpu() for piece in model.network.pieces(seen)]
                    answers[px].append(task.answers(torch.cat(given)))
                    targets[px].append(batch.targets[output].cpu())
                    index[px].append(batch.index.cpu())
            done += len(batch.index)
            told(done)
    found = []
    for px in range(to_px + 1):
        changed = _changed(task, answers[0], answers[px])
        found.append(_scored(model, output, px, answers[px], targets[px], index[px], changed))
    return found


def largest_px(model: Model) -> int:
    """How far the pictures that go into a model can be moved.

    Raises:
        SpecError: None goes in.
    """
    sides = [side for field in model.inputs.values() if field.kind == "image" for side in field.shape[:2]]
    if not sides:
        raise SpecError("no picture goes into this network, so none can be moved.", "Name a run on pictures.")
    return min(sides) - 1


def _aside(values: Tensor, px: int, direction: tuple[int, int]) -> Tensor:
    """Pictures moved in one direction; anything else as it is."""
    if values.ndim != 4 or not px:
        return values
    ones = torch.ones(len(values), dtype=torch.int64, device=values.device)
    return moved(values, px * direction[0] * ones, px * direction[1] * ones)


def _changed(task: Task, still: Sequence[Tensor], moved_aside: Sequence[Tensor]) -> float | None:
    """How many answers moving changes; the views of one batch follow each other."""
    if not isinstance(task, Category):
        return None
    views = len(moved_aside) // len(still)
    before = torch.cat([task.chosen(answers) for answers in still for _ in range(views)])
    after = torch.cat([task.chosen(answers) for answers in moved_aside])
    return float((before != after).double().mean())


def _scored(
    model: Model,
    output: str,
    px: int,
    answers: Sequence[Tensor],
    targets: Sequence[Tensor],
    index: Sequence[Tensor],
    changed: float | None,
) -> ShiftScore:
    task = model.tasks[output]
    given, truth, pictures = torch.cat(list(answers)), torch.cat(list(targets)), torch.cat(list(index))
    views: np.ndarray | None = pictures.numpy() if px else None
    score, interval = task.score(given, truth)[task.headline], task.interval(given, truth, views)[task.headline]
    return ShiftScore(px, score, interval, changed)
