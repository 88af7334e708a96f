"""Texts in several languages side by side: `train.en` and `train.de` whose lines say the same."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import CellError, DataError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, Refusal, read_regular
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.text_table import read_text
from netwright.readers.sniff import HEAD_BYTES, PACKED, TEXTS, sniff
from netwright.words import counted, listed

_LANGUAGE = re.compile(r"(?P<stem>.+)\.(?P<language>(?!gz|xz|bz2)[a-z]{2,3})(?:\.(?:gz|xz|bz2))?")
_NOT_ONE = {
    "txt", "csv", "tsv", "gz", "xz", "bz2", "md", "tar", "zip", "py", "npy", "npz", "png", "jpg", "wav", "mp3", "mp4",
}  # fmt: skip
_PARTS = {"train": "train", "val": "validation", "valid": "validation", "dev": "validation", "test": "test"}

_FURTHER = {  # why a second text of a part is left out
    "train": "another training text; one file for each language is read: join them",
    "validation": "another validation text; one is read",
    "test": "another test set; score it with --data",
}


class ParallelTexts(Layout):
    """A folder of `PART.LANGUAGE` files; a column for each language, line by line, and the parts as split.

    What stands between part and language (`train.lc.norm.tok.en`) is the same for all. Of several test sets the first
    is the test part; the others are left out, to be scored with `evaluate --data` from a folder of their own. A single
    text in several languages may have any name (`Books.de-en.de`, `Books.de-en.en`); a single file is one column.
    """

    name: ClassVar[str] = "parallel_texts"

    def matches(self, path: Path) -> bool:
        """A folder with a training text in at least two languages, or with one text in several."""
        if not path.is_dir():
            return False
        texts = {stem: of for stem, of in _files(path).items() if len(of) > 1}
        one = next(iter(texts.values())).values() if len(texts) == 1 else ()
        return any(_part(stem) == "train" for stem in texts) or (bool(one) and all(map(_is_text, one)))

    def find(self, path: Path) -> Found:
        """Every line of each part, in all languages that all parts have.

        Raises:
            DataError: No training texts, or texts of one part that differ in their number of lines.
        """
        if path.is_file():
            return _alone(path)
        files = _files(path)
        chosen, further = _chosen(files)
        if not chosen:
            raise DataError(
                f"{printable(path)}: neither train.LANGUAGE in two languages nor a single text in several.",
                "Give a folder of such texts.",
            )
        languages = sorted(set.intersection(*(set(files[stem]) for stem in chosen.values())))
        columns: dict[str, list[str]] = {language: [] for language in languages}
        ids: list[str] = []
        official: list[str] = []
        for part, stem in chosen.items():
            lines = {language: _lines(files[stem][language]) for language in languages}
            counts = {language: len(of) for language, of in lines.items()}
            if len(set(counts.values())) > 1:
                told = ", ".join(f"{language} {count:,}" for language, count in counts.items())
                raise DataError(f"{printable(stem)}: its texts differ in lines ({told}).", "Fetch the files again.")
            for language, of in lines.items():
                columns[language] += of
            count = counts[languages[0]]
            ids += [f"{stem} line {number}" for number in range(1, count + 1)]
            official += [part] * count
        refused = [
            Refusal(f"{stem}.{language}", f"{stem}.{language}", "refused", _FURTHER[_part(stem)])
            for stem in further
            for language in sorted(files[stem])
        ]
        alone = sorted({language for stem in chosen.values() for language in files[stem]} - set(languages))
        notes = [f"texts in {listed(languages)}, {counted(len(chosen), 'part')}"]
        notes += [f"not in every part: {listed(alone)}"] if alone else []
        return Found(
            layout=self.name,
            origin=str(path),
            ids=pa.array(ids, pa.string()),
            columns={name: Cells(pa.chunked_array([pa.array(of, pa.string())])) for name, of in columns.items()},
            official=pa.array(official, pa.string()) if len(chosen) > 1 else None,
            refused=tuple(refused),
            notes=tuple(notes),
            sources=tuple(files[stem][language] for stem in chosen.values() for language in languages),
        )


def _files(path: Path) -> dict[str, dict[str, Path]]:
    """Files by what they hold and then by language."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for child in sorted(path.iterdir()):
        match = _LANGUAGE.fullmatch(child.name)
        if match and child.is_file() and match["language"] not in _NOT_ONE:
            found[match["stem"]][match["language"]] = child
    return dict(found)


def _part(stem: str) -> str:
    return _PARTS.get(re.split(r"[._-]", stem)[0].casefold(), "")


def _chosen(files: dict[str, dict[str, Path]]) -> tuple[dict[str, str], list[str]]:
    """The first set of each part, or else the only set; and what is left of the parts."""
    texts = [stem for stem in files if len(files[stem]) > 1]
    chosen: dict[str, str] = {}
    for stem in texts:
        chosen.setdefault(_part(stem), stem)
    chosen = {part: chosen[part] for part in ("train", "validation", "test") if part in chosen}
    if "train" not in chosen:
        return ({"": texts[0]}, []) if len(texts) == 1 else ({}, [])
    return chosen, [stem for stem in files if _part(stem) and stem not in chosen.values()]


def language(path: Path) -> str:
    """What a file's name says its language is, e.g. `en` of `news.en.gz`; empty where it says none."""
    match = _LANGUAGE.fullmatch(path.name)
    return match["language"] if match and match["language"] not in _NOT_ONE else ""


def _alone(path: Path) -> Found:
    """The lines of one file as a column of its language."""
    lines = pa.array(_lines(path), pa.string())
    ids = pa.array([f"{path.name} line {number}" for number in range(1, len(lines) + 1)], pa.string())
    return Found(
        ParallelTexts.name, str(path), ids, {language(path): Cells(pa.chunked_array([lines]))}, None, (), (), (path,)
    )


def _is_text(path: Path) -> bool:
    """Whether it begins as a text, or as one that is packed."""
    try:
        return sniff(read_regular(path, HEAD_BYTES)) in TEXTS | PACKED
    except CellError:
        return False


def _lines(path: Path) -> list[str]:
    content = read_text(path).content.to_pybytes().decode("utf-8")
    lines = [line.removesuffix("\r") for line in content.split("\n")]
    return lines[:-1] if lines and not lines[-1] else lines
