"""`netwright train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from netwright.cli.arguments import Settings, Wanted, spec_from
from netwright.cli.screen import Output

RUN = Group("The run", sort_key=3)


def train(
    source: str | None = None,
    /,
    *,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    to: Annotated[Path | None, Parameter(group=RUN)] = None,
    start: Annotated[Path | None, Parameter(name="--from", group=RUN)] = None,
    strict: Annotated[bool, Parameter(negative="", group=RUN)] = False,
    accept: Annotated[bool, Parameter(negative="", group=RUN)] = False,
    examples: Annotated[bool, Parameter(name="", negative="--no-examples", group=RUN)] = True,
    output: Output | None = None,
) -> None:
    """Train a network on your examples and write its report.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        to: Folder of the run; runs/<name>-<number> when left out.
        start: Run or model file whose weights and preprocessing to start from.
        strict: Stop at the first example that cannot be used, instead of setting it aside.
        accept: Go on in spite of duplicates across the splits or changed data.
        examples: Leave your examples out of the model file (it then cannot check itself when loaded).
    """
    from netwright import run

    output = output or Output()
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    with output.display() as show:
        outcome = run.train(
            spec, out=to, base=start, strict=strict, accept=accept, examples=examples, show=show
        )
    output.outcome(outcome)
