"""`netwright look`: into a trained network."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from netwright.cli.screen import Output

app = App(name="look", group_commands="Commands", help="Look into a trained network.")


@app.command
def step(
    run_folder: Path,
    /,
    *,
    weights: tuple[str, ...] = (),
    lr: float | None = None,
    output: Output | None = None,
) -> None:
    """Show one step of gradient descent on two weights: direction, size, loss before and after.

    Args:
        run_folder: Folder of the run.
        weights: Two weights to watch, e.g. --weights "dense1.weight[0,3]"; the two steepest when left out.
        lr: Learning rate of the step; the run's own when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    view = run.step_view(run_folder, weights=weights, lr=lr)
    if output.json:
        output.document(view)
    else:
        output.lines(view.text)


@app.command
def unit(
    run_folder: Path,
    name: str,
    /,
    *,
    example: str = "",
    output: Output | None = None,
) -> None:
    """Show what one unit computes for one example: every weight times its input, the bias, the sum, the function.

    Args:
        run_folder: Folder of the run.
        name: Layer and place, e.g. "dense1[3]", or an output's name and place.
        example: Id of the example; the first held-out one when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    view = run.one_unit(run_folder, name, example=example)
    if output.json:
        output.document(view)
    else:
        output.lines(view.text)
