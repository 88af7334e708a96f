"""`netwright predict`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from netwright.cli.screen import Output, as_json
from netwright.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 40


def predict(
    run_or_model: Path,
    /,
    *inputs: Path,
    save: Path | None = None,
    top: Annotated[int, Parameter(validator=Number(gte=1))] = 3,
    stream: bool = False,
    idle: Annotated[float, Parameter(validator=Number(gte=0))] = 5.0,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Answer for new examples.

    The likeliest classes with their probabilities, or numbers in their own
    unit; a row for each step where the model answers at every step.

    With --stream steps are answered as they come, the same as all at once:
    lines of CSV (with or without a header) or JSON, one for each step, or raw
    16-bit sound, from standard input or a file that grows. Each gives a line
    of CSV, or of JSON with --json. A line that cannot be read is told with its
    number and skipped.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        inputs: Files of what goes in, folders of them, or tables; with --stream a file to follow.
        save: File to write all answers to, .csv or .parquet.
        top: How many of the likeliest classes to show, at least 1.
        stream: Answer step by step as steps come in.
        idle: With --stream FILE, seconds without growth after which the file is done.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry
    from netwright.errors import DataError
    from netwright.run import prediction

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    if stream:
        _streamed(run_or_model, inputs, save, idle, output)
        return
    with output.display() as show:
        shown, answers, remarks = prediction.answers(run_or_model, inputs, out=save, top=top, show=show)
        for said in remarks if output.json else []:
            show.note(said)
    problems = answers["problem"].to_pylist() if "problem" in answers.column_names else [""]
    nothing = bool(problems) and all(problems)
    if output.json and not nothing:  # otherwise the error is the one document
        output.document(answers)
    elif not output.json:
        output.lines([*remarks, ""] if remarks else [])
        _told(shown, answers.num_rows, sum(map(bool, problems)), save, output)
    if nothing:
        raise DataError(
            f"none of {counted(answers.num_rows, 'example')} could be answered, the first because: {problems[0]}",
            "Give examples like those that the model was trained on.",
        )


def _told(shown: pa.Table, count: int, failed: int, save: Path | None, output: Output) -> None:
    """The first answers as a table, and where the others are."""
    rows = shown.slice(0, SHOWN).to_pylist()
    output.table(shown.column_names, [list(row.values()) for row in rows], numbers=())
    if save is not None:
        what = f"{count - failed:,} of {count:,} answered" if failed else counted(count, "answer")
        output.lines([f"{what}: {save}"])
    elif count > SHOWN:
        output.lines([f"{count - SHOWN:,} more; --save answers.csv writes all {count:,}."])


def _streamed(run_or_model: Path, inputs: tuple[Path, ...], save: Path | None, idle: float, output: Output) -> None:
    """A line on standard output for each step, as soon as it is answered."""
    from netwright.errors import SpecError
    from netwright.run import stream
    from netwright.run.prediction import harmless

    if save is not None:
        raise SpecError(
            "--save and --stream do not go together: answers go to standard output.", "Write > answers.csv."
        )
    if len(inputs) > 1:
        raise SpecError(f"--stream follows one file, {len(inputs)} are given.", "Name one, or none for standard input.")
    source = inputs[0] if inputs and str(inputs[0]) != "-" else None
    write: csv.DictWriter[str] | None = None
    with output.display() as show:
        for row in stream(run_or_model, source, idle=idle, tell=show.note):
            if output.json:
                sys.stdout.write(as_json(row) + "\n")
            else:
                if write is None:
                    write = csv.DictWriter(sys.stdout, list(row), extrasaction="ignore", lineterminator="\n")
                    write.writerow({name: harmless(name) for name in row})
                write.writerow({name: harmless(cell) for name, cell in row.items()})
            sys.stdout.flush()
