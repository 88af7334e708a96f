"""Copies: examples with the same content, exactly or nearly, and what an honest split does about them.

Exact copies are found by a 128-bit hash of what the network is going to see. Near twins of pictures are proposed by
a 64-bit difference hash, compared only within bands of equal bits (never every picture with every other), and
decided by the correlation of their pixels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from netwright.data.ledger import PARTS, UNUSED
from netwright.errors import DataError
from netwright.field import Reason
from netwright.seeds import numpy_generator
from netwright.words import counted

CORRELATION = 0.98  # of the pixels of two pictures that count as near twins; a recompressed copy has about 0.99
_NEAR_BITS = 5  # of 64; 150 photos and their resized copies at JPEG quality 50 differed in 0 to 5, other photos in 9 up
_BANDS = 4
_BUCKET = 32  # neighbours looked at within one band
_MOST_PAIRS = 200_000
_MOST_BYTES = 2 * 1024**3  # of pixels read to decide
_FLAT_BITS = 6  # a hash with fewer ones or zeros tells nothing: blank or evenly shaded
_CHUNK_BYTES = 4 * 1024**2  # per thread
_SHOWN_PAIRS = 5
_MIX = np.array([0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53], dtype=np.uint64)
_LANES = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], dtype=np.uint64)


@runtime_checkable
class Rows(Protocol):
    """An array, or something that gives rows like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Like an array's."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: np.ndarray | slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Twins:
    """Pairs of pictures that look alike.

    Args:
        pairs: (pairs, 2) positions, the lower first.
        correlation: Of the two pictures' pixels.
        capped: What was left out to bound the search, in words; "" when nothing was.
    """

    pairs: np.ndarray
    correlation: np.ndarray
    capped: str = ""


# ---- exact copies ----------------------------------------------------------------------------------------------------


def digest(columns: Sequence[np.ndarray]) -> np.ndarray:
    """A 128-bit hash per row over several arrays of equal length.

    Args:
        columns: Arrays whose first axis is the row.

    Returns:
        (rows, 2) uint64; equal rows have equal hashes, and -0.0 equals 0.0.
    """
    state = np.tile(_LANES, (len(columns[0]), 1))
    for column in columns:
        for word in _words(column):
            state = _mixed(state ^ word[:, None] * _LANES)
    return state


def _words(values: np.ndarray) -> list[np.ndarray]:
    """An array as columns of 64-bit words: numbers as they are, pictures through a hash of their bytes."""
    rows = np.ascontiguousarray(values).reshape(len(values), -1)
    if rows.dtype.kind == "f":
        bits = (rows + rows.dtype.type(0)).view(np.uint32 if rows.dtype.itemsize == 4 else np.uint64)
        return list(bits.astype(np.uint64).T)
    if rows.dtype != np.uint8 or rows.shape[1] == 0:
        return list(rows.astype(np.int64).view(np.uint64).T)
    hashed = b"".join(hashlib.blake2b(row.data, digest_size=16).digest() for row in rows)
    return list(np.frombuffer(hashed, dtype="<u8").astype(np.uint64).reshape(-1, 2).T)


def _mixed(state: np.ndarray) -> np.ndarray:
    """Every bit of the state into every other (the finaliser of MurmurHash3)."""
    for factor in _MIX:
        state ^= state >> np.uint64(33)
        state *= factor
    state ^= state >> np.uint64(33)
    return state


def first_copies(content: np.ndarray) -> np.ndarray:
    """For every example the position of the first one with the same content (its own when it is the first)."""
    order = np.lexsort((np.arange(len(content)), content[:, 1], content[:, 0]))
    ordered = content[order]
    starts = np.ones(len(content), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(content), dtype=np.int64)
    first[order] = order[starts][np.cumsum(starts) - 1]
    return first


