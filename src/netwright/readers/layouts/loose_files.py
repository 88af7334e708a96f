"""Pictures without classes: one picture, or a folder of them at any depth; what `predict` is given most often."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Blobs, Found, read_regular, unique_ids
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import list_folder, refusal, subset
from netwright.readers.sniff import HEAD_BYTES, PICTURES, sniff


class LooseFiles(Layout):
    """Pictures wherever they lie; one column, `image`."""

    name: ClassVar[str] = "loose_files"

    def matches(self, path: Path) -> bool:
        """A picture, or a folder with a picture somewhere in it."""
        if path.is_file():
            return _kind(path) in PICTURES
        return path.is_dir() and any(kind in PICTURES for kind in list_folder(path).kinds)

    def find(self, path: Path) -> Found:
        """All pictures; everything else is refused with the reason.

        Raises:
            DataError: There is no picture.
        """
        if path.is_file():
            kind = _kind(path)
            if kind not in PICTURES:
                raise DataError(f"{printable(path)} is not a picture (it holds {kind}).", "Give a picture.")
            blobs, refused = Blobs(path.parent, (path.name,)), []
        else:
            listing = list_folder(path)
            keep = [place for place, kind in enumerate(listing.kinds) if kind in PICTURES]
            blobs, refused = subset(listing, keep), list(listing.refused)
            refused += [
                refusal(name, f"not a picture (holds {kind})")
                for name, kind in zip(listing.blobs.names, listing.kinds, strict=True)
                if kind not in PICTURES
            ]
            if not keep:
                raise DataError(f"{printable(path)}: no picture in this folder.", "Give pictures or a table.")
        return Found(self.name, str(path), unique_ids(blobs.names), {"image": blobs}, None, tuple(refused), (), (path,))


def _kind(path: Path) -> str:
    try:
        return sniff(read_regular(path, HEAD_BYTES))
    except CellError as exc:
        return f"nothing readable: {exc.message}"
