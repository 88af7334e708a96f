"""Texts that are read off a sequence and have no room in it, looked for among all examples of all parts.

A text needs a step for each of its tokens, and one more between two that are the same; how many there are follows from
the length of the sequence and the layers alone, so that no network runs for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from netwright import files
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.data.ragged import Ragged
from netwright.field import Field
from netwright.model_file import Model
from netwright.models.ctc import BLANK, needed
from netwright.readers import padding
from netwright.tasks.transcript import Transcript

_CHUNK = 2048  # examples coded at a time


@dataclass(frozen=True)
class Short:
    """The texts of an output that have no room.

    Args:
        looked: How many texts there are.
        steps: By position in the data set, of each text without room: how many steps there are, and how many it needs.
        named: The same in words: the example, what its text says, and both numbers.
    """

    looked: int
    steps: dict[int, tuple[int, int]]
    named: tuple[str, ...]


def short(model: Model, dataset: Dataset) -> dict[str, Short]:
    """By output that is read off a sequence, its texts that have no room there.

    Args:
        model: Its layers say how many steps are left of a sequence.
        dataset: Its data.
    """
    tasks = {name: task for name, task in model.tasks.items() if isinstance(task, Transcript)}
    if not tasks:
        return {}
    places = np.sort(np.concatenate(list(dataset.parts.values())))
    ragged = {name: field for name, field in dataset.inputs.items() if field.ragged}
    lengths = {name: _lengths(dataset, field, places) for name, field in ragged.items()}
    return {name: _without_room(model, dataset, task, places, lengths) for name, task in tasks.items()}


def _without_room(
    model: Model, dataset: Dataset, task: Transcript, places: Int[np.ndarray, " example"], lengths: dict[str, Tensor]
) -> Short:
    left = model.network.steps_left(lengths, task.name).expand(len(places)).tolist()
    coded = (text for codes in _coded(dataset, dataset.outputs[task.name], places) for text in task.texts(codes))
    steps, named = {}, []
    for place, there, codes in zip(places.tolist(), left, coded, strict=True):
        needs = needed([code for code in codes if code != BLANK])  # a token that is not known cannot be read off
        if needs > there:
            steps[place] = (there, needs)
            named.append(files.printable(f'{dataset.ids[place]} "{task.said(codes)}" ({there} of {needs})'))
    return Short(len(places), steps, tuple(named))


def _lengths(dataset: Dataset, field: Field, places: Int[np.ndarray, " example"]) -> Int[Tensor, " example"]:
    """How many steps of each sequence go into the network; a text comes apart into tokens first."""
    values = dataset.arrays[field.name]
    if isinstance(values, Ragged) and not field.vocabulary:
        return torch.from_numpy((values.ends - values.starts)[places])
    return torch.cat([padding.lengths(coded) for coded in _coded(dataset, field, places)])


def _coded(dataset: Dataset, field: Field, places: Int[np.ndarray, " example"]) -> Iterator[Tensor]:
    for start in range(0, len(places), _CHUNK):
        yield kind_of(field).code(dataset.arrays[field.name][places[start : start + _CHUNK]], field)
