"""Answers as steps come in: one row for each step, the same as for the whole sequence, in memory that does not grow."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from netwright.data.fields import kind_of
from netwright.errors import CellError, DataError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.model_file import Model
from netwright.models.stepping import Stepping
from netwright.readers import missing
from netwright.readers.kinds.audio import Windows
from netwright.readers.kinds.number import one_number, style_of
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.numerals import read_numbers
from netwright.run.continued import load_model
from netwright.run.lines import (
    Growing,
    Pipe,
    Source,
    Table,
    Value,
    arriving,
    characters,
    followed,
    lines,
    samples,
    settled,
    words,
)
from netwright.run.scoring import task_columns
from netwright.run.spread import STEP
from netwright.tasks.per_step import PerStep
from netwright.tasks.task import Task, task_name

_REMEMBERED = 10_000  # names of sequences, to notice one that comes back

Row = dict[str, str | int | float | None]
Taken = tuple[Tensor, Row]  # a step as the network takes it, and what stands beside its answer
IDLE_SECONDS = 5.0


def stream(
    run_or_model: Path,
    source: Path | None = None,
    *,
    idle: float = IDLE_SECONDS,
    tell: Callable[[str], None] = lambda said: None,
) -> Iterator[Row]:
    """Answers step by step.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file.
        source: A file that is followed while it grows, or a named pipe that is read until its writers close it;
            standard input when left out.
        idle: Seconds without growth after which a file is done.
        tell: Told what a person should know: lines that were skipped, how sound is read, and once that there are more
            steps than are read of a whole sequence.

    Yields:
        One row for each step, with the columns that `predict` has: `step`, the columns of group and order where the
        steps have them, and per output the answer with its probabilities.

    Raises:
        SpecError: The model reads no sequence alone, or an answer would have to wait for what comes later.
        DataError: No step could be answered.
    """
    model = load_model(run_or_model)
    for note in model.notes:
        tell(note)
    name, field = _sequence(model)
    stepping = Stepping(model.network.cpu(), name)
    file = followed(source, idle) if source is not None else None
    steps = _steps(model, field, file or arriving(sys.stdin.buffer), stepping, tell)
    return _until_closed(_answered(model, stepping, _measured(steps, field, tell)), file)


def _until_closed(rows: Iterator[Row], file: Growing | Pipe | None) -> Iterator[Row]:
    try:
        yield from rows
    finally:
        if file is not None:
            file.close()


def _sequence(model: Model) -> tuple[str, Field]:
    """The one sequence that goes in.

    Raises:
        SpecError: None does, or something else does as well; or an answer is made of the whole.
    """
    ragged = [(name, field) for name, field in model.inputs.items() if field.ragged]
    if not ragged:
        raise SpecError("--stream: the model reads no sequence, so that there are no steps.", "Leave --stream out.")
    name, field = ragged[0]
    if others := [each for each in model.inputs if each != name]:
        told = ", ".join(map(printable, others))
        raise SpecError(f"--stream: the model needs {told} beside {printable(name)}.", "Train with the sequence alone.")
    kind = kind_of(field)
    if isinstance(kind, Sequence) and kind.foresees:
        raise SpecError(
            f"no answer can be given step by step: {kind.foresees}.", "Train with kind: signal and model.causal: true."
        )
    if field.options.get("tokens") == "bpe":
        raise SpecError(
            "--stream: pieces of a word are known only when it has ended.", "Train with tokens: characters."
        )
    for output, facts in model.outputs.items():
        if facts.options.get("onward"):
            cure = "Leave --stream out: `netwright predict RUN FILE` goes on from the last steps of a file."
            raise SpecError(f"--stream: {printable(output)} goes on from where the whole of a track ends.", cure)
        if task_name(facts) == "transcript":
            cure = "Leave --stream out, or train an answer at every step: outputs.NAME.per."
            raise SpecError(f"--stream: {printable(output)} is read off the whole of a sequence.", cure)
    return name, field


def _measured(steps: Iterator[Taken], field: Field, tell: Callable[[str], None]) -> Iterator[Taken]:
    """The steps; once it is told that a sequence has more than are read where it is whole."""
    longest, place, told = int(field.options["longest"]), 0, False
    for coded, beside in steps:
        place = 1 if "" in beside else place + 1
        if place > longest and not told:
            tell(
                f"step {place:,}: a whole sequence is read up to {longest:,} steps (inputs.{field.name}.longest), "
                "a stream goes on"
            )
            told = True
        yield coded, beside


def _answered(model: Model, stepping: Stepping, steps: Iterator[Taken]) -> Iterator[Row]:
    place, some = 0, False
    for coded, beside in steps:
        place = 1 if beside.pop("", None) else place + 1
        found = stepping.step(coded)
        row: Row = {key: beside[key] for key in beside if key == "id"} | {STEP: place}
        row |= {key: value for key, value in beside.items() if key != "id"}
        for output, task in model.tasks.items():
            row |= _columns(output, task, found[output])
        some = True
        yield row
    if not some:
        raise DataError(
            "not one step could be answered.", "Give one step to a line, as CSV or JSON; see the notes above."
        )


def _columns(name: str, task: Task, outputs: Tensor) -> Mapping[str, str | float]:
    """The answer at one step, as a table has it."""
    with torch.inference_mode():
        if isinstance(task, PerStep):
            columns = task_columns(name, task.inner, task.inner.answers(outputs))
        else:
            columns = task_columns(name, task, task.answers(outputs[:, None] if task.each_step else outputs))
    return {key: values[0].as_py() for key, values in columns.items()}


def _steps(
    model: Model, field: Field, source: Source, stepping: Stepping, tell: Callable[[str], None]
) -> Iterator[Taken]:
    """Steps as the network takes them; a sequence that begins is marked beside its first one."""
    if field.kind == "audio":
        tell(
            f"raw sound is read: 16 bits, the lower byte first, one channel, {int(field.options['rate_hz']):,} a second"
        )
        return _sounds(field, source)
    if field.kind == "signal":
        return _rows(model, field, source, stepping, tell)
    return _tokens(field, source)


def _rows(
    model: Model, field: Field, source: Source, stepping: Stepping, tell: Callable[[str], None]
) -> Iterator[Taken]:
    names = (field.source,) if isinstance(field.source, str) else field.source
    if len(names) != field.shape[0]:
        names = tuple(f"{names[0]} {place + 1}" for place in range(field.shape[0]))
    data = model.spec.data
    others = [name for name in (data.group, data.order) if name]
    table, read, code, now = Table(names, others), _Numbers(names, field, data.empty), _coder(field), None
    met: set[Value] = set()
    for number, line in lines(source):
        try:
            cells = table.cells(line)
            if cells is None:
                continue
            coded = code(read(cells))
        except CellError as exc:
            tell(f"line {number:,} is skipped: {exc.message}")
            continue
        beside: Row = {name: cells[name] for name in others if name in cells}
        sequence = beside.pop(data.group, None) if data.group else None
        if sequence is not None:
            beside["id"] = str(sequence)
        if sequence != now:
            if sequence in met:
                tell(f"line {number:,}: {data.group} {sequence} comes back and begins anew; its steps must not be torn")
            if len(met) < _REMEMBERED:
                met.add(sequence)
            stepping.begin()
            beside[""], now = True, sequence
        yield torch.from_numpy(coded)[0], beside


class _Numbers:
    """Reads the numbers of one step as its columns read them: columns written alike together.

    Args:
        names: Of the columns.
        field: Of the signal.
        empty: What says that there is no value.
    """

    def __init__(self, names: tuple[str, ...], field: Field, empty: tuple[missing.Mark, ...]) -> None:
        self._names, self._field, self._empty = names, field, empty
        self._styles = [style_of(field, place) for place in range(len(names))]
        self._alike = {style: [k for k, of in enumerate(self._styles) if of == style] for style in set(self._styles)}

    def __call__(self, cells: Mapping[str, Value]) -> np.ndarray:
        """`(1, number)`: the numbers of a step.

        Raises:
            CellError: One is none; says which.
        """
        row = np.full(len(self._names), np.nan)
        given = [missing.unmarked(cells[name], self._empty) for name in self._names]
        for style, alike in self._alike.items():
            places = [place for place in alike if isinstance(given[place], str)]
            texts = pa.array([given[place] for place in places], pa.string())
            row[places] = read_numbers(pa.chunked_array([texts]), style).values if places else []
        for place in np.flatnonzero(~np.isfinite(row)).tolist():
            try:
                fill = missing.fills(self._field, place)
                row[place] = one_number(given[place], self._styles[place], fill=fill)
            except CellError as exc:
                raise CellError(f"{printable(self._names[place])}: {exc.message}") from exc
        return row[None]


def _coder(field: Field) -> Callable[[np.ndarray], np.ndarray]:
    kind = kind_of(field)
    if not isinstance(kind, Sequence):  # pragma: no cover - the caller has looked
        raise SpecError(f"{field.name} is no sequence.")
    return kind.coder(field)


def _tokens(field: Field, source: Source) -> Iterator[Taken]:
    """Characters, line breaks and spaces among them, when the next one comes; words when a space or a line ends them.

    Behind white space nothing is waited for.
    """
    endless = field.model_copy(update={"options": {**field.options, "longest": sys.maxsize}})
    kind, code = kind_of(field), _coder(endless)
    for text in settled(characters(source)) if field.options["tokens"] == "characters" else words(source):
        try:
            tokens = torch.from_numpy(code(kind.one(text, field)))
        except CellError:  # nothing but white space
            continue
        yield from ((token, {}) for token in tokens)


def _sounds(field: Field, source: Source) -> Iterator[Taken]:
    windows, code = Windows(field), _coder(field)
    for sound in samples(source):
        for step in windows.steps(sound):
            yield torch.from_numpy(code(step[None]))[0], {}
