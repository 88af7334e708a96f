"""Some training examples beside what a training step sees of them, for the report of a run that changes them."""

from __future__ import annotations

import numpy as np
import torch

from netwright import files
from netwright.data.batches import Batch, coded_width, groups
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.field import Field
from netwright.model_file import Model
from netwright.report import facts as report
from netwright.report.values import png_text
from netwright.run import strategies
from netwright.seeds import derive, numpy_generator
from netwright.spec import Spec
from netwright.words import listed

_SHOWN = 12  # examples
_MOST = 6  # fields told of an example that is no picture
_Values = dict[str, tuple[Field, np.ndarray]]


def changed(wanted: Spec, dataset: Dataset, model: Model) -> list[report.Changed]:
    """Some examples before and after; nothing where training sees them as they are.

    Args:
        wanted: The spec.
        dataset: Its data.
        model: Codes it.
    """
    acting = strategies.changing(wanted, dataset)
    if not acting:
        return []
    train = dataset.parts["train"]
    chosen = np.sort(numpy_generator(wanted.training.seed, "sheet").permutation(len(train))[:_SHOWN])
    positions = np.asarray(train)[chosen]
    inputs = model.code({name: dataset.arrays[name][positions] for name in dataset.inputs})
    batch = Batch(inputs, {}, torch.from_numpy(positions))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(wanted.training.seed, "sheet"))
        for strategy in acting:
            batch = strategy.changed(batch)
    before, after = (
        [_values(dataset, coded, row) for row in range(len(positions))] for coded in (inputs, batch.inputs)
    )
    return [
        _shown(files.printable(str(dataset.ids[int(position)])), plain, seen)
        for position, plain, seen in zip(positions, before, after, strict=True)
        if plain
    ]


def _values(dataset: Dataset, coded: dict[str, torch.Tensor], row: int) -> _Values:
    """The quantities of one example."""
    found: _Values = {}
    for group, fields in groups(dataset.inputs).items():
        start = 0
        for field in fields:
            own = coded[group][row]
            if len(fields) > 1 or own.ndim == 1:
                own = own[start : start + coded_width(field)]
                start += coded_width(field)
            value = kind_of(field).uncode(own, field)
            if value is not None:
                found[field.name] = field, value
    return found


def _shown(id: str, before: _Values, after: _Values) -> report.Changed:
    for name, (field, value) in before.items():
        one, two = kind_of(field).preview(value, field), kind_of(field).preview(after[name][1], field)
        if isinstance(one, bytes) and isinstance(two, bytes):
            return report.Changed(id=id, before=png_text(one), after=png_text(two), pictures=True)
    one, two = (_told(values) for values in (before, after))
    return report.Changed(id=id, before=one, after=two, pictures=False)


def _told(values: _Values) -> str:
    told = [f"{name} {_numbers(value)}" for name, (_, value) in values.items()]
    return files.printable(listed(told, _MOST))


def _numbers(value: np.ndarray) -> str:
    told = [f"{one:.4g}" for one in np.ravel(value)[:_MOST]]
    return ", ".join(told) + (f", ... ({np.size(value)} numbers)" if np.size(value) > _MOST else "")