def together(codes: np.ndarray, first: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """The split with all copies in the part of their first one, evened out by examples that have no copy.

    Args:
        codes: Part per example.
        first: From `first_copies`.
        labels: Class per example (all equal when there are no classes); each class keeps its share of each part.
        seed: The run's seed.
    """
    moved = codes[first]
    single = np.bincount(first, minlength=len(first))[first] == 1
    chance = numpy_generator(seed, "split copies").random(len(codes))
    classes = int(labels.max()) + 1
    for part in range(1, len(PARTS)):
        have, wanted = (np.bincount(labels[of == part], minlength=classes) for of in (moved, codes))
        surplus = have - wanted
        for source, target, amount in ((part, 0, surplus), (0, part, -surplus)):
            candidates = np.flatnonzero(single & (moved == source))
            chosen = ranks(labels[candidates], chance[candidates]) < amount[labels[candidates]]
            moved[candidates[chosen]] = target
    return moved


def ranks(labels: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """The place of each example within its class when the class is put in order of chance."""
    order = np.lexsort((chance, labels))
    sizes = np.bincount(labels, minlength=1)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank


def across(codes: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(pairs, 2) positions of copies that stand in different parts, the one nearer to training first."""
    torn = np.flatnonzero(codes != codes[first])
    pairs = np.stack([first[torn], torn], axis=1)
    return np.where((codes[pairs[:, 0]] > codes[pairs[:, 1]])[:, None], pairs[:, ::-1], pairs)


def refuse_or_tell(pairs: np.ndarray, codes: np.ndarray, ids: pa.ChunkedArray, *, accept: bool) -> list[str]:
    """What is said about copies on both sides of a split that was not ours to cut.

    Args:
        pairs: From `across`.
        codes: Part per example.
        ids: Id per example.
        accept: The user said that they may stay.

    Raises:
        DataError: There are some and they were not accepted.
    """
    if not len(pairs):
        return []
    shown = "".join(
        f"\n  {ids[int(a)]} ({PARTS[codes[a]]}) = {ids[int(b)]} ({PARTS[codes[b]]})" for a, b in pairs[:_SHOWN_PAIRS]
    )
    more = f"\n  and {len(pairs) - _SHOWN_PAIRS:,} more" if len(pairs) > _SHOWN_PAIRS else ""
    count = counted(len(pairs), "pair")
    message = f"the same content stands in two parts of the split ({count}):{shown}{more}"
    if accept:
        return [f"accepted: {message}"]
    raise DataError(
        f"{message}\nA score on examples seen in training says nothing.",
        "Remove the copies, or keep them by data.duplicates: accept "
        "(--set data.duplicates=accept), or let netwright cut the split (--set data.split.by=random).",
    )


# ---- near twins of pictures ------------------------------------------------------------------------------------------


def near_twins(pictures: Rows, progress: Callable[[int], None] = lambda _: None) -> Twins:
    """Pairs of pictures that look alike, found in time that grows with the number of pictures, not its square.

    Args:
        pictures: uint8, (pictures, height, width, channel).
        progress: Called with the number of pictures hashed.
    """
    hashes = difference_hashes(pictures, progress)
    pairs, capped = _candidates(hashes)
    bytes_each = 2 * int(np.prod(pictures.shape[1:]))
    most = max(1, min(_MOST_PAIRS, _MOST_BYTES // bytes_each))
    if len(pairs) > most:
        capped = f"{len(pairs):,} pairs have nearly equal hashes; the {most:,} nearest were compared"
        pairs = pairs[:most]
    correlation = _correlations(pictures, pairs)
    alike = correlation >= CORRELATION
    order = np.lexsort((pairs[alike][:, 1], pairs[alike][:, 0]))
    return Twins(pairs[alike][order], correlation[alike][order], capped)


def difference_hashes(pictures: Rows, progress: Callable[[int], None] = lambda _: None) -> np.ndarray:
    """64 bits per picture: whether each of 8x8 places is brighter than its right neighbour on a 9x8 thumbnail."""
    count, height, width, _ = pictures.shape
    rows, columns = _averaging(height, 8), _averaging(width, 9)
    hashes = np.zeros(count, dtype=np.uint64)

    def of_chunk(chunk: slice) -> int:
        grey = pictures[chunk].mean(axis=3, dtype=np.float32)
        small = rows @ (grey @ columns.T)
        bits = (small[:, :, :-1] > small[:, :, 1:] + 0.5).reshape(len(small), 64)
        hashes[chunk] = np.packbits(bits, axis=1).view(">u8").ravel()
        return chunk.stop

    for done in _chunks(of_chunk, count, 4 * height * width):
        progress(done)
    return hashes


def _chunks(work: Callable[[slice], int], count: int, bytes_each: int) -> Iterator[int]:
    """Calls `work` with stretches of `count` rows, on up to four cores: numpy lets go of Python's lock."""
    step = max(1, _CHUNK_BYTES // bytes_each)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="netwright-twins") as pool:
        yield from pool.map(work, [slice(start, min(start + step, count)) for start in range(0, count, step)])


def _averaging(length: int, cells: int) -> np.ndarray:
    """The matrix that averages `length` pixels into `cells` equal stretches, fractions of pixels included."""
    edges = np.linspace(0, length, cells + 1)
    pixels = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, None)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _candidates(hashes: np.ndarray) -> tuple[np.ndarray, str]:
    """Pairs that agree in one of four bands of 16 bits and differ in few bits over all, the nearest first."""
    ones = np.bitwise_count(hashes)
    telling = np.flatnonzero((ones >= _FLAT_BITS) & (ones <= 64 - _FLAT_BITS))
    known = hashes[telling]
    found = [np.zeros(0, dtype=np.int64)]
    crowded = False
    for band in range(_BANDS):
        turn = np.uint64(16 * band)
        turned = (known << turn) | (known >> (np.uint64(64) - turn)) if band else known
        order = np.argsort(turned)
        ordered = turned[order]  # the band in the upper 16 bits; the likest of a band next to each other
        buckets = ordered >> np.uint64(48)
        for offset in range(1, min(_BUCKET, len(order) - 1) + 1):
            near = (buckets[:-offset] == buckets[offset:]) & (
                np.bitwise_count(ordered[:-offset] ^ ordered[offset:]) <= _NEAR_BITS
            )
            left, right = order[:-offset][near], order[offset:][near]
            found.append(np.minimum(left, right) * len(known) + np.maximum(left, right))
        crowded = crowded or bool((buckets[:-_BUCKET] == buckets[_BUCKET:]).any())
    ordered = np.sort(np.concatenate(found))  # np.unique hashes whole numbers, which takes ten times as long
    left, right = np.divmod(ordered[np.flatnonzero(np.diff(ordered, prepend=-1))], max(1, len(known)))
    distance = np.bitwise_count(known[left] ^ known[right])
    nearest = np.argsort(distance, kind="stable")
    capped = f"of more than {_BUCKET} pictures with like hashes only the nearest were compared" if crowded else ""
    return np.stack([telling[left[nearest]], telling[right[nearest]]], axis=1), capped


def _correlations(pictures: Rows, pairs: np.ndarray) -> np.ndarray:
    correlation = np.zeros(len(pairs), dtype=np.float32)

    def of_chunk(chunk: slice) -> int:
        which, inverse = np.unique(pairs[chunk], return_inverse=True)  # sorted: the map is read from front to back
        pixels = pictures[which].reshape(len(which), -1).astype(np.float32)
        pixels -= pixels.mean(axis=1, keepdims=True)
        pixels /= np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1e-6)
        left, right = inverse.reshape(-1, 2).T
        correlation[chunk] = np.einsum("ij,ij->i", pixels[left], pixels[right])
        return chunk.stop

    for _ in _chunks(of_chunk, len(pairs), 8 * int(np.prod(pictures.shape[1:]))):
        pass
    return correlation


def told(twins: Twins, codes: np.ndarray) -> tuple[np.ndarray, list[Reason]]:
    """Which twins stand on two sides of the split, and the sentence about them."""
    of = codes[twins.pairs]
    torn = np.flatnonzero((of[:, 0] != of[:, 1]) & (of != UNUSED).all(axis=1))
    if not len(twins.pairs):
        return torn, []
    why = f"{len(twins.pairs):,} pairs look alike (pixel correlation {CORRELATION} or more), {len(torn):,} across parts"
    return torn, [
        Reason(path="data.twins", value=f"{len(torn)}", why=f"{why}; {twins.capped}" if twins.capped else why)
    ]
