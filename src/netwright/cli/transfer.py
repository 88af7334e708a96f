"""`netwright transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from netwright.cli.arguments import Settings, Wanted, spec_from
from netwright.cli.screen import Output
from netwright.cli.watch import watched
from netwright.errors import SpecError

STUDY = Group("The study", sort_key=0)


def transfer(
    source: str | None = None,
    /,
    *,
    start: Annotated[Path | None, Parameter(name="--from", group=STUDY)] = None,
    sizes: Annotated[tuple[int, ...], Parameter(group=STUDY, consume_multiple=True)] = (),
    seeds: Annotated[int, Parameter(group=STUDY)] = 3,
    to: Annotated[Path | None, Parameter(group=STUDY)] = None,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    output: Output | None = None,
) -> None:
    """Measure what a trained model is worth on your examples.

    Beside fresh training stand its features with two classifiers, and fine-tuning, on ever more of the same examples.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        start: The trained model: a run, a model file, or a name of the zoo.
        sizes: Numbers of training examples, e.g. --sizes 20 50 200; five from a few to all when left out.
        seeds: How many times each is repeated, at least 1; --seed is the first.
        to: Folder of the runs; runs/transfer-<data>-<number> when left out.
        wanted: What goes in and what comes out.
        settings: Settings of both trainings.
        output: How to print.
    """
    output = output or Output()
    if start is None:
        raise SpecError("nothing says which trained model.", "Name one: --from RUN, or a name of `netwright zoo list`")
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    from netwright import studies

    with output.display() as display, watched(display, "The same command goes on.") as show:
        found = studies.transfer(spec, start, sizes=sizes, seeds=seeds, out=to, show=show)
    output.result(found)
