"""Reading a data set once: every cell of every field into one array per field, every failure into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.data import cache, duplicates
from netwright.data.duplicates import Rows, Twins
from netwright.data.encoded import Encoded
from netwright.data.encoded import store as store_encoded
from netwright.data.fields import column_of, kind_of
from netwright.data.ledger import Ledger, build
from netwright.data.ragged import Growing, Ragged
from netwright.data.splits import official_codes
from netwright.errors import DataError, ResourceError
from netwright.field import Field
from netwright.readers.columns import Arrays, Blobs, Cells, Found, Refusal, Several, Steps
from netwright.readers.kinds.sequence import Sequence
from netwright.words import counted

Progress = Callable[[str, int, int], None]
_CHUNK_BYTES = 32 * 1024**2
_MB = 1024**2
_OF_FILES = ("image", "audio")  # kinds whose cells are files of their own


@dataclass(frozen=True)
class Store:
    """The used examples of a data set before they are divided.

    Args:
        arrays: Raw values by field.
        rows: Place of each used example among everything found.
        content: (examples, 2) uint64: what the inputs hold, for finding copies.
        ledger: Of everything found, not yet divided.
        twins: Pictures that look alike, by image input.
        official: Part codes that the data brings, or None.
        notes: What a person should know.
        folder: Where it lies in the cache; None when it is only in memory.
        groups: What each example belongs to, e.g. its track, as a number; None where nothing belongs together.
    """

    arrays: dict[str, Rows]
    rows: np.ndarray
    content: np.ndarray
    ledger: Ledger
    twins: dict[str, Twins]
    official: np.ndarray | None
    notes: list[str] = field(default_factory=list)
    folder: Path | None = None
    groups: np.ndarray | None = None

    def save(self, folder: Path) -> None:
        """Write what is not there yet; the arrays were read straight into the folder."""
        np.save(folder / "rows.npy", self.rows)
        np.save(folder / "content.npy", self.content)
        self.ledger.write(folder / "ledger.parquet")
        if self.official is not None:
            np.save(folder / "official.npy", self.official)
        if self.groups is not None:
            np.save(folder / "groups.npy", self.groups)
        for number, twins in self._numbered_twins():
            np.save(folder / f"{number}.twins.npy", twins.pairs)
            np.save(folder / f"{number}.correlation.npy", twins.correlation)
            (folder / f"{number}.twins.txt").write_text(twins.capped, encoding="utf-8")
        (folder / "notes.txt").write_text("\n".join(self.notes), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, fields: dict[str, Field]) -> Store:
        """What `save` wrote, arrays mapped.

        Args:
            folder: The cache entry.
            fields: The fields it was read for, in the same order.
        """
        arrays: dict[str, Rows] = {}
        twins: dict[str, Twins] = {}
        for number, (name, facts) in enumerate(fields.items()):
            if (folder / f"{number}.spans.npy").exists():
                arrays[name] = Encoded.load(folder, str(number), facts)
            elif facts.ragged:
                arrays[name] = Ragged.load(folder, str(number), facts)
            else:
                arrays[name] = np.load(folder / f"{number}.npy", mmap_mode="r", allow_pickle=False)
            if (folder / f"{number}.twins.npy").exists():
                twins[name] = Twins(
                    np.load(folder / f"{number}.twins.npy", allow_pickle=False),
                    np.load(folder / f"{number}.correlation.npy", allow_pickle=False),
                    (folder / f"{number}.twins.txt").read_text(encoding="utf-8"),
                )
        official, groups = folder / "official.npy", folder / "groups.npy"
        return cls(
            arrays=arrays,
            rows=np.load(folder / "rows.npy", allow_pickle=False),
            content=np.load(folder / "content.npy", allow_pickle=False),
            ledger=Ledger.read(folder / "ledger.parquet"),
            twins=twins,
            official=np.load(official, allow_pickle=False) if official.exists() else None,
            notes=[line for line in (folder / "notes.txt").read_text(encoding="utf-8").split("\n") if line],
            folder=folder,
            groups=np.load(groups, allow_pickle=False) if groups.exists() else None,
        )

    def _numbered_twins(self) -> list[tuple[int, Twins]]:
        return [(number, self.twins[name]) for number, name in enumerate(self.arrays) if name in self.twins]


def needed_bytes(found: Found, fields: dict[str, Field]) -> int:
    """What the decoded arrays of everything found take."""
    even = [facts for facts in fields.values() if not facts.ragged]
    each = sum(int(np.prod(f.shape, dtype=np.int64)) * np.dtype(f.dtype).itemsize for f in even)
    sequences = sum(_sequence_bytes(found, facts) for facts in fields.values() if facts.ragged)
    return len(found.ids) * (each + 64) + sequences  # the ledger, the hashes and the rows


def _sequence_bytes(found: Found, facts: Field) -> int:
    """About as much as what they are read from."""
    column = column_of(found, facts)
    if isinstance(column, Blobs):
        return _blob_bytes(column)
    if isinstance(column, Arrays):
        steps = sum(map(np.size, column.values)) if column.values.dtype == object else column.values.size
        return int(steps) * np.dtype(facts.dtype).itemsize
    first = column.columns[0] if isinstance(column, Several) else column
    if isinstance(first, Steps):
        return len(first.cells) * max(1, int(np.prod(facts.shape, dtype=np.int64))) * np.dtype(facts.dtype).itemsize
    return column.values.nbytes if isinstance(column, Cells) else 0


def encoded_bytes(found: Found, fields: dict[str, Field], limit: int, why: str) -> int:
    """What the data takes when pictures are kept as they came.

    Raises:
        ResourceError: That is too much as well.
    """
    rest = {name: facts for name, facts in fields.items() if not _can_stay_encoded(found, facts)}
    needed = needed_bytes(found, rest)
    for name, facts in fields.items():
        column = column_of(found, facts)
        if name not in rest and isinstance(column, Blobs):
            needed += _blob_bytes(column)
    if needed > limit:
        raise ResourceError(
            f"the cache of {found.origin} needs {needed / _MB:,.0f} MB, more than the limit of {limit / _MB:,.0f} MB "
            f"({why}).",
            "Raise data.cache_mb, set NETWRIGHT_CACHE to a larger disk, or choose a smaller size_px.",
        )
    return needed


def read(
    found: Found, fields: dict[str, Field], inputs: list[str], folder: Path | None, encode: bool, progress: Progress
) -> Store:
    """Read everything once.

    Args:
        found: What there is.
        fields: What to read it as, inputs and outputs.
        inputs: Names of those that go in: their content decides what is a copy.
        folder: Where the arrays are written; None keeps them in memory.
        encode: Keep pictures as the bytes they came in.
        progress: Called with what is being read, how much is, and how much there is.

    Raises:
        DataError: Not one example can be used; says why.
    """
    arrays: dict[str, Rows] = {}
    failed: dict[int, Refusal] = {}
    for number, (name, facts) in enumerate(fields.items()):
        target = folder / f"{number}.npy" if folder else None
        arrays[name], reasons = _read_field(found, facts, target, encode, progress)
        _account(found, facts, reasons, failed)
    for name, facts in fields.items():
        if (per := str(facts.options.get("per", ""))) in fields:
            _account(found, facts, _uneven(facts, arrays[name], fields[per], arrays[per], failed), failed)
    rows = np.setdiff1d(np.arange(len(found.ids)), np.fromiter(failed, dtype=np.int64), assume_unique=True)
    if not len(rows):
        raise _nothing_usable(found, failed)
    for number, name in enumerate(fields):
        target = folder / f"{number}.npy" if folder else None
        arrays[name] = _only(arrays[name], rows, target)
    content = _content([arrays[name] for name in inputs])
    left_out = [*found.refused, *(failed[row] for row in sorted(failed))]
    twins = {
        name: duplicates.near_twins(arrays[name], _counter(progress, f"looking for twins in {name}", len(rows)))
        for name in inputs
        if fields[name].kind == "image"
    }
    official, groups = _brought(found, rows)
    notes = [
        f"{name}: pictures are kept as files and decoded per batch"
        for name, a in arrays.items()
        if isinstance(a, Encoded)
    ]
    if folder is not None:
        for number, array in enumerate(arrays.values()):
            if isinstance(array, (Encoded, Ragged)):
                array.save(folder, str(number))
    ledger = build(found.ids.take(pa.array(rows)), content, left_out)
    return Store(arrays, rows, content, ledger, twins, official, notes, groups=groups)


def _brought(found: Found, rows: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Part codes and group codes of the examples that are left, where the data brings them."""
    official = groups = None
    if found.official is not None:
        official = official_codes(found.official.take(pa.array(rows)).to_pylist(), "split")
    if found.groups is not None:
        groups = np.unique(found.groups.take(pa.array(rows)).to_pylist(), return_inverse=True)[1]
    return official, groups


