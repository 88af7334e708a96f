"""CIFAR-10 and CIFAR-100 in their binary version: rows of one or two labels and 3,072 bytes of colour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from netwright.errors import DataError
from netwright.files import printable
from netwright.readers.columns import Arrays, Cells, Found
from netwright.readers.layouts.layout import Layout

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE
_TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_AGAIN = (
    "Fetch and unpack it again; a download was probably cut. To train on a part on purpose, put the pictures into "
    "class folders."
)
_ARCHIVE = re.compile(r"cifar-100?-(?P<version>binary|python)\.tar(\.gz)?", re.I)


@dataclass(frozen=True)
class _Version:
    """What one of the two sets looks like on disk.

    Args:
        name: Of the set.
        files: Part and rows by file.
        labels: Bytes before the pixels of a row; the last one is the class.
        names: File with the names of the classes, one a line.
        classes: How many.
        pickles: Names of the same content in the Python version.
        archive: The download.
    """

    name: str
    files: dict[str, tuple[str, int]]
    labels: int
    names: str
    classes: int
    pickles: tuple[str, ...]
    archive: str


_VERSIONS = (
    _Version(
        "CIFAR-10",
        {**{f"data_batch_{k}.bin": ("train", 10_000) for k in range(1, 6)}, "test_batch.bin": ("test", 10_000)},
        1,
        "batches.meta.txt",
        10,
        ("data_batch_1", "test_batch"),
        "cifar-10-binary.tar.gz",
    ),
    _Version(
        "CIFAR-100",
        {"train.bin": ("train", 50_000), "test.bin": ("test", 10_000)},
        2,
        "fine_label_names.txt",
        100,
        ("train", "test", "meta"),
        "cifar-100-binary.tar.gz",
    ),
)


class Cifar(Layout):
    """A folder with `data_batch_1.bin` and its companions, or `train.bin` and `test.bin`; columns `image`, `category`.

    Of CIFAR-100 the hundred fine classes are read, not the twenty coarse ones.

    Source: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; https://www.cs.toronto.edu/~kriz/cifar.html
    """

    name: ClassVar[str] = "cifar"

    def matches(self, path: Path) -> bool:
        """A folder (or the only folder in it) with files named so, in either version, or one of the archives."""
        return bool(_ARCHIVE.fullmatch(path.name)) if path.is_file() else _inside(path) is not None

    def find(self, path: Path) -> Found:
        """All pictures with their classes.

        Raises:
            DataError: The Python version, a packed archive, or files that are missing, cut or of another content.
        """
        if path.is_file():
            raise _packed(path)
        inside = _inside(path)
        if inside is None:
            raise DataError(f"{printable(path)} holds neither CIFAR-10 nor CIFAR-100.", "Give the unpacked folder.")
        folder, version = inside
        if not any((folder / name).is_file() for name in version.files):
            raise _pickled(folder, version)
        names = _class_names(folder, version)
        problems = [
            problem for name, (_, rows) in version.files.items() if (problem := _problem(folder, version, name, rows))
        ]
        if problems:
            raise DataError(f"{printable(folder)}: {version.name} is not whole. {' '.join(problems)}", _AGAIN)
        tables = {name: _table(folder / name, version) for name in version.files}
        codes = np.concatenate([table[:, version.labels - 1] for table in tables.values()])
        pixels = np.concatenate([table[:, version.labels :] for table in tables.values()])
        parts = [part for part, rows in version.files.values() for _ in range(rows)]
        ids = [f"{name.removesuffix('.bin')} {row}" for name, table in tables.items() for row in range(len(table))]
        known = (*version.files, version.names)
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={
                "image": Arrays(np.ascontiguousarray(pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))),
                "category": Cells(pa.chunked_array([pa.array(np.array(names)[codes], pa.string())])),
            },
            official=pa.array(parts, pa.string()),
            notes=(f"{version.name}: {parts.count('train'):,} pictures to train, {parts.count('test'):,} to test",),
            sources=tuple(folder / name for name in known if (folder / name).exists()),
            place=printable(path.name),
        )


def _table(path: Path, version: _Version) -> np.ndarray:
    """The rows of one file, labels and pixels, its labels checked."""
    table = np.fromfile(path, np.uint8).reshape(-1, version.labels + _PIXELS)
    code = table[:, version.labels - 1]
    if int(code.max()) >= version.classes:
        row = int(code.argmax())
        told = f"class {int(code[row])}, expected 0 to {version.classes - 1}"
        raise DataError(f"{printable(path)} row {row}: {told}.", _AGAIN)
    return table


def _inside(path: Path) -> tuple[Path, _Version] | None:
    """The folder that holds the files, `path` itself or the only one in it, and which set they are."""
    if not path.is_dir():
        return None
    folders = [child for child in path.iterdir() if child.is_dir() and not child.name.startswith(".")]
    for folder in (path, *(folders if len(folders) == 1 else ())):
        for version in _VERSIONS:
            binary = any((folder / name).is_file() for name in version.files)
            if binary or all((folder / name).is_file() for name in version.pickles):
                return folder, version
    return None


def _problem(folder: Path, version: _Version, name: str, expected: int) -> str:
    """What is wrong with the size of a file, or nothing."""
    path, width = folder / name, version.labels + _PIXELS
    if not path.is_file():
        return f"{name} is missing."
    rows, rest = divmod(path.stat().st_size, width)
    if rows == expected and not rest:
        return ""
    told = f" and {rest:,} bytes of another" if rest else ""
    return f"{name} has {rows:,} rows{told}, expected {expected:,}."


def _class_names(folder: Path, version: _Version) -> list[str]:
    """The names of the classes by code."""
    path = folder / version.names
    if not path.is_file():
        if version.classes == len(_TEN):
            return list(_TEN)  # ten names that everybody knows; a hundred would have to be believed
        raise DataError(f"{printable(path)} with the names of the classes is missing.", _AGAIN)
    names = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    if len(set(names)) != version.classes or len(names) != version.classes:
        raise DataError(
            f"{printable(path)} has {len(set(names))} different names of classes, expected {version.classes}.", _AGAIN
        )
    other = [name for name in names if version.classes == len(_TEN) and name not in _TEN]
    if other:
        raise DataError(
            f'{printable(path)}: "{printable(other[0])}" is no class of {version.name} ({", ".join(_TEN)}).', _AGAIN
        )
    return names


def _pickled(folder: Path, version: _Version) -> DataError:
    return DataError(
        f"{printable(folder)} holds the Python version of {version.name}: its files are pickles, and reading a pickle "
        "can run any code that is in it.",
        f"Fetch the binary version, {version.archive}, unpack it and give that folder.",
    )


def _packed(path: Path) -> DataError:
    match = _ARCHIVE.fullmatch(path.name)
    if match and match["version"].lower() == "python":
        binary = path.name.lower().replace("python", "binary")
        return DataError(
            f"{printable(path)} is the Python version: its files are pickles, and reading a pickle can run any code "
            "that is in it.",
            f"Fetch the binary version, {binary}, unpack it and give the folder.",
        )
    return DataError(f"{printable(path)} is packed.", f"Unpack it (tar -xf {printable(path)}) and give the folder.")
