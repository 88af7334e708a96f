"""Pictures kept as the bytes they came in, decoded when a batch asks for them.

Used when the decoded arrays of a data set would not fit into the cache. It is read like an array.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netwright.data.fields import kind_of
from netwright.errors import CellError
from netwright.field import Field
from netwright.readers.columns import Blobs

_CHUNK = 256


@functools.cache
def pool() -> ThreadPoolExecutor:
    """The threads that decode, one for each core; Pillow lets go of the interpreter's lock while it works."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ThreadPoolExecutor(cores, thread_name_prefix="decode")


@dataclass(frozen=True)
class Encoded:
    """Rows of raw cells that are decoded on access.

    Args:
        values: All bytes, one cell after the other.
        starts: First byte of each row.
        ends: Byte after each row's last.
        field: The field they are decoded for.
    """

    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    field: Field

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the decoded array."""
        return (len(self.starts), *self.field.shape)

    @property
    def dtype(self) -> np.dtype:
        """Of the decoded array."""
        return np.dtype(self.field.dtype)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int | np.integer | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return self._one(int(index))
        rows = np.arange(len(self))[index]
        out = np.empty((len(rows), *self.field.shape), dtype=self.dtype)
        for k, decoded in enumerate(pool().map(self._one, rows.tolist())):
            out[k] = decoded
        return out

    def raw(self, row: int) -> bytes:
        """The bytes of one row."""
        return self.values[self.starts[row] : self.ends[row]].tobytes()

    def hashes(self, rows: slice) -> np.ndarray:
        """(rows, 2) uint64 hashes of the bytes of some rows."""
        digests = [hashlib.blake2b(self.raw(row), digest_size=16).digest() for row in range(*rows.indices(len(self)))]
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64).reshape(-1, 2)

    def only(self, keep: np.ndarray) -> Encoded:
        """The same without some rows."""
        return Encoded(self.values, self.starts[keep], self.ends[keep], self.field)

    def failures(self, progress: Callable[[int], None]) -> dict[int, str]:
        """Rows that cannot be decoded, with the reason."""
        failed: dict[int, str] = {}
        for start in range(0, len(self), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(self)))
            failed |= {row: reason for row, reason in zip(rows, pool().map(self._check, rows), strict=True) if reason}
            progress(rows.stop)
        return failed

    def save(self, folder: Path, name: str) -> None:
        """Keep the places of the rows; the bytes are in `<name>.bytes` already."""
        np.save(folder / f"{name}.spans.npy", np.stack([self.starts, self.ends], axis=1))

    @classmethod
    def load(cls, folder: Path, name: str, field: Field) -> Encoded:
        """The rows that `save` kept, mapped."""
        spans = np.load(folder / f"{name}.spans.npy", allow_pickle=False)
        return cls(_map_bytes(folder / f"{name}.bytes"), spans[:, 0], spans[:, 1], field)

    def _one(self, row: int) -> np.ndarray:
        return kind_of(self.field).one(self.raw(row), self.field)

    def _check(self, row: int) -> str:
        try:
            self._one(row)
        except CellError as error:
            return error.message
        return ""


def store(column: Blobs, field: Field, path: Path, progress: Callable[[int], None]) -> tuple[Encoded, dict[int, str]]:
    """Write the bytes of all blobs into one file, in the order they are met.

    Args:
        column: The blobs.
        field: The field they are to be decoded for.
        path: The file to write.
        progress: Called with the number of blobs written.

    Returns:
        The rows, and why some could not be read (their rows are empty).
    """
    starts, ends = np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=np.int64)
    failed: dict[int, str] = {}
    with path.open("wb") as file:
        for done, (row, read) in enumerate(column.blobs(), start=1):
            starts[row] = ends[row] = file.tell()
            try:
                ends[row] += file.write(read())
            except CellError as error:
                failed[row] = error.message
            if done % _CHUNK == 0:
                progress(done)
    return Encoded(_map_bytes(path), starts, ends, field), failed


def _map_bytes(path: Path) -> np.ndarray:
    if path.stat().st_size == 0:
        return np.zeros(0, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r")
