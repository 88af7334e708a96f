"""What a layout finds: columns of cells not yet read, an id per example, and everything that never became one.

Guarantees: all columns of a `Found` have as many cells as it has ids; ids are unique; `where` names the place of an
example in the user's own files; nothing but a regular file is ever opened.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import unicodedata
import zlib
from bz2 import BZ2File
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NoReturn, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

import netwright.absent  # noqa: F401  (before pyarrow makes its first array and looks for pandas)
from netwright.errors import CellError, DataError, SpecError
from netwright.files import printable
from netwright.readers.sniff import sniff
from netwright.registry import nearest

MAX_CELL_BYTES = 256 * 2**20  # one file larger than this is no picture and no clip of ours; refused before reading
DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)  # what reading through a compression raises

_BOMB_RATIO = 300  # unpacked : packed; xz reaches about 100 on ordinary data
_BOMB_FLOOR = 2**30
_SKIP_BYTES = 2**20  # unpacked and thrown away at once on the way to a member
_SUFFIXES = {
    "image": (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff"),
    "audio": (".wav", ".flac", ".ogg", ".mp3"),
    "ink": (".inkml", ".upx", ".unp"),
}


@runtime_checkable
class Read(Protocol):
    """Gives the bytes of one blob, at most `limit` of them when `limit` is not negative; safe inside a thread."""

    def __call__(self, limit: int = -1) -> bytes:
        """The bytes; raises CellError when they cannot be had."""
        ...


def read_regular(path: Path | str, limit: int = -1) -> bytes:
    """The bytes of a regular file; folders, pipes and devices are refused without being opened for reading.

    Args:
        path: The file; a symbolic link to a regular file counts as one.
        limit: Bytes to read at most; negative for all.

    Raises:
        CellError: Missing, not a regular file, not readable, or larger than `MAX_CELL_BYTES`.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  (path may be text that holds undecodable bytes)
            raise CellError("is not a regular file.")
        # O_NONBLOCK: should a named pipe have taken the file's place since, opening it must not wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as exc:
        raise CellError("no such file.") from exc
    except (OSError, ValueError) as exc:
        raise CellError(f"cannot be opened ({getattr(exc, 'strerror', None) or exc}).") from exc
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise CellError("is not a regular file.")
        if limit < 0 and facts.st_size > MAX_CELL_BYTES:
            raise CellError(f"has {facts.st_size:,} bytes, more than {MAX_CELL_BYTES:,}.")
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read(limit) or b""
    except OSError as exc:
        raise CellError(f"cannot be read ({exc.strerror}).") from exc
    finally:
        os.close(descriptor)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


@dataclass(frozen=True)
class Cells:
    """One column of a table.

    Args:
        values: Strings from text files (never null); any Arrow type from memory or Parquet (nulls possible).
        root: Folder that file names in the column are relative to; None where cells cannot name files.
        comma: The file speaks for a decimal comma: its columns are separated by ";".
        decimal: The decimal mark that the whole table shows, see `readers/marks.py`; "" where it shows none.
    """

    values: pa.ChunkedArray
    root: Path | None = None
    comma: bool = False
    decimal: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_text(self) -> bool:
        """Whether the cells are texts."""
        return is_text(self.values.type)

    def files(self, index: np.ndarray | None = None) -> Blobs:
        """The cells as names of files below `root`; a name that leads outside is refused when it is read."""
        values = self.values if index is None else self.values.take(pa.array(index))
        names = tuple("" if name is None else name for name in values.cast(pa.string()).to_pylist())
        return Blobs(self.root or Path(), names, confined=True)