def _read_field(
    found: Found, facts: Field, target: Path | None, encode: bool, progress: Progress
) -> tuple[Rows, dict[int, str]]:
    column, count = column_of(found, facts), len(found.ids)
    told = _counter(progress, f"reading {facts.name}", count)
    if encode and target is not None and isinstance(column, Blobs) and _can_stay_encoded(found, facts):
        encoded, failed = store_encoded(column, facts, target.with_suffix(".bytes"), told)
        checked = encoded.failures(_counter(progress, f"checking {facts.name}", count))
        return encoded, checked | failed
    kind = kind_of(facts)
    if isinstance(kind, Sequence):
        growing = Growing(facts, count, target.with_suffix(".steps") if target else None)
        failed = kind.keep(column, facts, np.arange(count), growing.put, told)
        return growing.finished(), failed
    shape = (count, *facts.shape)
    if target is None:
        sink = np.zeros(shape, dtype=facts.dtype)
    else:
        sink = np.lib.format.open_memmap(target, mode="w+", dtype=np.dtype(facts.dtype), shape=shape)
    failed = kind.read(column, facts, np.arange(count), sink, told)
    return sink, failed


def _uneven(facts: Field, answers: Rows, of: Field, steps: Rows, failed: Collection[int]) -> dict[int, str]:
    """Sequences that have not as many answers as steps, with both counts."""
    if not isinstance(answers, Ragged) or not isinstance(steps, Ragged):  # pragma: no cover - sequences both
        return {}
    kind = kind_of(of)
    coder = kind.coder(of) if isinstance(kind, Sequence) and of.kind == "text" else None  # of which bytes are cached
    uneven = {}
    for row in set(range(len(answers))) - set(failed):
        given, wanted = len(answers[row]), len(steps[row] if coder is None else coder(np.asarray(steps[row])))
        if given != wanted:
            uneven[row] = f"has {given:,} answers, {of.name} has {counted(wanted, 'step')}."
    return uneven


