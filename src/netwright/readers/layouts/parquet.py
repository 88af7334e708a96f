"""Parquet files: typed columns, as they are."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Found, most_unpacked, read_regular
from netwright.readers.layouts.csv_table import table_in
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.memory import columns_of, row_ids
from netwright.readers.sniff import sniff


class Parquet(Layout):
    """One Parquet file, or a folder that holds exactly one."""

    name: ClassVar[str] = "parquet"

    def matches(self, path: Path) -> bool:
        """A file that begins like Parquet, or a folder with exactly one .parquet."""
        table = table_in(path, (".parquet",))
        return table is not None and sniff(read_regular(table, 16)) == "parquet"

    def find(self, path: Path) -> Found:
        """All rows with their typed columns.

        Raises:
            DataError: The file is cut or damaged, holds no rows, or unpacks to far more than it is.
        """
        file = table_in(path, (".parquet",))
        if file is None:
            raise DataError(f"{printable(path)}: expected one Parquet file.", "Give the path of the file itself.")
        try:
            _refuse_bomb(file)
            table = pyarrow.parquet.read_table(file, memory_map=True)
        except (pa.ArrowException, OSError) as exc:
            raise DataError(
                f"{printable(file)}: cannot be read as Parquet ({str(exc).splitlines()[0]}).",
                "Write or fetch it again.",
            ) from exc
        if not len(table):
            raise DataError(f"{printable(file)}: the table has no rows.", "Give a table with rows.")
        columns, notes = columns_of(table, file.parent)
        return Found(
            layout=self.name,
            origin=str(path),
            ids=row_ids(len(table)),
            columns=columns,
            notes=tuple(notes),
            sources=(file,),
            place=printable(file.name),
        )


def _refuse_bomb(file: Path) -> None:
    """A few bytes may say that a value comes a billion times, or hold pages of nothing but zeros."""
    facts = pyarrow.parquet.read_metadata(file)
    pages = sum(facts.row_group(group).total_byte_size for group in range(facts.num_row_groups))
    unpacked = max(pages, facts.num_rows * facts.num_columns)
    if unpacked > most_unpacked(file):
        raise DataError(
            f"{printable(file)}: unpacks to {unpacked:,} bytes or more from {file.stat().st_size:,}, like a bomb.",
            "If you trust it, write it again as CSV, or in several files.",
        )
