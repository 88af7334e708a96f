"""A look at a run: what a linear classifier reads from each stage of its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from netwright import files
from netwright.lens.probes import MOST_NUMBERS, Probe, probe, stages
from netwright.metrics import wilson
from netwright.progress import Display, Silent
from netwright.report.probes import DrawnProbe, probe_page
from netwright.report.sentences import shape_text, with_interval
from netwright.run.held_out import HeldOut, held_out

MOST_TRAIN, MOST_HELD_OUT = 5000, 5000  # examples a probe learns from and is scored on


@dataclass(frozen=True)
class Probes:
    """What can be read from each stage of a network.

    Args:
        output: Which output the probes answer.
        stages: A linear classifier on each, the input first.
        network: Accuracy of the network itself on the same examples.
        interval: 95 % interval of it.
        page: Where the picture lies.
        text: In words, line by line.
    """

    output: str
    stages: tuple[Probe, ...]
    network: float
    interval: tuple[float, float]
    page: Path
    text: list[str]


def probes(run: Path, *, show: Display | None = None) -> Probes:
    """Trains a linear classifier on what each stage of a run's network gives, and scores it on held-out examples.

    Args:
        run: The run folder.
        show: Where progress is told.

    Raises:
        SpecError: The run has no output with one class for each example.
        DataError: Its data is gone or changed.
    """
    show = show or Silent()
    looked = held_out(run, MOST_HELD_OUT, show, train=MOST_TRAIN)
    output, task = looked.category()
    network = looked.model.network
    layers = stages(network, output)
    shapes = {node.name: node.shape for node in network.nodes}
    with looked.computing():
        show.stage("computing activations", 0)
        train, known = looked.gathered(layers, output, MOST_NUMBERS, "train")
        asked, truth = looked.gathered([*layers, output], output, MOST_NUMBERS)
        show.stage("training linear classifiers", len(layers))
        found: list[Probe] = []
        for layer in layers:
            learned = (train.pop(layer).numpy(), known.numpy())
            found.append(probe(layer, shapes[layer], learned, (asked.pop(layer).numpy(), truth.numpy())))
            show.advance(len(found))
    right = int((task.chosen(task.answers(asked[output])) == truth).sum())
    own, between = right / len(truth), wilson(right, len(truth))
    page, notes = looked.folder.path / "probes.html", _notes(looked, found)
    drawn = [DrawnProbe(each.layer, each.shape, each.numbers, each.accuracy, each.interval) for each in found]
    files.write_text(page, probe_page(output, drawn, (own, between), notes))
    text = _text(output, found, own, between)
    return Probes(output, tuple(found), own, between, page, [*text, *notes, f"picture: {files.printable(page)}"])


def _notes(looked: HeldOut, found: Sequence[Probe]) -> list[str]:
    told = [
        f"each classifier learned from {looked.told('train')}, and was scored on {looked.told()}",
        f"maps of more than {MOST_NUMBERS:,} numbers were averaged over a coarser grid, so that no stage wins by size",
    ]
    unsettled = [each.layer for each in found if not each.settled]
    if unsettled:
        told.append(f"stopped before they had settled: {', '.join(unsettled)}")
    return told


def _text(output: str, found: Sequence[Probe], own: float, between: tuple[float, float]) -> list[str]:
    names = [*(each.layer for each in found), "the network"]
    width, shapes = max(map(len, names)), [shape_text(each.shape) for each in found]
    across = max(map(len, shapes))
    lines = [f"share of {output} that a linear classifier reads rightly from each stage, with 95 % intervals:"]
    for each, shape in zip(found, shapes, strict=True):
        lines.append(f"  {each.layer:<{width}}  {shape:<{across}}  {_share(each.accuracy, each.interval)}")
    lines.append(f"  {names[-1]:<{width}}  {'':<{across}}  {_share(own, between)}")
    return [*lines, rise([each.accuracy for each in found])]


def _share(accuracy: float, interval: tuple[float, float]) -> str:
    return with_interval("accuracy", accuracy, interval)


def rise(shares: Sequence[float]) -> str:
    """Whether the shares rise from stage to stage, in words.

    Args:
        shares: Accuracy at each stage.

    Example:
        >>> rise([0.5, 0.7, 0.9]), rise([0.5, 0.7, 0.6])
        ('it rises at every stage, by 40.0 points in all', 'it rises at 1 of 2 stages, by 10.0 points in all')
    """
    if len(shares) < 2:
        return "the network has one stage only: its head reads what comes in"
    up = sum(after > before for before, after in pairwise(shares))
    where = "every stage" if up == len(shares) - 1 else f"{up} of {len(shares) - 1} stages"
    change = 100 * (shares[-1] - shares[0])
    return f"it rises at {where}, by {change:.1f} points in all"
