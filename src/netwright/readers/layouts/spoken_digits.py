"""The Free Spoken Digit Dataset: `recordings/3_theo_17.wav` is a three, spoken by theo, the 17th time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.readers.columns import Cells, Found
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.named_files import NamedFiles

_NAME = re.compile(r"\d_[a-z]+_\d+\.wav")
_TESTED = 5  # of each speaker's recordings of a digit, the first ones
_FEW = 20


class SpokenDigits(Layout):
    """Columns `audio`, `category` and `speaker`; the first five recordings of each are the test part, as published.

    Source: Jackson et al. 2018, Free Spoken Digit Dataset v1.0.8, zenodo.org/record/1342401.
    """

    name: ClassVar[str] = "spoken_digits"

    def matches(self, path: Path) -> bool:
        """A folder whose files, or those of `recordings` in it, are all called so."""
        if not path.is_dir():
            return False
        files = [each.name for each in _recordings(path).iterdir() if each.is_file()]
        return len(files) >= _FEW and all(_NAME.fullmatch(name) for name in files)

    def find(self, path: Path) -> Found:
        """All recordings; everything else is refused with the reason.

        Raises:
            DataError: No file is called so.
        """
        found = NamedFiles("{category}_{speaker}_{take}").find(_recordings(path))
        takes = found.columns["take"]
        numbers = takes.values.to_pylist() if isinstance(takes, Cells) else []
        parts = ["test" if number.isdecimal() and int(number) < _TESTED else "train" for number in numbers]
        return replace(
            found,
            layout=self.name,
            origin=str(path),
            columns={name: column for name, column in found.columns.items() if name != "take"},
            official=pa.array(parts, pa.string()),
            notes=(*found.notes, "hold out speakers with data.split: {by: group, column: speaker}"),
        )


def _recordings(path: Path) -> Path:
    inside = path / "recordings"
    return inside if inside.is_dir() else path
