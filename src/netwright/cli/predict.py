"""`netwright predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from netwright.cli.screen import Output
from netwright.words import counted

SHOWN = 40


def predict(
    run_or_model: Path,
    /,
    *inputs: Path,
    save: Path | None = None,
    top: Annotated[int, Parameter(validator=Number(gte=1))] = 3,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Answer for new examples.

    The likeliest classes with their probabilities, or numbers in their own unit.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        inputs: Pictures, folders, or tables with the input columns.
        save: File to write all answers to, .csv or .parquet.
        top: How many of the likeliest classes to show, at least 1.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry
    from netwright.errors import DataError
    from netwright.run import prediction

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    with output.display() as show:
        shown, answers, remarks = prediction.answers(run_or_model, inputs, out=save, top=top, show=show)
        for said in remarks if output.json else []:
            show.note(said)
    count = answers.num_rows
    problems = answers["problem"].to_pylist() if "problem" in answers.column_names else [""]
    nothing = bool(problems) and all(problems)
    if output.json and not nothing:  # otherwise the error is the one document
        output.document(answers)
    elif not output.json:
        rows = shown.slice(0, SHOWN).to_pylist()
        output.lines([*remarks, ""] if remarks else [])
        output.table(shown.column_names, [list(row.values()) for row in rows], numbers=())
        if count > SHOWN and save is None:
            output.lines([f"{count - SHOWN:,} more; --save answers.csv writes all {count:,}."])
        if save is not None:
            given = count - sum(map(bool, problems))
            what = counted(count, "answer") if given == count else f"{given:,} of {count:,} answered"
            output.lines([f"{what}: {save}"])
    if nothing:
        raise DataError(
            f"none of {counted(count, 'example')} could be answered, the first because: {problems[0]}",
            "Give examples like those that the model was trained on.",
        )
