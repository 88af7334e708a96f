"""A model's answers on a part of its data: for validation after every epoch, and for the scores at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from netwright.data.batches import Batch, Batches, follows, packed
from netwright.data.dataset import Dataset
from netwright.model_file import Model
from netwright.models.decoders import likeliest, on_its_own
from netwright.models.network import MOST_ROWS
from netwright.models.recurrent import Carried, cut_states
from netwright.readers.padding import joined
from netwright.tasks.task import Task

_STREAMS = 32  # texts read side by side; where one begins in the middle, it knows nothing of what was before


@dataclass(frozen=True)
class Answered:
    """A part of the data with the model's answers.

    Args:
        part: train, validation or test.
        positions: Of its examples in the data set.
        answers: By output: probabilities or numbers.
        targets: By output.
        losses: Mean loss by output.
        alone: Mean loss of outputs that are written, each token behind guesses instead of behind the true ones.
        groups: What each example belongs to, e.g. its track, where several belong together.
        quick: Whether texts were read off by the likeliest way alone.
    """

    part: str
    positions: np.ndarray
    answers: dict[str, Tensor]
    targets: dict[str, Tensor]
    losses: dict[str, float]
    alone: dict[str, float]
    groups: np.ndarray | None = None
    quick: bool = False

    def scores(self, model: Model) -> dict[str, dict[str, float]]:
        """Every score of every output, its loss included."""
        found = {}
        for name, task in model.tasks.items():
            found[name] = {**task.score(self.answers[name], self.targets[name]), "loss": self.losses[name]}
            found[name] |= {"loss_alone": self.alone[name]} if name in self.alone else {}
        return found


def answer(
    model: Model,
    dataset: Dataset,
    part: str,
    resident: bool,
    *,
    quick: bool = False,
    advance: Callable[[int], None] | None = None,
) -> Answered:
    """The model's answers on one part of its data, in evaluation mode and full precision.

    Args:
        model: Answers.
        dataset: Its data.
        part: train, validation or test.
        resident: Whether the part is kept in memory.
        quick: Texts are not scored behind guesses too, and are read off by the likeliest way alone, without a beam.
        advance: Told how many examples are answered, after every batch.
    """
    answers: dict[str, list[Tensor]] = {name: [] for name in model.tasks}
    targets: dict[str, list[Tensor]] = {name: [] for name in model.tasks}
    index: list[Tensor] = []
    sums = dict.fromkeys(model.tasks, 0.0)
    writes = [name for name, task in model.tasks.items() if task.writes]
    alone = dict.fromkeys(() if quick else writes, 0.0)
    model.network.eval()
    with torch.inference_mode(), likeliest(model.network) if quick else nullcontext():
        for batch, inputs, carried in fed(model, dataset, part, resident, advance):
            index.append(batch.index)
            known = {k: v.to(next(iter(inputs.values())).device) for k, v in batch.targets.items()} if writes else None
            for name, loss in _behind_guesses(model, inputs, known).items() if known and not quick else ():
                alone[name] += loss
            outputs = model.network(inputs, carried, known)
            written = model.network(inputs) if known else outputs
            for name, task in model.tasks.items():
                given, truth = outputs[name].cpu(), batch.targets[name].cpu()
                sums[name] += 0.0 if task.among_mates else float(task.terms(given, truth).double().sum())
                said = written[name].cpu() if task.writes else given
                answers[name].append(task.judged(said, truth, quick=quick))
                targets[name].append(truth)
    place = torch.cat(index).argsort() if index else torch.empty(0, dtype=torch.int64)
    whole = {name: (joined(answers[name])[place], joined(targets[name])[place]) for name in model.tasks}
    sums |= {n: _in_batches(task, *whole[n], _batch_size(model)) for n, task in model.tasks.items() if task.among_mates}
    positions = dataset.positions(part)
    count = max(len(positions), 1)
    return Answered(
        part,
        positions,
        {name: found for name, (found, _) in whole.items()},
        {name: found for name, (_, found) in whole.items()},
        {name: total / count for name, total in sums.items()},
        {name: total / count for name, total in alone.items()},
        None if dataset.groups is None else dataset.groups[positions],
        quick,
    )


def fed(
    model: Model, dataset: Dataset, part: str, resident: bool, advance: Callable[[int], None] | None = None
) -> Iterator[tuple[Batch, dict[str, Tensor], Carried | None]]:
    """A part of the data as the network takes it: batches, what goes in, and the states that texts go on with.

    Args:
        model: Who is fed.
        dataset: Its data.
        part: train, validation or test.
        resident: Whether the part is kept in memory.
        advance: Told how many examples are done, after every batch.
    """
    rows = _STREAMS if follows(dataset.outputs) else model.network.rows(dataset.mean_steps)
    source = Batches(dataset, part, rows, 0, shuffle=False, resident=resident)
    device = next(model.network.parameters()).device
    carried: Carried | None = {} if source.streams else None
    done = 0
    for batch in source.epoch(0):
        cut_states(carried, len(batch.index))
        yield batch, {k: v.to(device) for k, v in batch.inputs.items()}, carried
        done += len(batch.index)
        if advance:
            advance(done)


def _behind_guesses(model: Model, inputs: dict[str, Tensor], known: dict[str, Tensor]) -> dict[str, float]:
    """The summed losses of texts that are written, where the decoder goes on from its own guesses."""
    with on_its_own(model.network):
        outputs = model.network(inputs, None, known)
    return {n: float(t.terms(outputs[n], known[n]).double().sum()) for n, t in model.tasks.items() if t.writes}


def _batch_size(model: Model) -> int:
    size = model.spec.training.batch_size
    return size if isinstance(size, int) else MOST_ROWS


def _in_batches(task: Task, answers: Tensor, targets: Tensor, size: int) -> float:
    """The sum of losses that depend on the mates in a batch, in batches like those of training.

    In the order of the data, which may be sorted, a batch would hold one identity alone.
    """
    order = torch.from_numpy(packed(0, 0, targets.numpy()))
    with torch.inference_mode():
        return sum(float(task.terms(answers[pick], targets[pick]).double().sum()) for pick in order.split(size))


def validation(model: Model, dataset: Dataset, weights: dict[str, float], resident: bool) -> dict[str, float]:
    """Scores after an epoch: the weighted loss and each output's headline score; texts are written without a beam."""
    answered = answer(model, dataset, "validation", resident, quick=True)
    found = {"loss": sum(weights[name] * loss for name, loss in answered.losses.items())}
    many = len(model.tasks) > 1
    for name, task in model.tasks.items():
        value = task.watched(answered.answers[name], answered.targets[name])
        found[f"{name}/{task.headline}" if many else task.headline] = value
        if many:
            found[f"{name}/loss"] = answered.losses[name]
    return found
