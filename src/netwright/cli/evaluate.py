"""`netwright evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from netwright.cli.screen import Output


def evaluate(
    run_or_model: Path,
    /,
    *,
    data: str | None = None,
    part: Literal["train", "validation", "test"] = "test",
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Score a trained model beside its baselines.

    How often the test part was read is counted, and stands in the report.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        data: Other examples to score on, all of them, instead of a part of the run's own.
        part: Which part of the run's examples to score on.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry, run

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    with output.display() as show:
        evaluation = run.evaluate(run_or_model, data=data, part=part, show=show)
    if output.json:
        output.document(evaluation)
    else:
        output.lines(evaluation.text)
