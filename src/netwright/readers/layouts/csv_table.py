"""Text tables: comma, semicolon, tab or bar separated, in any usual encoding; every cell stays text.

Guarantees: rows read = rows used + rows refused, each refusal with its line; no cell is changed (`007`, `NA` and empty
cells stay what they are).
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, names_files, packing_of, read_regular
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.text_table import (
    Records,
    Shape,
    Text,
    find_records,
    find_shape,
    lines_by_parsing,
    open_quote_line,
    read_text,
)
from netwright.readers.sniff import HEAD_BYTES, sniff

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".data")
_BLOCK = 4 * 2**20
_LARGEST_BLOCK = 2**30
_SHOWN_CHARACTERS = 60
_PEEK = 20  # names looked for in each folder


class CsvTable(Layout):
    """A CSV or TSV file, or a folder that holds exactly one beside the files it names."""

    name: ClassVar[str] = "csv"

    def matches(self, path: Path) -> bool:
        """A text file with a table's name, or a folder with exactly one .csv or .tsv."""
        table = table_in(path, (".csv", ".tsv"))
        if table is None or not _suffix(table).endswith(SUFFIXES):
            return False
        return sniff(read_regular(table, HEAD_BYTES)) in {"text", "empty", "unknown"} or bool(packing_of(table))

    def find(self, path: Path) -> Found:
        """All rows as text columns.

        Raises:
            DataError: Empty, no table, or no row fits the header.
        """
        table = table_in(path, (".csv", ".tsv"))
        if table is None:
            raise DataError(
                f"{printable(path)}: expected one table in the folder.", "Give the path of the table itself."
            )
        return self.found(path, table, read_text(table))

    def found(self, path: Path, table: Path, text: Text) -> Found:
        """The rows of a table whose text is read already; see `find`.

        Args:
            path: What the user gave.
            table: The file.
            text: Its text.
        """
        records = find_records(text.content)
        if not len(records.lines):
            raise DataError(f"{printable(table)}: the file is empty.", "Give a table with a header and rows.")
        shape = find_shape(text.content, records, tabs=_suffix(table).endswith((".tsv", ".tab")))
        open_line = open_quote_line(text.content, shape.separator) if records.open_quote else 0
        if open_line:
            raise DataError(
                f"{printable(table)} line {open_line}: a quote opened here is never closed.",
                'Close it, or double it ("") if it is part of the text.',
            )
        rows = _read_rows(table, text.content, records, shape)
        notes = [*text.notes, *shape.notes]
        if records.blank:
            notes.append(f"{records.blank:,} blank lines passed over")
        if path != table:
            notes.append(f"table {printable(table.name)}")
        roots = _roots(table.parent, dict(zip(shape.names, rows.table.columns, strict=True)), notes)
        return Found(
            layout=self.name,
            origin=str(path),
            ids=_ids(rows.numbers),
            columns={
                name: Cells(rows.table.column(place), roots[name], comma=shape.separator == ";")
                for place, name in enumerate(shape.names)
            },
            refused=tuple(rows.refused),
            notes=tuple(notes),
            sources=(table,),
            lines=rows.lines,
            place=printable(table.name),
        )


def table_in(path: Path, suffixes: tuple[str, ...]) -> Path | None:
    """The table a path stands for: the file itself, or the only one of its kind in a folder."""
    if path.is_dir():
        tables = [child for child in sorted(path.iterdir()) if child.suffix.lower() in suffixes and child.is_file()]
        return tables[0] if len(tables) == 1 else None
    return path if path.is_file() else None


def _roots(folder: Path, columns: dict[str, pa.ChunkedArray], notes: list[str]) -> dict[str, Path]:
    """Where the files that a column names lie: beside the table, or in the one folder there that holds more of them."""
    roots = dict.fromkeys(columns, folder)
    for name, values in columns.items():
        if not names_files(values):
            continue
        some = [cell for cell in values.slice(0, _PEEK).to_pylist() if safe_below(cell)]
        places = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
        counts = [sum((place / cell).is_file() for cell in some) for place in places]
        roots[name] = places[counts.index(max(counts))]
        if roots[name] != folder:
            notes.append(f"{name}: files are in {printable(roots[name].name)}/")
    return roots


def safe_below(name: str) -> bool:
    """Whether a name in a table can be joined to a folder without leading out of it."""
    return "\x00" not in name and not Path(name).is_absolute() and ".." not in name.replace("\\", "/").split("/")


def _suffix(table: Path) -> str:
    name = table.name.lower()
    for packed in (".gz", ".xz", ".bz2"):
        name = name.removesuffix(packed)
    return name


