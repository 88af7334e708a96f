"""Tables of rows in time, one file or a folder of them: `frame id x y`, by spaces, tabs or commas, with names or not.

Several files become one table with a column `file`, so that the same id in two recordings is two tracks; folders called
train, val and test are the split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, read_regular
from netwright.readers.layouts.csv_table import CsvTable
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import list_folder, refusal
from netwright.readers.layouts.parquet import Parquet
from netwright.readers.layouts.text_table import SEPARATORS, Text, read_text
from netwright.readers.sniff import HEAD_BYTES, is_no, sniff
from netwright.words import listed

FILE = "file"
_PARTS = {"train": "train", "training": "train", "val": "validation", "validation": "validation", "test": "test"}
_BLANKS = re.compile(rb"[ \t]+")
_EDGES = re.compile(rb"(?m)^[ \t]+|[ \t\r]+$")


class TimedTables(Layout):
    """Rows in time. Only where steps are asked for, since any table may be one."""

    name: ClassVar[str] = "timed_tables"

    def matches(self, path: Path) -> bool:
        """Never by itself."""
        del path
        return False

    def find(self, path: Path) -> Found:
        """All rows of all tables, with the same columns in each.

        Raises:
            DataError: There is no table, or tables have different columns.
        """
        if path.is_file():
            return replace(_table(path), layout=self.name, origin=str(path))
        names, refused = _tables(path)
        if not names:
            raise DataError(
                f"{printable(path)}: no table in this folder.", "Give text tables of rows like: frame id x y."
            )
        found = [_table(path / name) for name in names]
        columns = {name: list(table.columns) for name, table in zip(names, found, strict=True)}
        first = columns[names[0]]
        odd = next((name for name in names if columns[name] != first), None)
        if odd is not None:
            raise DataError(
                f"{printable(path / odd)}: columns {listed(columns[odd], 8)}, but {printable(names[0])} has "
                f"{listed(first, 8)}.",
                "Give tables with the same columns.",
            )
        return _joined(path, names, found, refused, self.name)


def _tables(root: Path) -> tuple[list[str], list[Refusal]]:
    listing = list_folder(root)
    names = [
        name
        for name, kind in zip(listing.blobs.names, listing.kinds, strict=True)
        if kind in {"text", "parquet", "gzip", "xz", "bzip2"}
    ]
    refused = [
        refusal(name, is_no("table", kind))
        for name, kind in zip(listing.blobs.names, listing.kinds, strict=True)
        if name not in set(names)
    ]
    return sorted(names), [*listing.refused, *refused]


def _table(path: Path) -> Found:
    """One table, its cells as they are."""
    try:
        parquet = sniff(read_regular(path, HEAD_BYTES)) == "parquet"
    except CellError as exc:
        raise DataError(f"{printable(path)} {exc.message}", "Give a file that can be read.") from exc
    if parquet:
        return Parquet().find(path)
    text = read_text(path)
    head = bytes(text.content[:HEAD_BYTES]).split(b"\n")[0]
    if any(mark.encode() in head for mark in SEPARATORS if mark != "\t"):
        return CsvTable().found(path, path, text)
    # Spaces, or spaces and tabs: one tab for each run of them.
    even = _BLANKS.sub(b"\t", _EDGES.sub(b"", text.content.to_pybytes()))
    return CsvTable().found(path, path, Text(pa.py_buffer(even), text.notes))


def _is_number(chunk: pa.Array) -> bool:
    kind = chunk.type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)


def _joined(root: Path, names: Sequence[str], found: Sequence[Found], refused: list[Refusal], layout: str) -> Found:
    """Several tables one after the other."""
    columns = {}
    for column in found[0].columns:
        cells = [of for table in found if isinstance(of := table.columns[column], Cells)]
        chunks = [chunk for of in cells for chunk in of.values.chunks]
        try:
            if len({chunk.type for chunk in chunks}) > 1 and all(map(_is_number, chunks)):
                chunks = [chunk.cast(pa.float64()) for chunk in chunks]
            columns[column] = Cells(pa.chunked_array(chunks), root, comma=cells[0].comma)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as exc:
            raise DataError(
                f"{printable(root)}: column {column} holds texts in one file and numbers in another."
            ) from exc
    own = [pa.array([name] * len(table), pa.string()) for name, table in zip(names, found, strict=True)]
    taken = FILE in columns
    columns |= {} if taken else {FILE: Cells(pa.chunked_array(own))}
    ids = [f"{name} {row}" for name, table in zip(names, found, strict=True) for row in table.ids.to_pylist()]
    for name, table in zip(names, found, strict=True):
        refused += [replace(each, id=f"{name} {each.id}") for each in table.refused]
    parts = [_PARTS.get(name.split("/")[0].casefold(), "") if "/" in name else "" for name in names]
    official = None
    if len(set(parts)) > 1 and all(parts):
        official = pa.array([part for part, table in zip(parts, found, strict=True) for _ in range(len(table))])
    told = list(dict.fromkeys(note for table in found for note in table.notes))
    return Found(
        layout=layout,
        origin=str(root),
        ids=pa.array(ids, pa.string()),
        columns=columns,  # type: ignore[arg-type]
        official=official,
        refused=tuple(refused),
        notes=(f"{len(names)} tables: {listed([printable(name) for name in names], 4)}", *told),
        sources=(root,),
    )
