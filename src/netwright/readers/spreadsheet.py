"""What a spreadsheet program did to a file that cannot be used as it is."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from netwright.readers.columns import Found, same_form
from netwright.readers.layouts.text_table import read_text

_HEAD_LINES = 20  # in which a header is looked for
_HEAD_BYTES = 2**16
_BETWEEN = re.compile(r"[;,|\t]")


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


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook, whatever its name ends in."""
    try:
        if not path.is_file() or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as packed:
            return any(name == "[Content_Types].xml" or name.startswith("xl/") for name in packed.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
