"""`netwright compare`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from netwright.cli.arguments import Settings, Wanted, spec_from, varied
from netwright.cli.screen import Output
from netwright.cli.watch import watched

STUDY = Group("The comparison", sort_key=0)


@Parameter(name="*", group=STUDY)
@dataclass(frozen=True)
class Repeats:
    """How often each value is trained.

    Args:
        seeds: Seeds per value, at least 1; --seed is the first.
        folds: Hold out so many parts of the data, one after the other, in the place of seeds: cross-validation.
    """

    seeds: int = 3
    folds: int = 0


def compare(
    source: str | None = None,
    /,
    *,
    vary: Annotated[tuple[str, ...], Parameter(group=STUDY)] = (),
    repeats: Repeats | None = None,
    reach: Annotated[float | None, Parameter(group=STUDY)] = None,
    to: Annotated[Path | None, Parameter(group=STUDY)] = None,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    output: Output | None = None,
) -> None:
    """Train with several values of a setting and compare.

    Every value is trained with every seed; held-out scores come as mean and spread over the seeds.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        vary: What to vary, e.g. --vary depth=1,2,3 or --vary "layers=dense 8, relu; dense 64, relu".
        repeats: How often each value is trained.
        reach: A validation score, e.g. 0.97: say after how many steps each value first reached it.
        to: Folder of the runs; runs/compare-<data>-<number> when left out.
        wanted: What goes in and what comes out.
        settings: Settings of the spec.
        output: How to print.
    """
    output, settings, repeats = output or Output(), settings or Settings(), repeats or Repeats()
    choices = varied(vary)
    spec = spec_from(source, wanted or Wanted(), settings)
    from netwright import studies
    from netwright.spec import override

    for path, values in choices.items():
        for value in values:
            override(spec, {path: value}, {path: f"--vary {path}"})
    # What is set and what is varied must not contradict each other: one would silently be dropped.
    override(spec, settings.values() | {path: values[0] for path, values in choices.items()}, settings.said())
    with output.display() as display, watched(display, "The same command goes on.") as show:
        table = studies.compare(spec, choices, seeds=repeats.seeds, folds=repeats.folds, reach=reach, out=to, show=show)
    output.result(table)
