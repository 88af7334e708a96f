"""A look through time: one sequence step by step, what goes in, the states, the gates, and what would be answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright import files
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.figures.marks import number, percent
from netwright.lens.activations import looking
from netwright.lens.recurrence import Trace, one_layer, recurrent_layers, traced
from netwright.models.recurrent import EmbedTokens, Recurrent
from netwright.progress import Display
from netwright.readers.kinds.text import Text
from netwright.report.steps import Answer, Openers, Rows, StepsFacts, steps_page
from netwright.run.sequences import (
    Looked,
    OneSequence,
    answers_alone,
    asks_next,
    looked_at,
    one_sequence,
    prefixes,
    read_by,
    shown,
)
from netwright.training import hardware
from netwright.words import counted

MOST_STEPS = 80  # of a sequence that are looked at
MOST_UNITS = 24  # of a layer that are drawn
_FEW = 12  # tokens or classes of which each has a row of its own
_WIDE = 32  # numbers of a step up to which what goes in is drawn
_TEXTS = 256  # of the data's own, over which gates are averaged
_SEEN = 5  # how often a token must have been read for its mean to count
_TOLD = 3  # tokens that open a gate, and that close it


@dataclass(frozen=True)
class LayerSteps:
    """One recurrent layer over the steps.

    Args:
        layer: Name.
        text: As in the layer text.
        units: Numbers that come out at a step.
        states: What comes out, `[step][unit]`.
        gates: By name, each `[step][unit]`; those of the chosen layer, none of others.
        kept: What else of the state is handed on, by name; of the chosen layer.
        apart: Largest difference between states rebuilt from the gates and those of the layer itself.
    """

    layer: str
    text: str
    units: int
    states: list[list[float]]
    gates: dict[str, list[list[float]]]
    kept: dict[str, list[list[float]]]
    apart: float


@dataclass(frozen=True)
class Steps:
    """One sequence through a network, step by step.

    Args:
        example: Its name.
        part: Which part it belongs to; "" of a typed text.
        read: What is read at each step.
        layers: The recurrent ones.
        layer: The chosen one, whose gates are looked at.
        answers: By output and step: tokens or classes with their probabilities, likeliest first.
        scores: By output and step the raw scores of each class; of outputs with few.
        openers: Of units of the chosen layer: which tokens open and close each gate, with the mean over the data.
        page: Where the pictures lie.
        text: In words, line by line.
    """

    example: str
    part: str
    read: list[str]
    layers: tuple[LayerSteps, ...]
    layer: str
    answers: dict[str, list[list[tuple[str, float]]]]
    scores: dict[str, list[list[float]]]
    openers: list[Openers]
    page: Path
    text: list[str]


def steps(
    run: Path,
    *,
    text: str = "",
    example: str = "",
    layer: str = "",
    unit: int | None = None,
    show: Display | None = None,
) -> Steps:
    """One sequence through a run's network, step by step; the page is written into the run's folder.

    Args:
        run: The run folder.
        text: A text to read.
        example: Id of an example to read; the first held-out one when both are left out.
        layer: Recurrent layer whose gates are looked at; the last one when left out.
        unit: Unit of it whose gates colour the text, from 0; the ones that move most when left out.
        show: Where progress is told.

    Raises:
        SpecError: A run without a recurrent layer; no such example, layer or unit.
        DataError: The run's data is gone or changed.
    """
    looked = looked_at(run, show)
    network = looked.model.network
    node, chosen = one_layer(network, layer)
    if unit is not None and not 0 <= unit < node.shape[1]:
        raise SpecError(f"{node.name} has units 0 to {node.shape[1] - 1}, not {unit}.", "Count from 0.")
    read = one_sequence(looked, text, example, MOST_STEPS)
    with hardware.applied(looked.decided.hardware), looking(network):
        network.cpu()
        traces = {each.name: _trace(looked, each.name, read.inputs) for each in recurrent_layers(network)}
        answers = {name: _answers(looked, name, read) for name in looked.model.tasks}
        scores = {name: _scores(looked, name, read) for name, task in looked.model.tasks.items() if task.units <= _FEW}
        means, before = _means(looked, node.name, chosen), _into(looked, read)
    trace = traces[node.name]
    found = {name: each for name, each in answers.items() if each is not None}
    units = _units(trace.out[0], MOST_UNITS, unit)
    openers = _openers(means, looked.field.vocabulary, units, unit)
    notes = _notes(looked, read, trace, {name for name, each in answers.items() if each is None}, chosen)
    facts = StepsFacts(
        example=read.name,
        run=looked.folder.path.name,
        heads=read.heads,
        before=before,
        states=[
            _rows(f"{name}, what comes out", of.out[0], _units(of.out[0], MOST_UNITS)) for name, of in traces.items()
        ],
        kept=[_rows(f"{node.name}: {name}", of[0], units) for name, of in trace.kept.items()],
        gates=[_rows(f"{node.name}: {name} gate", of[0], units) for name, of in trace.gates.items()],
        layer=node.name,
        single=_singled(trace, unit),
        answers=found,
        scores={name: _rows(name, torch.tensor(of), range(len(of[0]))) for name, of in scores.items() if of},
        classes={name: _names(looked, name) for name in scores},
        truths={name: _truths(looked, name, read) for name in found},
        openers=openers,
        notes=notes,
    )
    page = looked.folder.path / "steps.html"
    files.write_text(page, steps_page(facts))
    return Steps(
        example=read.name,
        part=read.part,
        read=read.heads,
        layers=tuple(_layer(looked, name, of, whole=name == node.name) for name, of in traces.items()),
        layer=node.name,
        answers={name: [each.ranked for each in of] for name, of in found.items()},
        scores={name: of for name, of in scores.items() if of},
        openers=openers,
        page=page,
        text=[*_text(facts, traces), *notes, f"picture: {files.printable(page)}"],
    )


# ---- states and gates ------------------------------------------------------------------------------------------------


def _trace(looked: Looked, name: str, inputs: dict[str, Tensor]) -> Trace:
    node, layer = one_layer(looked.model.network, name)
    x, counts = read_by(looked.model.network, node, inputs)
    return traced(layer, x, counts)


def _units(values: Tensor, most: int, unit: int | None = None) -> list[int]:
    """The units that move most over the steps, in their order; the one that is asked for among them."""
    moved = values.var(dim=0, correction=0)
    if unit is not None:
        moved[unit] = torch.inf
    return sorted(moved.topk(min(most, len(moved))).indices.tolist())


def _rows(name: str, values: Tensor, units: range | list[int]) -> Rows:
    return Rows(name, [str(unit) for unit in units], [values[:, unit].tolist() for unit in units])


def _singled(trace: Trace, unit: int | None) -> list[Rows]:
    """Of each gate, or without gates of the state, the unit that is asked for or the one that moves most."""
    found = []
    for name, of in (trace.gates or {"state": trace.out}).items():
        chosen = unit if unit is not None else _units(of[0], 1)[0]
        found.append(_rows(f"{name}{' gate' if trace.gates else ''} of unit {chosen}", of[0], [chosen]))
    if unit is not None and trace.gates:
        found.append(_rows(f"state of unit {unit}", trace.out[0], [unit]))
    return found


def _means(looked: Looked, name: str, layer: Recurrent) -> dict[str, tuple[Tensor, Tensor]]:
    """Of each gate, or without gates of the state, its mean over the data's own text by token, and their counts."""
    if not isinstance(kind_of(looked.field), Text):
        return {}
    _, places = looked.some(_TEXTS)
    sums: dict[str, Tensor] = {}
    counts = torch.zeros(len(looked.field.vocabulary))
    node, _ = one_layer(looked.model.network, name)
    for some in torch.from_numpy(places).split(32):
        inputs = looked.coded(some.numpy())
        x, steps = read_by(looked.model.network, node, inputs)
        tokens = inputs[looked.group]
        if x.shape[1] != tokens.shape[1]:  # a layer before it made fewer steps of them
            return {}
        trace, there = traced(layer, x, steps), tokens >= 0
        counts += torch.bincount(tokens[there], minlength=len(counts))
        for gate, of in (trace.gates or {"state": trace.out}).items():
            whole = sums.setdefault(gate, torch.zeros(len(counts), of.shape[2]))
            whole.index_add_(0, tokens[there], of[there])
    return {gate: (whole / counts.clamp(min=1)[:, None], counts) for gate, whole in sums.items()}


