"""ImageNet as it is unpacked: `train/<class>/*.JPEG` and a `val` folder, often flat beside a list of its classes.

Classes are WordNet ids such as n01440764; where a list of their names lies beside them, the first name stands before
the id. Other sets of the same form are read as well, e.g. Tiny ImageNet.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, unique_ids
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import Listing, list_folder, refusal, subset
from netwright.readers.sniff import PICTURES
from netwright.words import listed

_CLASS = re.compile(r"n\d{8}")
_BELOW = ("", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC")
_LISTS = (
    "val/val_annotations.txt",
    "LOC_val_solution.csv",
    "imagenet_2012_validation_synset_labels.txt",
    "val_labels.txt",
    "val/labels.txt",
)
_NUMBERED = "ILSVRC2012_validation_ground_truth.txt"
_NAMES = ("LOC_synset_mapping.txt", "words.txt")
_OFFICIAL = {"train": 1_281_167, "validation": 50_000}  # of the thousand classes of ILSVRC 2012
_PARTS = {"train": "train", "val": "validation"}
_AGAIN = "Fetch and unpack it again; a download was probably cut."


@dataclass
class _Gathered:
    """The pictures of both parts while they are being found."""

    keep: list[int] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    official: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


class ImageNet(Layout):
    """A folder with `train/n01440764/*.JPEG` and `val`, flat or sorted; columns `image` and `category`.

    Source: Russakovsky et al. 2015, ImageNet Large Scale Visual Recognition Challenge, arXiv:1409.0575.
    """

    name: ClassVar[str] = "imagenet"

    def matches(self, path: Path) -> bool:
        """A folder with a `train` folder that holds classes named by WordNet ids, unpacked or not."""
        return _root(path) is not None

    def find(self, path: Path) -> Found:
        """All pictures with their classes, those of `val` by its folders or by the list beside it.

        Raises:
            DataError: Classes are packed or empty, pictures of `val` have no class, or the list names others.
        """
        root = _root(path)
        if root is None:
            raise DataError(f"{printable(path)} holds no train/n01440764 and the like.", "Give the unpacked folder.")
        _refuse_packed(root)
        listing = list_folder(root)
        given, source = _given(root, path, listing)
        gathered = _gathered(listing, given)
        _check(root, gathered, given, source)
        names = _names(root, path)
        labels = [f"{names[label]} {label}" if label in names else label for label in gathered.classes]
        blobs = subset(listing, gathered.keep)
        return Found(
            layout=self.name,
            origin=str(path),
            ids=unique_ids(blobs.names),
            columns={"image": blobs, "category": Cells(pa.chunked_array([pa.array(labels, pa.string())]))},
            official=pa.array(gathered.official, pa.string()),
            refused=(*listing.refused, *gathered.refused),
            notes=tuple(_notes(gathered, source)),
            sources=(root, *([source] if source and not source.is_relative_to(root) else [])),
        )


def _root(path: Path) -> Path | None:
    """The folder that `train` and `val` lie in."""
    for below in _BELOW:
        train = path / below / "train"
        if train.is_dir() and any(_CLASS.fullmatch(child.name.removesuffix(".tar")) for child in train.iterdir()):
            return path / below
    return None


def _refuse_packed(root: Path) -> None:
    packed = sorted(child.name for child in (root / "train").glob("*.tar"))
    if packed:
        raise DataError(
            f"{printable(root / 'train')} holds {len(packed):,} classes that are still packed ({listed(packed, 3)}).",
            "Unpack each into a folder of its name, e.g. "
            "`for f in n*.tar; do mkdir ${f%.tar}; tar -xf $f -C ${f%.tar}; done`, and remove the archives.",
        )


def _gathered(listing: Listing, given: dict[str, str]) -> _Gathered:
    """Every file of the listing as an example or as refused with the reason."""
    found, lists = _Gathered(), {Path(name).name for name in (*_LISTS, *_NAMES, _NUMBERED)}
    for place, name in enumerate(listing.blobs.names):
        if Path(name).name in lists:
            continue
        outer, *inner = name.split("/")
        part = _PARTS.get(outer, "")
        sorted_in = inner[0] if len(inner) > 1 and _CLASS.fullmatch(inner[0]) else ""
        label = sorted_in or (given.get(Path(name).name.partition(".")[0], "") if part == "validation" else "")
        reason = ""
        if listing.kinds[place] not in PICTURES:
            reason = f"not a picture (holds {listing.kinds[place]})"
        elif not part:
            reason = "outside the train and val folders"
        elif not label:
            reason = "no class: neither in the folder of one nor in the list of val"
        if reason:
            found.refused.append(refusal(name, reason))
            continue
        found.keep.append(place)
        found.classes.append(label)
        found.official.append(part)
    return found


def _check(root: Path, found: _Gathered, given: dict[str, str], source: Path | None) -> None:
    """Refuses what only a cut download or a forgotten step explains, all of it at once."""
    problems, train = [], {label for label, part in zip(found.classes, found.official, strict=True) if part == "train"}
    folders = {child.name for child in (root / "train").iterdir() if child.is_dir() and _CLASS.fullmatch(child.name)}
    if empty := sorted(folders - train):
        problems.append(f"{len(empty):,} of {len(folders):,} classes of train have no picture ({listed(empty, 3)}).")
    held_out = found.official.count("validation")
    if given and source and held_out < len(given):
        lacks = f"{source.name} names {len(given):,} pictures, val has {held_out:,} of them"
        problems.append(f"{lacks}.")
    nameless = sum(each.where.startswith("val/") and each.reason.startswith("no class") for each in found.refused)
    if nameless:
        lists = ", ".join(_LISTS)
        numbered = f" ({_NUMBERED} numbers the classes in an order of its own and is not read)"
        problems.append(f"{nameless:,} pictures of val have no class: they lie flat and no list names them{numbered}.")
        raise DataError(f"{printable(root)}: {' '.join(problems)}", f"Put one of these beside them: {lists}.")
    if problems:
        raise DataError(f"{printable(root)} is not whole. {' '.join(problems)}", _AGAIN)


def _given(root: Path, path: Path, listing: Listing) -> tuple[dict[str, str], Path | None]:
    """Class by picture of a flat `val`, and the list they come from; nothing where no list is there."""
    for name in _LISTS:
        for folder in dict.fromkeys((root, path)):
            source = folder / name
            if source.is_file():
                return _read_list(source, listing), source
    return {}, None


def _read_list(source: Path, listing: Listing) -> dict[str, str]:
    """Class by picture's name without its end: `name class ...` a line, or only the class, for sorted names."""
    text = source.read_text(encoding="utf-8", errors="replace")
    rows = [row for row in csv.reader(text.replace("\t", ",").replace(" ", ",").splitlines()) if row]
    found, alone = {}, []
    for number, row in enumerate(rows, 1):
        label = next((cell for cell in row if _CLASS.fullmatch(cell)), "")
        if not label and number == 1:
            continue  # its headings
        if not label:
            raise DataError(
                f'{printable(source)} line {number}: "{printable(" ".join(row)[:60])}" names no class, expected one '
                "like n01440764.",
                "Give a list of WordNet ids.",
            )
        if row[0] == label:
            alone.append(label)
        else:
            found[row[0].partition(".")[0]] = label
    if not alone:
        return found
    names = sorted(Path(name).name for name in listing.blobs.names if name.startswith("val/"))
    pictures = [name for name in names if name.lower().endswith((".jpeg", ".jpg", ".png"))]
    if len(alone) != len(pictures):
        raise DataError(
            f"{printable(source)} has {len(alone):,} classes, one a line, for {len(pictures):,} pictures in val.",
            _AGAIN,
        )
    return {name.partition(".")[0]: label for name, label in zip(pictures, alone, strict=True)}


def _names(root: Path, path: Path) -> dict[str, str]:
    """First name of each class, where a list of them is there: `n01440764 tench, Tinca tinca` a line."""
    for name in _NAMES:
        for source in dict.fromkeys((root / name, path / name)):
            if source.is_file():
                lines = source.read_text(encoding="utf-8", errors="replace").splitlines()
                pairs = [re.split(r"\s+", line, maxsplit=1) for line in lines]
                return {pair[0]: pair[1].split(",")[0].strip() for pair in pairs if len(pair) == 2}
    return {}


def _notes(found: _Gathered, source: Path | None) -> list[str]:
    counts = Counter(found.official)
    notes = ["split given by folders: " + ", ".join(f"{part} {count:,}" for part, count in counts.items())]
    if source:
        notes.append(f"classes of val from {source.name}")
    if len(set(found.classes)) == 1000:
        notes += [
            f"{part}: {counts[part]:,} pictures, not the {count:,} of ImageNet's challenge of 2012"
            for part, count in _OFFICIAL.items()
            if counts[part] != count
        ]
    return notes
