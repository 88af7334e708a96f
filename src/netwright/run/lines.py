"""What a stream brings, as it comes: lines of standard input, of a pipe or of a growing file, steps of a sound.

Nothing is held but what is being read: a line, or the samples of a window.
"""

from __future__ import annotations

import codecs
import csv
import json
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from netwright.errors import CellError, DataError, SpecError
from netwright.files import printable
from netwright.words import counted

LONGEST_LINE = 2**20  # bytes
TOO_LONG = "\0"  # stands for a line of more
_POLL_SECONDS = 0.05
_BYTES = 2**14  # read at once
_SEPARATORS = (",", ";", "\t")
Value = str | int | float | None


Source = Callable[[int], bytes]  # the next bytes, at most so many, as soon as there are some; empty ones end it


def arriving(stream: BinaryIO) -> Source:
    """What comes in at a stream such as standard input.

    Args:
        stream: Open for bytes.
    """
    return cast(Source, getattr(stream, "read1", stream.read))


def followed(path: Path, idle: float) -> Growing | Pipe:
    """What a path names: a file that grows, or a pipe.

    Args:
        path: The file, or the pipe.
        idle: Seconds without growth after which a file is done.

    Raises:
        DataError: There is neither.
    """
    if path.is_fifo():
        return Pipe(path)
    if not path.is_file():
        raise DataError(f"{printable(path)}: no such file to follow.", "Name a file, or - for standard input.")
    return Growing(path, idle)


class Pipe:
    """A named pipe, read until all who write to it have closed it.

    Args:
        path: Its name; it is opened with the first reading, which waits for somebody who writes.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, None

    def __call__(self, most: int) -> bytes:
        """The next bytes, waiting for them."""
        if self._file is None:
            self._file = self._path.open("rb", buffering=0)
        return self._file.read(most)

    def close(self) -> None:
        """The pipe is not read any more."""
        if self._file is not None:
            self._file.close()


class Growing:
    """A file that is written to while it is read.

    Args:
        path: The file.
        idle: Seconds without growth after which it is done.
    """

    def __init__(self, path: Path, idle: float) -> None:
        self._path, self._idle, self._file = path, idle, path.open("rb", buffering=0)

    def __call__(self, most: int) -> bytes:
        """The next bytes, waiting for them.

        Raises:
            DataError: The file became shorter.
        """
        since = time.monotonic()
        while True:
            if found := self._file.read(most):
                return found
            if self._path.stat().st_size < self._file.tell():
                raise DataError(f"{printable(self._path)} became shorter while it was read.", "Begin again.")
            if time.monotonic() - since >= self._idle:
                return b""
            time.sleep(min(_POLL_SECONDS, max(self._idle, 0.001)))

    def close(self) -> None:
        """The file is not read any more."""
        self._file.close()


def lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, empty ones passed over; one that is too long comes cut, with a mark that it is.

    Args:
        source: Where bytes come from.
    """
    held, number, cut = b"", 0, False
    while found := source(_BYTES):
        held += found
        *whole, held = held.split(b"\n")
        for line in whole:
            number += 1
            if line.strip() and not cut:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r")
            cut = False
        if len(held) > LONGEST_LINE:
            if not cut:
                yield number + 1, TOO_LONG
            held, cut = b"", True
    if held.strip() and not cut:
        yield number + 1, held.decode("utf-8", "replace").rstrip("\r")


def characters(source: Source) -> Iterator[str]:
    """A text in UTF-8 as it comes; a letter of several bytes comes with its last one.

    Args:
        source: Where bytes come from.
    """
    reader = codecs.getincrementaldecoder("utf-8-sig")("replace")
    while found := source(_BYTES):
        yield reader.decode(found)
    yield reader.decode(b"", final=True)


def settled(texts: Iterable[str]) -> Iterator[str]:
    """A text that comes in pieces, cut where its normal form cannot change: the same in all as of the whole.

    What may still be changed by what comes is held back: the last letter with its accents, and half an end of a line.
    Behind white space nothing is.

    Args:
        texts: Its pieces.
    """
    held = ""
    for text in texts:
        held += text
        end = len(held) if len(held) > LONGEST_LINE else _end(held)
        yield held[:end]
        held = held[end:]
    yield held