@dataclass(frozen=True)
class Arrays:
    """One array with a row per example, e.g. the images of an idx file, uint8 (n, 28, 28); may be memory-mapped."""

    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Steps:
    """Rows of a column that follow each other, together as the cells of their sequences.

    Args:
        cells: Every step of every sequence, end to end.
        ends: The place behind the last step of each sequence, never falling; the first one begins at 0.
        day_first: Whether the day stands before the month in the dates that order them; None where neither does.
    """

    cells: Cells
    ends: np.ndarray
    day_first: bool | None = None

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def starts(self) -> np.ndarray:
        """The place of the first step of each sequence."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)

    def only(self, index: np.ndarray) -> Steps:
        """Some sequences, in the order of the index."""
        spans = list(zip(self.starts[index].tolist(), self.ends[index].tolist(), strict=True))
        rows = np.concatenate([np.zeros(0, np.int64), *(np.arange(start, end) for start, end in spans)])
        ends = np.cumsum([end - start for start, end in spans], dtype=np.int64)
        if len(rows) == len(self.cells) and bool((rows == np.arange(len(rows))).all()):
            return self
        return replace(self, cells=replace(self.cells, values=self.cells.values.take(pa.array(rows))), ends=ends)


@dataclass(frozen=True)
class Several:
    """Several columns read as one field, e.g. the measurements that make a vector."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


@dataclass(frozen=True)
class Members:
    """Where the blobs of a tar archive lie.

    Args:
        offsets: Byte offset of each member's data in the unpacked archive.
        sizes: Bytes of each member.
        compressed: "gzip", "xz", "bzip2", or "" for a plain tar, which is read at random.
        heads: First bytes of some members, evenly spread, kept so that planning needs no second pass.
    """

    offsets: np.ndarray
    sizes: np.ndarray
    compressed: str
    heads: dict[int, bytes]


@dataclass(frozen=True)
class Blobs:
    """Files below a folder, or regular members of one tar archive.

    Args:
        root: The folder, or the archive.
        names: Paths relative to it, with `/`; undecodable bytes kept as surrogates.
        members: Set for an archive.
        confined: True when the names come out of a file, so that a name leading outside `root` is refused.
    """

    root: Path
    names: tuple[str, ...]
    members: Members | None = None
    confined: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def where(self, index: int) -> str:
        """The place of blob `index`, fit for a message."""
        return printable(self.names[index])

    def blobs(self, index: np.ndarray | None = None) -> Iterator[tuple[int, Read]]:
        """Pairs of (k, read), where `read()` gives the bytes of blob `index[k]`; in archive order for a packed tar."""
        chosen = np.arange(len(self)) if index is None else np.asarray(index)
        if self.members is None:
            folder = self._folder()
            for k, position in enumerate(chosen):
                yield k, _File(folder, self.names[position], self.confined)
        elif not self.members.compressed:
            for k, position in enumerate(chosen):
                yield k, _Slice(self.root, int(self.members.offsets[position]), int(self.members.sizes[position]))
        else:
            yield from self._stream(self.members, chosen)

    def heads(self, count: int, limit: int = 2**18) -> list[bytes]:
        """The first bytes of about `count` blobs, evenly spread over all; those that cannot be read are left out."""
        if self.members is not None and self.members.compressed:
            return list(self.members.heads.values())
        found = []
        for _, read in self.blobs(np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.int64))):
            try:
                found.append(read(limit))
            except CellError:
                continue  # it is met again, and accounted for, when the cells are read
        return found

    def one(self, index: int) -> bytes:
        """The bytes of one blob; in a packed tar the archive is unpacked up to it.

        Raises:
            CellError: It cannot be read.
        """
        for _, read in self.blobs(np.array([index])):
            return read()
        raise CellError("is no longer in the archive.")

    def _folder(self) -> Path:
        return self.root.resolve() if self.confined else self.root

    def _stream(self, members: Members, chosen: np.ndarray) -> Iterator[tuple[int, Read]]:
        order = np.argsort(members.offsets[chosen], kind="stable")
        with open_packed(self.root, members.compressed) as packed:
            at, content = 0, b""
            for k in order:
                offset, size = int(members.offsets[chosen[k]]), int(members.sizes[chosen[k]])
                if offset + size > at:  # the same blob may be asked for twice
                    while at < offset:
                        at += len(packed.read(min(offset - at, _SKIP_BYTES))) or _cut(self.root)
                    content = packed.read(size)
                    at += size
                yield int(k), Held(content)


