"""One folder per class of pictures, sounds, pen ink or texts; a folder or a tar of the same.

There may be `train`, `val` and `test` folders above them.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import (
    DAMAGED,
    Cells,
    Found,
    Refusal,
    open_packed,
    packing_of,
    same_form,
    twins,
    unique_ids,
)
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import Listing, list_archive, list_folder, refusal, signal_of, subset
from netwright.readers.sniff import is_no, sniff

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_TABLES = (".csv", ".tsv", ".parquet")
_PEEK = 200  # entries of a folder looked at to recognise the layout


class ClassFolders(Layout):
    """Files in folders named by their class; columns `image` (or `audio`, `ink`, `text`) and `category`."""

    name: ClassVar[str] = "class_folders"

    def matches(self, path: Path) -> bool:
        """A folder of at least two folders (one, if no table lies beside it), or a tar archive."""
        if path.is_file():
            return _is_tar(path)
        if not path.is_dir():
            return False
        children = [child for child in path.iterdir() if not child.name.startswith(".")]
        folders = [child for child in children if child.is_dir()]
        table = any(child.suffix.lower() in _TABLES for child in children)
        return len(folders) > 1 or (len(folders) == 1 and not table)

    def find(self, path: Path) -> Found:
        """All pictures with their classes; where there are more sounds, inks or texts, all of those.

        Raises:
            DataError: No picture lies in a class folder; says what does.
        """
        listing = list_archive(path) if path.is_file() else list_folder(path)
        depth = _wrapping(listing.blobs.names)
        splits = _has_splits(listing.blobs.names, depth)
        signal = signal_of(listing, asked=self.asked)
        keep: list[int] = []
        classes: list[str] = []
        official: list[str] = []
        refused = list(listing.refused)
        for place, name in enumerate(listing.blobs.names):
            parts = name.split("/")[depth:]
            split = SPLITS.get(parts[0].lower(), "") if splits else ""
            what = "" if signal.holds(name, listing.kinds[place]) else is_no(signal.noun, listing.kinds[place])
            reason = _reason(what, parts, split, splits)
            if reason:
                refused.append(refusal(name, reason))
                continue
            keep.append(place)
            classes.append(same_form(printable(parts[1 if splits else 0])))
            official.append(split)
        if not keep:
            raise _nothing(path, listing, refused)
        blobs = subset(listing, keep)
        return Found(
            layout=self.name,
            origin=str(path),
            ids=unique_ids(blobs.names),
            columns={signal.name: blobs, "category": Cells(pa.chunked_array([pa.array(classes, pa.string())]))},
            official=pa.array(official, pa.string()) if splits else None,
            refused=tuple(refused),
            notes=tuple(_notes(classes, official, splits)),
            sources=(path,),
        )


def _is_tar(path: Path) -> bool:
    packing = packing_of(path)
    try:
        with open_packed(path, packing) as file:
            return sniff(file.read(512)) == "tar"
    except DAMAGED:
        return packing == "xz" and ".tar" in path.name


def _wrapping(names: tuple[str, ...]) -> int:
    """How many outer folders hold everything and so are no classes, e.g. the `photos/` inside `photos.tar`."""
    depth = 0
    while names:
        outer = {tuple(name.split("/")[: depth + 1]) for name in names}
        inner = {tuple(parts[: depth + 2]) for name in names if len(parts := name.split("/")) > depth + 2}
        if len(outer) > 1 or len(inner) < 2 or next(iter(outer))[-1].lower() in SPLITS:
            break
        depth += 1
    return depth


def _has_splits(names: tuple[str, ...], depth: int) -> bool:
    """Whether the outer folders are a split that the data brings along, with classes inside."""
    outer = {SPLITS.get(parts[depth].lower(), "") for name in names if len(parts := name.split("/")) > depth + 2}
    return "train" in outer and (len(outer - {""}) > 1 or outer == {"train"})


def _reason(what: str, parts: list[str], split: str, splits: bool) -> str:
    """Why a file is no example, or nothing; `what` says why by what it holds."""
    if splits and not split:
        return "outside the train, validation and test folders"
    if len(parts) < (3 if splits else 2):
        return f"{what}, no class" if what else "no class: it lies beside the class folders, not in one"
    return what


def _notes(classes: list[str], official: list[str], splits: bool) -> list[str]:
    notes = [f"classes: {twin}" for twin in twins(sorted(set(classes)))]
    if splits:
        counts = Counter(official)
        notes.append("split given by folders: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    return notes


def _nothing(path: Path, listing: Listing, refused: list[Refusal]) -> DataError:
    counts = Counter(listing.kinds)
    held = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(5)) or "no files"
    first = "; ".join(f"{item.where}: {item.reason}" for item in refused[:3])
    return DataError(
        f"{printable(path)}: no picture in a class folder. Found {held}{f' ({first})' if first else ''}.",
        "Put pictures into one folder per class, e.g. photos/cat/1.jpg, or give a table that names files and labels.",
    )
