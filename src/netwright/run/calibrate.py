"""Probabilities brought to how often they come true: scores are divided by one number, the temperature.

A network that fits its training part ever closer grows surer than it is right. One number that is chosen on the
validation part, after training, takes that back: no answer changes, only how sure it is. The output's own weights are
divided by it, so that nothing has to be remembered.

Source: Guo, Pleiss, Sun, Weinberger 2017, On Calibration of Modern Neural Networks, section 4.2 (temperature scaling).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from netwright.data.dataset import Dataset
from netwright.model_file import Model
from netwright.models.layers import Dense
from netwright.run.answering import fed
from netwright.tasks.task import Task

MOST_NUMBERS = 20_000_000  # of scores that are looked at
_FURTHEST = math.log(16)  # of a temperature from 1, either way
_HALVINGS = 40  # each leaves 0.618 of the range: 2e-8 of it in the end
_GOLDEN = (math.sqrt(5) - 1) / 2


def calibrated(model: Model, dataset: Dataset, outputs: Sequence[str], resident: bool) -> dict[str, float]:
    """Divides the weights of some outputs by their temperatures.

    Args:
        model: A trained one.
        dataset: Its data; the validation part is looked at.
        outputs: Whose probabilities are calibrated.
        resident: Whether the part is kept in memory.

    Returns:
        The temperature of each: above 1 where the network was surer than right.
    """
    if not outputs:
        return {}
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in outputs}
    held = 0
    model.network.eval()
    with torch.inference_mode():
        for batch, inputs, carried in fed(model, dataset, "validation", resident):
            found = model.network(inputs, carried)
            for name in outputs:
                seen[name].append((found[name].cpu(), batch.targets[name].cpu()))
                held += found[name].numel()
            if held > MOST_NUMBERS:
                break
    chosen = {name: temperature(model.tasks[name], batches) for name, batches in seen.items()}
    with torch.no_grad():
        for name, value in chosen.items():
            head = model.network.module(name)
            if not isinstance(head, Dense):  # pragma: no cover - tasks that calibrate have such a head
                raise TypeError(f"{name} ends in {type(head).__name__}")
            head.weight.div_(value)
            head.bias.div_(value)
    return chosen


def temperature(task: Task, batches: Sequence[tuple[Tensor, Tensor]]) -> float:
    """The number by which scores are divided for the least loss.

    The loss has one lowest place, for it is convex in the inverse of the number: a golden-section search finds it. It
    counts one answer more, which might be anything: where all are right, the surest network would be the best else. Of
    texts and other sequences every step counts alike, however long they are.

    Args:
        task: Whose loss it is.
        batches: Scores and true answers.
    """
    anything = 1 / (1 + sum(int((true >= 0).sum()) for _, true in batches))

    def loss(log: float) -> float:
        total = 0.0
        for given, true in batches:
            scores = given / math.exp(log)
            steps = (true >= 0).reshape(len(true), -1).sum(dim=1).double()
            total += float((task.terms(scores, true).double() * steps).sum())
            total += anything * float(steps.sum()) * float(task.certainty(scores, true))
        return total

    return math.exp(_least(loss, -_FURTHEST, _FURTHEST))


def _least(value: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one lowest place has it."""
    one, other = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_one, at_other = value(one), value(other)
    for _ in range(_HALVINGS):
        if at_one <= at_other:
            high, other, at_other = other, one, at_one
            one = high - _GOLDEN * (high - low)
            at_one = value(one)
        else:
            low, one, at_one = one, other, at_other
            other = low + _GOLDEN * (high - low)
            at_other = value(other)
    return (low + high) / 2
