"""A look through time: the error of each step, and the gradient that comes back from each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright import files
from netwright.errors import SpecError
from netwright.figures.marks import number, percent
from netwright.lens.activations import looking
from netwright.lens.bptt import Terms, Truncated, recurrent_weights, refuse_both, terms, truncated
from netwright.lens.recurrence import one_layer
from netwright.models.network import Node
from netwright.models.recurrent import Recurrent
from netwright.progress import Display, Silent
from netwright.readers.padding import NO_TOKEN, lengths
from netwright.report.bptt import BpttFacts, bptt_page
from netwright.run.prediction import count_reading
from netwright.run.sequences import Looked, OneSequence, asks_next, looked_at, one_sequence, prefixes
from netwright.tasks import tokens
from netwright.tasks.task import Task
from netwright.training import hardware
from netwright.words import counted

MOST_STEPS = 100  # of the sequence that is taken apart
_TEXTS = 2000  # over which the error of each step is a mean, where one is given at every step
_ENDED = 200  # the same, where answers are asked as if the sequence had ended
_PLACES = 16  # steps at which these are asked
_TOGETHER = 8  # sequences of a measured batch
_ROWS = 64  # computed at a time
_PIECES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class StepError:
    """The error at one step.

    Args:
        step: From 1 on.
        error: Mean over sequences.
        interval: 95 % interval of that mean.
        sequences: How many have this step.
    """

    step: int
    error: float
    interval: tuple[float, float]
    sequences: int


@dataclass(frozen=True)
class Bptt:
    """Errors forwards through time, and gradients backwards.

    Args:
        output: Whose errors.
        part: The part they are means over.
        errors: By step.
        early: Mean error of the first quarter of the steps.
        late: Of the last quarter.
        layer: Whose recurrent weights are looked at.
        example: The sequence that is taken apart.
        read: What is read at each of its steps.
        terms: The gradient of the weights as sums over steps.
        truncated: What shorter ways back keep of it; empty where errors come at the end only.
        page: Where the pictures lie.
        text: In words, line by line.
    """

    output: str
    part: str
    errors: list[StepError]
    early: float
    late: float
    layer: str
    example: str
    read: list[str]
    terms: Terms
    truncated: list[Truncated]
    page: Path
    text: list[str]


def bptt(
    run: Path,
    *,
    text: str = "",
    example: str = "",
    steps: int = 20,
    layer: str = "",
    show: Display | None = None,
) -> Bptt:
    """The error of each step over held-out sequences, and the gradient of one sequence taken apart by steps.

    Args:
        run: The run folder; the page is written there.
        text: A text to take apart.
        example: Id of an example to take apart; the first held-out one when both are left out.
        steps: Steps of it, from 2 to `MOST_STEPS`.
        layer: Layer whose recurrent weights are looked at; the last one when left out.
        show: Where progress is told.

    Raises:
        SpecError: A run without a recurrent layer that reads forwards; no such example or layer; a sequence of one
            step; a text that a decoder writes.
        DataError: The run's data is gone or changed.
    """
    if not 2 <= steps <= MOST_STEPS:
        raise SpecError(f"--steps is {steps}.", f"Give 2 to {MOST_STEPS}.")
    show = show or Silent()
    looked = looked_at(run, show)
    node, chosen, output, task = _asked(looked, layer)
    read = _read(looked, output, text, example, steps)
    with hardware.applied(looked.decided.hardware), _learning(looked, chosen):
        part, errors = _forward(looked, output, task, show)
        found = _terms(looked, output, task, read, chosen)
        shorter = _shorter(looked, output, chosen, show) if task.each_step else ([], 0, 0)
    count_reading(run, part)
    notes = _notes(task, part, read, errors)
    quarter = max(len(errors) // 4, 1)
    facts = BpttFacts(
        output=output,
        unit="nats" if task.each_step else "loss",
        steps=[each.step for each in errors],
        errors=[each.error for each in errors],
        intervals=[each.interval for each in errors],
        early=_mean(errors[:quarter]),
        late=_mean(errors[-quarter:]),
        layer=node.name,
        example=read.name,
        heads=read.heads,
        terms=found,
        truncated=shorter[0],
        together=shorter[1:],
        notes=notes,
    )
    page = looked.folder.path / "bptt.html"
    files.write_text(page, bptt_page(facts))
    return Bptt(
        *(output, part, errors, facts.early, facts.late, node.name, read.name, read.heads, found, shorter[0], page),
        [*_text(facts), *notes, f"picture: {files.printable(page)}"],
    )


def _asked(looked: Looked, layer: str) -> tuple[Node, Recurrent, str, Task]:
    """The layer that is looked at, as drawn and as computed, and the output whose errors are, with its task."""
    node, chosen = one_layer(looked.model.network, layer)
    refuse_both(chosen)
    output, task = next(iter(looked.model.tasks.items()))
    if task.field.options.get("per"):
        raise SpecError(
            f"{output} is answered at every step, and the way back is followed from one.",
            "Name a classifier of whole sequences, or a language model.",
        )
    if task.writes or task.among_mates or (task.each_step and not asks_next(task)):
        raise SpecError(
            f"the errors of {output} belong to no step of what goes in.", "Name a classifier or a language model."
        )
    return node, chosen, output, task


def _read(looked: Looked, output: str, text: str, example: str, steps: int) -> OneSequence:
    """The sequence that is taken apart."""
    read = one_sequence(looked, text, example, steps)
    if len(read.heads) < 2 or output not in read.targets:
        raise SpecError(
            f"{read.name}: the truth at two steps or more is needed.", "Give a longer sequence of the run: --example ID"
        )
    return read


@contextmanager
def _learning(looked: Looked, layer: Recurrent) -> Iterator[None]:
    """The network on the CPU as it answers, with a way back to the recurrent weights."""
    network = looked.model.network.cpu()
    with looking(network), torch.enable_grad():
        recurrent_weights(layer).requires_grad_(True)
        yield


# ---- forwards --------------------------------------------------------------------------------------------------------


def _forward(looked: Looked, output: str, task: Task, show: Display) -> tuple[str, list[StepError]]:
    """The mean error of each step over held-out sequences."""
    part, places = looked.some(_TEXTS if task.each_step else _ENDED)
    sums: dict[int, list[float]] = {}
    show.stage("errors by step", len(places))
    with torch.no_grad():
        if task.each_step:
            for done, some in enumerate(np.array_split(places, max(len(places) // _ROWS, 1))):
                targets = looked.targets(output, some)
                losses = tokens.each_loss(looked.model.network(looked.coded(some))[output], targets)
                for step in range(targets.shape[1]):
                    sums.setdefault(step + 1, []).extend(losses[targets[:, step] >= 0, step].tolist())
                show.advance(done * _ROWS)
        else:
            _ended(looked, output, task, places, sums)
    return part, [_step_error(step, np.array(found)) for step, found in sorted(sums.items()) if found]


def _ended(looked: Looked, output: str, task: Task, places: np.ndarray, sums: dict[int, list[float]]) -> None:
    """Errors of what is answered for the whole, asked as if each sequence had ended after so many steps."""
    whole = looked.coded(places)
    counts, targets = lengths(whole[looked.group]), looked.targets(output, places)
    asked = np.unique(np.linspace(1, int(counts.max()), _PLACES).round().astype(int)).tolist()
    for at in range(len(places)):
        wanted = [step for step in asked if step <= counts[at]]
        one = {name: of[at : at + 1] for name, of in whole.items()}
        outputs = looked.model.network(prefixes(one, looked.group, wanted))[output]
        losses = task.terms(outputs, targets[at : at + 1].expand(len(wanted), *targets.shape[1:]))
        for step, loss in zip(wanted, losses.tolist(), strict=True):
            sums.setdefault(step, []).append(loss)


def _step_error(step: int, found: np.ndarray) -> StepError:
    mean = float(found.mean())
    room = 1.96 * float(found.std(ddof=1)) / len(found) ** 0.5 if len(found) > 1 else 0.0
    return StepError(step, mean, (mean - room, mean + room), len(found))


def _mean(errors: list[StepError]) -> float:
    count = sum(each.sequences for each in errors)
    return sum(each.error * each.sequences for each in errors) / count


# ---- backwards -------------------------------------------------------------------------------------------------------


def _terms(looked: Looked, output: str, task: Task, read: OneSequence, layer: Recurrent) -> Terms:
    """The gradient of one sequence taken apart."""
    targets = read.targets[output]
    at = [step for step in range(len(read.heads)) if targets[0, step] >= 0] if task.each_step else [len(read.heads) - 1]

    def errors(outputs: dict[str, Tensor]) -> Tensor:
        if task.each_step:
            return tokens.each_loss(outputs[output], targets)[0, at] / len(at)
        return task.terms(outputs[output], targets)

    whole = task.loss(looked.model.network(read.inputs)[output], targets)
    return terms(looked.model.network, read.inputs, errors, at, whole, layer)


def _shorter(looked: Looked, output: str, layer: Recurrent, show: Display) -> tuple[list[Truncated], int, int]:
    """What shorter ways back keep, on a batch of the longest held-out sequences; how many, and of how many steps."""
    show.stage("shorter ways back", 0)
    _, places, reach = looked.longest(_TOGETHER, max(_PIECES))
    inputs = {name: of[:, :reach] if name == looked.group else of for name, of in looked.coded(places).items()}
    targets = looked.targets(output, places)[:, :reach]
    there = int((targets != NO_TOKEN).sum())

    def loss(outputs: dict[str, Tensor], start: int, end: int) -> Tensor:
        return tokens.each_loss(outputs[output], targets[:, start:end]).sum() / there

    return truncated(looked.model.network, inputs, loss, layer, _PIECES), len(places), reach


# ---- in words --------------------------------------------------------------------------------------------------------


def _notes(task: Task, part: str, read: OneSequence, errors: list[StepError]) -> list[str]:
    held = "training" if part == "train" else part
    over = counted(errors[0].sequences, f"{held} sequence")
    told = [f"errors are means over {over}, each read from an empty state; strokes are 95 % intervals"]
    if not task.each_step:
        told.append(
            "one answer is given for the whole, so its error comes at the last step alone; the curve asks for it as "
            "if the sequences had ended earlier"
        )
        told.append("shorter ways back are measured where an error comes at every step")
    if read.steps > len(read.heads):
        told.append(f"taken apart are the first {len(read.heads)} of {counted(read.steps, 'step')} of {read.name}")
    if part == "train":
        told.append("no example of this run is held out: these errors are those of what was learned")
    return told


def _text(facts: BpttFacts) -> list[str]:
    found = facts.terms
    rise = facts.late / facts.early - 1 if facts.early else 0.0
    first = (
        f"{facts.output}: early steps {number(facts.early, 4)} {facts.unit}, late ones {number(facts.late, 4)} "
        f"({100 * rise:+.1f} %)"
    )
    second = (
        f"{facts.layer} on {facts.example}, {counted(len(facts.heads), 'step')}: norm of the gradient of its recurrent "
        f"weights {number(found.whole, 4)}"
    )
    lines = [
        first,
        second,
        f"  sum of {counted(len(found.errors), 'gradient')} dE_t/dW: {found.apart_sum:.1e} of its largest number apart",
        f"  sum of {counted(int(found.parts.isfinite().sum()), 'term')} of steps k: {found.apart_parts:.1e} apart",
    ]
    if facts.truncated:
        count, reach = facts.together
        lines.append(f"errors going back n steps at most, {count} sequences of {counted(reach, 'step')}:")
        lines.append(f"  {'n':>4} {'share kept':>11} {'missing':>9} {'time':>9} {'memory':>10}")
        for each in facts.truncated:
            lines.append(
                f"  {each.steps:>4} {percent(each.share):>11} {percent(each.apart):>9} {1e3 * each.seconds:>6.1f} ms "
                f"{each.kept_bytes / 1e6:>7.2f} MB"
            )
    return lines
