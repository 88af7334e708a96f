"""A look through time: how long recurrent layers remember, measured on held-out sequences, of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netwright import files
from netwright.errors import SpecError
from netwright.figures.lines import SERIES
from netwright.figures.marks import number, percent
from netwright.lens.activations import looking
from netwright.lens.memory import EXACT, FADED, PROBES, Remembered, remembered
from netwright.lens.recurrence import cell_of, one_layer
from netwright.progress import Display, Silent
from netwright.report.memory import MemoryLine, memory_page
from netwright.run.sequences import Looked, looked_at, read_by
from netwright.training import hardware
from netwright.words import counted

MOST_STEPS = 200


@dataclass(frozen=True)
class LayerMemory:
    """What one layer remembers.

    Args:
        layer: Its name.
        text: As in the layer text.
        width: Numbers of the state that is handed from step to step.
        norms: `[t][k]`: what is left at step t of a change at step k, mean over sequences; None where k > t.
        by_lag: The same by the distance t - k, from 0 on, mean over places too.
        steps: First lag at which that is below 1 % of what it is at lag 1; None where it never is.
        sequences: How many were looked at.
    """

    layer: str
    text: str
    width: int
    norms: list[list[float | None]]
    by_lag: list[float]
    steps: int | None
    sequences: int


@dataclass(frozen=True)
class Memory:
    """How long some runs remember.

    Args:
        runs: By name.
        steps: Steps that were looked at.
        page: Where the pictures lie.
        text: In words, line by line.
    """

    runs: dict[str, LayerMemory]
    steps: int
    page: Path
    text: list[str]


def memory(
    run: Path,
    *,
    beside: Sequence[Path] = (),
    steps: int = 50,
    layer: str = "",
    examples: int = 8,
    show: Display | None = None,
) -> Memory:
    """How much of a change of the state is left some steps later; the page is written into the run's folder.

    Args:
        run: The run folder.
        beside: Further runs.
        steps: Steps to look at, from 2 to `MOST_STEPS`; fewer where the sequences are shorter.
        layer: Recurrent layer of the run; the last one when left out, as of those beside it.
        examples: Held-out sequences, the longest ones, at least 1.
        show: Where progress is told.

    Raises:
        SpecError: A run without a recurrent layer, too many runs, no such layer, or a number out of its range.
        DataError: A run's data is gone or changed.
    """
    if not 2 <= steps <= MOST_STEPS:
        raise SpecError(f"--steps is {steps}.", f"Give 2 to {MOST_STEPS}.")
    if examples < 1:
        raise SpecError(f"--examples is {examples}.", "Give 1 or more.")
    runs, show = [run, *beside], show or Silent()
    if len(runs) > SERIES:
        raise SpecError(f"{len(runs)} runs are too many for one picture.", f"Name at most {SERIES}.")
    looked = [looked_at(each, show) for each in runs]
    layers = [layer, *[""] * len(beside)]
    chosen = [one_layer(each.model.network, name)[0] for each, name in zip(looked, layers, strict=True)]
    picked = [each.longest(examples, steps) for each in looked]
    reach = min(count for _, _, count in picked)
    found: dict[str, LayerMemory] = {}
    exact = True
    show.stage("following changes of the state", len(runs))
    for place, (label, each) in enumerate(zip(labels(runs), looked, strict=True)):
        _, positions, _ = picked[place]
        of = _remembered(each, chosen[place].name, positions, reach)
        exact &= of.exact
        norms = [
            [None if at > row else value for at, value in enumerate(line)] for row, line in enumerate(of.norms.tolist())
        ]
        text = chosen[place].text
        found[label] = LayerMemory(chosen[place].name, text, of.width, norms, list(of.by_lag), of.steps, len(positions))
        show.advance(place + 1)
    notes = _notes(looked, [part for part, _, _ in picked], found, reach, steps, exact)
    page = looked[0].folder.path / "memory.html"
    lines = [
        MemoryLine(label, of.layer, of.text, of.width, of.norms, of.by_lag, remembers(of, reach))
        for label, of in found.items()
    ]
    files.write_text(page, memory_page(lines, notes))
    return Memory(found, reach, page, [*_text(found, reach), *notes, f"picture: {files.printable(page)}"])


def labels(runs: Sequence[Path]) -> list[str]:
    """Names of the folders; whole paths where they are no names.

    Args:
        runs: The folders.
    """
    names = [each.resolve().name for each in runs]
    return [files.printable(each) for each in (names if len(set(names)) == len(names) else map(str, runs))]


def remembers(of: LayerMemory, reach: int) -> str:
    """The memory in words: `17 steps`, or that it is longer than what was looked at.

    Args:
        of: What was measured.
        reach: Steps that were looked at.
    """
    return counted(of.steps, "step") if of.steps is not None else f"more than {reach - 1} steps"


def _remembered(looked: Looked, name: str, positions: np.ndarray, reach: int) -> Remembered:
    node, layer = one_layer(looked.model.network, name)
    with hardware.applied(looked.decided.hardware), looking(looked.model.network):
        looked.model.network.cpu()
        x, _ = read_by(looked.model.network, node, looked.coded(positions))
        return remembered(cell_of(layer), x[:, :reach], looked.decided.spec.training.seed)


def _notes(
    looked: Sequence[Looked], parts: Sequence[str], found: dict[str, LayerMemory], reach: int, steps: int, exact: bool
) -> list[str]:
    told = [
        "the length of a product is its Frobenius norm, divided by the root of the state's width",
        "so it says by how much a change in a direction drawn by chance is longer or shorter (root of the mean square)",
        f"effective memory: the first lag at which the mean is below {percent(FADED, 0)} of what it is at lag 1",
    ]
    if any("lstm" in of.text for of in found.values()):
        told.append("the state of an LSTM is all that it hands on, h and c together")
    if not exact:
        told.append(
            f"of states wider than {EXACT} numbers, changes in {PROBES} directions drawn by the seed were followed"
        )
    if reach < steps:
        told.append(f"the sequences have {reach} steps, so {steps} were not reached")
    looked_at = []
    for label, of, part in zip(found, found.values(), parts, strict=True):
        held = "training" if part == "train" else part
        looked_at.append(f"{counted(of.sequences, f'{held} sequence')} of {label}")
    told.append(f"looked at {', '.join(looked_at)}, the longest ones, each read from an empty state")
    for label, each, of in zip(found, looked, found.values(), strict=True):
        if one_layer(each.model.network, of.layer)[1].both:
            told.append(f"of {label}, whose layer reads both ways, the way ahead")
    return told


def _text(found: dict[str, LayerMemory], reach: int) -> list[str]:
    lines = [f"what is left of a change of the state after so many steps, of {reach}:"]
    lags = [lag for lag in (1, 2, 5, 10, 20, 50, 100) if lag < reach - 1] + [reach - 1]
    cells = [["run", "layer", *map(str, lags), "effective memory"]]
    cells += [
        [label, of.layer, *(number(of.by_lag[lag], 2) for lag in lags), remembers(of, reach)]
        for label, of in found.items()
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = (
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  " + "  ".join(aligned))
    return lines
