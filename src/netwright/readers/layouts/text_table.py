"""The bytes of a text table: encoding, separator, header, and the line on which every record begins.

Guarantees: the text handed on is valid UTF-8 without a mark; a record's line is counted in the user's own file, also
when quoted cells hold line breaks.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.errors import DataError
from netwright.readers.columns import most_unpacked, open_packed, packing_of, read_at_most
from netwright.readers.encodings import encoding_of
from netwright.words import listed

SEPARATORS = {"\t": "tab", ";": '";"', "|": '"|"', ",": '","'}  # in order of preference when several fit equally
_BLOCK = 8 * 2**20
_HEAD = 2**20  # bytes in which separator and header are recognised
_PEEK = 200  # records looked at for that
_MOST_UNPACKED = 16 * 2**30
csv.field_size_limit(2**31 - 1)  # its own limit of 131,072 characters would stop at a long text
_NUMBER = re.compile(r"\s*[+-]?(\d[\d,.' ]*|\.\d+)([eE][+-]?\d+)?\s*%?\s*")


@dataclass(frozen=True)
class Text:
    """A file's text as UTF-8 bytes, and what had to be done to get it."""

    content: pa.Buffer
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Records:
    """Where records begin.

    Args:
        lines: Line of each record that is not blank, counted from 1.
        starts: Its first byte.
        blank: How many blank lines were passed over.
        quoted: Whether the text holds quotes at all.
        nul: Whether it holds NUL bytes.
        open_quote: Whether the number of quotes is odd.
    """

    lines: np.ndarray
    starts: np.ndarray
    blank: int
    quoted: bool
    nul: bool
    open_quote: bool


@dataclass(frozen=True)
class Shape:
    """How the records are cut into cells.

    Args:
        separator: Between two cells.
        names: One per column, unique.
        header: Whether the first record holds the names.
        notes: What was decided, to be said to the user.
    """

    separator: str
    names: tuple[str, ...]
    header: bool
    notes: tuple[str, ...]


def read_text(path: Path) -> Text:
    """The text of a file in whatever encoding, as UTF-8.

    Raises:
        DataError: Compressed and damaged, or no text.
    """
    packing = packing_of(path)
    if packing:
        raw = pa.py_buffer(_unpacked(path, packing))
        notes = [f"unpacked ({packing})"]
    else:
        raw = pa.memory_map(str(path)).read_buffer() if path.stat().st_size else pa.py_buffer(b"")
        notes = []
    encoding, skipped = encoding_of(bytes(raw[:4096]))
    content = raw[skipped:]
    if encoding in {"", "utf-8"}:
        return Text(_checked_utf8(content, notes), tuple(notes))
    unmarked = "" if skipped else " (no byte-order mark)"
    return Text(_recoded(path, content, encoding), (*notes, f"encoding {encoding}{unmarked}"))


def _unpacked(path: Path, packing: str) -> bytearray:
    most = min(_MOST_UNPACKED, most_unpacked(path))
    with open_packed(path, packing) as file:
        content, trouble = read_at_most(file, most + 1)
    if trouble:
        raise DataError(f"{path}: the compressed file is cut or damaged ({trouble}).", "Fetch or write it again.")
    if len(content) > most:
        raise DataError(
            f"{path}: unpacks to more than {most:,} bytes from {path.stat().st_size:,}.",
            "Unpack it and give the table itself.",
        )
    return content


