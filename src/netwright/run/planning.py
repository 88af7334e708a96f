"""Before training: what was found, what would be decided and why, how large it would be; nothing is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netwright import files
from netwright.data import pieces
from netwright.data.batches import Batches
from netwright.data.dataset import Dataset, prepare
from netwright.doctor.border import Border
from netwright.doctor.check import judge_data
from netwright.doctor.finding import Finding
from netwright.field import TOKENS, Field, Reason
from netwright.figures.marks import clip, number
from netwright.model_file import assemble
from netwright.models.build import Row, table
from netwright.progress import Counter, Display, Silent
from netwright.run import resolve
from netwright.run import views as augmentation
from netwright.run.continued import start_from
from netwright.run.gather import describe
from netwright.run.views import Views
from netwright.spec import Spec
from netwright.training import hardware
from netwright.words import counted, listed, sizes

_LABEL = 40  # characters shown of a label


@dataclass(frozen=True)
class Plan:
    """What training would do.

    Args:
        layers: The layer table, heads included.
        parameters: Weights and biases in all.
        multiply_adds: Of one example, forward.
        memory_mb: Weights, activations and gradients of one batch.
        data_mb: Size of the data in the cache.
        epochs: Most epochs.
        steps_per_epoch: Updates an epoch.
        reasons: Every default with its reason.
        text: All of it in words, line by line.
    """

    layers: list[Row]
    parameters: int
    multiply_adds: int
    memory_mb: float
    data_mb: float
    epochs: int
    steps_per_epoch: int
    reasons: list[Reason]
    text: list[str]


def plan(wanted: Spec, *, data: object = None, base: Path | None = None, show: Display | None = None) -> Plan:
    """Read the data, settle every default, and count what training would need.

    Args:
        wanted: The spec.
        data: Examples in memory instead of `wanted.data.path`.
        base: Run or model file whose weights and preprocessing to start from.
        show: Where progress is told.

    Raises:
        SpecError: The spec is wrong, or nothing of the base fits it.
        ModelFileError: The base cannot be read.
        DataError: The data cannot be used.
    """
    start = start_from(base) if base else None
    wanted = start.layers(wanted) if start else wanted
    classes, fields = (start.vocabulary, start.fields(wanted)) if start else (None, None)
    dataset = prepare(wanted, data=data, progress=Counter(show or Silent()), vocabulary=classes, fields=fields)
    settled, reasons = resolve.settle(wanted, dataset, fresh=start is None)
    model = assemble(settled, dataset.inputs, dataset.outputs, settled.training.seed)
    taken = start.give_weights(model) if start else []
    if settled.training.freeze:
        reasons.append(resolve.frozen(settled, model, fresh=start is None))
    (size, steps), mean_steps = pieces.batch(settled, dataset), pieces.steps(settled, dataset)
    rows = table(model.network, size, mean_steps)
    adds = sum(row.multiply_adds for row in rows)
    resident, why = dataset.resident()
    machine = hardware.decide(
        adds * size, resident, why.why, settled.training.threads, convolves=model.network.convolves
    )
    told = [reason for task in model.tasks.values() for reason in task.reasons]
    every = [*dataset.reasons, *told, *reasons, *machine.why]
    memory = sum(row.memory_mb for row in rows)
    fields = {**dataset.inputs, **dataset.outputs}.values()
    cached = sum(math.prod(dataset.arrays[f.name].shape) * np.dtype(f.dtype).itemsize for f in fields) / 1e6
    epochs = settled.training.stop.epochs or 1
    costs = [
        f"{sum(row.parameters for row in rows):,} parameters, {adds:,} multiply-adds an example",
        f"{memory:,.1f} MB for a batch of {size}, {cached:,.1f} MB of data in the cache",
        f"{counted(steps, 'step')} an epoch, {counted(epochs, 'epoch')} at most",
    ]
    if mean_steps > 1:
        each = "are learned from at once" if mean_steps < dataset.mean_steps else "an example has on average"
        costs.insert(1, f"for {counted(mean_steps, 'step')}, as many as {each}")
    text = [*_found_text(dataset), "", "layers:", *layer_text(rows), *taken, *costs, "", "settings:"]
    text += [f"  {reason.path}: {reason.value} ({reason.why})" for reason in every]
    return Plan(
        layers=rows,
        parameters=sum(row.parameters for row in rows),
        multiply_adds=adds,
        memory_mb=memory,
        data_mb=cached,
        epochs=epochs,
        steps_per_epoch=steps,
        reasons=every,
        text=text,
    )


def layer_text(rows: list[Row]) -> list[str]:
    """The layer table in lines of equal columns."""
    cells = [("layer", "text", "output", "parameters", "multiply-adds", "sees", "")]
    for row in rows:
        field = "x".join(map(str, row.receptive_field)) if row.receptive_field else ""
        shape = sizes(row.shape)
        kept = "frozen" if row.frozen else ""
        cells.append((row.layer, row.text, shape, f"{row.parameters:,}", f"{row.multiply_adds:,}", field, kept))
    total = (f"{sum(r.parameters for r in rows):,}", f"{sum(r.multiply_adds for r in rows):,}")
    cells.append(("total", "", "", *total, "", ""))
    widths = [max(len(line[i]) for line in cells) for i in range(7)]
    right = {3, 4}
    return [
        "  "
        + "  ".join(
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


# ---- the data alone --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What was found in the data.

    Args:
        layout: How the files lie.
        fields: Facts of each input and output.
        counts: Examples by state and part.
        views: What augmentation would make of pictures, where that was asked for.
        text: All of it in words.
    """

    layout: str
    fields: dict[str, Field]
    counts: dict[str, int]
    views: Views | None
    text: list[str]


