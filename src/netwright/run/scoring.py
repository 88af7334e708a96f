"""After training: answers on the held-out parts, scores beside baselines, the model file and the report.

The test part is read here once, and every reading is counted before it happens.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from netwright import files, model_file
from netwright.data.batches import Batch, Batches, coded_width
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.field import ONE_CLASS, Field
from netwright.figures.marks import number
from netwright.figures.matrix import confused_pairs
from netwright.files import printable
from netwright.model_file import Example, Model
from netwright.progress import Display
from netwright.report import sentences
from netwright.report.facts import Facts
from netwright.report.page import page
from netwright.resolved import Resolved
from netwright.run import before, gather
from netwright.run.answering import Answered, answer
from netwright.run.calibrate import calibrated
from netwright.run.folder import RunFolder
from netwright.run.spread import STEP, Spread
from netwright.spec import OutputSpec
from netwright.tasks.category import Category
from netwright.tasks.per_step import PerStep
from netwright.tasks.task import MOST_NUMBERS, Baseline, Coded, Task, Whole, task_for
from netwright.tasks.tokens import Texts
from netwright.training.loop import Training
from netwright.words import counted

LEFT_OUT = "left_out"  # among a model file's facts: columns that did not go in
_CHUNK = 2048  # examples coded at a time
_TEXTS = 2048  # of the training part that are written to be scored; of all of them it takes longer than an epoch
_MISTAKES, _TOLD = 20, 3  # pairs of classes, and sure mistakes: kept, and printed
_MOST_PROBABILITIES = 1000  # classes; beyond, only the likeliest class is kept per example


@dataclass(frozen=True)
class Outcome:
    """What a finished run leaves.

    Args:
        run: Its folder.
        model: The model file.
        report: The report.
        headline: Held-out score with its interval, one sentence.
        scores: By output, then part, then score.
        text: All that is worth saying, line by line.
    """

    run: Path
    model: Path
    report: Path
    headline: str
    scores: dict[str, dict[str, dict[str, float]]]
    text: list[str]


# ---- the end of a run ------------------------------------------------------------------------------------------------


def finish(
    folder: RunFolder,
    decided: Resolved,
    dataset: Dataset,
    model: Model,
    training: Training,
    keep_examples: bool,
    show: Display,
) -> Outcome:
    """Score, write predictions, model file, facts and report.

    Raises:
        ResourceError: The disk is full; `netwright resume` repeats only this part.
    """
    model.network.cpu()
    resident = decided.hardware.resident
    wanted = [name for name, output in decided.spec.outputs.items() if output.calibrate]
    temperatures = calibrated(model, dataset, wanted, resident)
    parts = [p for p in ("train", "validation", "test") if len(dataset.parts[p])]
    if "test" in parts:
        folder.count_read("test")
    shown = "test" if "test" in parts else parts[-1]
    answered = {}
    for part in parts:
        quick = part == "train" != shown  # of all texts that were learned from, a beam takes hours
        writes = quick and any(task.writes for task in model.tasks.values())
        asked = dataset.some(decided.spec.training.seed, train=_TEXTS) if writes else dataset
        show.stage(f"scoring the {'training' if part == 'train' else part} part", len(asked.parts[part]))
        answered[part] = answer(model, asked, part, resident, quick=quick, advance=show.advance)
    show.stage("scoring", 0)
    model = _settled(model, answered)
    scores = {part: found.scores(model) for part, found in answered.items()}
    _write_predictions(folder, dataset, model, [answered[p] for p in parts if p != "train"])
    baselines = _baselines(decided, dataset, model, answered[shown])
    baselines = {name: [*before.baseline(folder, name), *found] for name, found in baselines.items()}

    by_output = {name: {part: scores[part][name] for part in parts} for name in model.tasks}
    final = replace(
        model,
        spec=decided.spec,
        scores=by_output,
        facts={"fingerprint": dict(decided.fingerprint), "run": folder.path.name, LEFT_OUT: _left_out(decided)},
    )
    model_file.write(folder.model, final, _examples(dataset, final, answered[shown]) if keep_examples else [])
    checked = str(model_file.load(folder.model).replayed)

    collected = gather.Collected(decided, dataset, final, answered, baselines, training.history.rows, temperatures)
    facts = gather.facts(folder, collected, shown, training.elapsed())
    facts.write(folder.facts)
    files.write_text(folder.report, page(facts))
    training.history.write()
    folder.update(state="done", headline=gather.headline(facts), checked=checked)
    return outcome(folder)


def redraw(folder: RunFolder) -> None:
    """Bring the readings of the test part in a finished run's facts and report up to date."""
    facts = Facts.read(folder.facts).model_copy(update={"test_reads": folder.reads().get("test", 0)})
    facts.write(folder.facts)
    files.write_text(folder.report, page(facts))


