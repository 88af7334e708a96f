"""What the files of a data set looked like: enough to notice that they changed, cheap enough to ask at every start.

A fingerprint takes one `stat` per file and reads at most 32 MB: names, sizes, modification times, and
hashes of pieces of a few files spread evenly over the set. Two fingerprints compare into words.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from netwright import files
from netwright.errors import DataError
from netwright.words import counted, listed

_SAMPLED_FILES = 16
_PIECE_BYTES = 64 * 1024
_FEWEST_PIECES, _MOST_PIECES = 2, 32  # of one file; more of a larger one, so that one large table is seen throughout
_PIECE_PER_BYTES = 8 * 1024**2
_NAMED = 3  # how many files a message names

Summary = dict[str, str | int | dict[str, str]]


@dataclass(frozen=True)
class Fingerprint:
    """Names, sizes and times of the files behind a data set, and hashes of a few pieces.

    Args:
        names: Relative to the data set's root, as bytes (a name may be no UTF-8), ascending.
        sizes: Bytes of each file.
        times: Modification time of each file in nanoseconds.
        pieces: Name of a sampled file -> hash of its size and some of its pieces.
    """

    names: pa.BinaryArray
    sizes: np.ndarray
    times: np.ndarray
    pieces: dict[str, str]

    def digest(self) -> str:
        """One hash over everything; equal exactly when nothing changed."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        state = hashlib.blake2b(b"\0".join(self.names.to_pylist()), digest_size=16)
        state.update(self.sizes.tobytes() + self.times.tobytes())
        state.update(json.dumps(self.pieces, sort_keys=True).encode())
        return state.hexdigest()

    def summary(self) -> Summary:
        """The short form that goes into run.json and the model file."""
        return {
            "files": len(self.sizes),
            "bytes": int(self.sizes.sum()),
            "digest": self.digest(),
            "pieces": dict(self.pieces),
        }

    def write(self, path: Path) -> None:
        """Keep the whole fingerprint as a Parquet file, atomically."""
        table = pa.table({"name": self.names, "size": self.sizes, "time_ns": self.times})
        table = table.replace_schema_metadata({"pieces": json.dumps(self.pieces, sort_keys=True)})
        with files.writing(path) as file:
            pq.write_table(table, file)

    @classmethod
    def read(cls, path: Path) -> Fingerprint:
        """The fingerprint that `write` kept."""
        table = pq.read_table(path)
        pieces = json.loads((table.schema.metadata or {}).get(b"pieces", b"{}"))
        names = table["name"].combine_chunks()
        return cls(names, table["size"].to_numpy(), table["time_ns"].to_numpy(), pieces)


def take(sources: Sequence[Path]) -> Fingerprint:
    """The fingerprint of some files and folders as they are now; a source that is gone counts as no file."""
    found: dict[bytes, tuple[int, int, str]] = {}
    for source in sources:
        # With one source the data set may move to another folder and keep its names.
        prefix = b"" if len(sources) == 1 and source.is_dir() else os.fsencode(source.name) + b"/"
        for relative, path, size, time_ns in _walk(source):
            found[(prefix + relative).rstrip(b"/")] = (size, time_ns, path)
    ordered = sorted(found)
    sizes = np.array([found[name][0] for name in ordered], dtype=np.int64)
    times = np.array([found[name][1] for name in ordered], dtype=np.int64)
    sampled = [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, _SAMPLED_FILES).astype(int))]
    pieces = {files.printable(os.fsdecode(name)): _pieces(found[name][2], found[name][0]) for name in sampled}
    return Fingerprint(pa.array(ordered, pa.binary()), sizes, times, pieces)


