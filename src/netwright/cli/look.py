"""`netwright look`: into a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from netwright.cli.screen import Output

app = App(name="look", help="Look into a trained network.")


@app.command
def step(
    run_folder: Path,
    /,
    *,
    weights: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    output: Output | None = None,
) -> None:
    """Show one step of gradient descent on two weights: direction, size, loss before and after.

    Args:
        run_folder: Folder of the run.
        weights: Two weights to watch, e.g. --weights "dense1.weight[0,3]"; the two steepest when left out.
    """
    from netwright import run

    output = output or Output()
    view = run.step_view(run_folder, weights=weights)
    if output.json:
        output.document(view)
    else:
        output.lines(view.text)
