"""Which word of one language goes with which of another: learned from texts side by side, without any order."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

_ROUNDS = 5
_PAIRS = 20_000_000  # of words; more texts than make so many are left out


def dictionary(
    given: Int[Tensor, "text time"], other: Int[Tensor, "text later"], tokens: int, others: int
) -> Int[Tensor, " token"]:
    """For every token the one of the other language that most of its occurrences go with; 0 where it has none.

    Args:
        given: Texts, padded.
        other: The same texts in the other language, padded.
        tokens: How many different tokens there are.
        others: How many there are in the other language.

    Source: Brown et al. 1993, The Mathematics of Statistical Machine Translation, model 1, five rounds of expectation
    and maximisation.
    """
    rows = max(1, _PAIRS // max(1, given.shape[1] * other.shape[1]))
    one, two = given[:rows].numpy(), other[:rows].numpy()
    there = (one[:, :, None] >= 0) & (two[:, None, :] >= 0)  # text time later
    text, time, later = np.nonzero(there)
    pair = one[text, time].astype(np.int64) * others + two[text, later]
    word = text * two.shape[1] + later  # each word of the other text is explained by those of the given one
    pairs, of = np.unique(pair, return_inverse=True)
    share = np.ones(len(pairs))
    for _ in range(_ROUNDS):
        weight = share[of]
        total = np.bincount(word, weight, minlength=two.size)
        expected = np.bincount(of, weight / np.maximum(total[word], 1e-12), minlength=len(pairs))
        share = expected / np.maximum(np.bincount(pairs // others, expected, minlength=tokens)[pairs // others], 1e-12)
    order = np.lexsort((-share, pairs // others))
    source, first = np.unique(pairs[order] // others, return_index=True)
    found = np.zeros(tokens, dtype=np.int64)
    found[source] = pairs[order][first] % others
    return torch.from_numpy(found)
