"""Pen-based digits of the UCI repository: eight points of each digit, thirty writers train and fourteen others test."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, read_regular
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.text_table import read_text

_TRAINED, _ALL = 7_494, 10_992  # rows of the training writers, and of all, where one table holds both
_NUMBERS = 16
_HEADER = ["", *(f"c{k}" for k in range(1, _NUMBERS + 1)), "class"]
_PARTS = {"pendigits.tra": "train", "pendigits.tes": "test"}
_TABLE = "pendigits.csv"
_PEEK_BYTES = 2**10


class PenDigits(Layout):
    """Columns `ink` and `category`, with the published parts: `pendigits.tra` and `.tes`, or both in one table.

    Source: Alpaydin & Alimoglu 1998, Pen-Based Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """

    name: ClassVar[str] = "pendigits"

    def matches(self, path: Path) -> bool:
        """A folder with both files, or the table, alone or in a folder."""
        if path.is_dir():
            return all((path / name).is_file() for name in _PARTS) or self.matches(path / _TABLE)
        if path.name != _TABLE or not path.is_file():
            return False
        try:
            first = read_regular(path, _PEEK_BYTES).split(b"\n")[0].decode("utf-8", "replace")
        except CellError:
            return False
        return next(csv.reader([first.strip()]), []) == _HEADER

    def find(self, path: Path) -> Found:
        """Every digit; rows that are none are refused, by their number.

        Raises:
            DataError: The files are not there, or hold no digit.
        """
        folder = path if path.is_dir() else path.parent
        names = list(_PARTS) if all((folder / name).is_file() for name in _PARTS) else [_TABLE]
        inks: list[str] = []
        digits: list[str] = []
        parts: list[str] = []
        ids: list[str] = []
        refused: list[Refusal] = []
        for name in names:
            rows = _rows(folder / name)
            for number, row in enumerate(rows, start=1):
                where = f"{name} row {number}"
                ink = _ink(row[:_NUMBERS])
                if ink is None or len(row) != _NUMBERS + 1 or row[-1].strip() not in set("0123456789"):
                    refused.append(Refusal(where, where, "refused", f"is no {_NUMBERS} numbers and a digit."))
                    continue
                inks.append(ink)
                digits.append(row[-1].strip())
                ids.append(where)
                parts.append(_PARTS.get(name, "train" if number <= _TRAINED else "test"))
        if not ids:
            raise DataError(f"{printable(path)}: no digit of {_NUMBERS} numbers.", "Fetch the files again.")
        whole = names != [_TABLE] or len(ids) + len(refused) == _ALL
        columns = {"ink": inks, "category": digits}
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={name: Cells(pa.chunked_array([pa.array(cells, pa.string())])) for name, cells in columns.items()},
            official=pa.array(parts, pa.string()) if whole else None,
            refused=tuple(refused),
            notes=() if whole else (f"not the published {_ALL:,} rows, so that nothing says who wrote them",),
            sources=tuple(folder / name for name in names),
        )


def _rows(path: Path) -> list[list[str]]:
    """The cells of each row, without header and row numbers."""
    text = read_text(path).content.to_pybytes().decode("utf-8")
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    return [row[1:] for row in rows[1:]] if rows and rows[0] == _HEADER else rows


def _ink(cells: list[str]) -> str | None:
    try:
        points = np.array(cells, dtype=np.float64)
    except ValueError:
        return None
    return json.dumps(points.reshape(-1, 2).tolist()) if len(points) == _NUMBERS else None