def _checked_utf8(raw: pa.Buffer, notes: list[str]) -> pa.Buffer:
    """The bytes themselves if they are UTF-8, else re-read as the Windows code page."""
    view = memoryview(raw)
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    try:
        for place in range(0, len(view), _BLOCK):
            decoder.decode(view[place : place + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as exc:
        content = bytes(view)
        line = content.count(b"\n", 0, place + exc.start) + 1
        try:
            text, encoding = content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError:
            text, encoding = content.decode("latin-1"), "latin-1"
        notes.append(f"encoding {encoding} (line {line} is not UTF-8)")
        return pa.py_buffer(text.encode())
    return raw


def _recoded(path: Path, raw: pa.Buffer, encoding: str) -> pa.Buffer:
    try:
        return pa.py_buffer(str(memoryview(raw), encoding).encode())
    except UnicodeDecodeError as exc:
        raise DataError(
            f"{path}: byte {exc.start:,} is not {encoding}, though the file begins like it.",
            "Save the table again as UTF-8.",
        ) from exc


def find_records(content: pa.Buffer) -> Records:
    """Where every record begins, by counting quotes and line breaks.

    A line break inside quotes ends a line but no record. Works on blocks, with a few bytes per record in memory.
    """
    data = np.frombuffer(content, np.uint8)
    ends: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    inside, lines, quoted, nul = 0, 0, False, False
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        following = data[start + len(block)] if start + len(block) < len(data) else 0
        breaks = _line_breaks(block, int(following))
        quotes = block == ord('"')
        nul = nul or bool((block == 0).any())
        if quotes.any() or inside:
            quoted = True
            parity = np.cumsum(quotes, dtype=np.int32)
            parity = (parity + inside) & 1
            inside = int(parity[-1])
            closing = parity[breaks] == 0
        else:
            closing = np.ones(len(breaks), bool)
        ends.append(breaks[closing] + start)
        numbers.append(np.flatnonzero(closing) + lines + 1)
        lines += len(breaks)
    return _records(data, ends, numbers, (quoted, nul, bool(inside)))


def _line_breaks(block: np.ndarray, following: int) -> np.ndarray:
    """Places of LF, and of CR where no LF follows (the old Macintosh way)."""
    feeds = np.flatnonzero(block == 10)
    returns = np.flatnonzero(block == 13)
    if not len(returns):
        return feeds
    after = np.append(block[1:], np.uint8(following))[returns]
    alone = returns[after != 10]
    return np.sort(np.concatenate([feeds, alone])) if len(alone) else feeds


def _records(
    data: np.ndarray, ends: list[np.ndarray], numbers: list[np.ndarray], facts: tuple[bool, bool, bool]
) -> Records:
    end = np.concatenate(ends) if ends else np.zeros(0, np.int64)
    number = np.concatenate(numbers) if numbers else np.zeros(0, np.int64)
    starts = np.concatenate([[0], end + 1]).astype(np.int64)
    lines = np.concatenate([[1], number + 1]).astype(np.int64)
    stops = np.append(end, len(data))
    length = stops - starts
    blank = length <= 0
    one = np.flatnonzero(length == 1)
    blank[one] = data[starts[one]] == 13  # the CR of a blank CRLF line
    past_end = int(len(starts) > 0 and starts[-1] >= len(data))  # what follows the last line break is no line
    keep = ~blank
    return Records(lines[keep], starts[keep], int(blank.sum()) - past_end, *facts)


def lines_by_parsing(content: pa.Buffer, separator: str) -> np.ndarray:
    """The line of every record by parsing each one; slower, for texts in which quotes stand inside cells."""
    stream = io.TextIOWrapper(io.BytesIO(memoryview(content)), encoding="utf-8", newline="")
    found = csv.reader(stream, delimiter=separator)
    lines: list[int] = []
    start = 1
    for row in found:
        if row:
            lines.append(start)
        start = found.line_num + 1
    return np.array(lines, np.int64)


def open_quote_line(content: pa.Buffer, separator: str) -> int:
    """The line of a record whose quote is never closed; 0 if an odd quote only stands inside a cell (5" pipe)."""
    last = int(lines_by_parsing(content, separator)[-1])
    stream = io.TextIOWrapper(io.BytesIO(memoryview(content)), encoding="utf-8", newline="")
    try:
        list(csv.reader(itertools.islice(stream, last - 1, None), delimiter=separator, strict=True))
    except csv.Error as exc:
        return last if "end of data" in str(exc) else 0
    return 0


def find_shape(content: pa.Buffer, records: Records, *, tabs: bool) -> Shape:
    """Separator and column names from the first records.

    Args:
        content: The text.
        records: Where its records begin.
        tabs: True when the file's name says that tabs separate.
    """
    head = _head(content, records)
    separator = _separator(head, tabs=tabs)
    rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=separator))
    rows = [row for row in rows if row]
    notes = [] if separator == "," else [f"separator {SEPARATORS[separator]}"]
    first = rows[0] if rows else []
    if _is_data(first, rows[1:]):
        names = tuple(f"column_{number}" for number in range(1, len(first) + 1))
        notes.append(f"no header (the first line looks like data): columns named {names[0]} ... {names[-1]}")
        return Shape(separator, names, False, tuple(notes))
    return Shape(separator, _unique_names(first, notes), True, tuple(notes))


def _head(content: pa.Buffer, records: Records) -> str:
    """The first records, whole."""
    starts = records.starts
    last = min(len(starts), _PEEK)
    stop = int(starts[last]) if last < len(starts) else len(memoryview(content))
    if last > 2 and stop > _HEAD:
        stop = int(starts[max(2, np.searchsorted(starts[:last], _HEAD))])
    return bytes(content[:stop]).decode("utf-8", "replace").replace("\x00", " ")


def _separator(head: str, *, tabs: bool) -> str:
    """The separator that cuts the most records into the same number of cells as the first one."""
    best, best_share = "\t" if tabs else ",", 0.0
    for separator in SEPARATORS:
        counts = [len(row) for row in csv.reader(io.StringIO(head, newline=""), delimiter=separator) if row]
        if not counts or counts[0] < 2:
            continue
        share = Counter(counts)[counts[0]] / len(counts)
        if share > best_share:
            best, best_share = separator, share
    return best


def _is_data(first: list[str], rest: list[list[str]]) -> bool:
    """Whether the first record is data: all numbers, or numbers beside words that come again in their own columns."""
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in first]
    if not any(numbers):
        return False
    below = [{row[place] for row in rest if place < len(row)} for place in range(len(first))]
    words = [place for place, number in enumerate(numbers) if not number]
    return all(first[place] in below[place] for place in words)


def _unique_names(first: list[str], notes: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    changed: list[str] = []
    taken = {cell.strip() for cell in first}
    for number, cell in enumerate(first, 1):
        wanted = cell.strip() or f"column_{number}"
        name, again = wanted, 1
        while name in names or (name != cell.strip() and name in taken):
            again += 1
            name = f"{wanted}_{again}"
        if name != cell.strip():
            changed.append(f'{number} is "{name}" (header was {"empty" if not cell.strip() else f"again {cell!r}"})')
        names.append(name)
    if changed:
        notes.append("columns renamed: " + listed(changed, 10, "; "))
    return tuple(names)
