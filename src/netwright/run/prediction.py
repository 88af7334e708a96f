"""Answers for new examples: pictures, folders of them, or tables with the input columns."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import collections
import csv
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from torch import Tensor

from netwright import files, readers, registry
from netwright.data import ahead, fingerprint
from netwright.data.dataset import Dataset, prepare
from netwright.data.divide import groups_of
from netwright.data.fingerprint import Fingerprint
from netwright.data.ledger import Ledger
from netwright.data.windows import followed
from netwright.errors import DataError, SpecError
from netwright.model_file import Model
from netwright.progress import Counter, Display, Silent
from netwright.readers.columns import Cells, Found, Steps
from netwright.readers.kinds.kind import room
from netwright.readers.kinds.tags import NO_TAG
from netwright.resolved import Hardware, Resolved, load_resolved
from netwright.run import answering, scoring
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder, find_data
from netwright.run.given import arranged, column_for, found_in, sources
from netwright.run.outside import outside
from netwright.run.scoring import Evaluation, all_columns
from netwright.run.spread import STEP, Spread
from netwright.tasks.per_step import PerStep
from netwright.tasks.task import Task
from netwright.training import hardware
from netwright.words import counted, listed

_ROWS = 8192  # examples read and answered at a time
_REMARKS = 8  # told on what was given
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Answers(NamedTuple):
    """Answers for new examples.

    Args:
        shown: As a person reads them, one row per example.
        full: With the probability of every class.
        remarks: How the answers are chosen, where it is not the likeliest class; which examples lie far outside of what
            training saw.
    """

    shown: pa.Table
    full: pa.Table
    remarks: list[str]


def predict(
    run_or_model: Path | str,
    inputs: Sequence[Path | str] | object,
    *,
    out: Path | None = None,
    show: Display | None = None,
) -> pa.Table:
    """Answers for new examples.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file.
        inputs: Pictures, folders of pictures or tables; from Python also arrays, a DataFrame or an Arrow table.
        out: File for the answers, `.csv` or `.parquet`.
        show: Where it is told what is to be known about the model and its answers.

    Returns:
        One row per example: `id`; per output the number, or the likeliest class (of tags all that are given) and
        `<output>:<class>` with the probability of each, or the nearest identity (null where nobody is known), its
        `<output>_distance` and the embedding; `problem` where some could not be answered. Where some output answers at
        every step of a sequence a row is a step, and `step` counts them.

    Raises:
        SpecError: No such model, or `out` ends in neither .csv nor .parquet.
        DataError: The inputs lack columns that the model needs.
    """
    found = answers(run_or_model, inputs, out=out, show=show)
    for said in found.remarks:
        (show or Silent()).note(said)
    return found.full


def answers(
    run_or_model: Path | str,
    inputs: Sequence[Path | str] | object,
    *,
    out: Path | None = None,
    top: int = 3,
    show: Display | None = None,
) -> Answers:
    """Answers for new examples, in words and in full; see `predict`.

    Args:
        run_or_model: As for `predict`.
        inputs: As for `predict`.
        out: As for `predict`.
        top: How many of the likeliest classes stand in the words.
        show: As for `predict`.
    """
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise SpecError(f"--save {out}: answers are written as .csv or .parquet.", "Give the file one of these ends.")
    model = load_model(run_or_model)
    for note in model.notes:
        (show or Silent()).note(note)
    paths = _paths(inputs)
    answered = _each(model, paths, top) if paths else [_answered(model, readers.from_memory(inputs), top)]
    tables = zip(*[(shown, full) for shown, full, _ in answered], strict=True)
    shown, full = (_problems_last(pa.concat_tables(each, promote_options="default")) for each in tables)
    if out is not None:
        write_table(out, full)
    many = len(model.tasks) > 1
    remarks = [f"{name}: {said}" if many else said for name, task in model.tasks.items() for said in task.remarks()]
    far = [said for _, _, each in answered for said in each]
    most = _REMARKS if len(answered) > 1 else len(far)
    more = [f"and {counted(len(far) - most, 'more remark')} on other inputs"] if len(far) > most else []
    return Answers(shown, full, [*remarks, *far[:most], *more])


def _problems_last(table: pa.Table) -> pa.Table:
    """The same columns in the same order, whichever example is the first that cannot be answered."""
    names = table.column_names
    return table.select(sorted(names, key="problem".__eq__)) if names.count("problem") == 1 else table


def _each(model: Model, paths: Sequence[Path], top: int) -> list[tuple[pa.Table, pa.Table, list[str]]]:
    """Answers of each source; of several, one that cannot be read is a row with its problem.

    Raises:
        DataError: None of them can be read; says why the first cannot.
    """
    found, problems, names = [], [], collections.Counter(path.name for path in paths)
    for path in paths:
        try:
            given = found_in(path, model)
            if names[path.name] > 1 and given.ids.to_pylist() == [path.name]:  # or which is which could not be told
                given = replace(given, ids=pa.array([str(path)]))
            found.append(_answered(model, given, top))
        except DataError as exc:
            problems.append(exc)
            told = pa.table({"id": [files.printable(path)], "problem": [exc.message]})
            found.append((told, told, []))
    if len(problems) == len(found):
        raise problems[0]
    return found


def _paths(inputs: object) -> list[Path]:
    """What was given as paths; nothing when it is data in memory."""
    given = [inputs] if isinstance(inputs, str | Path) else inputs
    if not isinstance(given, Sequence):
        return []
    if not given:
        raise SpecError("nothing says what to predict.", "Give pictures, folders of pictures, or tables.")
    paths = [Path(item) for item in given if isinstance(item, str | Path)]
    return paths if len(paths) == len(given) else []


def _answered(model: Model, found: Found, top: int) -> tuple[pa.Table, pa.Table, list[str]]:
    """Answers of one source: as shown, and in full; and which examples lie far outside of what training saw."""
    found, onward = arranged(found, model)
    count = len(found.ids)
    if not count:
        first = f" {files.printable(found.refused[0].where)} {found.refused[0].reason}" if found.refused else ""
        wanted = listed([f"{files.printable(name)} ({field.kind})" for name, field in model.inputs.items()])
        raise DataError(
            f"{files.printable(found.origin)}: nothing can be answered.{first}", f"The model reads {wanted}: give such."
        )
    columns = {name: column_for(found, name, model) for name in model.inputs}
    raw = {name: room(field, count) for name, field in model.inputs.items()}
    problems: dict[int, str] = {}
    for name, field in model.inputs.items():
        kind = registry.resolve("kind", field.kind)()
        for row, reason in kind.read(columns[name], field, np.arange(count), raw[name], lambda done: None).items():
            problems[row] = f"{problems.get(row, '')} {name}: {reason}".strip()
    starts = range(0, count, _ROWS)
    reached = model.answers(
        model.code({name: values[start : start + _ROWS] for name, values in raw.items()}) for start in starts
    )
    ids = _ids(found, model)
    good = np.ones(count, dtype=bool)
    good[list(problems)] = False
    spread, trouble = Spread.of(model.tasks, reached), pa.array([problems.get(row, "") for row in range(count)])
    shown = {"id": ids}
    if spread is not None:
        shown = {"id": spread.each(ids), STEP: spread.numbers, **_order(found, model, spread)}
    full, sound = dict(shown), good if spread is None else good[spread.examples]
    for name, task in model.tasks.items():
        whole = all_columns(name, task, reached[name], spread)
        full |= {key: _masked(values, sound) for key, values in whole.items()}
        shown[name] = _masked(_in_words(task, reached[name], spread, top), sound)
    if problems:
        shown["problem"] = full["problem"] = trouble if spread is None else spread.each(trouble)
    read_as = found.notes if found.layout == "text_files" else ()
    unlike = ahead.unlike(found, onward, next(iter(model.inputs.values()))) if onward is not None else []
    far = [*read_as, *unlike, *outside(model.inputs, raw, ids.to_pylist(), good)]
    left_out = [refusal for refusal in found.refused if refusal.reason]
    if left_out:
        rows = {"id": [r.id for r in left_out], "problem": [f"{r.state}: {r.reason}" for r in left_out]}
        more = pa.table({key: pa.array(values, pa.string()) for key, values in rows.items()})
        merge = [pa.concat_tables([pa.table(part), more], promote_options="default") for part in (shown, full)]
        return merge[0], merge[1], far
    return pa.table(shown), pa.table(full), far


def _order(found: Found, model: Model, spread: Spread) -> dict[str, pa.Array]:
    """What orders the steps in the user's own table, e.g. the number of each frame; nothing where none does."""
    name = model.spec.data.order
    column = found.columns.get(name) if name else None
    if name is None or not isinstance(column, Steps):
        return {}
    rows = pa.array(column.starts[spread.examples] + spread.steps - 1, pa.int64(), mask=spread.steps == 0)
    return {name: column.cells.values.combine_chunks().take(rows)}


