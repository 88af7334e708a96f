"""The idx files of MNIST and its relatives, packed or not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import (
    DAMAGED,
    Arrays,
    Cells,
    Found,
    most_unpacked,
    open_packed,
    packing_of,
    read_at_most,
)
from netwright.readers.layouts.layout import Layout

_NAME = re.compile(r"(?P<stem>.*?)(?P<part>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx\d-?ubyte(\.gz)?", re.I)
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_OFFICIAL = {"train": 60_000, "test": 10_000}
_LARGEST = 16 * 2**30
_AGAIN = "Delete it and fetch it again; a download was probably cut."


@dataclass(frozen=True)
class _Pair:
    part: str
    images: Path
    labels: Path


class Idx(Layout):
    """A folder with `train-images-idx3-ubyte[.gz]` and its three companions; columns `image` and `category`."""

    name: ClassVar[str] = "idx"

    def matches(self, path: Path) -> bool:
        """A folder with at least one file named like MNIST's."""
        return path.is_dir() and any(_NAME.fullmatch(child.name) for child in path.iterdir())

    def find(self, path: Path) -> Found:
        """All images with their labels.

        Raises:
            DataError: A file is missing, cut, or does not fit its companion.
        """
        pairs = _pairs(path)
        images, labels, official, notes = [], [], [], []
        for pair in pairs:
            pictures, classes = read_idx(pair.images), read_idx(pair.labels)
            if pictures.ndim != 3 or pictures.dtype != np.uint8 or classes.ndim != 1:
                raise DataError(
                    f"{printable(pair.images)} holds {pictures.dtype} of shape {pictures.shape}, its labels "
                    f"{classes.shape}; expected pictures (count, height, width) of bytes and one label each.",
                    "Give the original idx files.",
                )
            if len(pictures) != len(classes):
                raise DataError(
                    f"{printable(pair.images)} holds {len(pictures):,} pictures but {printable(pair.labels.name)} "
                    f"{len(classes):,} labels.",
                    "Fetch both again; they do not belong together.",
                )
            if len(pictures) != _OFFICIAL[pair.part]:
                notes.append(f"{pair.part}: {len(pictures):,} pictures, not the {_OFFICIAL[pair.part]:,} of MNIST")
            images.append(pictures)
            labels.append(classes)
            official += [pair.part] * len(classes)
        if len({pictures.shape[1:] for pictures in images}) > 1:
            raise DataError(f"{printable(path)}: pictures differ in size.", "Give files that belong together.")
        ids = [f"{pair.part} {number}" for pair, of in zip(pairs, labels, strict=True) for number in range(len(of))]
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={
                "image": Arrays(np.concatenate(images)),
                "category": Cells(pa.chunked_array([pa.array(of.astype(np.int64)) for of in labels])),
            },
            official=pa.array(official, pa.string()) if len(pairs) > 1 else None,
            notes=tuple(notes),
            sources=tuple(file for pair in pairs for file in (pair.images, pair.labels)),
            place=printable(path.name),
        )


def _pairs(path: Path) -> list[_Pair]:
    """The pairs of pictures and labels, train first; a packed file counts only where the plain one is missing."""
    files: dict[tuple[str, str], Path] = {}
    stems: set[str] = set()
    for child in sorted(path.iterdir()):
        match = _NAME.fullmatch(child.name)
        if match:
            part = "train" if match["part"].lower() == "train" else "test"
            files.setdefault((part, match["what"].lower()), child)
            stems.add(match["stem"])
    if len(stems) > 1:
        raise DataError(
            f"{printable(path)} holds several sets: {', '.join(sorted(stems))}.", "Put each set into its own folder."
        )
    pairs = []
    for part in ("train", "test"):
        present = {what: files[part, what] for what in ("images", "labels") if (part, what) in files}
        if len(present) == 1:
            what, file = next(iter(present.items()))
            other = "labels" if what == "images" else "images"
            raise DataError(f"{printable(file)} is there, but the {part} {other} are missing.", "Fetch that file too.")
        if present:
            pairs.append(_Pair(part, present["images"], present["labels"]))
    return pairs


def read_idx(path: Path) -> np.ndarray:
    """The array in one idx file, in the machine's byte order.

    Raises:
        DataError: Cut, longer than it says, or no idx file; tells the bytes found and expected.
    """
    packing = packing_of(path)
    try:
        with open_packed(path, packing) as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\x00\x00" or head[2] not in _TYPES or not 1 <= head[3] <= 8:
                raise DataError(
                    f"{printable(path)}: not an idx file (begins with {head.hex(' ') or 'nothing'}).", _AGAIN
                )
            sizes = file.read(4 * head[3])
            shape = tuple(int(size) for size in np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4"))
            dtype = np.dtype(_TYPES[head[2]])
            expected = math.prod(shape) * dtype.itemsize
            if packing and most_unpacked(path) < expected <= _LARGEST:
                raise DataError(
                    f"{printable(path)}: unpacks to {expected:,} bytes from {path.stat().st_size:,}, like a bomb.",
                    "If you trust it, unpack it and give the plain file.",
                )
            if len(shape) < head[3] or expected > _LARGEST:
                raise DataError(f"{printable(path)}: its header asks for {expected:,} bytes in {shape}.", _AGAIN)
            content, trouble = read_at_most(file, expected + 1)
    except DAMAGED as exc:
        raise DataError(f"{printable(path)}: cannot be unpacked ({exc}).", _AGAIN) from exc
    if len(content) != expected or trouble:
        found = f"more than {expected:,}" if len(content) > expected else f"{len(content):,}"
        raise DataError(
            f"{printable(path)}: found {found} bytes of data, expected {expected:,} for {' x '.join(map(str, shape))}"
            f"{f' ({trouble})' if trouble else ''}; the file has {path.stat().st_size:,} bytes on disk.",
            _AGAIN,
        )
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
