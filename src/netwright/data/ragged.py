"""Sequences of different lengths on disk: all steps end to end in one mapped array, and where each begins and ends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from netwright.field import Field


@dataclass(frozen=True)
class Ragged:
    """Rows of steps; read like an array whose rows are arrays.

    Args:
        values: All steps, `(total, *step)`.
        starts: First step of each row.
        ends: Step after each row's last.
    """

    values: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and the steps that one has on average."""
        mean = int((self.ends - self.starts).mean()) if len(self) else 0
        return (len(self), mean, *self.values.shape[1:])

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int | np.integer | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return np.asarray(self.values[self.starts[index] : self.ends[index]])
        starts, ends = self.starts[index], self.ends[index]
        rows = np.empty(len(starts), dtype=object)
        for k, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            rows[k] = np.asarray(self.values[start:end])
        return rows

    def hashes(self, rows: slice) -> np.ndarray:
        """(rows, 2) uint64 hashes of what some rows hold."""
        digests = [
            hashlib.blake2b(self[row].tobytes(), digest_size=16).digest() for row in range(*rows.indices(len(self)))
        ]
        return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64).reshape(-1, 2)

    def only(self, keep: np.ndarray) -> Ragged:
        """The same without some rows."""
        return Ragged(self.values, self.starts[keep], self.ends[keep])

    def save(self, folder: Path, name: str) -> None:
        """Keep the places of the rows; the steps are in `<name>.steps` already."""
        np.save(folder / f"{name}.rows.npy", np.stack([self.starts, self.ends], axis=1))

    @classmethod
    def load(cls, folder: Path, name: str, field: Field) -> Ragged:
        """The rows that `save` kept, mapped."""
        spans = np.load(folder / f"{name}.rows.npy", allow_pickle=False)
        return cls(_mapped(folder / f"{name}.steps", field), spans[:, 0], spans[:, 1])


class Growing:
    """What a kind writes sequences into, one after the other; rows that are never written are empty.

    Args:
        field: What a step is.
        count: Rows there will be.
        path: The file that the steps go to; None keeps them in memory.
    """

    def __init__(self, field: Field, count: int, path: Path | None) -> None:
        self._field, self._path = field, path
        self._starts, self._ends = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._steps = 0
        self._kept: list[np.ndarray] = []
        self._file: BinaryIO | None = path.open("wb") if path else None

    def put(self, row: int, values: np.ndarray) -> None:
        """Write one row.

        Args:
            row: Which one.
            values: Its steps.
        """
        steps = np.ascontiguousarray(values, dtype=self._field.dtype)
        self._starts[row], self._ends[row] = self._steps, self._steps + len(steps)
        self._steps += len(steps)
        if self._file is None:
            self._kept.append(steps)
        else:
            self._file.write(steps.data if steps.size else b"")

    def finished(self) -> Ragged:
        """The rows."""
        if self._file is not None and self._path is not None:
            self._file.close()
            return Ragged(_mapped(self._path, self._field), self._starts, self._ends)
        nothing = np.zeros((0, *self._field.shape), dtype=self._field.dtype)
        return Ragged(np.concatenate([nothing, *self._kept]), self._starts, self._ends)


def _mapped(path: Path, field: Field) -> np.ndarray:
    dtype = np.dtype(field.dtype)
    each = dtype.itemsize * int(np.prod(field.shape, dtype=np.int64))
    size = path.stat().st_size // each
    if not size:
        return np.zeros((0, *field.shape), dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=(size, *field.shape))
