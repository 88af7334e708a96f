"""What number and vector share: standardised targets, scores in own units, and their baselines.

The network learns targets with mean 0 and spread 1 whatever their units, so that a price in millions and a ratio train
alike; answers are given back in the target's own units, in float64, because float32 would lose the digits of small
differences between large values.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from netwright import metrics
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.registry import resolve
from netwright.spec import OutputSpec
from netwright.tasks.task import Baseline, Coded, Interval, Task, loss_compares, rows_for_baseline, standardised
from netwright.words import begun

_COMPARED = {"classes": "class probabilities", "yes_no": "class probabilities", "points": "points of a track"}


@dataclass(frozen=True)
class Scale:
    """Mean and spread of each target on the training part."""

    mean: Float[Tensor, " dim"]
    std: Float[Tensor, " dim"]

    @classmethod
    def of(cls, field: Field, dim: int) -> Scale:
        """The scale a field was fitted with; none (0 and 1) when it was not."""
        mean = torch.tensor(field.mean or (0.0,) * dim, dtype=torch.float64)
        std = torch.tensor(field.std or (1.0,) * dim, dtype=torch.float64)
        return cls(mean, torch.where(std > 0, std, 1.0))

    def standardise(self, targets: Float[Tensor, "batch dim"], like: Tensor) -> Float[Tensor, "batch dim"]:
        """Targets with mean 0 and spread 1, in the dtype of `like`."""
        mean, std = self.mean.to(targets.device), self.std.to(targets.device)
        return ((targets - mean) / std).to(like.dtype)

    def restore(self, outputs: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """Outputs in the targets' own units, float64."""
        return outputs * self.std.to(outputs.device) + self.mean.to(outputs.device)


def check_pairing(name: str, spec: OutputSpec, what: str) -> tuple[str, list[Reason]]:
    """The loss of a real-valued output, and the reasons of what was left open.

    Args:
        name: The output's name.
        spec: What the user said about it.
        what: "a real number", for messages.

    Raises:
        SpecError: Unit or loss do not fit: all that is wrong, with the fix.
    """
    problems, cures, path = [], [], f"outputs.{name}"
    if spec.unit not in (None, "identity"):
        why = (
            "softmax makes its units sum to 1, so that one number would always be 1"
            if spec.unit == "softmax"
            else "a sigmoid cannot leave the range 0 to 1"
        )
        problems.append(f'{path}.unit: {spec.unit} was asked for, but "{name}" is {what}, and {why}.')
        cures.append(f"write {path}.unit: identity, or leave it out")
    loss = spec.loss or "squared"
    if loss_compares(loss) in {"classes", "yes_no", "points"}:
        problems.append(f'{path}.loss: {loss} compares {_COMPARED[loss_compares(loss)]}, but "{name}" is {what}.')
        cures.append(f"write {path}.loss: squared, or leave it out")
    if problems:
        cures.append(f"if the values are names of classes, write {path}.kind: category")
        cure = "; ".join(cures)
        raise SpecError("\n".join(problems), f"{begun(cure)}.")
    reasons = []
    if spec.unit is None:
        reasons.append(Reason(path=f"{path}.unit", value="identity", why=f"{what} may have any value"))
    if spec.loss is None:
        reasons.append(Reason(path=f"{path}.loss", value="squared", why="its best answer is the mean to be expected"))
    return loss, reasons


class ValueLoss:
    """Loss terms of real values: targets standardised, then compared by a registered loss.

    Args:
        loss: Name of the loss.
        scale: Of the targets.
    """

    def __init__(self, loss: str, scale: Scale) -> None:
        self._loss = resolve("loss", loss)
        self._scale = scale

    def __call__(
        self, outputs: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"]
    ) -> Float[Tensor, " batch"]:
        """The loss of each example; targets in their own units."""
        return self._loss(outputs, self._scale.standardise(targets, outputs))


def score(answers: Float[Tensor, " batch *dim"], targets: Float[Tensor, " batch *dim"]) -> dict[str, float]:
    """Rmse and mae in the targets' units, and r2."""
    return {
        "rmse": metrics.rmse(answers, targets),
        "mae": metrics.mae(answers, targets),
        "r2": metrics.r2(answers, targets),
    }


def interval(
    answers: Float[Tensor, "batch dim"], targets: Float[Tensor, "batch dim"], groups: np.ndarray | None
) -> dict[str, Interval]:
    """Bootstrap intervals of what `score` gives."""
    wanted = targets.double().numpy(force=True)
    wrong = answers.double().numpy(force=True) - wanted
    dim = wanted.shape[1]
    centred = wanted - wanted.mean(axis=0)  # so that the variances below lose no digits

    def share(means: np.ndarray) -> np.ndarray:
        left, first, second = means[:, :dim], means[:, dim : 2 * dim], means[:, 2 * dim :]
        return metrics.explained(left, np.maximum(second - first**2, 0)).mean(axis=1)

    return {
        "rmse": metrics.bootstrap(wrong**2, lambda means: np.sqrt(means.mean(axis=1)), groups),
        "mae": metrics.bootstrap(np.abs(wrong), lambda means: means.mean(axis=1), groups),
        "r2": metrics.bootstrap(np.concatenate([wrong**2, centred, centred**2], axis=1), share, groups),
    }


def _linear_answers(train: Coded, test: Coded, seed: int) -> tuple[Float[Tensor, " test *dim"], str]:
    """Answers of least squares with a little ridge on standardised inputs, and in words what was capped.

    One direct solution whose size is bounded by the rows, so that it needs no clock.
    """
    from sklearn.linear_model import Ridge

    rows, note = rows_for_baseline(train, seed)
    inputs, asked = standardised(train.flat(rows), test.flat())
    known = train.targets.double().numpy(force=True)[rows]
    answers = Ridge(alpha=1.0).fit(inputs.astype(np.float64), known).predict(asked.astype(np.float64))
    return torch.from_numpy(np.asarray(answers, dtype=np.float64)), note


def baselines(task: Task, train: Coded, test: Coded, seed: int) -> list[Baseline]:
    """The mean of the training targets for everyone, and a linear model.

    Args:
        task: Scores them.
        train: What they learn from.
        test: What they are scored on.
        seed: Of the choice of rows when there are too many.
    """
    start = time.monotonic()
    mean = train.targets.double().mean(dim=0)
    found = [task.baseline("mean", mean.expand(len(test.targets), *mean.shape), test, start)]
    start = time.monotonic()
    answers, note = _linear_answers(train, test, seed)
    return [*found, task.baseline("linear", answers, test, start, note)]