def of_arrays(arrays: dict[str, np.ndarray]) -> Fingerprint:
    """The fingerprint of data that came in memory: one hash per array, no files."""
    pieces = {}
    for name, values in arrays.items():
        state = hashlib.blake2b(f"{values.shape} {values.dtype}".encode(), digest_size=16)
        for start in range(0, len(values), 4096):
            some = values[start : start + 4096]
            if values.dtype == object:  # sequences: their own bytes, not where they lie in memory
                state.update(b"".join(f"{len(row)} ".encode() + np.asarray(row).tobytes() for row in some))
            else:
                state.update(np.ascontiguousarray(some).tobytes())
        pieces[name] = state.hexdigest()
    none = np.zeros(0, dtype=np.int64)
    return Fingerprint(pa.array([], pa.binary()), none, none, pieces)


def changes(old: Fingerprint, new: Fingerprint) -> list[str]:
    """The differences in words, e.g. `3 files changed (a.jpg, b.jpg, c.jpg)`; empty when the content is the same.

    Files whose times differ but whose names, sizes and sampled pieces are all equal were copied or touched, which
    is no change when it is so for every file.
    """
    before = {name: i for i, name in enumerate(old.names.to_pylist())}
    after = {name: i for i, name in enumerate(new.names.to_pylist())}
    both = [name for name in before if name in after]
    here, there = np.array([before[n] for n in both], dtype=int), np.array([after[n] for n in both], dtype=int)
    resized = old.sizes[here] != new.sizes[there]
    retimed = old.times[here] != new.times[there]
    edited = {name for name in old.pieces.keys() & new.pieces.keys() if old.pieces[name] != new.pieces[name]}
    copied = bool(len(both)) and bool(retimed.all()) and not resized.any() and not edited
    differs = resized | (retimed & (not copied))
    changed = {files.printable(os.fsdecode(name)) for name, d in zip(both, differs, strict=True) if d} | edited
    told = [
        _told(sorted(changed), "changed"),
        _told([files.printable(os.fsdecode(n)) for n in after if n not in before], "new"),
        _told([files.printable(os.fsdecode(n)) for n in before if n not in after], "gone"),
    ]
    return [words for words in told if words]


def require_same(old: Fingerprint, new: Fingerprint, *, accept: bool = False) -> list[str]:
    """Refuse data that changed since the run began.

    Args:
        old: The fingerprint the run was begun with.
        new: The fingerprint now.
        accept: Go on with changed data all the same.

    Returns:
        The differences in words, when they were accepted.

    Raises:
        DataError: The data changed and that was not accepted.
    """
    told = changes(old, new)
    if told and not accept:
        raise DataError(
            f"the data changed since the run began: {', '.join(told)}.",
            "Put the old files back, or go on with the new ones by --accept.",
        )
    return told


def _walk(source: Path) -> Iterator[tuple[bytes, str, int, int]]:
    """(relative name, path, size, time) of a file, or of every regular file below a folder, each folder once."""
    if not source.is_dir():
        if source.exists():
            facts = source.stat()
            yield b"", str(source), facts.st_size, facts.st_mtime_ns
        return
    start = len(os.fsencode(source)) + 1
    stack, seen = [source], set()
    while stack:
        folder = stack.pop()
        facts = folder.stat()
        if (facts.st_dev, facts.st_ino) in seen:  # a link that leads back up
            continue
        seen.add((facts.st_dev, facts.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    stack.append(Path(entry.path))
                elif entry.is_file():
                    facts = entry.stat()
                    yield os.fsencode(entry.path)[start:], entry.path, facts.st_size, facts.st_mtime_ns


def _pieces(path: str, size: int) -> str:
    count = min(_MOST_PIECES, _FEWEST_PIECES + size // _PIECE_PER_BYTES)
    state = hashlib.blake2b(str(size).encode(), digest_size=16)
    try:
        with Path(path).open("rb") as file:
            for start in np.linspace(0, max(0, size - _PIECE_BYTES), count).astype(int):
                file.seek(int(start))
                state.update(file.read(_PIECE_BYTES))
    except OSError as error:  # an unreadable file is for the reader to refuse; here it only must not look unchanged
        state.update(str(error.errno).encode())
    return state.hexdigest()


def _told(names: list[str], what: str) -> str:
    if not names:
        return ""
    return f"{counted(len(names), 'file')} {what} ({listed(names, _NAMED)})"
