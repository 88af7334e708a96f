"""Several real numbers at once: identity outputs, squared loss on standardised targets, answers in own units."""

from __future__ import annotations

from math import prod

import numpy as np
from jaxtyping import Float
from torch import Tensor

from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks import values
from netwright.tasks.task import Baseline, Coded, Interval, Task


class Vector(Task):
    """Several real numbers.

    Args:
        name: The output's name in the spec.
        field: Its shape says how many; mean and std, one for each, are those of the training part.
        spec: `unit: identity`; `loss: squared` or one's own.

    Raises:
        SpecError: Unit or loss do not fit real numbers.
    """

    headline = "r2"
    unit = "identity"

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        loss, self.reasons = values.check_pairing(name, spec, "made of real numbers")
        self.units = prod(field.shape)
        self._scale = values.Scale.of(field, self.units)
        self._loss = values.ValueLoss(loss, self._scale)

    def terms(
        self, outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]
    ) -> Float[Tensor, " batch"]:
        """The loss of each example; see `Task.terms`."""
        return self._loss(outputs, targets)

    def answers(self, outputs: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """The numbers in their own units; see `Task.answers`."""
        return self._scale.restore(outputs)

    def score(self, answers: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]) -> dict[str, float]:
        """Rmse and mae over all numbers, r2 as the mean of each number's; see `Task.score`."""
        return values.score(answers, targets)

    def interval(
        self,
        answers: Float[Tensor, "batch dim"],
        targets: Float[Tensor, "batch dim"],
        groups: np.ndarray | None = None,
    ) -> dict[str, Interval]:
        """Bootstrap intervals; see `Task.interval`."""
        return values.interval(answers, targets, groups)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """The mean of the training targets, and linear least squares."""
        return values.baselines(self, train, test, seed)

    def decode(self, answers: Float[Tensor, "batch dim"], top: int = 3) -> list[list[float]]:
        """The numbers of each example; see `Task.decode`."""
        return answers.tolist()
