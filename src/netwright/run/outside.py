"""New examples that lie outside of what training saw: a network still answers, but nobody taught it what."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netwright import files
from netwright.data.fields import kind_of
from netwright.field import Field
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.kinds.text import unseen
from netwright.words import counted

_SLACK = 0.1  # of the width of what training saw: new examples always lie a little outside of some column
_TOLD = 5  # columns
_LONGER = 1.5  # times as many steps as in training, or as few: nets read a little more or less as well


def outside(inputs: Mapping[str, Field], raw: Mapping[str, np.ndarray], ids: list[str], good: np.ndarray) -> list[str]:
    """Which columns hold values far below or above all of training, one sentence each; empty when none does.

    Of sequences also which are far shorter or longer and how many are read up to some step only, and of texts which
    tokens training never saw.

    Args:
        inputs: The model's inputs.
        raw: Cached cells by input.
        ids: What the examples are called.
        good: Which of them could be read.
    """
    told = []
    for name, field in inputs.items():
        least_of, most_of = _ends(raw[name], field, len(ids))
        names = kind_of(field).names(field)
        for place, (low, high) in enumerate(field.limits):
            below, above = low - least_of[:, place], most_of[:, place] - high
            beyond = np.maximum(below, above)
            far = good & (beyond > _SLACK * (high - low))  # never so for a missing value
            if far.any():
                row = int(np.argmax(np.where(far, beyond, -np.inf)))
                furthest = (least_of if below[row] > above[row] else most_of)[row, place]
                seen, least, most = (_said(value, field) for value in (furthest, low, high))
                many = f"{far.sum():,} of {counted(len(ids), 'example')}, " if len(ids) > 1 else ""
                told.append(
                    f"{files.printable(names[place])}: {many}{seen} of {ids[row]}, outside of what training saw "
                    f"({least} to {most})"
                )
    more = [f"and {counted(len(told) - _TOLD, 'more column')}"] if len(told) > _TOLD else []
    lengths = _of_lengths(inputs, raw, ids, good)
    guesses = ["Such answers are guesses."] if told or lengths else []
    return [*told[:_TOLD], *more, *lengths, *guesses, *_of_sequences(inputs, raw)]


def _of_lengths(
    inputs: Mapping[str, Field], raw: Mapping[str, np.ndarray], ids: list[str], good: np.ndarray
) -> list[str]:
    """Which sequences are far shorter or longer than all of training; windows of a track or text have one length."""
    told = []
    for name, field in inputs.items():
        if not field.steps or field.kind == "text" or "past" in field.options:
            continue
        counts = np.array([len(steps) for steps in raw[name]])
        least, most = field.steps
        times = np.maximum(least / np.maximum(counts, 1), counts / max(most, 1))
        far = good & (times > _LONGER)
        if far.any():
            row = int(np.argmax(np.where(far, times, 0)))
            many = f"{far.sum():,} of {counted(len(ids), 'example')}, " if len(ids) > 1 else ""
            told.append(
                f"{files.printable(name)}: {many}{counted(int(counts[row]), 'step')} of {ids[row]}, outside of what "
                f"training saw ({least:,} to {most:,})"
            )
    return told


def _of_sequences(inputs: Mapping[str, Field], raw: Mapping[str, np.ndarray]) -> list[str]:
    told = []
    for name, field in inputs.items():
        kind, shown = kind_of(field), files.printable(name)
        if isinstance(kind, Sequence) and (cut := kind.cut(raw[name], field)):
            longest = int(field.options["longest"])
            told.append(f"{shown}: {counted(cut, 'sequence')} read up to step {longest:,}, as in training")
        if field.kind == "text" and (others := unseen(raw[name], field)):
            told.append(f"{shown}: training knew {len(field.vocabulary) - 1:,} tokens; {others}")
    return told


def _ends(values: np.ndarray, field: Field, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest value of each column in each example; of all but sequences they are the same."""
    if not field.limits:
        return np.zeros((count, 0)), np.zeros((count, 0))
    if not field.ragged:
        columns = values.reshape(count, -1)
        return columns, columns
    rows = [np.asarray(steps) if len(steps) else np.full((1, *field.shape), np.nan) for steps in values]
    least = np.stack([np.fmin.reduce(row, axis=0) for row in rows]) if rows else np.zeros((0, *field.shape))
    return least, np.stack([np.fmax.reduce(row, axis=0) for row in rows]) if rows else least


def _said(value: float, field: Field) -> str:
    return f"{value:.6g}" if field.shape else str(kind_of(field).preview(np.float64(value), field))
