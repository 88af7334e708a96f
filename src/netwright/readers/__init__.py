"""Finding examples in files or memory (layouts) and turning their cells into arrays (kinds).

`find` and `from_memory` give a `Found`: columns of unread cells. `infer` says what kind a column is, and the kind
(`registry.resolve("kind", name)()`) plans a field, reads its cells and codes them for the network.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from netwright import registry
from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Found, Refusal, Several, Steps, read_regular
from netwright.readers.infer import infer
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.memory import from_memory
from netwright.readers.layouts.named_files import NamedFiles
from netwright.readers.sniff import HEAD_BYTES, sniff
from netwright.readers.spreadsheet import is_workbook

__all__ = [
    "Arrays",
    "Blobs",
    "Cells",
    "Column",
    "Found",
    "Refusal",
    "Several",
    "Steps",
    "find",
    "from_memory",
    "infer",
    "sniff",
]


def find(path: str | Path, layout: str | None = None, pattern: str | None = None, asked: str = "") -> Found:
    """The examples at a path.

    Args:
        path: A folder, a table, an archive, or a name such as `sklearn:digits`.
        layout: Name of the layout; recognised from names and first bytes when left out.
        pattern: What the parts of files' names are; see `layouts/named_files.py`.
        asked: The kind that files are to hold, where somebody said so.

    Raises:
        DataError: Nothing is there, or nothing that any layout can read.
        SpecError: No such layout.
    """
    where = Path(path)
    named = registry.comes_by_name(str(path))
    if not named and not where.exists():
        raise _missing(where)
    if not named and not (where.is_dir() or where.is_file()):
        raise DataError(f"{printable(where)} is neither a folder nor a regular file.", "Give a folder or a file.")
    if not named and is_workbook(where):
        raise DataError(
            f"{printable(where)}: looks like an Excel workbook, whatever its name ends in.",
            "Save the sheet as CSV in your spreadsheet program (Save as, CSV UTF-8) and give that file.",
        )
    if pattern and where.is_dir():
        files = NamedFiles(pattern)
        files.asked = asked
        return files.find(where)
    names = [layout] if layout else list(registry.parts("layout"))
    for name in names:
        found: Layout = registry.resolve("layout", name)()
        found.asked = asked
        if layout or found.matches(where):
            return found.find(where)
    raise DataError(
        f"{printable(where)}: holds {_contents(where)}, which fits no layout.",
        f"Known layouts: {', '.join(names)}. Give class folders, a CSV or Parquet table, a tar, or idx files.",
    )


def _missing(path: Path) -> DataError:
    siblings = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
    return DataError(
        f"{printable(path)}: no such file or folder{printable(registry.nearest(path.name, siblings))}.",
        f"Check the path; it is looked up from {printable(Path.cwd())}.",
    )


def _contents(path: Path) -> str:
    """What a path holds, in a few words."""
    if path.is_file():
        try:
            return f"a file of kind {sniff(read_regular(path, HEAD_BYTES))}"
        except CellError as exc:
            return f"a file that {exc.message.rstrip('.')}"
    kinds = Counter("folders" if child.is_dir() else (child.suffix or "unnamed") + " files" for child in path.iterdir())
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(4)) or "nothing"
