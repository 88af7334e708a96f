"""Sequences that a look through time is about: one that is named or typed, or the longest ones that are held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netwright import files
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.field import Field
from netwright.figures.marks import clip, visible
from netwright.model_file import Model
from netwright.models.network import Network, Node
from netwright.progress import Display, Silent
from netwright.readers.kinds.text import Text
from netwright.readers.padding import NO_TOKEN, lengths
from netwright.resolved import Resolved
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.held_out import position_of
from netwright.run.prediction import run_data
from netwright.tasks.next import Next
from netwright.tasks.task import Task

_TITLE = 40  # letters of a typed text by which it is called


@dataclass(frozen=True)
class Looked:
    """A run whose network reads sequences.

    Args:
        folder: The run.
        model: Its model.
        dataset: Its data.
        decided: Its settings.
        group: The input that is a sequence.
    """

    folder: RunFolder
    model: Model
    dataset: Dataset
    decided: Resolved
    group: str

    @property
    def field(self) -> Field:
        """What is known about the sequences."""
        return self.model.inputs[self.group]

    def coded(self, positions: np.ndarray) -> dict[str, Tensor]:
        """Examples as the network takes them, by group, padded.

        Args:
            positions: Which of the data set.
        """
        return self.model.code({name: self.dataset.arrays[name][positions] for name in self.dataset.inputs})

    def targets(self, output: str, positions: np.ndarray) -> Tensor:
        """The truth about examples, as in a batch.

        Args:
            output: Of which output.
            positions: Which of the data set.
        """
        field = self.dataset.outputs[output]
        values = self.dataset.arrays[output][positions]
        if field.ragged:
            return kind_of(field).code(values, field)
        whole = torch.from_numpy(np.ascontiguousarray(values))
        return whole.to(torch.int64 if field.vocabulary and whole.ndim == 1 else torch.float32)

    def tokens(self, position: int) -> list[str]:
        """What is read at each step of an example; of numbers nothing.

        Args:
            position: Of the example.
        """
        kind = kind_of(self.field)
        if not isinstance(kind, Text):
            return []
        return kind.tokens(np.asarray(self.dataset.arrays[self.group][np.array([position])][0]), self.field)

    def some(self, most: int) -> tuple[str, np.ndarray]:
        """A part and at most so many of its examples, evenly spread; a held-out part where there is one.

        Args:
            most: How many.
        """
        part = next(name for name in ("test", "validation", "train") if len(self.dataset.parts[name]))
        places = self.dataset.parts[part]
        return part, places[np.unique(np.linspace(0, len(places) - 1, most).astype(np.int64))]

    def longest(self, count: int, steps: int, among: int = 2000) -> tuple[str, np.ndarray, int]:
        """A part, and its examples with the most steps; how many steps all of these have, at most so many.

        Args:
            count: How many examples.
            steps: Most steps that are wanted.
            among: So many examples are looked at, evenly spread.

        Raises:
            SpecError: None has two steps.
        """
        part, places = self.some(among)
        found = lengths(self.coded(places)[self.group]).numpy()
        order = np.lexsort((np.arange(len(found)), -np.minimum(found, steps)))[:count]
        kept = order[found[order] > 1]
        if not len(kept):
            raise SpecError("no example of this run has two steps.", "Name a run on longer sequences.")
        return part, places[np.sort(kept)], min(int(found[kept].min()), steps)


@dataclass(frozen=True)
class OneSequence:
    """A sequence that is looked at.

    Args:
        name: Of the example.
        part: Which part it belongs to; "" of one that was typed.
        inputs: As the network takes it, by group, one row without padding.
        heads: What is read at each step.
        targets: The truth by output, where it is known.
        steps: How many it has in all; `inputs` may have fewer.
    """

    name: str
    part: str
    inputs: dict[str, Tensor]
    heads: list[str]
    targets: dict[str, Tensor]
    steps: int


def looked_at(run: Path, show: Display | None = None) -> Looked:
    """A run whose network reads sequences, with its data.

    Args:
        run: The run folder.
        show: Where progress is told.

    Raises:
        SpecError: Not a run with a model, or it reads no sequences.
        DataError: The run's data is gone or changed.
    """
    folder, model = RunFolder(run), load_model(run)
    groups = [name for name, field in model.inputs.items() if field.ragged]
    if not groups:
        raise SpecError(
            "no sequence goes into this network: it has no steps to look at.",
            "Name a run that reads texts, sounds, pen points or other sequences.",
        )
    dataset, decided = run_data(folder, show or Silent())
    return Looked(folder, model, dataset, decided, groups[0])


def one_sequence(looked: Looked, text: str, example: str, most: int) -> OneSequence:
    """The sequence that a user named or typed; the first held-out one when neither.

    Args:
        looked: The run.
        text: What was typed, or "".
        example: Id of an example, or "".
        most: Steps at most; what follows is left out.

    Raises:
        SpecError: Both were given, there is no such example, or what goes in is no text.
    """
    if text and example:
        raise SpecError("--text and --example were both given.", "Give one of them.")
    if text:
        return _typed(looked, text, most)
    position = position_of(looked.dataset, example)
    where = np.array([position])
    inputs = looked.coded(where)
    count = int(lengths(inputs[looked.group])[0])
    steps = min(count, most)
    inputs[looked.group] = inputs[looked.group][:, :steps]
    targets = {name: looked.targets(name, where) for name in looked.dataset.outputs}
    targets = {name: of[:, :steps] if asks_next(looked.model.tasks[name]) else of for name, of in targets.items()}
    part = next(name for name, places in looked.dataset.parts.items() if position in places)
    heads = [shown(token) for token in looked.tokens(position)[:steps]] or [str(at + 1) for at in range(steps)]
    name = files.printable(str(looked.dataset.ids[position]))
    return OneSequence(name, part, inputs, heads, targets, count)


def _typed(looked: Looked, text: str, most: int) -> OneSequence:
    field, kind = looked.field, kind_of(looked.field)
    if not isinstance(kind, Text) or len(looked.model.inputs) > 1:
        told = listed_inputs(looked.model.inputs)
        raise SpecError(
            f"--text is for networks that read one text and nothing else; this one reads {told}.",
            "Name an example instead: --example ID",
        )
    whole = field.model_copy(update={"options": {**field.options, "longest": len(text.encode("utf-8", "replace")) + 1}})
    raw = kind.one(text, whole)
    codes = torch.from_numpy(kind.coder(whole)(raw))[None]
    heads = [shown(token) for token in kind.tokens(raw, whole)]
    if not len(heads):
        raise SpecError("--text has nothing to read.", "Give a few characters or words.")
    targets = {}
    for name, of in looked.model.outputs.items():
        if of.options.get("of") == looked.group:  # the truth is the text itself, one step on
            targets[name] = torch.cat([codes[:, 1:], torch.full((1, 1), NO_TOKEN)], dim=1)[:, :most]
    return OneSequence(
        f"\u201c{clip(files.printable(text), _TITLE)}\u201d",
        "",
        {looked.group: codes[:, :most]},
        heads[:most],
        targets,
        codes.shape[1],
    )


def listed_inputs(fields: Mapping[str, Field]) -> str:
    """What goes in, in words: `text (text), age (number)`.

    Args:
        fields: By name.
    """
    return ", ".join(f"{name} ({field.kind})" for name, field in fields.items())


def shown(token: str) -> str:
    """A token as a heading: signs for what cannot be seen.

    Args:
        token: As it is read.

    Example:
        >>> shown(" "), shown("tea")
        ('␣', 'tea')
    """
    return {" ": "␣", "\n": "⏎", "\t": "⇥"}.get(token) or visible(token)


def read_by(network: Network, node: Node, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor | None]:
    """What a layer over time reads for some examples, with 0 for what is not there, and how many steps each has.

    Args:
        network: The network.
        node: The layer.
        inputs: By group, padded.
    """
    (name,) = node.inputs
    value = network.values(dict(inputs), [name])[name]
    there = ~value[..., 0].isnan()
    steps = None if bool(there.all()) else there.sum(dim=1)
    return value.nan_to_num(), steps


def prefixes(inputs: Mapping[str, Tensor], group: str, counts: Sequence[int]) -> dict[str, Tensor]:
    """One sequence as if it had ended earlier, a row for each number of steps, padded.

    Args:
        inputs: One row by group.
        group: The sequence.
        counts: Steps that each row is to have, at least 1.
    """
    whole = inputs[group]
    rows = whole.expand(len(counts), *whole.shape[1:]).clone()
    behind = torch.arange(whole.shape[1])[None] >= torch.tensor(list(counts))[:, None]
    rows[behind] = NO_TOKEN if whole.ndim == 2 else torch.nan
    return {**{name: of.expand(len(counts), *of.shape[1:]) for name, of in inputs.items()}, group: rows}


def asks_next(task: Task) -> bool:
    """Whether a task has one truth for each step of what goes in.

    Args:
        task: The task.
    """
    return isinstance(task, Next)


def answers_alone(task: Task) -> bool:
    """Whether a task gives one answer for a whole sequence.

    Args:
        task: The task.
    """
    return not task.each_step and not task.writes