def _openers(
    means: dict[str, tuple[Tensor, Tensor]], vocabulary: Sequence[str], units: list[int], unit: int | None
) -> list[Openers]:
    """Which tokens open and close each gate of the drawn units, those first that tell tokens apart most."""
    if not means:
        return []
    counts = next(iter(means.values()))[1]
    often = counts >= _SEEN
    seen = torch.nonzero(often if int(often.sum()) >= 2 * _TOLD else counts > 0)[:, 0]
    spread = sum(of[seen].var(dim=0, correction=0) for of, _ in means.values())
    order = sorted(units, key=lambda each: (each != unit, -float(spread[each])))  # type: ignore[index]
    found = []
    for each in order:
        for gate, (of, _) in means.items():
            ranked = seen[of[seen, each].argsort(descending=True)].tolist()
            told = min(_TOLD, len(ranked) // 2) or 1
            opens, closes = (
                [(shown(vocabulary[int(code)]), float(of[code, each])) for code in codes]
                for codes in (ranked[:told], ranked[::-1][:told])
            )
            found.append(Openers(each, gate, opens, closes))
    return found


# ---- what goes in and what comes out ---------------------------------------------------------------------------------


def _into(looked: Looked, read: OneSequence) -> Rows | None:
    """What the first recurrent layer reads at each step, where that is a few numbers."""
    network = looked.model.network
    node = recurrent_layers(network)[0]
    if node.shape and next(each for each in network.nodes if each.name == node.inputs[0]).shape[1] > _WIDE:
        return None
    x, _ = read_by(network, node, read.inputs)
    source = network.module(node.inputs[0]) if not node.inputs[0].startswith("input:") else None
    one_hot = isinstance(source, EmbedTokens) and source.weight is None
    rows = _rows("what goes in, one-hot" if one_hot else "what goes in", x[0], range(x.shape[2]))
    if not one_hot:
        return rows
    return Rows(rows.name, [shown(token) for token in looked.field.vocabulary], rows.values)


def _answers(looked: Looked, name: str, read: OneSequence) -> list[Answer] | None:
    """What is said at each step; what is answered for the whole is asked again as if the sequence had ended there."""
    task, count = looked.model.tasks[name], len(read.heads)
    if task.writes:
        return None
    if task.each_step:
        shares = torch.softmax(looked.model.network(read.inputs)[name][0], dim=1)
        best, names = shares.topk(min(3, shares.shape[1]), dim=1), _names(looked, name)
        decoded: Sequence[object] = [
            [(names[int(code)], value) for code, value in zip(codes, values, strict=True)]
            for codes, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
    else:
        rows = prefixes(read.inputs, looked.group, range(1, count + 1))
        decoded = task.decode(task.answers(looked.model.network(rows)[name]))
    return [Answer(_ranked(each)) for each in decoded]


def _names(looked: Looked, name: str) -> list[str]:
    """The classes or tokens of an output; what stands for none of them, where a text is read off, is a dash."""
    vocabulary, task = looked.model.outputs[name].vocabulary, looked.model.tasks[name]
    read_off = task.each_step and not asks_next(task)
    return ["\u2013" if read_off and code == 0 else shown(token) for code, token in enumerate(vocabulary)]


def _ranked(answer: object) -> list[tuple[str, float]]:
    """An answer as words with probabilities; of a number the number itself."""
    if isinstance(answer, list) and all(isinstance(each, tuple) for each in answer):
        return [(shown(str(label)), float(share)) for label, share in answer]
    if isinstance(answer, str):
        return [(answer, 1.0)]
    values = np.ravel(np.asarray(answer, dtype=np.float64)).tolist()
    return [(", ".join(number(value, 3) for value in values), 1.0)]


def _scores(looked: Looked, name: str, read: OneSequence) -> list[list[float]]:
    """The raw scores of each token or class at each step; of outputs that are neither none."""
    task = looked.model.tasks[name]
    if (
        task.writes
        or not looked.model.outputs[name].vocabulary
        or task.units != len(looked.model.outputs[name].vocabulary)
    ):
        return []
    if task.each_step:
        return looked.model.network(read.inputs)[name][0].tolist()
    rows = prefixes(read.inputs, looked.group, range(1, len(read.heads) + 1))
    return looked.model.network(rows)[name].tolist()


def _truths(looked: Looked, name: str, read: OneSequence) -> list[str]:
    """What really comes at each step, or the one truth about the whole; nothing where it is not known."""
    if name not in read.targets:
        return []
    task, targets = looked.model.tasks[name], read.targets[name]
    vocabulary = looked.model.outputs[name].vocabulary
    if asks_next(task):
        return [shown(vocabulary[int(code)]) if code >= 0 else "" for code in targets[0].tolist()]
    if (texts := task.words(targets)) is not None:
        return texts
    if vocabulary and targets.ndim == 1:
        return [vocabulary[int(targets[0])]]
    return [number(float(targets.flatten()[0]), 4)]


# ---- in words --------------------------------------------------------------------------------------------------------


def _layer(looked: Looked, name: str, trace: Trace, *, whole: bool) -> LayerSteps:
    node, _ = one_layer(looked.model.network, name)
    return LayerSteps(
        layer=name,
        text=node.text,
        units=node.shape[1],
        states=trace.out[0].tolist(),
        gates={gate: of[0].tolist() for gate, of in trace.gates.items()} if whole else {},
        kept={part: of[0].tolist() for part, of in trace.kept.items()} if whole else {},
        apart=trace.apart,
    )


def _notes(looked: Looked, read: OneSequence, trace: Trace, silent: set[str], layer: Recurrent) -> list[str]:
    told = ["reading begins with an empty state, all numbers 0"]
    if read.part:
        told.append(f"the sequence is a {'training' if read.part == 'train' else read.part} example")
    if read.steps > len(read.heads):
        told.append(f"the first {len(read.heads)} of {counted(read.steps, 'step')}")
    if trace.out.shape[2] > MOST_UNITS:
        told.append(f"drawn are the {MOST_UNITS} units of {trace.out.shape[2]:,} that move most over these steps")
    if layer.both:
        told.append("the layer reads both ways: the second half of its units has read what comes before what was")
    alone = [name for name, task in looked.model.tasks.items() if answers_alone(task)]
    if alone:
        told.append(
            f"{', '.join(alone)}: at each step the answer if the sequence ended there, computed from its beginning"
        )
    if silent:
        told.append(
            f"{', '.join(sorted(silent))} is written by a decoder once all was read: nothing is answered on the way"
        )
    parts = looked.dataset.parts
    if not len(parts["validation"]) and not len(parts["test"]):
        told.append("no example of this run is held out: what it says here was learned by heart")
    return told


def _text(facts: StepsFacts, traces: Mapping[str, Trace]) -> list[str]:
    lines = [f"{facts.example}, {counted(len(facts.heads), 'step')}"]
    lines += [f"  {name}: states rebuilt from the gates, at most {of.apart:.1e} apart" for name, of in traces.items()]
    for name, answers in facts.answers.items():
        lines.append(f"  {name}:")
        truths = facts.truths[name]
        for step, (head, answer) in enumerate(zip(facts.heads, answers, strict=True)):
            told = ", ".join(
                f"{label} {percent(share)}" if share < 1 or len(answer.ranked) > 1 else label
                for label, share in answer.ranked
            )
            truth = truths[step] if len(truths) == len(facts.heads) and len(truths) > 1 else ""
            lines.append(f"    {step + 1:>3}  {head:<10} {told}{f'; really {truth}' if truth else ''}")
        said = "".join(answer.ranked[0][0] for answer in answers if answer.ranked)
        if truths and len(truths) == len(facts.heads):
            lines.append(f"  likeliest one after the other: {said}")
        elif truths:
            lines.append(f"  really {truths[0]}")
    return lines