def _cut(archive: Path) -> NoReturn:
    raise DataError(
        f"{printable(archive)} ends early: it changed since it was listed.", "Start again with the new file."
    )


@dataclass(frozen=True)
class _File:
    folder: Path
    name: str
    confined: bool

    def __call__(self, limit: int = -1) -> bytes:
        if not self.confined:
            return read_regular(f"{self.folder}/{self.name}", limit)
        if not self.name.strip():
            raise CellError("the cell is empty, expected the name of a file.")
        if "\x00" in self.name:
            raise CellError("the name holds a NUL byte.")
        path = (self.folder / self.name.replace("\\", "/")).resolve()
        if not path.is_relative_to(self.folder):
            raise CellError(f'"{printable(self.name)}" leads outside the folder of the table and is not read.')
        try:
            return read_regular(path, limit)
        except CellError as exc:
            raise CellError(f'"{printable(self.name)}": {exc.message}') from exc


@dataclass(frozen=True)
class _Slice:
    path: Path
    offset: int
    size: int

    def __call__(self, limit: int = -1) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset)
            return file.read(self.size if limit < 0 else min(limit, self.size)) or b""


@dataclass(frozen=True)
class Held:
    """A blob whose bytes are in memory already."""

    content: bytes

    def __call__(self, limit: int = -1) -> bytes:
        """The bytes."""
        return self.content if limit < 0 else self.content[:limit]


def open_packed(path: Path, packing: str) -> io.BufferedIOBase:
    """A file opened through its compression; unlike tarfile's own streams it notices a cut file.

    Args:
        path: The file.
        packing: "gzip", "xz", "bzip2", or "" for none.
    """
    if packing == "gzip":
        return gzip.open(path)
    if packing == "xz":
        return lzma.open(path)
    return BZ2File(path) if packing == "bzip2" else path.open("rb")


def most_unpacked(path: Path) -> int:
    """To how many bytes a packed file may unpack; what gives more is like an archive bomb."""
    return max(_BOMB_FLOOR, _BOMB_RATIO * path.stat().st_size)


def read_at_most(file: io.BufferedIOBase, limit: int) -> tuple[bytearray, str]:
    """Up to `limit` bytes, and what went wrong on the way; what came before a cut is kept, so it can be counted."""
    content = bytearray()
    try:
        while len(content) < limit:
            block = file.read(min(2**20, limit - len(content)))
            if not block:
                break
            content += block
    except DAMAGED as exc:
        return content, str(exc) or type(exc).__name__
    return content, ""


def packing_of(path: Path) -> str:
    """How a file is compressed: "gzip", "xz", "bzip2" or ""."""
    kind = sniff(read_regular(path, 512))
    return kind if kind in {"gzip", "xz", "bzip2"} else ""


def named(column: Column, kind: str) -> Blobs | None:
    """The files of a kind that the cells of a column name; None where they name none.

    Args:
        column: Its cells.
        kind: image, audio or ink.
    """
    if not isinstance(column, Cells) or not column.is_text or column.root is None:
        return None
    return column.files() if names_files(column.values) == kind else None


def names_files(values: pa.ChunkedArray) -> str:
    """The kind of files whose names the first cells of a text column end like: image, audio or ink; "" for others."""
    some = [name for name in values.slice(0, 100).cast(pa.string()).to_pylist() if name and name.strip()]
    found = (kind for kind, ends in _SUFFIXES.items() if some and all(name.lower().endswith(ends) for name in some))
    return next(found, "")


Column = Cells | Blobs | Arrays | Steps | Several


@dataclass(frozen=True)
class Refusal:
    """One thing in the data that never became an example, e.g. a ragged row or a stray file."""

    id: str
    where: str
    state: Literal["refused", "quarantined"]
    reason: str


