"""A look at a network: what its convolutions cost beside dense layers that could do the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from netwright.errors import SpecError
from netwright.figures.marks import number
from netwright.lens.sharing import LARGEST_BYTES, Cost, Shared, sharing
from netwright.model_file import Model
from netwright.progress import Display, Silent
from netwright.report.sentences import duration
from netwright.run.continued import load_model

BATCH = 128  # examples, where the run has no number of its own


@dataclass(frozen=True)
class Sharing:
    """Convolutions beside dense layers.

    Args:
        batch: Examples of a measured batch.
        threads: Threads it was measured with.
        layers: The convolutions.
        rows: A table of them: for each one the convolution and then the dense layer.
        text: What to know about it, line by line.
    """

    batch: int
    threads: int
    layers: tuple[Shared, ...]
    rows: list[tuple[str, str, str, str]]
    text: list[str]


def shared(run_or_model: Path, *, batch: int | None = None, show: Display | None = None) -> Sharing:
    """Parameters, multiply-adds and time of each convolution beside those of a dense layer between the same maps.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file.
        batch: Examples of a measured batch; as many as a step of the run when left out.
        show: Where progress is told.

    Raises:
        SpecError: No such model, one without convolutions, or `batch` is below 1.
    """
    if batch is not None and batch < 1:
        raise SpecError(f"--batch is {batch}, so nothing would be measured.", "Give 1 or more.")
    model, show = load_model(run_or_model), show or Silent()
    count = batch or _batch(model)
    convolutions = sum(node.part == "conv" for node in model.network.nodes)
    show.stage("measuring", convolutions)
    found = sharing(model.network, count, show.advance)
    threads = torch.get_num_threads()
    rows = [row for each in found for row in _rows(each)]
    many = f"{threads} thread{'s' if threads > 1 else ''}"
    told = (
        f"one batch is {count} examples, forward, on the processor with {many}; dense layers above "
        f"{LARGEST_BYTES / 1e9:.0f} GB are computed, not built"
    )
    return Sharing(count, threads, tuple(found), rows, [told, _saved(found)])


def _batch(model: Model) -> int:
    wanted = model.spec.training.batch_size
    return wanted if isinstance(wanted, int) else BATCH


def _rows(each: Shared) -> list[tuple[str, str, str, str]]:
    takes, gives = ("x".join(map(str, shape)) for shape in (each.takes, each.gives))
    return [
        (f"{each.layer}: {each.text}", *_cost(each.conv)),
        (f"  {takes} to {gives}, dense", *_cost(each.dense)),
    ]


def _cost(cost: Cost) -> tuple[str, str, str]:
    if cost.seconds is None:
        took = f"too large to build: {number(cost.gigabytes)} GB"
    else:
        took = f"{number(1000 * cost.seconds)} ms" if cost.seconds < 1 else duration(cost.seconds)
    return f"{cost.parameters:,}", f"{cost.multiply_adds:,}", took


def _saved(found: list[Shared]) -> str:
    """All of them together, in one sentence."""
    parameters, dense = (sum(cost.parameters for cost in costs) for costs in _sides(found))
    adds, dense_adds = (sum(cost.multiply_adds for cost in costs) for costs in _sides(found))
    said = (
        f"all {len(found)} together: {number(dense / parameters)} times the parameters and {number(dense_adds / adds)} "
        "times the multiply-adds without sharing"
    )
    both = [each for each in found if each.dense.seconds is not None]
    if both:
        seconds, dense_seconds = (sum(cost.seconds or 0.0 for cost in costs) for costs in _sides(both))
        of = "all" if len(both) == len(found) else ", ".join(each.layer for each in both[:6])
        said += f"; {number(dense_seconds / seconds)} times the measured time ({of})"
    return said


def _sides(found: list[Shared]) -> tuple[list[Cost], list[Cost]]:
    return [each.conv for each in found], [each.dense for each in found]
