"""BLEU: how many words in a row, one to four, a text has in common with the true one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

ORDERS = 4
COUNTS = 2 + 2 * ORDERS  # numbers that `matches` gives


def matches(given: Sequence[object], truth: Sequence[object]) -> list[int]:
    """Length of a text and of the true one, and for one to four words in a row how many agree and how many there are.

    Args:
        given: Words of the text.
        truth: Words of the true one.

    Example:
        >>> matches("a b c".split(), "a b d".split())
        [3, 3, 2, 1, 0, 0, 3, 2, 1, 0]
    """
    agree: list[int] = []
    every: list[int] = []
    for order in range(1, ORDERS + 1):
        mine, other = (
            Counter(tuple(text[at : at + order]) for at in range(len(text) - order + 1)) for text in (given, truth)
        )
        agree.append(sum((mine & other).values()))
        every.append(max(len(given) - order + 1, 0))
    return [len(given), len(truth), *agree, *every]


def bleu(counts: Float[np.ndarray, "row count"]) -> Float[np.ndarray, " row"]:
    """BLEU from 0 to 100 of summed (or averaged) counts, one row for each score.

    Args:
        counts: Sums of what `matches` gives.

    Source: Papineni et al. 2002, BLEU: a Method for Automatic Evaluation of Machine Translation, section 2.3; without
    smoothing, so that a corpus without four words in a row scores 0.
    """
    lengths, agree, every = counts[:, :2], counts[:, 2 : 2 + ORDERS], counts[:, 2 + ORDERS :]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(every > 0, agree / every, 0.0)
        mean = np.exp(np.log(shares).mean(axis=1))
        short = np.where(lengths[:, 0] > 0, np.minimum(1.0, np.exp(1 - lengths[:, 1] / lengths[:, 0])), 0.0)
    return 100 * np.nan_to_num(mean * short)