@dataclass(frozen=True)
class Cut:
    """How rows in time were cut into windows.

    Args:
        columns: The numbers of a step, coordinates first.
        past: Steps that are seen at most.
        geographic: Whether the coordinates are a longitude and a latitude.
        season: Steps after which a series is alike again; 0 where its dates do not tell.
        divided: How whole tracks, or time, were divided before: group, time or column.
        as_rows: Why the rows themselves are the steps, however far apart, where nobody asked for it.
        day_first: Whether the day stands before the month in its dates, where nobody said so; None where neither does.
        decimal: The decimal mark that its numbers show, where nobody said so; "" where they show none.
        usual: Seconds from one step to the next; 0 where they are no dates.
        unnamed: Columns of group and order of a table without names, told by what they hold; () of one with names.
    """

    columns: tuple[str, ...]
    past: int
    geographic: bool = False
    season: int = 0
    divided: str = ""
    as_rows: str = ""
    day_first: bool | None = None
    decimal: str = ""
    usual: float = 0.0
    unnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Everything a layout found.

    Args:
        layout: Name of the layout.
        origin: What the user gave.
        ids: One string per example, unique: the relative path, or "row 18".
        columns: Cells by column name, all as long as `ids`.
        official: "train", "validation", "test" or "" per example, where the data brings its own split.
        refused: What never became an example, and why.
        notes: What was decided about the format, to be said to the user.
        sources: Files and folders whose names, sizes and times make the fingerprint.
        lines: Line of each example in its text file.
        place: Name of the table the lines belong to.
        groups: What each example belongs to, e.g. a track, where several belong together.
        cut: How rows became windows, where they did.
    """

    layout: str
    origin: str
    ids: pa.Array
    columns: dict[str, Column]
    official: pa.Array | None = None
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    lines: np.ndarray | None = field(default=None, compare=False)
    place: str = ""
    groups: pa.Array | None = None
    cut: Cut | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        wrong = {name: length for name, length in lengths.items() if length != len(self.ids)}
        if wrong:
            raise DataError(
                f"{self.origin}: columns differ in length: {lengths}, with {len(self.ids)} ids.",
                "Give every column one cell per example.",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, index: int) -> str:
        """The place of example `index` in the user's files, e.g. "labels.csv line 18" or "cats/x.jpg"."""
        if self.lines is not None:
            return f"{self.place} line {int(self.lines[index])}"
        own = str(self.ids[int(index)].as_py())
        return f"{self.place} {own}" if self.place else own

    def column(self, source: str | Sequence[str]) -> Column:
        """The column of one name, or several columns as one.

        Raises:
            SpecError: No such column; lists all and the nearest.
        """
        names = (source,) if isinstance(source, str) else tuple(source)
        missing = [f'"{name}"{nearest(name, self.columns)}' for name in names if name not in self.columns]
        if missing:
            known = ", ".join(list(self.columns)[:40])
            raise SpecError(f"{self.origin}: no column {', '.join(missing)}.", f"Its columns are: {known}.")
        if isinstance(source, str):
            return self.columns[source]
        return Several(names, tuple(self.columns[name] for name in names))


def same_form(text: str) -> str:
    """A label in the one normal form used everywhere (NFC), so that two encodings of "é" are one class."""
    return unicodedata.normalize("NFC", text)


def twins(names: Sequence[str]) -> list[str]:
    """Names that differ only in case or outer spaces, in words.

    Example:
        >>> twins(["cat ", "Cat", "dog"])
        ['"Cat" and "cat " differ only in case or spaces']
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(" ".join(name.split()).casefold(), []).append(name)
    return [
        " and ".join(f'"{name}"' for name in group) + " differ only in case or spaces"
        for group in groups.values()
        if len(group) > 1
    ]


def unique_ids(names: Sequence[str]) -> pa.Array:
    """Printable ids that stay unique when two names print alike."""
    ids: list[str] = []
    seen: dict[str, int] = {}
    for name in map(printable, names):
        seen[name] = seen.get(name, 0) + 1
        ids.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return pa.array(ids, pa.string())
