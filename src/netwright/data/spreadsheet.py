"""Finding a source as `readers.find` does, and saying what a spreadsheet did to a file that cannot be used as it is."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from netwright import readers
from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Found, same_form
from netwright.readers.layouts.text_table import read_text

_HEAD_LINES = 20  # in which a header is looked for
_HEAD_BYTES = 2**16
_BETWEEN = re.compile(r"[;,|\t]")


def find(path: str | Path, layout: str | None = None) -> Found:
    """The examples at a path; see `readers.find`.

    Raises:
        DataError: Also for an Excel workbook, whatever it is called.
    """
    if _is_workbook(Path(path)):
        raise DataError(
            f"{printable(path)}: looks like an Excel workbook, whatever its name ends in.",
            "Save the sheet as CSV in your spreadsheet program (Save as, CSV UTF-8) and give that file.",
        )
    return readers.find(path, layout)


def header_below(found: Found, names: Sequence[str]) -> str:
    """Where the header of a text table seems to stand, when the columns asked for are named on a later line.

    Args:
        found: The table as it was read.
        names: Of columns; those that the table has are passed over.
    """
    wanted = {same_form(name) for name in names if name not in found.columns}
    if not wanted or found.layout != "csv" or not found.sources:
        return ""
    head = bytes(read_text(found.sources[0]).content[:_HEAD_BYTES]).decode("utf-8", "replace")
    for number, line in enumerate(head.splitlines()[:_HEAD_LINES], start=1):
        cells = {same_form(cell.strip().strip('"').strip()) for cell in _BETWEEN.split(line)}
        if number > 1 and wanted <= cells:
            return f"Line {number} looks like the header: remove the lines above it."
    return ""


def _is_workbook(path: Path) -> bool:
    try:
        if not path.is_file() or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as packed:
            return any(name == "[Content_Types].xml" or name.startswith("xl/") for name in packed.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
