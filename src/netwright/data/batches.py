"""Batches: what the network is fed, step by step.

Which examples a batch holds is a pure function of (seed, epoch, length), of the identities where some come out, and of
the lengths where sequences go in: there is no iterator state to save, and a run goes on in the middle of an epoch by
naming the epoch and the step. When the coded data is small it is held in memory once, coded, and a batch is one gather
per tensor; otherwise rows are gathered from the memory map and coded, one batch ahead of the training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from netwright import files
from netwright.data import pieces
from netwright.data.fields import kind_of
from netwright.data.pieces import streams
from netwright.data.ragged import Ragged
from netwright.field import ONE_CLASS, Field
from netwright.readers import padding
from netwright.seeds import numpy_generator

if TYPE_CHECKING:
    from netwright.data.dataset import Dataset

TABLE = "table"  # the group of everything that is a flat row of numbers
TOGETHER = 4  # examples of one identity that stand side by side in a shuffled epoch
ALIKE = 50  # batches among which examples are sorted by length
_CODED_AT_ONCE_BYTES = 64 * 1024**2
_SEQUENCES_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Some examples, ready for the network.

    Args:
        inputs: float32 by group; an image group is (batch, channel, height, width), the table is (batch, width), a
            sequence padded (batch, time, dim); one of tokens int64 (batch, time); see `readers/padding.py`.
        targets: By output: a category's or identity's codes int64 (batch,), a number's value in its own unit float32
            (batch,), a vector's float32 (batch, width), tags as 0 and 1 float32 (batch, class).
        index: int64 positions of the examples in the data set.
        others: Targets of the examples that these are blended with, where they are.
        share: How much of each blend is the example itself, in [0, 1].
        carried: States of recurrent layers to begin with, by layer; afterwards those at the end.
        fresh: Which rows begin a sequence, where the others go on with that of the batch before.
    """

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]
    index: Tensor
    others: dict[str, Tensor] | None = None
    share: float = 1.0
    carried: dict[nn.Module, tuple[Tensor, ...]] | None = None
    fresh: Bool[Tensor, " batch"] | None = None


def order(seed: int, epoch: int, length: int) -> np.ndarray:
    """The shuffled order of one epoch.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch.
        length: Number of examples.

    Example:
        >>> sorted(order(0, 1, 5).tolist()), (order(0, 1, 5) == order(0, 1, 5)).all().item()
        ([0, 1, 2, 3, 4], True)
    """
    return numpy_generator(seed, "shuffle", epoch).permutation(length)


