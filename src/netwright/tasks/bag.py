"""Bags of words: which tokens a text holds, whatever their order and number; the simple way of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from netwright.readers import padding
from netwright.tasks.task import Coded, standardised

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BAG = "a linear model of which words there are, whatever their order"


def bags(train: Coded, test: Coded, rows: np.ndarray) -> tuple[csr_matrix, csr_matrix]:
    """Both parts as sparse rows: 1 for every token that an example holds, and what else goes in, standardised.

    Args:
        train: The training part.
        test: The part to be answered.
        rows: Which examples of the training part.
    """
    from scipy.sparse import csr_matrix, hstack

    width = {name: int(values.max()) + 1 for name, values in train.tokens.items()}
    learned = [_bag(values[torch.from_numpy(rows)], width[name]) for name, values in train.tokens.items()]
    asked = [_bag(values, width[name]) for name, values in test.tokens.items()]
    if set(train.inputs) - set(train.tokens):
        beside = standardised(_without_texts(train).flat(rows), _without_texts(test).flat())
        learned, asked = [*learned, csr_matrix(beside[0])], [*asked, csr_matrix(beside[1])]
    return csr_matrix(hstack(learned)), csr_matrix(hstack(asked))


def _without_texts(part: Coded) -> Coded:
    return Coded({name: values for name, values in part.inputs.items() if name not in part.tokens}, part.targets)


def _bag(values: Tensor, width: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    there = padding.there(values) & (values < width)
    row, _ = there.nonzero(as_tuple=True)
    found = csr_matrix((np.ones(len(row), np.float32), (row.numpy(), values[there].numpy())), (len(values), width))
    found.data[:] = 1.0  # equal places were summed up
    return found
