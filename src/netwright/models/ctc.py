"""Connectionist temporal classification: a text read off an output at every step, most of which say nothing.

At every step one token or the blank (code 0) is likely; a text is what is left when repetitions are joined and blanks
taken out, and its probability the sum over all ways to write it so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from netwright.models.grams import EDGE, Grams

BLANK = 0
_WEIGHT = 0.5  # of an n-gram's surprise


def best_path(codes: Int[np.ndarray, " time"]) -> list[int]:
    """The text of one way through the steps: repetitions joined, blanks taken out.

    Args:
        codes: Code at every step.

    Example:
        >>> best_path(np.array([0, 3, 3, 0, 3, 5]))
        [3, 3, 5]
    """
    changed = np.diff(codes, prepend=-1) != 0
    return codes[changed & (codes != BLANK)].tolist()


def prefix_search(
    shares: Float[np.ndarray, "time token"], width: int, least: float = 1e-3, grams: Grams | None = None
) -> list[int]:
    """The likeliest text, all ways to write it taken together, as far as a beam of beginnings tells.

    An n-gram counts as half a witness: every new token takes on its surprise there less the usual one, so that neither
    short nor long texts win by it.

    Args:
        shares: Probability of each token at every step.
        width: Beginnings that are kept from step to step.
        least: Tokens that are less likely than this at a step are passed over.
        grams: What token follows which others; None where that is not asked.

    Example:
        >>> prefix_search(np.array([[0.6, 0.4], [0.6, 0.4]]), 4), best_path(np.array([0, 0]))
        ([1], [])

    Source: Graves 2012, Supervised Sequence Labelling with Recurrent Neural Networks, section 7.5; Hannun et al. 2014,
    arXiv:1408.2873, algorithm 1.
    """
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}  # ends in a blank, ends in its last token
    for step in shares:
        found: defaultdict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        likely = [code for code in np.flatnonzero(step >= least).tolist() if code != BLANK]
        for text, (blank, token) in beams.items():
            total = blank + token
            found[text][0] += total * float(step[BLANK])
            if text:
                found[text][1] += token * float(step[text[-1]])
            for code in likely:
                share = blank if text and code == text[-1] else total
                found[(*text, code)][1] += share * float(step[code]) * _bonus(grams, text, code)
        kept = sorted(found.items(), key=lambda item: -sum(item[1]))[:width]
        scale = sum(kept[0][1]) or 1.0  # so that long sounds do not end in zeros
        beams = {text: (blank / scale, token / scale) for text, (blank, token) in kept}
    return list(max(beams.items(), key=lambda item: sum(item[1]) * _bonus(grams, item[0], EDGE))[0])


def _bonus(grams: Grams | None, text: tuple[int, ...], token: int) -> float:
    """By how much likelier a token, or the end, becomes behind a text by what usually follows."""
    if grams is None:
        return 1.0
    before = (EDGE,) * (grams.order - 1 - len(text)) + text
    return math.exp(_WEIGHT * ((grams.usual if token != EDGE else 0.0) - grams.nats(before, token)))


def needed(codes: list[int]) -> int:
    """Steps that a text needs at least: one for each token, and one between two that are the same.

    Example:
        >>> needed([3, 3, 5])
        4
    """
    return len(codes) + sum(one == other for one, other in pairwise(codes))
