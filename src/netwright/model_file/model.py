"""A network with all that is needed to use it: the way from a user's cells to answers, and the proof of that way."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from netwright.data.batches import embeds, groups
from netwright.data.fields import kind_of
from netwright.errors import CellError, DataError, SpecError
from netwright.field import STEPS, Field
from netwright.models.ahead import Frame, Going
from netwright.models.build import build, outline
from netwright.models.network import Network
from netwright.readers import missing
from netwright.readers.kinds import track
from netwright.readers.kinds.kind import Cell as OneCell
from netwright.readers.kinds.kind import room
from netwright.readers.kinds.sequence import Sequence as Steps
from netwright.readers.padding import NO_TOKEN, joined
from netwright.registry import nearest
from netwright.spec import OutputSpec, Spec
from netwright.tasks.task import Decoded, Task, task_for, task_name
from netwright.words import listed

_NAMED = 6  # inputs or outputs in the one line that stands for a model
ROWS = 256  # answers are computed so many rows at a time, fewer of a large network
TOLERANCE = 1e-4  # another processor adds up in another order: about 1e-6; another resize filter: above 1e-3

Predict = Callable[[Sequence[Mapping[str, "Cell"]]], dict[str, Tensor]]
Cell = OneCell | np.generic | list[str | int | float | None] | list[list[str | int | float | None]]


@dataclass(frozen=True)
class Replay:
    """How a model answered the examples that its file keeps.

    Args:
        matches: Examples whose answers agree within `TOLERANCE`.
        total: Examples in the file.
        largest: Largest difference; of a probability as it is, of a number in standard deviations of that output.
        worst: Where the largest difference stood, in words.
    """

    matches: int
    total: int
    largest: float
    worst: str = ""

    def __str__(self) -> str:
        if not self.total:
            return "no examples to compare"
        return f"{self.matches} of {self.total} match, largest difference {_short(self.largest)}"


@dataclass(frozen=True)
class Example:
    """One real example with the answers that the model must give again.

    Args:
        cells: What the user gave, by input: file bytes, text, a number, or an array.
        outputs: The answers, by output, as `Model.answers` gave them for this example.
        id: Its id in the data set, for messages.
    """

    cells: Mapping[str, Cell]
    outputs: Mapping[str, np.ndarray | np.generic]
    id: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained (or fresh) network with all that is needed to use it.

    Args:
        spec: The spec, nothing left open.
        inputs: What is known about each input.
        outputs: What is known about each output.
        network: The network, float32.
        tasks: The task of each output.
        scores: Measured scores: output, then split, then score, e.g. `{"category": {"test": {"accuracy": 0.97}}}`.
        facts: Whatever else is worth keeping: the data's `fingerprint`, `licences`, how long it trained.
        replayed: How it answered the examples of the file it came from; None when it did not come from a file.
        notes: What is to be said about it, e.g. that another version wrote it.
    """

    spec: Spec
    inputs: dict[str, Field]
    outputs: dict[str, Field]
    network: Network
    tasks: dict[str, Task]
    scores: Mapping[str, object]
    facts: Mapping[str, object]
    replayed: Replay | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """What goes in, what comes out, the layers, and how well it did: one line."""
        into, out = (listed(list(fields), _NAMED) for fields in (self.inputs, self.outputs))
        weights = sum(weight.numel() for weight in self.network.parameters())
        layers = self.spec.model.layers or "linear"
        told = [f"{into} -> {out}", layers, f"{weights:,} parameters"]
        for name, task in self.tasks.items():
            of = self.scores.get(name)
            test = of.get("test") if isinstance(of, dict) else None
            if isinstance(test, dict) and task.headline in test:
                told.append(f"{name}: test {task.headline} {test[task.headline]:.3g}")
        return f"<netwright model: {'; '.join(told)}>"

    def read(self, cells: Sequence[Mapping[str, Cell]]) -> dict[str, np.ndarray]:
        """Raw arrays by input, from cells as the user has them.

        Args:
            cells: One mapping per example, by input name (or by column name, where the input is read from columns).

        Raises:
            DataError: Cells are missing or cannot be read: all of them, with their position counted from 1.
        """
        raw = {name: room(field, len(cells)) for name, field in self.inputs.items()}
        problems = [
            (at, f"example {at + 1}, {name}: {reason}")
            for name, field in self.inputs.items()
            for at, reason in _fill(field, cells, raw[name], self.spec.data.empty).items()
        ]
        if problems:
            told = "".join(f"\n  {text}" for _, text in sorted(problems)[:20])
            more = f"\n  and {len(problems) - 20:,} more" if len(problems) > 20 else ""
            raise DataError(f"{len(problems):,} cell(s) cannot be read:{told}{more}", "Correct them or leave them out.")
        return raw

    def code(self, raw: Mapping[str, np.ndarray] | Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the network takes, by group, from stacked raw arrays by input."""
        return _code(self.inputs, raw)

    def answers(self, inputs: Mapping[str, Tensor] | Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Answers by output: probabilities of a category, a number in its own units.

        Computed in full float32, in evaluation mode, without gradients.

        Args:
            inputs: Coded inputs by group (see `code`), or an iterable of such chunks, so that more rows than fit into
                memory can be answered one chunk after the other.
        """
        chunks: Iterable[Mapping[str, Tensor]] = [inputs] if isinstance(inputs, Mapping) else inputs  # type: ignore[list-item]
        parts: dict[str, list[Tensor]] = {name: [] for name in self.outputs}
        training, device = self.network.training, next(self.network.parameters()).device
        self.network.eval()
        try:
            with torch.no_grad(), _full_precision(device):
                for batch in (piece for chunk in chunks for piece in self.network.pieces(chunk, ROWS)):
                    units = self.network({group: values.to(device) for group, values in batch.items()})
                    for name, task in self.tasks.items():
                        parts[name].append(task.answers(units[name]).cpu())
        finally:
            self.network.train(training)
        return {name: joined(found) if found else torch.empty(0) for name, found in parts.items()}

    def predict(self, cells: Sequence[Mapping[str, Cell]]) -> dict[str, Tensor]:
        """Answers by output for cells as the user has them; see `read` for what it raises."""
        return self.answers(self.code(self.read(cells)))

    def top(self, answers: Mapping[str, Tensor], count: int = 3) -> dict[str, Decoded]:
        """Answers in words, by output: per example the likeliest classes with probabilities, or the value."""
        return {name: self.tasks[name].decode(values, count) for name, values in answers.items()}


def assemble(spec: Spec, inputs: dict[str, Field], outputs: dict[str, Field], seed: int) -> Model:
    """A fresh model for a spec and the fields of its data.

    Args:
        spec: Names the layers and the outputs' losses and units.
        inputs: Facts of each input.
        outputs: Facts of each output.
        seed: Seed of the first weights.

    Raises:
        SpecError: The layers cannot be built, or an output's loss and unit do not go together.
    """
    tasks, shapes, heads = _ends(spec, inputs, outputs)
    seen = frames(inputs, tasks)
    network = build(spec.model, shapes, heads, seed, embeds(inputs), each_step(tasks), writers(tasks), seen)
    _refuse_fewer_steps(network, tasks)
    return Model(spec, inputs, outputs, network, tasks, {}, {})


def sketch(spec: Spec, inputs: dict[str, Field], outputs: dict[str, Field]) -> Network:
    """The same network without memory for its weights, to compare sizes first; see `assemble`."""
    tasks, shapes, heads = _ends(spec, inputs, outputs)
    seen = frames(inputs, tasks)
    return outline(spec.model, shapes, heads, embeds(inputs), each_step(tasks), writers(tasks), seen)


def _ends(
    spec: Spec, inputs: dict[str, Field], outputs: dict[str, Field]
) -> tuple[dict[str, Task], dict[str, tuple[int, ...]], dict[str, int]]:
    """What stands around the network: tasks, shapes of what comes in by group, units that go out by output."""
    tasks = {
        name: task_for(name, field, spec.outputs.get(name) or OutputSpec.model_validate({}))
        for name, field in outputs.items()
    }
    return tasks, group_shapes(inputs), {name: task.units for name, task in tasks.items()}


def each_step(tasks: Mapping[str, Task]) -> list[str]:
    """Outputs that answer at every step of a sequence."""
    return [name for name, task in tasks.items() if task.each_step]


def _refuse_fewer_steps(network: Network, tasks: Mapping[str, Task]) -> None:
    """For outputs with an answer for each step: what leaves steps out has none for them."""
    for name, task in tasks.items():
        if network.shortens and task_name(task.field) in {"per_step", "next"}:
            raise SpecError(
                f"model.layers: {network.shortens} leaves steps out, and {name} answers at every step.",
                "Leave the stride out.",
            )


def writers(tasks: Mapping[str, Task]) -> dict[str, int]:
    """Outputs that are texts, and how many tokens each may have: half as many again as the longest learned from."""
    longest = {name: int(task.field.options.get("most_steps", 1)) for name, task in tasks.items() if task.writes}
    return {name: steps + max(steps // 2, 5) for name, steps in longest.items()}


def frames(inputs: Mapping[str, Field], tasks: Mapping[str, Task]) -> dict[str, Frame]:
    """How tracks are seen, and the outputs that go on from each."""
    found = {}
    for name, field in inputs.items():
        if field.kind in {"track", "series"}:
            onward = {out: task.goes_on for out, task in tasks.items() if task.goes_on and task.goes_on.of == name}
            going = {out: Going(each.steps, each.base) for out, each in onward.items()}
            step, extent = (float(field.options.get(key, 1.0)) for key in ("step", "extent"))
            seen = str(field.options.get("frame", "heading")) if field.kind == "track" else "series"
            season = int(field.options.get("season", 0))
            found[name] = Frame(seen, step, extent, track.pairs(field), season, going)
    return found


def group_shapes(inputs: dict[str, Field]) -> dict[str, tuple[int, ...]]:
    """Shape of one coded example by input group, as a network takes it."""
    even = {name: field for name, field in inputs.items() if not field.ragged}
    found = {
        group: tuple(values.shape[1:])
        for group, values in _code(even, {n: room(f, 1) for n, f in even.items()}).items()
    }
    for name, field in inputs.items():
        kind = kind_of(field)
        if isinstance(kind, Steps):
            found[name] = (STEPS, kind.dim(field) or len(field.vocabulary))
    return {group: found[group] for group in groups(inputs)}


def replay(model: Model, examples: Sequence[Example], predict: Predict | None = None) -> Replay:
    """Answer examples from their raw cells and compare with the answers they carry.

    Args:
        model: Says what its outputs are.
        examples: With their answers.
        predict: What answers them; the model's own `predict` when left out.

    Raises:
        DataError: A cell cannot be read.
    """
    if not examples:
        return Replay(0, 0, 0.0)
    found = (predict or model.predict)([example.cells for example in examples])
    differences = np.zeros((len(examples), len(model.outputs)))
    texts = {}
    for column, (name, field) in enumerate(model.outputs.items()):
        kept = [example.outputs[name] for example in examples]
        expected, answers = _side_by_side(kept, found[name], ragged=field.ragged)
        if answers.shape != expected.shape:
            raise DataError(f'output "{name}" has {answers.shape[1]} values, its examples {expected.shape[1]}.')
        scale = np.resize(_scale(field), answers.shape[1])  # of several steps one behind the other
        apart = np.where(answers == expected, 0.0, np.abs(answers - expected)) / scale
        apart = np.where(np.isnan(answers) & np.isnan(expected), 0.0, np.nan_to_num(apart, nan=np.inf))
        differences[:, column] = apart.max(axis=1)
        row, unit = divmod(int(apart.argmax()), apart.shape[1])
        texts[column] = (
            f'example {examples[row].id or row + 1}, output "{name}": expected {expected[row, unit]:.6g}, '
            f"found {answers[row, unit]:.6g}"
        )
    matches = int((differences.max(axis=1) <= TOLERANCE).sum())
    worst = texts[int(differences.max(axis=0).argmax())] if matches < len(examples) else ""
    return Replay(matches, len(examples), float(differences.max()), worst)


def _side_by_side(
    kept: Sequence[np.ndarray | np.generic], found: Tensor, *, ragged: bool
) -> tuple[Float[np.ndarray, "example number"], Float[np.ndarray, "example other"]]:
    """Expected and found answers as rows; of sequences, which are padded to the longest beside them, to one length."""
    expected = np.stack([np.ravel(values) for values in kept]).astype(np.float64)
    answers = found.reshape(len(kept), -1).numpy().astype(np.float64)
    if ragged or not found.is_floating_point():
        longest, pad = max(expected.shape[1], answers.shape[1]), np.nan if found.is_floating_point() else NO_TOKEN
        expected, answers = (
            np.pad(rows, ((0, 0), (0, longest - rows.shape[1])), constant_values=pad) for rows in (expected, answers)
        )
    return expected, answers


def _code(inputs: dict[str, Field], raw: Mapping[str, np.ndarray] | Mapping[str, Tensor]) -> dict[str, Tensor]:
    coded = {}
    for group, fields in groups(inputs).items():
        columns = [kind_of(field).code(raw[field.name], field) for field in fields]
        coded[group] = columns[0] if len(columns) == 1 else torch.cat(columns, dim=1)
    return coded


def _fill(
    field: Field, cells: Sequence[Mapping[str, Cell]], sink: np.ndarray, empty: Sequence[missing.Mark]
) -> dict[int, str]:
    """Reads one input of every example into `sink`; gives the reason for each that cannot be read."""
    kind = kind_of(field)

    def one(at: int) -> str:
        try:
            sink[at] = kind.one(_cell(cells[at], field, empty), field)
        except CellError as exc:
            return str(exc)
        return ""

    if cells and isinstance(cells[0].get(field.name), bytes):  # Pillow decodes outside the interpreter's lock
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            reasons = list(pool.map(one, range(len(cells))))
    else:
        reasons = [one(at) for at in range(len(cells))]
    return {at: reason for at, reason in enumerate(reasons) if reason}


def _cell(example: Mapping[str, Cell], field: Field, empty: Sequence[missing.Mark]) -> OneCell:
    """What the kind reads: the input's own cell, or gathered from the columns that the input was made from."""
    columns = (field.source,) if isinstance(field.source, str) else field.source
    if field.name in example and not (len(columns) > 1 and all(column in example for column in columns)):
        cell = example[field.name]
    else:
        gone = [column for column in columns if column not in example]
        if gone:
            raise CellError(f'"{gone[0]}" is missing{nearest(gone[0], example)}.')
        several = [example[column] for column in columns]
        cell = several[0] if isinstance(field.source, str) else several
        if field.ragged and isinstance(cell, list) and not isinstance(field.source, str):
            cell = [list(step) for step in zip(*several, strict=True)]  # type: ignore[arg-type]
    if isinstance(cell, list):  # of several columns, or of the steps of a sequence
        return np.array([_unmarked(each, empty) for each in cell], dtype=object)  # type: ignore[arg-type]
    cell = missing.unmarked(cell, empty)
    return cell.item() if isinstance(cell, np.generic) and not isinstance(cell, np.datetime64) else cell


def _unmarked(cell: Cell, empty: Sequence[missing.Mark]) -> Cell | None:
    return [_unmarked(each, empty) for each in cell] if isinstance(cell, list) else missing.unmarked(cell, empty)  # type: ignore[misc]


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Float32 all the way: no autocast, no bfloat16 or TF32 products that training may have switched on."""
    backends = torch.backends
    if device.type == "cuda":
        products = [backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn]  # type: ignore[attr-defined]
    else:
        products = [backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn]  # type: ignore[attr-defined]
    before = [product.fp32_precision for product in products]
    try:
        for product in products:
            product.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for product, precision in zip(products, before, strict=True):
            product.fp32_precision = precision


def _scale(field: Field) -> np.ndarray:
    """What differences are measured against: 1 for probabilities, the spread of each column for numbers."""
    return np.asarray(field.std if field.std and not field.vocabulary else (1.0,))


def _short(difference: float) -> str:
    """`2e-7`, `0.25`, and `0` for none."""
    if difference == 0 or difference >= 0.01:
        return f"{difference:.2g}"
    return re.sub("e-0*", "e-", f"{difference:.0e}")