def _end(text: str) -> int:
    """Where what may still change begins."""
    end = len(text)
    while end and _joins(text[end - 1]):
        end -= 1
    alone = end == len(text) and text[-1:].isspace() and text[-1] != "\r"
    return end if alone else max(end - 1, 0)


def _joins(character: str) -> bool:
    """Whether a character may become one with those before it: an accent, or a later part of a Korean syllable."""
    return unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"


def words(source: Source) -> Iterator[str]:
    """A text in UTF-8 as it comes, cut behind spaces and ends of lines; what has none for too long is torn.

    Args:
        source: Where bytes come from.
    """
    held = ""
    for text in characters(source):
        held += text
        end = len(held) if len(held) > LONGEST_LINE else 1 + max(held.rfind(" "), held.rfind("\n"))
        yield held[:end]
        held = held[end:]
    yield held


@dataclass
class Table:
    """Lines of CSV or JSON as cells of named columns.

    A first line of CSV that holds the names says the order of the columns; without one the values stand in the order of
    the names. A line of JSON is an object, or a list in that order.

    Args:
        names: Columns that are needed.
        others: Columns that are taken along where they are named.
    """

    names: Sequence[str]
    others: Sequence[str] = ()
    _header: list[str] | None = None
    _separator: str = ""

    def cells(self, line: str) -> dict[str, Value] | None:
        """The cells of a line by column; None for a header.

        Raises:
            CellError: The line is none, or lacks a column.
            SpecError: A header lacks a column.
        """
        if line == TOO_LONG:
            raise CellError(f"is longer than {LONGEST_LINE:,} bytes.")
        if line.lstrip().startswith(("{", "[")):
            return self._of_json(line)
        if not self._separator:
            self._separator = max(_SEPARATORS, key=line.count)
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=self._separator), [])]
        if self._header is None:
            self._header = self._first(cells)
            if self._header is cells:
                return None
        if len(cells) != len(self._header):
            raise CellError(f"has {counted(len(cells), 'value')}, expected {len(self._header)}.")
        return dict(zip(self._header, cells, strict=True))

    def _first(self, cells: list[str]) -> list[str]:
        """The header: the first line where it holds names, else the names in their order."""
        held = set(self.names) & set(cells)
        if held and (missing := [name for name in self.names if name not in cells]):
            raise SpecError(f"the first line names no column {', '.join(map(printable, missing[:5]))}.", self._wanted())
        return cells if held else list(self.names)

    def _of_json(self, line: str) -> dict[str, Value]:
        try:
            found = json.loads(line)
        except ValueError as exc:
            raise CellError(f"is no JSON ({exc}).") from exc
        if isinstance(found, list):
            if len(found) != len(self.names):
                raise CellError(f"has {counted(len(found), 'value')}, expected {len(self.names)}.")
            found = dict(zip(self.names, found, strict=True))
        missing = [name for name in self.names if name not in found]
        if missing:
            raise CellError(f"has no {', '.join(map(printable, missing[:5]))}.")
        wrong = [name for name in (*self.names, *self.others) if isinstance(found.get(name), list | dict)]
        if wrong:
            raise CellError(f"{printable(wrong[0])}: is no single value.")
        return found

    def _wanted(self) -> str:
        shown = ", ".join(map(printable, self.names[:8]))
        more = f" and {len(self.names) - 8} more" if len(self.names) > 8 else ""
        return f"A step is {shown}{more}: a line of CSV or JSON each."


def samples(source: Source) -> Iterator[np.ndarray]:
    """Samples of raw sound, 16 bits each, the lower byte first, one channel, as float32 in -1..1.

    Args:
        source: Where bytes come from.

    Raises:
        DataError: It is a WAV file, whose header is no sound.
    """
    held, first = b"", True
    while found := source(_BYTES):
        held += found
        if first and len(held) >= 4:
            if held[:4] == b"RIFF":
                cure = (
                    "Give raw samples, 16 bits, one channel: ffmpeg -i a.wav -f s16le -ac 1 - | netwright predict ..."
                )
                raise DataError("this is a WAV file, which predict reads whole without --stream.", cure)
            first = False
        whole = len(held) - len(held) % 2
        yield np.frombuffer(held[:whole], dtype="<i2").astype(np.float32) / 32768
        held = held[whole:]
