"""Plain texts: one file, or a folder of them at any depth; a text is an example, and a language model cuts it up."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Blobs, Found, read_regular, unique_ids
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import list_folder, refusal, subset
from netwright.readers.sniff import HEAD_BYTES, INKS, TEXTS, is_no, sniff

_TEXTS = TEXTS | INKS


class TextFiles(Layout):
    """Texts wherever they lie; one column, `text`. Only where it is asked for: a text may be anything."""

    name: ClassVar[str] = "text_files"

    def matches(self, path: Path) -> bool:
        """Never by itself."""
        del path
        return False

    def find(self, path: Path) -> Found:
        """All texts; everything else is refused with the reason.

        Raises:
            DataError: There is no text.
        """
        if path.is_file():
            if _kind(path) not in _TEXTS:
                raise DataError(f"{printable(path)}: {is_no('text', _kind(path))}.", "Give a plain text.")
            blobs, refused = Blobs(path.parent, (path.name,)), []
        else:
            listing = list_folder(path)
            keep = [place for place, kind in enumerate(listing.kinds) if kind in _TEXTS]
            blobs, refused = subset(listing, keep), list(listing.refused)
            refused += [
                refusal(name, is_no("text", kind))
                for name, kind in zip(listing.blobs.names, listing.kinds, strict=True)
                if kind not in _TEXTS
            ]
        if not len(blobs):
            raise DataError(f"{printable(path)}: no text in this folder.", "Give plain texts.")
        return Found(self.name, str(path), unique_ids(blobs.names), {"text": blobs}, None, tuple(refused), (), (path,))


def _kind(path: Path) -> str:
    try:
        return sniff(read_regular(path, HEAD_BYTES))
    except CellError:
        return ""
