"""A run with some of its held-out examples: where looks begin that score what a trained network does with them."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from netwright import files
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset
from netwright.errors import SpecError
from netwright.lens.activations import ROWS, gathered
from netwright.model_file import Model
from netwright.progress import Display
from netwright.registry import nearest
from netwright.resolved import Resolved
from netwright.run import scoring
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.prediction import run_data
from netwright.tasks.category import Category
from netwright.training import hardware
from netwright.words import counted


@dataclass(frozen=True)
class HeldOut:
    """A run and the examples of it that are looked at.

    Args:
        folder: The run.
        dataset: Its data, parts cut to a draw.
        decided: Its settings.
        model: Its network.
        part: Which part is held out.
        there: How many examples each whole part has.
    """

    folder: RunFolder
    dataset: Dataset
    decided: Resolved
    model: Model
    part: str
    there: Mapping[str, int]

    def batches(self, part: str = "") -> Iterator[Batch]:
        """The examples of a part, the held-out one if none is named, in the order of the data set."""
        return Batches(self.dataset, part or self.part, ROWS, 0, shuffle=False, resident=False).epoch(0)

    def gathered(
        self, layers: Sequence[str], output: str, most: int, part: str = ""
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What some layers give for the examples of a part, a row of at most so many numbers each, and their targets.

        Args:
            layers: Names of nodes.
            output: Whose targets.
            most: Numbers of an example; larger maps are averaged over a coarser grid.
            part: Which part; the held-out one if none is named.
        """
        targets: list[Tensor] = []

        def inputs() -> Iterator[dict[str, Tensor]]:
            for batch in self.batches(part):
                targets.append(batch.targets[output])
                yield batch.inputs

        found = gathered(self.model.network, inputs(), layers, most)
        return found, torch.cat(targets)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """The network where and how the run computes, while the block runs; a reading of the test part is counted."""
        if self.part == "test":
            self.folder.count_read("test")
            if self.folder.facts.exists():
                scoring.redraw(self.folder)
        with hardware.applied(self.decided.hardware) as device:
            self.model.network.to(device)
            yield

    def category(self) -> tuple[str, Category]:
        """The first output that is one of several classes.

        Raises:
            SpecError: There is none.
        """
        for name, task in self.model.tasks.items():
            if isinstance(task, Category):
                return name, task
        raise SpecError(
            f"this look needs an output with one class for each example; {self.folder.path.name} has none.",
            "Name a run with a category as its output.",
        )

    def told(self, part: str = "") -> str:
        """Which examples of a part, the held-out one if none is named, are looked at, in words."""
        part = part or self.part
        count, noun = len(self.dataset.parts[part]), f"{'training' if part == 'train' else part} example"
        if count == self.there[part]:
            return f"all {counted(count, noun)}"
        return f"{count:,} of {counted(self.there[part], noun)}, drawn by the run's seed"


def held_out(run: Path, most: int, show: Display, train: int = 0) -> HeldOut:
    """A run with at most so many of its held-out examples.

    Args:
        run: The run folder.
        most: Held-out examples, at least 1.
        show: Where progress is told.
        train: At most so many training examples beside them.

    Raises:
        SpecError: Not a run with a model, or none of its examples is held out.
        DataError: Its data is gone or changed.
    """
    if most < 1:
        raise SpecError(f"{most} examples were asked for.", "Ask for 1 or more.")
    folder = RunFolder(run)
    model = load_model(run)
    dataset, decided = run_data(folder, show)
    part = next((name for name in ("test", "validation") if len(dataset.parts[name])), "")
    if not part:
        raise SpecError("no example of this run is held out.", "Train with a split that keeps some back.")
    there, seed = {name: len(positions) for name, positions in dataset.parts.items()}, decided.spec.training.seed
    return HeldOut(folder, dataset.some(seed, train=train, **{part: most}), decided, model, part, there)


def position_of(dataset: Dataset, example: str) -> int:
    """Where an example lies; the first held-out one where none is named.

    Args:
        dataset: The data.
        example: Its id, or "".

    Raises:
        SpecError: There is none of this name.
    """
    if not example:
        part = next(name for name in ("test", "validation", "train") if len(dataset.parts[name]))
        return int(dataset.parts[part][0])
    position = pc.index(dataset.ids, pa.scalar(example, dataset.ids.type)).as_py()
    if position < 0:
        raise SpecError(
            f'no example is called "{example}"{nearest(example, dataset.ids.slice(0, 5000).to_pylist())}.',
            f"The first ones are called {', '.join(files.printable(str(one)) for one in dataset.ids[:3])}.",
        )
    return position
