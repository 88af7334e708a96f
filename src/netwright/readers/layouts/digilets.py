"""DigiLeTs: a file of pen ink for each writer, a line of points and below it a line that says which character it is."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, read_regular
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.text_table import read_text

CHARACTERS = string.digits + string.ascii_lowercase + string.ascii_uppercase
_NUMBERS = 5  # of a point: x, y, pressure, 1 where a stroke begins, seconds
_PEEK_BYTES = 2**15
_LIKE = "*_preprocessed"


class DigiLets(Layout):
    """Columns `ink`, `category` and `writer`, which is the beginning of a file's name; split by it.

    Source: Fabi, Otte, Butz 2021, Fostering Compositionality in Latent, Generative Encodings to Solve the Omniglot
    Challenge, section 4 (the data set); the files as they are published.
    """

    name: ClassVar[str] = "digilets"

    def matches(self, path: Path) -> bool:
        """A folder of such files."""
        first = next(iter(sorted(path.glob(_LIKE))), None) if path.is_dir() else None
        if first is None:
            return False
        try:
            lines = read_regular(first, _PEEK_BYTES).decode("utf-8", "replace").splitlines()
        except CellError:
            return False
        return len(lines) > 2 and _ink(lines[0]) is not None and _character(lines[1]) is not None

    def find(self, path: Path) -> Found:
        """Every character of every writer; lines that are none are refused, by their number.

        Raises:
            DataError: No file holds a character.
        """
        inks: list[str] = []
        characters: list[str] = []
        writers: list[str] = []
        ids: list[str] = []
        refused: list[Refusal] = []
        files = sorted(path.glob(_LIKE))
        for file in files:
            lines = read_text(file).content.to_pybytes().decode("utf-8").rstrip("\n").split("\n")
            for place in range(0, len(lines), 2):
                where = f"{printable(file.name)} line {place + 1}"
                ink, character = _ink(lines[place]), _character(lines[place + 1] if place + 1 < len(lines) else "")
                if ink is None or character is None:
                    what = "are no points of five numbers" if ink is None else "have no class below them"
                    refused.append(Refusal(where, where, "refused", f"the numbers {what}."))
                    continue
                inks.append(ink)
                characters.append(character)
                writers.append(file.name.partition("-")[0])
                ids.append(where)
        if not ids:
            raise DataError(f"{printable(path)}: no file of it holds ink.", "Give the folder of DigiLeTs' files.")
        columns = {"ink": inks, "category": characters, "writer": writers}
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={name: Cells(pa.chunked_array([pa.array(cells, pa.string())])) for name, cells in columns.items()},
            refused=tuple(refused),
            notes=(f"{len(files):,} writers; hold out writers with data.split: {{by: group, column: writer}}",),
            sources=tuple(files),
        )


def _ink(line: str) -> str | None:
    """x, y and whether a stroke begins of each point, as JSON; None where the line holds something else."""
    try:
        numbers = np.array(line.split(), dtype=np.float64)
    except ValueError:
        return None
    if not len(numbers) or len(numbers) % _NUMBERS:
        return None
    points = numbers.reshape(-1, _NUMBERS)[:, [0, 1, 3]]
    return json.dumps(points.tolist()) if np.isin(points[:, 2], (0, 1)).all() else None


def _character(line: str) -> str | None:
    cells = line.split()
    if len(cells) != len(CHARACTERS) or sorted(set(cells)) != ["0.0", "1.0"] or cells.count("1.0") != 1:
        return None
    return CHARACTERS[cells.index("1.0")]
