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
    part: Literal["train", "validation", "test"] | None = None,
    crops: tuple[str, ...] = (),
    ensemble: tuple[str, ...] = (),
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Score a trained model beside its baselines.

    How often the test part was read is counted, and stands in the report.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        data: Other examples to score on, all of them, instead of a part of the run's own.
        part: Which part of the run's examples to score on; test when left out.
        crops: Errors by how many views of each picture are averaged: 1, 2 (mirrored), 10 (corners), 144 (four sizes).
        ensemble: Further runs or .netwright files, comma-separated, whose answers are averaged with the first.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry, run

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    with output.display() as show:
        if crops or ensemble:
            further = [Path(name.strip()) for given in ensemble for name in given.split(",")]
            views = _numbers(crops) or [1]
            evaluation = run.evaluate_crops(
                run_or_model, crops=views, ensemble=further, data=data, part=part, show=show
            )
        else:
            evaluation = run.evaluate(run_or_model, data=data, part=part, show=show)
    output.result(evaluation)


def _numbers(crops: tuple[str, ...]) -> list[int]:
    """Numbers of crops from comma-separated words."""
    from netwright.errors import SpecError

    words = [word.strip() for given in crops for word in given.split(",")]
    wrong = [word for word in words if not word.isdecimal()]
    if wrong:
        raise SpecError(f'--crops: "{wrong[0]}" is no number of crops.', "Write for example --crops 1,2,10,144.")
    return [int(word) for word in words]
