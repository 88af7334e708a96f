"""PASCAL VOC for classification: `JPEGImages` and lists of which picture shows which object, one list per class."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Blobs, Cells, Found, Refusal
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import refusal
from netwright.words import listed

_LIST = re.compile(r"(?P<name>.+)_(?P<part>train|val|test)\.txt")
_PARTS = {"train": "train", "val": "validation", "test": "test"}
_OFFICIAL = {
    "VOC2007": {"train": 2_501, "val": 2_510, "test": 4_952},
    "VOC2012": {"train": 5_717, "val": 5_823},
}
_CLASSES = 20
_AGAIN = "Fetch and unpack it again; a download was probably cut."
_DIFFICULT = 0


@dataclass(frozen=True)
class _Part:
    """The pictures of one part by name, and what is to be seen in each: 1, -1 for not, 0 for hardly."""

    ids: list[str]
    shown: dict[str, dict[str, int]]


class Voc(Layout):
    """A folder `VOC2012` (or one that holds it) with `ImageSets/Main/cat_train.txt`; columns `image` and `objects`.

    `objects` holds the classes that a picture shows, and becomes tags. Pictures whose object is marked as difficult (0)
    count as showing it; the challenge's own evaluation leaves them out.

    Source: Everingham et al. 2010, The PASCAL Visual Object Classes (VOC) Challenge, section 3.
    """

    name: ClassVar[str] = "voc"

    def matches(self, path: Path) -> bool:
        """A folder with `JPEGImages` and lists of classes below it."""
        return _root(path) is not None

    def find(self, path: Path) -> Found:
        """All pictures that the lists name, with what they show.

        Raises:
            DataError: Lists do not fit each other, or name pictures that are not there: everything at once.
        """
        root = _root(path)
        if root is None:
            raise DataError(
                f"{printable(path)} has no ImageSets/Main with lists of classes.", "Give VOCdevkit/VOC2012."
            )
        parts, classes, problems = _lists(root / "ImageSets" / "Main")
        ids = [one for part in parts.values() for one in part.ids]
        there = {child.stem: child.name for child in (root / "JPEGImages").iterdir() if child.suffix.lower() == ".jpg"}
        if lost := [one for one in ids if one not in there]:
            problems.append(f"JPEGImages lacks {len(lost):,} of {len(ids):,} pictures ({listed(lost, 3)}).")
        if problems:
            raise DataError(f"{printable(root)} is not whole. {' '.join(problems)}", _AGAIN)
        named = set(ids)
        others = [name for stem, name in sorted(there.items()) if stem not in named]
        shown = [
            [name for name in classes if part.shown[name][one] != -1] for part in parts.values() for one in part.ids
        ]
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array([printable(f"JPEGImages/{there[one]}") for one in ids], pa.string()),
            columns={
                "image": Blobs(root / "JPEGImages", tuple(there[one] for one in ids)),
                "objects": Cells(pa.chunked_array([pa.array(shown, pa.list_(pa.string()))])),
            },
            official=pa.array([_PARTS[part] for part, of in parts.items() for _ in of.ids], pa.string()),
            refused=tuple(_unlisted(others)),
            notes=tuple(_notes(root, parts, classes)),
            sources=(root / "JPEGImages", root / "ImageSets" / "Main"),
        )


def _root(path: Path) -> Path | None:
    """The folder with `JPEGImages` and lists of classes: `path`, or the newest year below it."""
    if not path.is_dir():
        return None
    years = sorted((*path.glob("VOC20??"), *path.glob("VOCdevkit/VOC20??")), reverse=True)
    for root in (path, *years):
        lists = root / "ImageSets" / "Main"
        if (root / "JPEGImages").is_dir() and lists.is_dir() and any(_LIST.fullmatch(p.name) for p in lists.iterdir()):
            return root
    return None


def _unlisted(names: list[str]) -> list[Refusal]:
    return [refusal(f"JPEGImages/{name}", "in no list of ImageSets/Main") for name in names]


def _lists(folder: Path) -> tuple[dict[str, _Part], list[str], list[str]]:
    """The parts, the classes, and what is wrong with the lists."""
    files = [match for child in sorted(folder.iterdir()) if (match := _LIST.fullmatch(child.name))]
    classes = sorted({match["name"] for match in files})
    problems, parts = [], {}
    for part in _PARTS:
        of_part = {match["name"] for match in files if match["part"] == part}
        if not of_part:
            continue
        lacking = [name for name in classes if name not in of_part]
        if lacking:
            problems.append(f"{listed([f'{name}_{part}.txt' for name in lacking], 3)} missing in ImageSets/Main.")
        shown = {}
        for name in sorted(of_part):
            shown[name], wrong = _read(folder / f"{name}_{part}.txt")
            problems += wrong
        whole = folder / f"{part}.txt"
        ids = whole.read_text(encoding="utf-8").split() if whole.is_file() else list(shown[min(of_part)])
        for name in sorted(of_part):
            gone = sum(one not in shown[name] for one in ids)
            if gone:
                problems.append(f"{name}_{part}.txt has {len(shown[name]):,} rows, and lacks {gone:,} of {part}.txt.")
        parts[part] = _Part(ids, shown)
    return parts, classes, problems


def _read(path: Path) -> tuple[dict[str, int], list[str]]:
    """Whether a class is to be seen by picture, and which lines cannot be read."""
    shown, wrong = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        cells = line.split()
        if len(cells) == 2 and cells[1] in {"-1", "0", "1"}:
            shown[cells[0]] = int(cells[1])
        elif cells and not wrong:
            wrong.append(
                f'{path.name} line {number}: "{printable(line.strip()[:40])}", expected a picture and -1, 0 or 1.'
            )
    return shown, wrong


def _notes(root: Path, parts: dict[str, _Part], classes: list[str]) -> list[str]:
    counts = {part: len(of.ids) for part, of in parts.items()}
    notes = [f"{len(classes)} classes of objects; " + ", ".join(f"{part} {count:,}" for part, count in counts.items())]
    values = Counter(value for part in parts.values() for of in part.shown.values() for value in of.values())
    if values[_DIFFICULT]:
        notes.append(f"{values[_DIFFICULT]:,} objects are marked as difficult (0) and count as shown")
    expected = _OFFICIAL.get(root.name, {})
    if len(classes) == _CLASSES:
        notes += [
            f"{part}: {counts[part]:,} pictures, not the {expected[part]:,} of {root.name}"
            for part in counts
            if part in expected and counts[part] != expected[part]
        ]
    return notes
