"""Parquet files: typed columns, as they are."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Found, read_regular
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
            DataError: The file is cut or damaged, or holds no rows.
        """
        file = table_in(path, (".parquet",))
        if file is None:
            raise DataError(f"{printable(path)}: expected one Parquet file.", "Give the path of the file itself.")
        try:
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
