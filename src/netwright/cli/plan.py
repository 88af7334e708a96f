"""`netwright plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from netwright.cli.arguments import Settings, Wanted, spec_from
from netwright.cli.screen import Output


def plan(
    source: str | None = None,
    /,
    *,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    start: Annotated[Path | None, Parameter(name="--from")] = None,
    output: Output | None = None,
) -> None:
    """Say what training would do, without doing it.

    What was found in the data, every default with its reason, layers, parameters, sizes.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        wanted: What goes in and what comes out.
        settings: Settings of the spec.
        start: Run or model file whose weights and preprocessing to start from.
        output: How to print.
    """
    output = output or Output()
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    from netwright import run

    with output.display() as show:
        planned = run.plan(spec, base=start, show=show)
    output.result(planned)