def outcome(folder: RunFolder) -> Outcome:
    """What a finished run left, read from its folder."""
    facts = Facts.read(folder.facts)
    scores = {
        out.name: {part: {k: v for k, v in found.items() if v is not None} for part, found in out.scores.items()}
        for out in facts.outputs
    }
    text = gather.told(facts, folder)
    return Outcome(folder.path, folder.model, folder.report, gather.headline(facts), scores, text)


def _left_out(decided: Resolved) -> list[str]:
    """Columns that no kind fits, identifiers among them."""
    kinds = [reason for reason in decided.reasons if reason.path.endswith(".kind") and reason.value == "left out"]
    return [reason.path.removeprefix("inputs.").removesuffix(".kind") for reason in kinds]


def informed(model: Model, dataset: Dataset) -> Model:
    """The model with what its tasks keep of the training part's targets, before anything is trained.

    Args:
        model: A fresh one.
        dataset: Its data.
    """

    def targets(name: str) -> Iterator[Tensor]:
        field, places = dataset.outputs[name], dataset.parts["train"]
        for start in range(0, len(places), _CHUNK):
            yield torch.as_tensor(kind_of(field).code(dataset.arrays[name][places[start : start + _CHUNK]], field))

    return _with(model, {name: task.informed(targets(name)) for name, task in model.tasks.items()})


def _settled(model: Model, answered: dict[str, Answered]) -> Model:
    """The model with what its tasks keep of the training part, and then choose on the validation part."""
    if train := answered.get("train"):
        model = _with(model, {n: t.learned(train.answers[n], train.targets[n]) for n, t in model.tasks.items()})
    if held := answered.get("validation"):
        model = _with(model, {n: t.settled(held.answers[n], held.targets[n]) for n, t in model.tasks.items()})
    return model


def _with(model: Model, outputs: dict[str, Field]) -> Model:
    """The model with other facts about its outputs, and the tasks that follow from them."""
    tasks = {
        name: task_for(name, field, model.spec.outputs.get(name) or OutputSpec.model_validate({}))
        for name, field in outputs.items()
    }
    return replace(model, outputs=outputs, tasks=tasks) if outputs != model.outputs else model


def _baselines(decided: Resolved, dataset: Dataset, model: Model, shown: Answered) -> dict[str, list[Baseline]]:
    """What simple methods reach on the same examples."""
    seed = decided.spec.training.seed
    train = _coded(dataset, "train", seed)
    return {
        name: task.baselines(
            _flat(dataset, train.inputs, train.targets[name], _whole(dataset, name, seed)),
            _flat(dataset, _coded(dataset, shown.part, None).inputs, shown.targets[name], groups=shown.groups),
            seed,
        )
        for name, task in model.tasks.items()
    }


def _whole(dataset: Dataset, output: str, seed: int) -> Whole:
    """All of the training part, a few examples at a time."""

    def chunks() -> Iterator[tuple[Mapping[str, Tensor], Tensor]]:
        source = Batches(dataset, "train", _CHUNK, seed, shuffle=True, resident=False)
        return ((_even(dataset, batch.inputs), batch.targets[output]) for batch in source.epoch(0))

    return Whole(len(dataset.positions("train")), chunks)


def _flat(
    dataset: Dataset,
    inputs: Mapping[str, Tensor],
    targets: Tensor,
    whole: Whole | None = None,
    groups: np.ndarray | None = None,
) -> Coded:
    """A part as baselines take it: sequences as rows of one length, and the tokens of texts besides."""
    tokens = {name: values for name, values in inputs.items() if not values.is_floating_point()}
    fields = {name: dataset.inputs[name] for name in tokens}
    steps = {name: values for name, values in inputs.items() if values.is_floating_point() and values.ndim == 3}
    even = _even(dataset, inputs)
    return Coded(even, targets, groups, whole=whole, tokens=tokens, fields=fields, steps=steps)


