"""`netwright resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from netwright.cli.screen import Output
from netwright.cli.watch import watched


def resume(
    run_folder: Path,
    /,
    *,
    data: Path | None = None,
    accept: bool = False,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Go on with a run that was stopped or killed.

    On the CPU it ends bit for bit where it would have ended without the interruption.

    Args:
        run_folder: Folder of the run, e.g. runs/photos-1.
        data: Where the examples lie now, if they moved.
        accept: Go on although the data changed since the run began.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry, run

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    with output.display() as display, watched(display, "Then netwright resume goes on.") as show:
        outcome = run.resume(run_folder, data=data, accept=accept, show=show)
    output.outcome(outcome)
