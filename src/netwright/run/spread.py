"""Tables of answers with a row for each step, where some output answers at every step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from torch import Tensor

from netwright.tasks.per_step import PerStep
from netwright.tasks.task import Task

STEP = "step"  # the column that counts the steps of an example from 1


@dataclass(frozen=True)
class Spread:
    """Which example and which of its steps each row is about.

    Args:
        examples: Of each row.
        steps: Of each row, counted from 1; 0 for the row of an example that has none.
    """

    examples: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, tasks: Mapping[str, Task], answers: Mapping[str, Tensor]) -> Spread | None:
        """The rows of some examples; None where no output answers at every step.

        Args:
            tasks: By output.
            answers: By output, as the tasks give them.
        """
        stepped = [name for name, task in tasks.items() if isinstance(task, PerStep)]
        if not stepped:
            return None
        task = tasks[stepped[0]]
        counts = np.array(task.steps(answers[stepped[0]])[1] if isinstance(task, PerStep) else [], dtype=np.int64)
        rows = np.maximum(counts, 1)  # an example that could not be read has a row to say so
        examples = np.repeat(np.arange(len(counts)), rows)
        steps = np.arange(len(examples)) - np.repeat(np.cumsum(rows) - rows, rows) + 1
        return cls(examples, np.where(np.repeat(counts, rows) > 0, steps, 0))

    @property
    def numbers(self) -> pa.Array:
        """The step of each row."""
        return pa.array(self.steps, pa.int64(), mask=self.steps == 0)

    def each(self, values: pa.Array) -> pa.Array:
        """What belongs to examples, at every row of them.

        Args:
            values: One for each example.
        """
        return values.take(pa.array(self.examples))

    def steps_of(self, values: pa.Array) -> pa.Array:
        """What belongs to steps, at its row.

        Args:
            values: Of all steps, end to end.
        """
        there = self.steps > 0
        return values.take(pa.array(np.cumsum(there) - 1, pa.int64(), mask=~there))