def packed(seed: int, epoch: int, codes: Int[np.ndarray, " example"]) -> Int[np.ndarray, " example"]:
    """The shuffled order of one epoch in which `TOGETHER` or more examples of an identity stand side by side.

    A batch of 64 then holds at most 16 identities and several examples of each, however many identities there are; in
    an order drawn by chance alone, of a thousand identities hardly one would meet itself. Each example comes once.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch.
        codes: Identity of each example.

    Example:
        >>> codes = np.arange(8) % 2
        >>> sorted(codes[packed(0, 1, codes)].reshape(2, 4).tolist())
        [[0, 0, 0, 0], [1, 1, 1, 1]]

    Source: Hermans, Beyer, Leibe 2017, arXiv:1703.07737, section 2, whose batches hold K examples of P identities; here
    all examples of an epoch are used, so that the last packet of an identity is larger, or an only one smaller.
    """
    generator = numpy_generator(seed, "shuffle", epoch)
    sorted_by_code = np.lexsort((generator.random(len(codes)), codes))
    _, starts, inverse, counts = np.unique(
        codes[sorted_by_code], return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.arange(len(codes)) - starts[inverse]
    packets = np.maximum(counts // TOGETHER, 1)  # of each identity
    packet = np.minimum(rank // TOGETHER, packets[inverse] - 1) + (np.cumsum(packets) - packets)[inverse]
    chance = generator.random(int(packets.sum()))
    return sorted_by_code[np.argsort(chance[packet], kind="stable")]


def bucketed(
    seed: int, epoch: int, lengths: Int[np.ndarray, " example"], batch_size: int
) -> Int[np.ndarray, " example"]:
    """The shuffled order of one epoch in which the examples of a batch are about equally long.

    Drawn by chance as in `order`, then sorted by length within every `ALIKE` batches, whose order is drawn anew: little
    is computed for padding, and short and long examples still come in any order. Each example comes once.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch.
        lengths: Steps of each example.
        batch_size: Examples per batch.

    Example:
        >>> lengths = np.arange(100) % 10
        >>> plan = bucketed(0, 1, lengths, 10)
        >>> sorted(plan.tolist()) == list(range(100)), np.ptp(lengths[plan].reshape(10, 10), axis=1).max().item()
        (True, 0)
    """
    plan = order(seed, epoch, len(lengths))
    span = batch_size * ALIKE
    parts = [plan[start : start + span] for start in range(0, len(plan), span)]
    plan = np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in parts]) if parts else plan
    whole = len(plan) // batch_size * batch_size
    batches = plan[:whole].reshape(-1, batch_size)
    drawn = numpy_generator(seed, "buckets", epoch).permutation(len(batches))
    return np.concatenate([batches[drawn].reshape(-1), plan[whole:]])


def follows(outputs: Mapping[str, Field]) -> bool:
    """Whether what comes next is asked, so that pieces of texts are to be read in their order."""
    return any(field.options.get("of") for field in outputs.values())


def groups(fields: dict[str, Field]) -> dict[str, tuple[Field, ...]]:
    """Inputs by the tensor they arrive in: each image, sequence and embedded class by itself, the rest in one table."""
    found: dict[str, tuple[Field, ...]] = {}
    alone = embeds(fields)
    for name, field in fields.items():
        group = name if field.kind == "image" or field.ragged or name in alone else TABLE
        found[group] = (*found.get(group, ()), field)
    return found


def embeds(fields: dict[str, Field]) -> dict[str, int]:
    """Inputs whose class, or each token, is embedded, and as how many numbers."""
    dims = {name: field.options.get("embed", 0) for name, field in fields.items()}
    return {name: int(dim) for name, dim in dims.items() if dim or fields[name].kind == "text"}


def coded_width(field: Field) -> int:
    """How many float32 values one example of an input field becomes."""
    return kind_of(field).width(field)


@dataclass(frozen=True, slots=True)
class _Held:
    """All examples of a part, in memory; see `Batch`."""

    inputs: dict[str, Tensor | padding.Flat]
    targets: dict[str, Tensor | padding.Flat]
    index: Tensor


class Batches:
    """The batches of one part of a data set.

    Args:
        dataset: The data set.
        part: "train", "validation", "test", or "all".
        batch_size: Examples per batch; the last one of an epoch may be smaller.
        seed: The run's seed.
        shuffle: A new order in every epoch, packed where identities come out, bucketed where sequences go in; otherwise
            the order of the data set.
        resident: Hold the coded examples in memory.
        channels_last: Image tensors lie channel by channel within each pixel, which convolutions prefer.
        device: Where the batches are to be; the processor's own memory when left out.
    """

    def __init__(
        self,
        dataset: Dataset,
        part: str,
        batch_size: int,
        seed: int,
        *,
        shuffle: bool,
        resident: bool,
        channels_last: bool = False,
        device: torch.device | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected at least 1")
        self._dataset = dataset
        self._groups = groups(dataset.inputs)
        self._positions = dataset.positions(part)
        identities = (
            [name for name, field in dataset.outputs.items() if field.kind == "identity"][:1] if shuffle else []
        )
        self._identities = [np.asarray(dataset.arrays[name][self._positions]) for name in identities]
        self._seed, self._shuffle, self._last = seed, shuffle, channels_last
        self.batch_size = batch_size
        self._device = device or torch.device("cpu")
        self.streams = follows(dataset.outputs)
        self._in_order, self._sizes = streams(len(self), batch_size) if self.streams else (None, None)
        self._pieces: pieces.Pieces | None = None
        self._lengths = self._all_lengths() if shuffle and not self.streams else None
        self._resident = self._placed(self._held()) if resident else None

    def in_pieces(self, cut: pieces.Pieces | None) -> Batches:
        """The same, with pieces of sequences that follow each other in the place of whole ones.

        Args:
            cut: The sequences of this part, as `pieces.of` cuts them; None where they stay whole.
        """
        self._pieces = cut
        return self

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        if self._pieces is not None:
            return -(-len(self._pieces) // self.batch_size)
        return -(-len(self) // self.batch_size) if self._sizes is None else len(self._sizes)

    def epoch(self, number: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of one epoch.

        Args:
            number: Number of the epoch; decides the order.
            start_step: Batches to leave out at the beginning, when an epoch is taken up again.
        """
        if self._pieces is not None:
            return self._in_pieces(self._pieces, number, start_step)
        if self._resident is None:
            return self._streamed(number, start_step)
        return self._gathered(self._resident, number, start_step)

    def describe(self, index: Tensor) -> list[str]:
        """The ids of some examples, for messages.

        Args:
            index: Positions in the data set, as in `Batch.index`.
        """
        return [files.printable(str(self._dataset.ids[int(position)])) for position in index]

    def _plan(self, number: int) -> np.ndarray:
        if self._in_order is not None:
            return self._in_order
        if self._identities:
            return packed(self._seed, number, self._identities[0])
        if self._lengths is not None:
            return bucketed(self._seed, number, self._lengths, self.batch_size)
        return order(self._seed, number, len(self)) if self._shuffle else np.arange(len(self))

    def _all_lengths(self) -> Int[np.ndarray, " example"] | None:
        """How long each example is, all its sequences together, as they lie in the cache; None where none goes in."""
        arrays = [self._dataset.arrays[name] for name, field in self._dataset.inputs.items() if field.ragged]
        found = [array.ends - array.starts for array in arrays if isinstance(array, Ragged)]
        return np.sum(found, axis=0)[self._positions] if found else None

    def _gathered(self, held: _Held, number: int, start_step: int) -> Iterator[Batch]:
        if not self._shuffle and self._sizes is None:
            for step in range(start_step, self.steps):
                rows = slice(step * self.batch_size, (step + 1) * self.batch_size)
                yield Batch(
                    {name: self._shaped(_rows(of, rows)) for name, of in held.inputs.items()},
                    {name: _rows(of, rows) for name, of in held.targets.items()},
                    held.index[rows],
                )
            return
        sizes = self.batch_size if self._sizes is None else self._sizes.tolist()
        picks = torch.from_numpy(self._plan(number)).to(self._device).split(sizes)
        inputs, targets = list(held.inputs.items()), list(held.targets.items())
        for pick in picks[start_step:]:
            yield Batch(
                {name: self._shaped(_picked(of, pick)) for name, of in inputs},
                {name: _picked(of, pick) for name, of in targets},
                held.index.index_select(0, pick),
            )

    def _in_pieces(self, cut: pieces.Pieces, number: int, start_step: int) -> Iterator[Batch]:
        """Batches of pieces: gathered from memory, or coded one ahead."""
        sequences = order(self._seed, number, len(self)) if self._shuffle else np.arange(len(self))
        rows, begins, sizes = cut.plan(sequences, self.batch_size)
        ends = np.cumsum(sizes)
        picks = [(rows[end - size : end], begins[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
        if self._resident is None:
            found = self._ahead([(self._positions[pick], begin) for pick, begin in picks[start_step:]])
        else:
            found = (self._gathered_pieces(self._resident, *pick) for pick in picks[start_step:])
        for step, batch in enumerate(found, start=start_step):
            fresh = torch.from_numpy((picks[step][1] == 0) | (step == 0)).to(self._device)
            yield replace(batch, fresh=fresh)

    def _gathered_pieces(self, held: _Held, rows: np.ndarray, begins: np.ndarray) -> Batch:
        pick, begin = torch.from_numpy(rows).to(self._device), torch.from_numpy(begins).to(self._device)
        past = self._pieces.past if self._pieces else 0

        def picked(of: Tensor | padding.Flat) -> Tensor:
            return of.index_select(0, pick) if isinstance(of, Tensor) else of.rows(pick, begin, past)

        return Batch(
            {name: self._shaped(picked(of)) for name, of in held.inputs.items()},
            {name: picked(of) for name, of in held.targets.items()},
            held.index.index_select(0, pick),
        )

    def _streamed(self, number: int, start_step: int) -> Iterator[Batch]:
        plan = self._positions[self._plan(number)]
        sizes = [self.batch_size] * (self.steps - 1) if self._sizes is None else self._sizes[:-1].tolist()
        picks = np.split(plan, np.cumsum(sizes, dtype=np.int64))[start_step:] if len(plan) else []
        return self._ahead([(pick, None) for pick in picks])

    def _ahead(self, picks: Sequence[tuple[np.ndarray, np.ndarray | None]]) -> Iterator[Batch]:
        """Batches of some positions, from some steps on, each coded while training is at the one before."""
        with ThreadPoolExecutor(1, thread_name_prefix="batch") as ahead:
            waiting = iter(picks)
            coming = [ahead.submit(self._coded, *pick) for pick in (next(waiting, None),) if pick is not None]
            while coming:
                batch = coming.pop().result()
                if (pick := next(waiting, None)) is not None:
                    coming.append(ahead.submit(self._coded, *pick))
                inputs = {name: self._shaped(tensor.to(self._device)) for name, tensor in batch.inputs.items()}
                targets = {name: tensor.to(self._device) for name, tensor in batch.targets.items()}
                yield Batch(inputs, targets, batch.index.to(self._device))

    def _placed(self, held: _Held) -> _Held:
        if self._device.type == "cpu":
            return held
        inputs = {name: of.to(self._device) for name, of in held.inputs.items()}
        targets = {name: tensor.to(self._device) for name, tensor in held.targets.items()}
        return _Held(inputs, targets, held.index.to(self._device))

    def _shaped(self, tensor: Tensor) -> Tensor:
        """Images are held as (batch, height, width, channel) when channels come last; a permuted view costs nothing."""
        return tensor.permute(0, 3, 1, 2) if self._last and tensor.ndim == 4 else tensor

    def _coded(self, positions: np.ndarray, begins: np.ndarray | None) -> Batch:
        return Batch(
            {name: self._coded_group(fields, positions, begins) for name, fields in self._groups.items()},
            {name: self._target(field, positions, begins) for name, field in self._dataset.outputs.items()},
            torch.from_numpy(positions),
        )

    def _held(self) -> _Held:
        """Every example of the part, coded; sequences without padding."""
        return _Held(
            {
                name: self._flat(fields[0]) if fields[0].ragged else self._coded_group(fields, self._positions)
                for name, fields in self._groups.items()
            },
            {
                name: self._flat(field) if field.ragged else self._target(field, self._positions)
                for name, field in self._dataset.outputs.items()
            },
            torch.from_numpy(self._positions),
        )

    def _flat(self, field: Field) -> padding.Flat:
        starts = range(0, max(len(self), 1), _SEQUENCES_AT_ONCE)
        return padding.Flat([self._code((field,), self._positions[at : at + _SEQUENCES_AT_ONCE]) for at in starts])

    def _coded_group(
        self, fields: tuple[Field, ...], positions: np.ndarray, begins: np.ndarray | None = None
    ) -> Tensor:
        if fields[0].ragged:
            return self._code(fields, positions, begins)
        width = sum(coded_width(field) for field in fields)
        step = max(1, _CODED_AT_ONCE_BYTES // (4 * max(1, width)))
        if len(positions) <= step:
            return self._code(fields, positions)
        first = self._code(fields, positions[:step])
        whole = torch.empty((len(positions), *first.shape[1:]), dtype=torch.float32)
        whole[:step] = first
        for start in range(step, len(positions), step):
            whole[start : start + step] = self._code(fields, positions[start : start + step])
        return whole

    def _code(self, fields: tuple[Field, ...], positions: np.ndarray, begins: np.ndarray | None = None) -> Tensor:
        coded = [kind_of(field).code(self._cells(field, positions, begins), field) for field in fields]
        joined = coded[0] if len(coded) == 1 else torch.cat(coded, dim=1)
        if self._last and joined.ndim == 4:
            joined = joined.permute(0, 2, 3, 1)
        return joined.contiguous()

    def _cells(self, field: Field, positions: np.ndarray, begins: np.ndarray | None) -> np.ndarray:
        """Cached cells; of sequences the steps of a piece, where they begin somewhere."""
        found = self._dataset.arrays[field.name][positions]
        if begins is not None and field.ragged and self._pieces is not None:
            for place, begin in enumerate(begins.tolist()):
                found[place] = found[place][begin : begin + self._pieces.past]
        return found

    def _target(self, field: Field, positions: np.ndarray, begins: np.ndarray | None = None) -> Tensor:
        if field.ragged:
            return self._code((field,), positions, begins)
        values = np.ascontiguousarray(self._dataset.arrays[field.name][positions])
        return torch.from_numpy(values).to(torch.int64 if field.kind in ONE_CLASS else torch.float32)


def _rows(of: Tensor | padding.Flat, rows: slice) -> Tensor:
    return of[rows] if isinstance(of, Tensor) else of.rows(torch.arange(*rows.indices(len(of))))


def _picked(of: Tensor | padding.Flat, pick: Tensor) -> Tensor:
    return of.index_select(0, pick) if isinstance(of, Tensor) else of.rows(pick)
