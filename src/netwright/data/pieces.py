"""Long sequences with an answer at every step, learned from in pieces: truncated back-propagation through time.

The rows of a batch are streams. Each reads one sequence after the other, a piece at every step of training, so that
the state of a network can go on from a piece to the next one of the same sequence. Answers and scores read sequences
whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from netwright.data.ragged import Ragged
from netwright.errors import SpecError
from netwright.field import Field
from netwright.readers.kinds.signal import PER, Signal
from netwright.spec import Spec
from netwright.spec_data import WindowSpec

if TYPE_CHECKING:
    from netwright.data.dataset import Dataset

Plan = tuple[Int[np.ndarray, " piece"], Int[np.ndarray, " piece"], Int[np.ndarray, " batch"]]


def asked(spec: Spec) -> int:
    """Steps of a piece, `data.window`, where answers are given at every step; 0 where sequences are learned whole.

    Args:
        spec: What the user said.

    Raises:
        SpecError: Another setting of windows, which such pieces do not have.
    """
    if spec.data.window is None or not any(out.per for out in spec.outputs.values()):
        return 0
    window, plain = spec.data.window, WindowSpec()
    if unread := [name for name in ("least", "gaps", "stride") if getattr(window, name) != getattr(plain, name)]:
        raise SpecError(
            f"data.window.{unread[0]} is for what comes next; pieces with an answer at every step follow each other.",
            "Leave it out.",
        )
    return window.past or 0


def require_steps(past: int, inputs: Mapping[str, Field], outputs: Mapping[str, Field]) -> None:
    """Refuses pieces of what is none without the whole.

    Args:
        past: What `asked` gave.
        inputs: What goes in.
        outputs: What comes out.

    Raises:
        SpecError: An input is no signal, or there are several; an output is asked once for a sequence.
    """
    sequences = {name: field for name, field in inputs.items() if field.ragged} if past else {}
    other = next((name for name, field in sequences.items() if field.kind != Signal.name), "")
    if other:
        raise SpecError(
            f"data.window: {other} is read as {sequences[other].kind}, which is learned from whole.",
            f"Leave it out, or say inputs.{other}.kind: signal.",
        )
    if len(sequences) > 1:
        raise SpecError(f"data.window: {' and '.join(sequences)} are several sequences.", "Make one input of them.")
    whole = next((name for name, field in outputs.items() if past and PER not in field.options), "")
    if whole:
        raise SpecError(
            f"data.window: {whole} is answered once for a sequence, which is learned from whole.", "Leave it out."
        )


def of(dataset: Dataset, part: str, past: int) -> Pieces | None:
    """The pieces of one part of a data set; None where it is learned from whole.

    Args:
        dataset: The data set.
        part: "train", for instance.
        past: What `asked` gave.
    """
    arrays = [dataset.arrays[name] for name, field in dataset.inputs.items() if field.ragged]
    if not past or not isinstance(arrays[0], Ragged):
        return None
    return Pieces((arrays[0].ends - arrays[0].starts)[dataset.positions(part)], past)


def batch(wanted: Spec, dataset: Dataset) -> tuple[int, int]:
    """How many examples or pieces a batch of training has, and how many batches an epoch.

    Args:
        wanted: The spec; with `training.batch_size`, or all.
        dataset: Its data.
    """
    pieces = of(dataset, "train", asked(wanted))
    count = len(dataset.parts["train"]) if pieces is None else len(pieces)
    size = wanted.training.batch_size
    size = count if size == "all" or size is None else min(int(size), count)
    return size, -(-count // size) if count else 0


def steps(wanted: Spec, dataset: Dataset) -> int:
    """Steps of what is learned from at once, on average.

    Args:
        wanted: The spec.
        dataset: Its data.
    """
    return min(dataset.mean_steps, asked(wanted) or dataset.mean_steps)


class Pieces:
    """Sequences cut into pieces.

    Args:
        lengths: Steps of each sequence, 1 or more.
        past: Steps of a piece; the last one of a sequence may have fewer.
    """

    def __init__(self, lengths: Int[np.ndarray, " example"], past: int) -> None:
        self.past = past
        self._counts = -(-lengths // past)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def plan(self, order: Int[np.ndarray, " example"], count: int) -> Plan:
        """The pieces in the order in which several streams read them side by side.

        Args:
            order: Of the sequences.
            count: Streams at most.

        Returns:
            The sequence of each piece, the step at which it begins, and how many pieces each batch holds; it never
            grows. The number of batches does not depend on the order.

        Example:
            >>> rows, begins, sizes = Pieces(np.array([5, 2]), 2).plan(np.array([1, 0]), 2)
            >>> rows.tolist(), begins.tolist(), sizes.tolist()
            ([1, 0, 0, 0], [0, 2, 0, 4], [2, 2])
        """
        counts = self._counts[order]
        rows = np.repeat(order, counts)
        begins = (np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)) * self.past
        places, sizes = streams(len(rows), count)
        return rows[places], begins[places], sizes


def streams(length: int, count: int) -> tuple[Int[np.ndarray, " example"], Int[np.ndarray, " batch"]]:
    """The order in which pieces are read when several places of a text, or of sequences, are read side by side.

    Each of `count` streams has about as many pieces, one after the other; a batch holds the next piece of each stream
    that has one left, so that a state can be carried from a batch to the next, row by row.

    Args:
        length: Number of pieces.
        count: Streams at most.

    Returns:
        The order, and how many pieces each batch holds; it never grows.

    Example:
        >>> order, sizes = streams(7, 3)
        >>> order.tolist(), sizes.tolist()
        ([0, 3, 6, 1, 4, 2, 5], [3, 2, 2])
    """
    each = -(-length // max(count, 1))
    found = [np.arange(step, length, each) for step in np.arange(each)]
    sizes = np.array([len(part) for part in found], dtype=np.int64)
    return np.concatenate([*found, np.zeros(0, dtype=np.int64)]).astype(np.int64), sizes
