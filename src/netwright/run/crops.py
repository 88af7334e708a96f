"""A look at runs: top-1 and top-5 error with one crop of each picture and with several, alone and as an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from netwright import files
from netwright.errors import SpecError
from netwright.figures.marks import percent
from netwright.lens import crops as lens
from netwright.lens.crops import TOP, crop_answers, wrong
from netwright.progress import Display, Silent
from netwright.report.sentences import interval_text
from netwright.run.held_out import HeldOut, held_out
from netwright.tasks.category import Category

MOST_EXAMPLES = 10_000
HEADINGS = ("networks", "crops", "top-1 error", "95 % interval", "top-5 error")


@dataclass(frozen=True)
class CropError:
    """How often some networks are wrong together.

    Args:
        networks: Their names.
        crops: Of each picture.
        top1: Share of the pictures whose likeliest class is wrong.
        interval: 95 % interval of it.
        top5: Share of the pictures whose class is not among the five likeliest; None with five classes or fewer.
    """

    networks: tuple[str, ...]
    crops: int
    top1: float
    interval: tuple[float, float]
    top5: float | None


@dataclass(frozen=True)
class Crops:
    """Errors of each network and of all of them together.

    Args:
        errors: A row each.
        rows: The same as people read them, under `HEADINGS`.
        text: What else to know, line by line.
    """

    errors: tuple[CropError, ...]
    rows: list[tuple[str, ...]]
    text: list[str]


def cropped(run: Path, *, crops: int = 10, beside: Sequence[Path] = (), show: Display | None = None) -> Crops:
    """Errors on held-out pictures with one crop and with several, of each run and of all of them as an ensemble.

    Args:
        run: The run folder.
        crops: How many of each picture: 1, 2, 10 or 48.
        beside: Further runs on the same pictures.
        show: Where progress is told.

    Raises:
        SpecError: A run without pictures or classes, runs that hold out different pictures, another number of crops.
        DataError: A run's data is gone or changed.
    """
    counts = sorted({1, _known(crops)})
    show = show or Silent()
    looked = [held_out(each, MOST_EXAMPLES, show) for each in (run, *beside)]
    _refuse_different(looked)
    names = _labels([run, *beside])
    output, task = looked[0].category()
    answers: list[dict[int, Tensor]] = []
    for name, each in zip(names, looked, strict=True):
        show.stage(f"cropping pictures for {files.printable(name)}", len(each.dataset.parts[each.part]))
        with each.computing():
            answers.append(crop_answers(each.model, each.category()[0], each.batches(), counts, show.advance))
    truth = torch.cat([batch.targets[output] for batch in looked[0].batches()])
    errors = [
        _error((name,), count, found[count], truth, task)
        for name, found in zip(names, answers, strict=True)
        for count in counts
    ]
    if len(names) > 1:
        together = {count: torch.stack([found[count] for found in answers]).mean(dim=0) for count in counts}
        errors += [_error(tuple(names), count, together[count], truth, task) for count in counts]
    told = [f"looked at {looked[0].told()}; probabilities of crops and networks are averaged"]
    return Crops(tuple(errors), [_row(each) for each in errors], told)


def _known(count: int) -> int:
    return len(lens.crops(count))


def _error(names: tuple[str, ...], count: int, answers: Tensor, truth: Tensor, task: Category) -> CropError:
    low, high = task.interval(answers, truth)["accuracy"]
    most = len(task.classes)
    return CropError(
        names, count, wrong(answers, truth, 1), (1 - high, 1 - low), wrong(answers, truth, TOP) if most > TOP else None
    )


def _row(of: CropError) -> tuple[str, ...]:
    name = of.networks[0] if len(of.networks) == 1 else f"ensemble of {len(of.networks)}"
    between = interval_text("accuracy", of.interval)
    return name, str(of.crops), percent(of.top1, 2), between, percent(of.top5, 2)


def _labels(runs: Sequence[Path]) -> list[str]:
    """Names of the folders; whole paths where they are no names."""
    names = [each.resolve().name for each in runs]
    return names if len(set(names)) == len(names) else [str(each) for each in runs]


def _refuse_different(looked: Sequence[HeldOut]) -> None:
    first = looked[0]
    ids, classes = first.dataset.ids.take(first.dataset.parts[first.part]), first.category()[1].classes
    for other in looked[1:]:
        if other.category()[1].classes != classes:
            raise SpecError(
                f"{other.folder.path.name} knows other classes than {first.folder.path.name}.",
                "Name runs that tell the same classes apart.",
            )
        if not other.dataset.ids.take(other.dataset.parts[other.part]).equals(ids):
            raise SpecError(
                f"{other.folder.path.name} holds out other pictures than {first.folder.path.name}.",
                "Train both with one split: --set data.split.seed=0",
            )