def data_show(wanted: Spec, *, views: Path | None = None, data: object = None, show: Display | None = None) -> Shown:
    """What was found: layout, fields, classes, split, what was set aside, and how batches are mixed.

    Args:
        wanted: The spec.
        views: Where a page of training pictures as augmentation would change them is written.
        data: Examples in memory instead of `wanted.data.path`.
        show: Where progress is told.

    Raises:
        SpecError: The spec is wrong.
        DataError: The data cannot be used.
    """
    dataset = prepare(wanted, data=data, progress=Counter(show or Silent()))
    text = [*_found_text(dataset), "", *_examples_text(dataset), *_batch_text(dataset, wanted.training.seed)]
    fields = {**dataset.inputs, **dataset.outputs}
    seen = augmentation.views(wanted, dataset, views) if views else None
    told = ["", f"how a training would see {counted(len(seen.ids), 'picture')}:", *seen.text] if seen else []
    return Shown(dataset.found.layout, fields, dataset.ledger.counts(), seen, [*text, *told])


def _found_text(dataset: Dataset) -> list[str]:
    counts = dataset.ledger.counts()
    parts = ", ".join(f"{len(positions):,} {part}" for part, positions in dataset.parts.items())
    used = f"{counted(counts['used'], 'example')} used ({parts})"
    lines = [f"{files.printable(dataset.found.origin)}: {dataset.found.layout}, {used}"]
    lines += dataset.ledger.told()
    for role, fields in (("in ", dataset.inputs), ("out", dataset.outputs)):
        lines += [f"{role} {_field_text(field)}" for field in fields.values()]
    return [*lines, *dataset.notes]


def _tokens(field: Field) -> str:
    """The most frequent tokens; white space as it would be typed."""
    return listed(
        [repr(token)[1:-1] if token.isspace() else files.printable(token) for token in field.vocabulary[1:]], 8
    )


def _field_text(field: Field) -> str:
    told = f"{field.name}: {field.kind}"
    if field.kind == "image":
        height, width, channels = field.shape
        told += f", {height}x{width}, {'grey' if channels == 1 else 'colour'}"
    if field.kind == "text":
        what = str(field.options["tokens"])
        told += f", {len(field.vocabulary) - 1:,} {TOKENS.get(what, what)} ({_tokens(field)})"
    elif field.vocabulary:
        names = listed([files.printable(label) or '""' for label in field.vocabulary], 8)
        told += f", {counted(len(field.vocabulary), 'class', 'classes')} ({names})"
    if field.kind == "vector":
        told += f" of {field.shape[0]}"
    if field.mean and field.kind == "number":
        told += f", mean {number(field.mean[0], 4)}, spread {number(field.std[0], 4)}"
    if field.kind == "date":
        told += f", coded as {', '.join(['days', *field.parts])}"
    if any(field.missing):
        told += f", {counted(sum(field.missing), 'training cell')} empty and filled"
    return told


def _examples_text(dataset: Dataset) -> list[str]:
    train = dataset.parts["train"][:3]
    lines = []
    for position in train:
        seen = describe(dataset, int(position))
        lines.append(f"  {files.printable(str(dataset.ids[int(position)]))}{': ' if seen else ''}{seen}")
    return ["first training examples:", *lines]


def _batch_text(dataset: Dataset, seed: int) -> list[str]:
    """The labels of the first batches, so that everybody sees that they are mixed."""
    named = [(name, field) for name, field in dataset.outputs.items() if field.vocabulary]
    if not named:
        return []
    name, field = named[0]
    source = Batches(dataset, "train", 12, seed, shuffle=True, resident=False)
    lines = []
    for place, batch in zip(range(2), source.epoch(0), strict=False):
        labels = (clip(str(dataset.preview(name, position)), _LABEL) for position in batch.index.tolist())
        lines.append(f"  batch {place + 1}: {files.printable((' | ' if field.ragged else ' ').join(labels))}")
    return [f"first batches of epoch 1, drawn by chance with seed {seed}:", *lines]


def data_check(wanted: Spec, *, data: object = None, show: Display | None = None) -> list[Finding]:
    """Judge the data before training: what was set aside, and what every check of the doctor says.

    Raises:
        SpecError: The spec is wrong.
        DataError: The data cannot be used.
    """
    dataset = prepare(wanted, data=data, progress=Counter(show or Silent()))
    notes = [Finding("data", "note", note) for note in dataset.notes]
    return [*judge_data(Border(dataset, wanted.training.seed)), *notes]