def _account(found: Found, facts: Field, reasons: dict[int, str], failed: dict[int, Refusal]) -> None:
    """Enter the cells that could not be read; a file is refused, a row with a bad cell is put into quarantine."""
    for row, reason in reasons.items():
        said = reason if facts.kind in _OF_FILES else f"{facts.name}: {reason}"
        before = failed.get(row)
        failed[row] = Refusal(
            id=str(found.ids[row]),
            where=found.where(row),
            state="refused" if facts.kind in _OF_FILES or (before and before.state == "refused") else "quarantined",
            reason=f"{before.reason} {said}" if before else said,
        )


def _only(array: Rows, keep: np.ndarray, target: Path | None) -> Rows:
    if len(keep) == len(array):
        return array
    if isinstance(array, (Encoded, Ragged)):
        return array.only(keep)
    if isinstance(array, np.memmap) and target is not None:
        cache.shorten(target, array, keep)
        return np.load(target, mmap_mode="r", allow_pickle=False)
    return array[keep]


def _content(arrays: list[Rows]) -> np.ndarray:
    count = len(arrays[0])
    widest = sum(int(np.prod(array.shape[1:], dtype=np.int64)) for array in arrays) * 8
    step = max(1, _CHUNK_BYTES // max(1, widest))
    content = np.empty((count, 2), dtype=np.uint64)
    for start in range(0, count, step):
        rows = slice(start, min(count, start + step))
        parts = [
            array.hashes(rows) if isinstance(array, (Encoded, Ragged)) else np.asarray(array[rows]) for array in arrays
        ]
        content[rows] = duplicates.digest(parts)
    return content


def _can_stay_encoded(found: Found, facts: Field) -> bool:
    return facts.kind == "image" and isinstance(column_of(found, facts), Blobs)


def _blob_bytes(column: Blobs) -> int:
    if column.members is not None:
        return int(column.members.sizes.sum())
    total = 0
    for name in column.names:
        path = column.root / name
        total += path.stat().st_size if path.exists() else 0
    return total


def _nothing_usable(found: Found, failed: dict[int, Refusal]) -> DataError:
    left_out = [*found.refused, *failed.values()]
    shown = "; ".join(f"{refusal.where}: {refusal.reason}" for refusal in left_out[:3])
    return DataError(
        f"{found.origin}: none of {counted(len(left_out), 'example')} can be used ({shown}).",
        "Repair the data, or name other inputs and outputs.",
    )


def _counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    return lambda done: progress(what, done, total)