class _Rows:
    """The rows of a table and the numbers, lines and reasons of those refused."""

    def __init__(self, name: str, records: Records, header: bool) -> None:
        self._name = name
        self._lines = records.lines[1:] if header else records.lines
        self._left_out = np.zeros(len(self._lines), bool)
        self.refused: list[Refusal] = []
        self.table = pa.table({})

    def refuse(self, row: int, reason: str) -> None:
        """Notes that row `row` (from 0, refused ones counted) is no example."""
        self._left_out[row] = True
        where = f"{self._name} line {int(self._lines[row])}"
        self.refused.append(Refusal(f"row {row + 1}", where, "refused", reason))

    @property
    def numbers(self) -> np.ndarray:
        return np.flatnonzero(~self._left_out)

    @property
    def lines(self) -> np.ndarray:
        return self._lines[~self._left_out]


def _ids(rows: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise("row", pc.cast(pa.array(rows + 1), pa.string()), " ")


def _read_rows(path: Path, content: pa.Buffer, records: Records, shape: Shape) -> _Rows:
    table, ragged = _parsed(path, content, records, shape)
    total = len(table) + len(ragged) + int(shape.header)
    if total != len(records.lines):
        # Quotes stand inside unquoted cells (5" pipe), so counting them does not find the records.
        lines = lines_by_parsing(content, shape.separator)
        if len(lines) != total:
            raise DataError(
                f"{printable(path)}: {total:,} records, but {len(lines):,} by their line breaks; quotes do not match.",
                "Look for a single quote inside a cell, and double it or remove it.",
            )
        records = Records(lines, records.starts, records.blank, records.quoted, records.nul, records.open_quote)
    rows = _Rows(printable(path.name), records, shape.header)
    for number, cells, text in ragged:
        seen = text[:_SHOWN_CHARACTERS] + ("..." if len(text) > _SHOWN_CHARACTERS else "")
        rows.refuse(number - 1, f"{cells} cells instead of {len(shape.names)}: {seen!r}")
    if records.nul:
        table = _without_nul(table, rows)
    if not len(table):
        first = f" ({rows.refused[0].where}: {rows.refused[0].reason})" if rows.refused else ""
        raise DataError(
            f"{printable(path)}: no usable row under the header, {len(rows.refused):,} refused{first}.",
            "Check that header and rows have the same number of cells.",
        )
    rows.table = table
    rows.refused.sort(key=lambda item: int(item.id.removeprefix("row ")))
    return rows


def _parsed(
    path: Path, content: pa.Buffer, records: Records, shape: Shape
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    """The rows that fit, and (row number, cells, text) of those that do not."""
    start = _data_start(content, records, shape)
    if start >= len(memoryview(content)):
        return pa.table({str(place): pa.array([], pa.string()) for place in range(len(shape.names))}), []
    body = content[start:]
    table, ragged = _parse(path, body, records, shape, threads=True)
    if ragged:  # with threads the parser does not know which row it is at
        del table
        table, ragged = _parse(path, body, records, shape, threads=False)
    return table, ragged


def _data_start(content: pa.Buffer, records: Records, shape: Shape) -> int:
    if not shape.header:
        return int(records.starts[0])
    return int(records.starts[1]) if len(records.starts) > 1 else len(memoryview(content))


def _parse(
    path: Path, body: pa.Buffer, records: Records, shape: Shape, *, threads: bool
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    names = [str(place) for place in range(len(shape.names))]
    ragged: list[tuple[int, int, str]] = []

    def keep_aside(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns, row.text))
        return "skip"

    block = _BLOCK
    while True:
        ragged.clear()
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(body),
                pyarrow.csv.ReadOptions(use_threads=threads, block_size=block, column_names=names),
                pyarrow.csv.ParseOptions(
                    delimiter=shape.separator, newlines_in_values=records.quoted, invalid_row_handler=keep_aside
                ),
                pyarrow.csv.ConvertOptions(
                    check_utf8=False, column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as exc:
            # A record longer than the block: take larger blocks.
            if "straddling" in str(exc) and block < _LARGEST_BLOCK:
                block *= 8
                continue
            raise DataError(f"{printable(path)}: {exc}.", "Check quotes and separators of the table.") from exc
        return table, ragged


def _without_nul(table: pa.Table, rows: _Rows) -> pa.Table:
    """The rows without NUL bytes; the others are refused."""
    bad = np.zeros(len(table), bool)
    for column in table.columns:
        bad |= pc.match_substring(column, "\x00").to_numpy()
    numbers = rows.numbers[bad]
    for row in numbers:
        rows.refuse(int(row), "a cell holds a NUL byte, which no text has; the file may be damaged")
    return table.filter(pa.array(~bad))