def _even(dataset: Dataset, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    fields = {name: field for name, field in dataset.inputs.items() if field.ragged}
    return {
        group: kind_of(fields[group]).flat(values, fields[group]) if group in fields else values
        for group, values in inputs.items()
    }


def _coded(dataset: Dataset, part: str, seed: int | None) -> Batch:
    """A part in one batch; of a huge training part as many examples, drawn by chance, as a baseline can learn from."""
    width = sum(coded_width(field) for field in dataset.inputs.values())
    most = max(1000, MOST_NUMBERS // width) if seed is not None else len(dataset.positions(part))
    source = Batches(dataset, part, max(1, most), seed or 0, shuffle=seed is not None, resident=False)
    return next(iter(source.epoch(0)))


def _examples(dataset: Dataset, model: Model, shown: Answered) -> list[Example]:
    """Held-out examples for the model file, spread over the part, with the answers it must give again.

    These answers come from the cache; loading compares them with answers from raw cells, which proves the whole way.
    """
    count = min(len(shown.positions), model_file.MOST_EXAMPLES)
    rows = np.linspace(0, len(shown.positions) - 1, count).astype(int) if count else np.array([], dtype=int)
    positions = shown.positions[rows]
    cells = {name: dataset.raw(positions, name) for name in dataset.inputs}
    answers = {name: values[torch.from_numpy(rows)] for name, values in shown.answers.items()}
    judged = [
        name for name, task in model.tasks.items() if task.each_step or task.writes
    ]  # of these, scores were kept, not answers
    if judged:
        again = model.answers(model.code({name: dataset.arrays[name][positions] for name in dataset.inputs}))
        answers |= {name: again[name] for name in judged}
    return [
        Example(
            cells={name: values[k] for name, values in cells.items()},
            outputs={name: values[k].numpy() for name, values in answers.items()},
            id=str(dataset.ids[int(positions[k])]),
        )
        for k in range(len(rows))
    ]


def _write_predictions(folder: RunFolder, dataset: Dataset, model: Model, answered: list[Answered]) -> None:
    """One row per held-out example, or step of one: id, part, and per output truth, answer and probabilities."""
    tables = []
    for found in answered:
        columns: dict[str, pa.Array] = {
            "id": pa.array([str(dataset.ids[int(i)]) for i in found.positions], pa.string()),
            "part": pa.array([found.part] * len(found.positions), pa.string()),
        }
        if spread := Spread.of(model.tasks, found.answers):
            columns = {name: spread.each(values) for name, values in columns.items()} | {STEP: spread.numbers}
        for name in model.outputs:
            columns |= all_columns(name, model.tasks[name], found.answers[name], spread)
            columns[f"{name}_truth"] = _truths(dataset, model.tasks[name], found, spread)
        tables.append(pa.table(columns))
    if tables:
        with files.writing(folder.predictions) as sink:
            pq.write_table(pa.concat_tables(tables), sink)


def _truths(dataset: Dataset, task: Task, found: Answered, spread: Spread | None) -> pa.Array:
    """What is true of each row."""
    truth, field = found.targets[task.name], task.field
    if isinstance(task, PerStep) and spread is not None:
        return spread.steps_of(pa.array(task.truths(truth)))
    if isinstance(task, Texts):
        values = pa.array([str(dataset.preview(task.name, place)) for place in found.positions.tolist()], pa.string())
    else:
        named = [field.vocabulary[int(t)] for t in truth] if field.kind in ONE_CLASS else truth.tolist()
        values = pa.array(task.words(truth) or named)
    return values if spread is None else spread.each(values)


def all_columns(name: str, task: Task, answers: Tensor, spread: Spread | None) -> dict[str, pa.Array]:
    """Columns of a table of answers with a row for each example, or for each step; see `task_columns`.

    Args:
        name: Of the output.
        task: Of the output.
        answers: As the task gives them.
        spread: The rows, where some output answers at every step.
    """
    if isinstance(task, PerStep) and spread is not None:
        columns = task_columns(name, task.inner, task.steps(answers)[0])
        return {key: spread.steps_of(values) for key, values in columns.items()}
    columns = task_columns(name, task, answers)
    return columns if spread is None else {key: spread.each(values) for key, values in columns.items()}


def task_columns(name: str, task: Task, answers: Tensor) -> dict[str, pa.Array]:
    """Columns of a table of answers, as the task has them or as `answer_columns` makes them.

    Args:
        name: Of the output.
        task: Of the output.
        answers: As the task gives them.
    """
    own = task.columns(answers)
    if own is not None:
        return {f"{name}{what}": pa.array(values) for what, values in own.items()}
    return answer_columns(name, task.field.vocabulary, answers, task.words(answers))


def answer_columns(
    name: str, vocabulary: tuple[str, ...], answers: Tensor, words: list[str] | None = None
) -> dict[str, pa.Array]:
    """Columns of a table of answers: the likeliest class (or the words) and all probabilities, or the number.

    Args:
        name: Of the output.
        vocabulary: Its classes; empty for numbers.
        answers: Probabilities `[example, class]`, or numbers.
        words: Each example's answer in one text, where it is not the likeliest class.
    """
    if not vocabulary:
        return {name: pa.array(answers.tolist())}
    best = answers.argmax(dim=1).numpy()
    columns = {name: pa.array(words or [vocabulary[int(i)] for i in best], pa.string())}
    if len(vocabulary) <= _MOST_PROBABILITIES:
        columns |= {f"{name}:{label}": pa.array(answers[:, i].numpy()) for i, label in enumerate(vocabulary)}
    else:
        columns[f"{name}_probability"] = pa.array(answers.max(dim=1).values.numpy())
    return columns


# ---- scoring again ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """Scores of a trained model on some examples.

    Args:
        part: Which examples.
        examples: How many.
        reads: How often the test part was read so far, this time included; 0 for other examples.
        scores: By output.
        intervals: 95 % intervals by output.
        mistakes: Of outputs that are one class for an example: what was wrong, by output.
        text: The same in words, line by line.
    """

    part: str
    examples: int
    reads: int
    scores: dict[str, dict[str, float]]
    intervals: dict[str, dict[str, tuple[float, float]]]
    mistakes: dict[str, Mistakes]
    text: list[str]


@dataclass(frozen=True)
class Mistakes:
    """Which classes were taken for which, and the mistakes that a model is surest of.

    Args:
        confused: True class, answered class, how often, and in which share of the true class; most frequent first.
        surest: Identifier, true class, answered class and its probability; surest first.
    """

    confused: list[tuple[str, str, int, float]]
    surest: list[tuple[str, str, str, float]]

    def told(self) -> list[str]:
        """In words, the first of each."""
        if not self.confused:
            return []
        pairs = [f"{true} for {said} ({count:,})" for true, said, count, _ in self.confused[:_TOLD]]
        surest = [f"{id} (is {true}): {said} {100 * share:.1f} %" for id, true, said, share in self.surest[:_TOLD]]
        return [f"most often taken for another: {', '.join(pairs)}", f"surest mistakes: {'; '.join(surest)}"]


def _mistakes(task: Task, name: str, found: Answered, dataset: Dataset) -> Mistakes | None:
    """What an output that is one class for each example got wrong; None of any other output."""
    if not isinstance(task, Category) or task.each_step or task.writes:
        return None
    answers, targets = found.answers[name], found.targets[name]
    chosen = task.chosen(answers)
    surest = [
        (
            printable(str(dataset.ids[int(found.positions[row])])),
            task.classes[int(targets[row])],
            task.classes[int(chosen[row])],
            float(answers[row, chosen[row]]),
        )
        for row in task.surest_mistakes(answers, targets, _MISTAKES)
    ]
    pairs = confused_pairs(task.confusion(answers, targets).tolist(), task.classes, _MISTAKES)
    return Mistakes([(true, said, count, float(share)) for true, said, count, share in pairs], surest)


def evaluated(
    model: Model, found: Answered, dataset: Dataset, reads: int, started: float, remarks: Sequence[str] = ()
) -> Evaluation:
    """Scores, intervals and mistakes of answers, and the same in words, with remarks on the examples."""
    scores = found.scores(model)
    intervals = {n: task.interval(found.answers[n], found.targets[n], found.groups) for n, task in model.tasks.items()}
    text = [f"{found.part}: {counted(len(found.positions), 'example')} in {time.monotonic() - started:.1f} s"]
    mistakes: dict[str, Mistakes] = {}
    for name, task in model.tasks.items():
        for key in task.undefined(found.targets[name]):
            scores[name].pop(key, None)
            intervals[name].pop(key, None)
            text.append(f"  {name} {key}: undefined, for there is no example to be found")
        for key, value in scores[name].items():
            between = intervals[name].get(key)
            known = between and not any(map(math.isnan, between))  # of one group nothing is known of others
            within = f" ({number(between[0], 4)} to {number(between[1], 4)})" if between and known else ""
            text.append(f"  {name} {key}: {number(value, 4)}{within}")
        told = [*task.remarks(found.answers[name], found.targets[name]), *sentences.gap(scores[name])]
        text += [f"  {name}: {remark}" for remark in told]
        wrong = _mistakes(task, name, found, dataset)
        if wrong is not None:
            mistakes[name] = wrong
            text += [f"  {name}: {said}" for said in wrong.told()]
    if found.part == "test" and reads > 1:
        text.append(f"the test part was now read {reads} times: the more often, the less this number proves")
    text += [*remarks, *model.notes]
    if model.replayed is not None:
        text.append(f"the model file checked itself: {model.replayed}")
    return Evaluation(found.part, len(found.positions), reads, scores, intervals, mistakes, text)