def _in_words(task: Task, answers: Tensor, spread: Spread | None, top: int) -> pa.Array:
    """Answers as a person reads them, a row for each example or step."""
    if spread is not None and isinstance(task, PerStep):
        flat = task.inner.decode(task.steps(answers)[0], top)
        return spread.steps_of(pa.array([_words(value) for value in flat], pa.string()))
    words = pa.array([_words(value) for value in task.decode(answers, top)], pa.string())
    return words if spread is None else spread.each(words)


def _ids(found: Found, model: Model) -> pa.Array:
    """The column that is called id and not read by the model, or the one identifier that training left out.

    Otherwise file names and row numbers; sequences of rows have the name of their group.
    """
    if model.spec.data.group is not None:
        return pa.array([files.printable(value) for value in found.ids.to_pylist()], pa.string())
    others = {n: c for n, c in found.columns.items() if isinstance(c, Cells) and n not in sources(model)}
    names = [name for name in others if name.casefold() == "id"][:1]
    if not names:
        left_out = model.facts.get(scoring.LEFT_OUT)
        known = left_out if isinstance(left_out, list) else []
        names = [name for name in others if name in known and _tells_apart(others[name])]
    if len(names) == 1:
        return pa.array([files.printable(str(value)) for value in others[names[0]].values.to_pylist()], pa.string())
    return pa.array([files.printable(value) for value in found.ids.to_pylist()], pa.string())


