"""`netwright look`: into a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

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
    output.result(view)


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
    output.result(view)


@app.command
def path(
    run_folder: Path,
    /,
    *,
    momenta: Annotated[tuple[float, ...], Parameter(consume_multiple=True)] = (0.0, 0.5, 0.9),
    steps: int = 60,
    lr: float = 0.05,
    output: Output | None = None,
) -> None:
    """Draw the ways that different momenta take down the loss, from the run's first weights.

    Args:
        run_folder: Folder of the run.
        momenta: Two to six of them, each at least 0 and less than 1.
        steps: Steps of each way.
        lr: Learning rate without momentum; with momentum m it is (1 - m) times that.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    found = run.paths(run_folder, momenta=momenta, steps=steps, lr=lr)
    output.result(found, {"momenta": found.momenta, "turns": found.view.turns, "losses": found.losses})


@app.command
def shifts(
    run_folder: Path,
    /,
    *,
    to: int = 8,
    beside: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)] = (),
    output: Output | None = None,
) -> None:
    """Score runs on their held-out pictures, moved aside by 0 to 8 pixels.

    Args:
        run_folder: Folder of the run.
        to: Largest distance in pixels.
        beside: Folders of further runs, drawn and told beside it.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.shifts(run_folder, to=to, beside=beside, show=show)
    output.result(found, {"score": found.score, "runs": found.scores, "page": found.page})


@app.command
def probes(run_folder: Path, /, *, output: Output | None = None) -> None:
    """Say how well a linear classifier answers from what each stage of the network gives.

    Args:
        run_folder: Folder of the run.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.probes(run_folder, show=show)
    output.result(found)


@app.command
def sharing(run_or_model: Path, /, *, batch: int | None = None, output: Output | None = None) -> None:
    """Show what each convolution costs beside a dense layer that could do the same.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        batch: Examples of a measured batch; as many as a step of the run when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.shared(run_or_model, batch=batch, show=show)
    if output.json:
        output.document({"batch": found.batch, "threads": found.threads, "layers": found.layers})
    else:
        headings = ("layer", "parameters", "multiply-adds", "one batch")
        output.table(headings, found.rows, headings[1:])
        output.lines(found.text)


@app.command(name="map")
def example_map(run_folder: Path, /, *, layer: str = "", examples: int = 2000, output: Output | None = None) -> None:
    """Draw held-out examples on a map, near each other where a layer finds them alike (t-SNE).

    Args:
        run_folder: Folder of the run.
        layer: Name of the layer, e.g. relu2; the last one before the head when left out.
        examples: At most so many, drawn by the run's seed.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.example_map(run_folder, layer=layer, examples=examples, show=show)
    output.result(found)


@app.command
def maps(
    run_folder: Path,
    /,
    *,
    example: str = "",
    layer: str = "",
    unit: int | None = None,
    output: Output | None = None,
) -> None:
    """Draw what every layer makes of one picture, and one filter beside the map that it gives.

    Args:
        run_folder: Folder of the run.
        example: Id of the picture; the first held-out one when left out.
        layer: Layer whose map is drawn large, e.g. conv2; the first one with filters when left out.
        unit: Which of its maps, from 0; the one that reaches highest when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.maps(run_folder, example=example, layer=layer, unit=unit, show=show)
    output.result(found)


@app.command
def steps(
    run_folder: Path,
    /,
    *,
    text: str = "",
    example: str = "",
    layer: str = "",
    unit: int | None = None,
    output: Output | None = None,
) -> None:
    """Show one sequence step by step: what goes in, the state, the gates, and what would be answered.

    Args:
        run_folder: Folder of the run.
        text: A text to read.
        example: Id of an example to read; the first held-out one when both are left out.
        layer: Recurrent layer whose gates are shown, e.g. lstm1; the last one when left out.
        unit: Unit of it whose gates colour the text, from 0; the ones that move most when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.steps(run_folder, text=text, example=example, layer=layer, unit=unit, show=show)
    output.result(found)


@app.command
def memory(
    run_folder: Path,
    /,
    *,
    beside: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)] = (),
    steps: int = 50,
    layer: str = "",
    examples: int = 8,
    output: Output | None = None,
) -> None:
    """Measure how long recurrent layers remember: what is left of a change of the state some steps later.

    Args:
        run_folder: Folder of the run.
        beside: Folders of further runs, drawn and told beside it.
        steps: Steps to look at, 2 to 200.
        layer: Recurrent layer of the run; the last one when left out.
        examples: Held-out sequences that are looked at, the longest ones.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.memory(run_folder, beside=beside, steps=steps, layer=layer, examples=examples, show=show)
    output.result(found)


@app.command
def bptt(
    run_folder: Path,
    /,
    *,
    text: str = "",
    example: str = "",
    steps: int = 20,
    layer: str = "",
    output: Output | None = None,
) -> None:
    """Show the error of each step, and the gradient that comes back from it: all of it, and of the last n steps alone.

    Args:
        run_folder: Folder of the run.
        text: A text to take apart.
        example: Id of an example to take apart; the first held-out one when both are left out.
        steps: Steps of it, 2 to 100.
        layer: Layer whose recurrent weights are looked at; the last one when left out.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.bptt(run_folder, text=text, example=example, steps=steps, layer=layer, show=show)
    output.result(found)


@app.command
def words(run_folder: Path, /, *, text: str = "", example: str = "", output: Output | None = None) -> None:
    """Colour the words of held-out texts by their influence on the answer.

    Args:
        run_folder: Folder of the run.
        text: A text to look at first.
        example: Id of an example to look at first.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    with output.display() as show:
        found = run.words(run_folder, text=text, example=example, show=show)
    output.result(found)
