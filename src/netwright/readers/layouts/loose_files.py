"""Pictures, sounds or inks without classes: one, or a folder of them at any depth; what `predict` is given most."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Blobs, Found, read_regular, unique_ids
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import Listing, list_folder, refusal, signal_of, subset
from netwright.readers.sniff import HEAD_BYTES, INKS, PICTURES, SOUNDS, is_no, sniff

_FILES = PICTURES | SOUNDS | INKS
_ANY = "picture, sound or pen ink"


class LooseFiles(Layout):
    """Pictures wherever they lie; one column, `image`; where there are more sounds, `audio`, or inks, `ink`."""

    name: ClassVar[str] = "loose_files"

    def matches(self, path: Path) -> bool:
        """A picture, a sound or an ink, or a folder with one somewhere in it."""
        if path.is_file():
            return _kind(path) in _FILES
        return path.is_dir() and any(kind in _FILES for kind in list_folder(path).kinds)

    def find(self, path: Path) -> Found:
        """All pictures, sounds or inks; everything else is refused with the reason.

        Raises:
            DataError: There is none.
        """
        if path.is_file():
            kind = _kind(path)
            blobs, refused = Blobs(path.parent, (path.name,)), []
            signal = signal_of(Listing(blobs, [kind]), texts=False)
            if not signal.holds(path.name, kind):
                raise DataError(
                    f"{printable(path)}: {is_no(_ANY, kind)}.", "Give a file of the kind that was learned from."
                )
        else:
            listing = list_folder(path)
            signal = signal_of(listing, texts=False)
            files = list(zip(listing.blobs.names, listing.kinds, strict=True))
            keep = [place for place, file in enumerate(files) if signal.holds(*file)]
            blobs, refused = subset(listing, keep), list(listing.refused)
            refused += [refusal(name, is_no(signal.noun, kind)) for name, kind in files if not signal.holds(name, kind)]
            if not keep:
                held = f" ({refused[0].where}: {refused[0].reason})" if refused else ""
                raise DataError(f"{printable(path)}: no {_ANY} in this folder{held}.", "Give such files, or a table.")
        return Found(
            self.name, str(path), unique_ids(blobs.names), {signal.name: blobs}, None, tuple(refused), (), (path,)
        )


def _kind(path: Path) -> str:
    try:
        return sniff(read_regular(path, HEAD_BYTES))
    except CellError as exc:
        return f"nothing readable: {exc.message}"
