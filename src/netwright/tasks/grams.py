"""Guessing the next token from the few before it: counts of what came after them, the baseline of language models."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from netwright.field import UNKNOWN_CODE

_LARGEST = 2**62  # a context and the token behind it are one whole number


def surprise(
    train: Int[Tensor, "piece time"], test: Int[Tensor, "other later"], order: int, tokens: int
) -> Float[Tensor, "other 3"]:
    """Of each piece of `test` the sum of -log p, its steps, and how many the likeliest guess had right.

    Of a token that is not known no guess is right.

    A guess mixes what came after the last `order` - 1 tokens with what came after fewer, as Witten and Bell weigh them:
    the longer context counts n / (n + t) where it was seen n times with t different tokens after it.

    Args:
        train: Pieces of texts in their order, padded; read as one text.
        test: The pieces to be guessed, likewise.
        order: Tokens of which the last is guessed, >= 1.
        tokens: How many different ones there are.

    Source: Witten & Bell 1991, The Zero-Frequency Problem, method C, interpolated as in Chen & Goodman
    1998, section 2.5.
    """
    known, asked = (part[part >= 0].numpy().astype(np.int64) for part in (train, test))
    guess = np.full((len(asked),), 1.0 / tokens)
    best = np.zeros(len(asked), dtype=np.int64)
    for before in range(order if len(known) else 0):
        guess, best = _mixed(known, asked, before, tokens, guess, best)
    lengths = (test >= 0).sum(dim=1).numpy()
    piece = np.repeat(np.arange(len(test)), lengths)
    losses = np.bincount(piece, -np.log(guess), minlength=len(test))
    right = np.bincount(piece, ((best == asked) & (asked != UNKNOWN_CODE)).astype(np.float64), minlength=len(test))
    return torch.from_numpy(np.stack([losses, lengths.astype(np.float64), right], axis=1))


def _mixed(
    known: np.ndarray, asked: np.ndarray, before: int, tokens: int, guess: np.ndarray, best: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Guesses of a context of `before` tokens, mixed into those of shorter ones."""
    contexts, seen = _contexts([known, asked], before, tokens)
    pairs, counts = np.unique(contexts * tokens + known, return_counts=True)
    of = pairs // tokens
    each, first, different = np.unique(of, return_index=True, return_counts=True)
    total = np.add.reduceat(counts, first)
    likeliest = _largest(pairs % tokens, counts, first)
    place = np.minimum(np.searchsorted(each, seen), len(each) - 1)
    met = each[place] == seen
    n, t = np.where(met, total[place], 0), np.where(met, different[place], 1)
    at = np.minimum(np.searchsorted(pairs, seen * tokens + asked), len(pairs) - 1)
    count = np.where(pairs[at] == seen * tokens + asked, counts[at], 0)
    mixed = np.where(met, (count + t * guess) / (n + t), guess)
    return mixed, np.where(met, likeliest[place], best)


def _contexts(texts: list[np.ndarray], before: int, tokens: int) -> list[np.ndarray]:
    """One number for the tokens before each; in front of a text stands the first token, again and again.

    Where numbers would become too large, those that there are are counted anew, in all texts alike.
    """
    found, largest = np.zeros(sum(map(len, texts)), dtype=np.int64), 1
    for back in range(before, 0, -1):
        shifted = [np.concatenate([np.zeros(back, dtype=np.int64), codes[:-back]])[: len(codes)] for codes in texts]
        if largest > _LARGEST // tokens**2:
            found = np.unique(found, return_inverse=True)[1]
            largest = len(found)
        found, largest = found * tokens + np.concatenate(shifted), largest * tokens
    return np.split(found, np.cumsum([len(codes) for codes in texts])[:-1])


def _largest(codes: np.ndarray, counts: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Of each group of codes the one with the largest count; groups begin at `first`."""
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(codes))))
    order = np.lexsort((-counts, group))
    return codes[order[first]]
