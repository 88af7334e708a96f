"""One real number: identity output, squared loss on standardised targets, answers in the target's own units."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from torch import Tensor

from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks import values
from netwright.tasks.task import Baseline, Coded, Interval, Task


class Number(Task):
    """One real number.

    Args:
        name: The output's name in the spec.
        field: Its mean and std are those of the training part.
        spec: `unit: identity`; `loss: squared` or one's own.

    Raises:
        SpecError: Unit or loss do not fit a real number.
    """

    headline = "r2"
    unit = "identity"
    units = 1

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        loss, self.reasons = values.check_pairing(name, spec, "a real number")
        self._scale = values.Scale.of(field, 1)
        self._loss = values.ValueLoss(loss, self._scale)

    def terms(self, outputs: Float[Tensor, "batch 1"], targets: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """The loss of each example; see `Task.terms`."""
        return self._loss(outputs, targets[:, None])

    def answers(self, outputs: Float[Tensor, "batch 1"]) -> Float[Tensor, " batch"]:
        """The numbers in their own units; see `Task.answers`."""
        return self._scale.restore(outputs)[:, 0]

    def score(self, answers: Float[Tensor, " batch"], targets: Float[Tensor, " batch"]) -> dict[str, float]:
        """rmse, mae and r2; see `Task.score`."""
        return values.score(answers, targets)

    def interval(
        self, answers: Float[Tensor, " batch"], targets: Float[Tensor, " batch"], groups: np.ndarray | None = None
    ) -> dict[str, Interval]:
        """Bootstrap intervals; see `Task.interval`."""
        return values.interval(answers[:, None], targets[:, None], groups)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """The mean of the training targets, and linear least squares."""
        return values.baselines(self, train, test, seed)

    def decode(self, answers: Float[Tensor, " batch"], top: int = 3) -> list[float]:
        """The numbers; see `Task.decode`."""
        return answers.tolist()
