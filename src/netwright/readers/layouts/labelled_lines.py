"""A text file with a class and a text on each line: `1 a moving film`, or `__label__good a moving film`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, read_regular
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.text_table import read_text
from netwright.readers.sniff import HEAD_BYTES, sniff
from netwright.words import listed

_LABEL = "__label__"  # as fastText writes classes
_LINE = re.compile(r"(?P<label>[\w+-]+) +(?P<text>[^\t]+)")
_PROSE = re.compile(r"[^\W\d_]{2}")  # two letters in a row: a table of numbers has none
_MOST_CLASSES = 50
_MOSTLY = 0.95  # share of lines that must be so; the others are refused by their number
_LOOKED_AT = 500  # lines
_PEEK_BYTES = 2**17
_PARTS = {"train": "train", "dev": "validation", "valid": "validation", "val": "validation", "test": "test"}


class LabelledLines(Layout):
    """Columns `category` and `text`; files `NAME.train`, `NAME.dev` and `NAME.test` beside each other are one data set.

    The class is the first word of a line. Lines without a text are refused, by their number.
    """

    name: ClassVar[str] = "labelled_lines"

    def matches(self, path: Path) -> bool:
        """A text whose lines begin with one of a few words, a space and a text; a table has other separators."""
        if path.suffix.casefold() in {".csv", ".tsv", ".tab"}:
            return False
        try:
            head = read_regular(path, _PEEK_BYTES) if path.is_file() else b""
        except CellError:
            return False
        if sniff(head[:HEAD_BYTES]) != "text":
            return False
        whole = head if len(head) < _PEEK_BYTES else head[: head.rfind(b"\n") + 1]
        lines = [line for line in whole.decode("utf-8", "replace").splitlines() if line.strip()][:_LOOKED_AT]
        pairs = [_LINE.fullmatch(line.strip()) for line in lines]
        texts = [pair for pair in pairs if pair and _PROSE.search(pair["text"])]
        if len(texts) < max(2, _MOSTLY * len(lines)):
            return False
        classes = {pair["label"] for pair in texts}
        return all(name.startswith(_LABEL) for name in classes) or len(classes) <= min(_MOST_CLASSES, len(texts) // 4)

    def find(self, path: Path) -> Found:
        """Every line, of this file and of those that hold the other parts.

        Raises:
            DataError: No line has a class and a text.
        """
        files, parts = _with_siblings(path)
        texts: list[str] = []
        labels: list[str] = []
        ids: list[str] = []
        official: list[str] = []
        refused: list[Refusal] = []
        notes: list[str] = []
        for file, part in zip(files, parts, strict=True):
            text = read_text(file)
            notes += [f"{printable(file.name)}: {note}" for note in text.notes]
            for number, line in enumerate(text.content.to_pybytes().decode("utf-8").split("\n"), start=1):
                if not line.strip():
                    continue
                where = f"{printable(file.name)} line {number}"
                label, _, rest = line.strip().partition(" ")
                if not rest.strip():
                    refused.append(Refusal(where, where, "refused", "the line has no text behind its class."))
                    continue
                labels.append(label.removeprefix(_LABEL))
                texts.append(rest.strip())
                ids.append(where)
                official.append(part)
        if not texts:
            raise DataError(f"{printable(path)}: no line has a class and a text.", "Write lines like `good a text`.")
        if len(files) > 1:
            notes.append(f"one data set of {listed([printable(file.name) for file in files])}")
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={
                "text": Cells(pa.chunked_array([pa.array(texts, pa.string())])),
                "category": Cells(pa.chunked_array([pa.array(labels, pa.string())])),
            },
            official=pa.array(official, pa.string()) if len(files) > 1 else None,
            refused=tuple(refused),
            notes=tuple(notes),
            sources=tuple(files),
        )


def _with_siblings(path: Path) -> tuple[list[Path], list[str]]:
    """The file, or where its name ends in a part's name, all parts that lie beside it."""
    if path.suffix.removeprefix(".") not in _PARTS:
        return [path], [""]
    files = [path.with_suffix(f".{ending}") for ending in _PARTS]
    there = [file for file in files if file.is_file()]
    return there, [_PARTS[file.suffix.removeprefix(".")] for file in there]