def _tells_apart(column: Cells) -> bool:
    """Whether every cell is a word or number of its own, unlike sentences and names."""
    values = ["" if value is None else str(value) for value in column.values.to_pylist()]
    return len(set(values)) == len(values) and all(value and value.split() == [value] for value in values)


def _masked(values: pa.Array, good: np.ndarray) -> pa.Array:
    return pa.array(values.to_pylist(), values.type, mask=~good)


def _words(answer: object) -> str:
    """`cat 97.1 %, dog 2.0 %`, `no tag`, words as they are, or a number."""
    if isinstance(answer, str):
        return answer
    if answer == []:
        return NO_TAG
    if isinstance(answer, list) and answer and isinstance(answer[0], tuple):
        return ", ".join(f"{label} {100 * share:.1f} %" for label, share in answer)
    values = answer if isinstance(answer, list) else [answer]
    return ", ".join(f"{value:.6g}" for value in values)


def write_table(out: Path, answers: pa.Table) -> None:
    """Write a table as Parquet, or as CSV that no spreadsheet runs, by the ending of its file."""
    if out.suffix == ".parquet":
        with files.writing(out) as sink:
            pq.write_table(answers, sink)
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([harmless(name) for name in answers.column_names])
    for batch in answers.to_batches(max_chunksize=_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        writer.writerows([[harmless(cell) for cell in row] for row in zip(*columns, strict=True)])
    files.write_text(out, text.getvalue())


def harmless(cell: object) -> object:
    """A spreadsheet runs text that begins like a formula; an apostrophe before it keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


# ---- scoring on other examples ---------------------------------------------------------------------------------------


def evaluate(
    run_or_model: Path, *, data: object = None, part: str | None = None, show: Display | None = None
) -> Evaluation:
    """Score a trained model; every reading of a test part is counted.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file together with `data`.
        data: Other examples, all of which are scored: a path, or data in memory.
        part: Part of the run's own data, when no other data is given.
        show: Where progress is told.

    Raises:
        SpecError: A model file without data, or no such part.
        DataError: The data cannot be used, or changed since the run.
    """
    show, started = show or Silent(), time.monotonic()
    model = load_model(run_or_model)
    asked = held_out(run_or_model, model, data, part, show)
    reads = count_reading(run_or_model, asked.part)
    if asked.machine is None:
        found = answering.answer(model, asked.dataset, asked.part, False)
    else:
        with hardware.applied(asked.machine):  # so that the answers have the bits they had after training
            found = answering.answer(model, asked.dataset, asked.part, asked.machine.resident)
    return scoring.evaluated(model, found, asked.dataset, reads, started, asked.remarks)


@dataclass(frozen=True)
class HeldOut:
    """Examples that a model is to be scored on.

    Args:
        dataset: The data set they belong to.
        part: train, validation, test or all.
        machine: What the run was decided to compute on; None for other examples.
        remarks: What must be known about them.
    """

    dataset: Dataset
    part: str
    machine: Hardware | None = None
    remarks: tuple[str, ...] = ()


def held_out(run_or_model: Path, model: Model, data: object, part: str | None, show: Display) -> HeldOut:
    """The examples that a model is to be scored on; see `evaluate`."""
    if data is not None and part is not None:
        raise SpecError(
            f"{part} is a part of the run's own examples, and other data was given, all of which is scored.",
            "Leave out --part, or --data.",
        )
    if data is not None:
        dataset = other_data(model, data, show)
        for note in dataset.ledger.told():
            show.note(note)
        left_out, every = dataset.ledger.left_out(), counted(len(dataset.ledger), "example")
        known = [f"{left_out:,} of {every} set aside"] * (left_out > 0)
        learned, asked = learned_from(run_or_model, dataset, dataset.positions("all")), len(dataset)
        if learned:
            known.append(
                f"{learned:,} of {asked:,} examples were learned from: their score says nothing about new ones"
            )
        return HeldOut(dataset, "all", remarks=tuple(known))
    if not run_or_model.is_dir():
        raise SpecError("a model file has no examples to score on.", "Name some: --data PATH")
    folder = RunFolder(run_or_model)
    dataset, decided = run_data(folder, show)
    part = part or "test"
    if not len(dataset.parts.get(part, ())):
        raise SpecError(
            f"the run has no {part} examples.", f"It has: {', '.join(k for k, v in dataset.parts.items() if len(v))}."
        )
    return HeldOut(dataset, part, decided.hardware)


def count_reading(run: Path, part: str) -> int:
    """How often the test part of a run was read, this time included, in its report too; 0 for another part."""
    if part != "test":
        return 0
    folder = RunFolder(run)
    reads = folder.count_read("test")
    if folder.facts.exists():
        scoring.redraw(folder)
    return reads


def other_data(model: Model, data: object, show: Display) -> Dataset:
    """Other examples as a model reads them.

    Args:
        model: What they are read for.
        data: A path, or data in memory.
        show: Where progress is told.
    """
    path, split = str(data) if isinstance(data, str | Path) else None, model.spec.data.split
    whole = bool(ahead.asked(model.spec) or followed(model.spec))  # or tracks and texts would be torn for nothing
    by = {"by": None if followed(model.spec) else "random", **({"parts": (1.0, 0.0, 0.0)} if whole else {})}
    held = {"path": path, "split": split.model_copy(update={"column": None, "take": None, "fold": None, **by})}
    fields = {**model.inputs, **model.outputs}
    strangers = {name: field.vocabulary for name, field in model.outputs.items() if field.kind == "identity"}
    wanted = ahead.known(model.spec, model.inputs) if ahead.asked(model.spec) else model.spec
    dataset = prepare(
        wanted.model_copy(update={"data": wanted.data.model_copy(update=held)}),
        data=None if path else data,
        progress=Counter(show),
        accept=True,
        fields={name: field for name, field in fields.items() if name not in strangers},
        vocabulary=strangers,
    )
    if dataset.groups is None:
        dataset = replace(dataset, groups=groups_of(model.spec, dataset.find, dataset.rows))
    return dataset


def learned_from(run: Path, dataset: Dataset, positions: np.ndarray) -> int:
    """How many of some examples have the inputs of examples that a run learned from.

    Args:
        run: Folder of the run; of a model file nothing is known.
        dataset: The examples, as the run's model reads them.
        positions: Which of them.
    """
    if not run.is_dir() or not (folder := RunFolder(run)).ledger.exists():
        return 0
    before = Ledger.read(folder.ledger).table
    learned = before.filter(pc.is_in(before["split"], pa.array(["train", "validation"])))["content"]
    asked = dataset.ledger.table["content"].take(pa.array(positions))
    return int(pc.sum(pc.is_in(asked, learned.combine_chunks())).as_py() or 0)


def run_data(folder: RunFolder, show: Display) -> tuple[Dataset, Resolved]:
    """The data of a run as it was, and what was decided.

    Raises:
        DataError: It is gone or changed.
    """
    decided = load_resolved(folder.resolved)
    held = decided.spec.data.model_copy(update={"path": find_data(folder)})
    dataset = prepare(
        decided.spec.model_copy(update={"data": held}),
        progress=Counter(show),
        fields={**decided.inputs, **decided.outputs},
        accept=True,
    )
    changes = fingerprint.changes(Fingerprint.read(folder.fingerprint), dataset.files)
    if changes:
        raise DataError(
            f"the data changed since the run {files.printable(folder.path)}: {'; '.join(changes)}.",
            "Score on it as other data: --data PATH",
        )
    return dataset, decided
