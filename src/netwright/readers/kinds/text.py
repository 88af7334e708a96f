"""Texts: characters, words or pieces of words in their order, kept whole as UTF-8 in one normal form.

What a text is read as is decided after it is kept: the vocabulary comes from the training part alone, so that the same
cache serves every split, and no token of a held-out text is known before it is met.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch

from netwright.errors import CellError, SpecError
from netwright.field import END, END_CODE, UNKNOWN, Field, Reason, Scalar
from netwright.files import printable
from netwright.readers import bpe
from netwright.readers.columns import Blobs, Cells, Column, Found
from netwright.readers.encodings import BROKEN, decoded
from netwright.readers.kinds import sequence
from netwright.readers.kinds.kind import Cell, path_of, source_of
from netwright.spec import InputSpec, OutputSpec
from netwright.words import listed

MOST_TOKENS = 20_000  # known words of a text
MOST_STEPS = {"words": 400, "spaces": 400, "characters": 2_000, "bpe": 600}  # read of one text
WORDS = ("words", "spaces")  # tokens that spaces stand between
PIECES = 8_000  # known pieces of words
_BYTES = 256 + 2  # tokens that pieces begin with: every byte, what is not known, and the end
SENTENCE = 3  # words that a text has on average for them to be its tokens
_MOST_BYTES, _SHOWN = 20_000_000, 5  # bytes of text in which unknown tokens are counted; of those that are told
SEEN_TWICE = 2  # how often a word is in the training part to be known; the others teach what an unknown one is
FLAT = 2_000  # tokens that a bag of words counts
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_OR_LINE_END = {"words": re.compile(rf"{_WORD.pattern}|\n"), "spaces": re.compile(r"\S+|\n")}
# A word with the spaces before it; a text without spaces is cut somewhere.
_SPACED = re.compile(r"\s{0,100}\S{1,100}|\s{1,100}")
_LINE_END = re.compile(r"\r+\n")  # also of a file that was made one for Windows twice
_LOOKED_AT = 2_000  # cells
_BROKEN = BROKEN.encode()


class Text(sequence.Sequence):
    """A text, cached as the bytes of its UTF-8."""

    name: ClassVar[str] = "text"
    settings: ClassVar[tuple[str, ...]] = ("tokens", "lower", "vocabulary", "longest", "embed")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Decides what its tokens are.

        Raises:
            SpecError: The column holds no texts; too few pieces of words may be known.
        """
        path = path_of(name, spec)
        some = _some(column)
        if some is None:
            raise SpecError(f"{path}: kind text needs a column of texts, or text files.", "Name another column.")
        words = float(np.mean([len(text.split()) for text in some])) if some else 0.0
        tokens = spec.tokens
        reasons = []
        if tokens is None:
            tokens = "words" if words >= SENTENCE else "characters"
            why = f"{words:.0f} words in a text on average" if words >= SENTENCE else "texts of a word or two"
            reasons.append(Reason(path=f"{path}.tokens", value=tokens, why=why))
        if tokens == "bpe" and spec.vocabulary and spec.vocabulary < _BYTES:
            raise SpecError(
                f"{path}.vocabulary is {spec.vocabulary}, and pieces of words begin with {_BYTES} tokens.",
                f"Give {_BYTES} or more.",
            )
        return Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            dtype="uint8",
            ragged=True,
            options=_options(tokens, spec),
        ), reasons

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """The UTF-8 bytes of one text in normal form.

        Raises:
            CellError: No text, or for words nothing but white space.
        """
        if isinstance(raw, bytes):
            raw = decoded(raw)
        if raw is None:
            raise CellError("the cell has no value, expected a text.")
        text = normal(str(raw))
        said = text.strip() or (field.options.get("lines") and "\n" in text)
        if not text or (field.options["tokens"] in WORDS and not said):
            raise CellError("the text is empty.")
        return np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """The field with the tokens of the training part, the frequent ones first."""
        first = (UNKNOWN, END) if field.options.get("ends") else (UNKNOWN,)
        kept = _learned(values, field, int(field.options["vocabulary"]) - len(first))
        field = field.model_copy(update={"vocabulary": (*first, *kept)})
        if len(first) == 1:
            return field
        split = _splitter(field)
        most_steps = max((len(split(_text(row))) for row in values), default=1)
        return field.model_copy(update={"options": {**field.options, "most_steps": most_steps}})

    def decided(self, values: np.ndarray, field: Field) -> list[Reason]:
        """How many tokens are known, how many others the texts hold, and how many texts are cut."""
        goes_in, longest = not _comes_out(field), int(field.options["longest"])
        path = f"{'inputs' if goes_in else 'outputs'}.{field.name}"
        words = ("words", f"tokens of the training part that it holds {SEEN_TWICE} times or more")
        what, why = {
            "words": words,
            "spaces": words,
            "bpe": ("pieces of words", "all bytes, and pairs that the training part holds most often"),
        }.get(str(field.options["tokens"]), ("characters", "tokens of the training part"))
        if others := unseen(values, field):
            why += f"; {others}"
        known = sum(token not in {UNKNOWN, END} for token in field.vocabulary)
        told = [Reason(path=f"{path}.vocabulary", value=f"{known:,} {what}", why=why)]
        if broken := sum(_BROKEN in row.tobytes() for row in values):
            why = "bytes that are no letter in UTF-8, each read as one letter of its own"
            told.append(Reason(path=f"{path}.broken", value=f"{broken:,} of {len(values):,} texts", why=why))
        if cut := self.cut(values, field):
            done = "read" if goes_in else "learned"
            why = f"{cut:,} of {len(values):,} texts are longer and are {done} up to there"
            told.append(Reason(path=f"{path}.longest", value=str(longest), why=why))
        return told

    def cut(self, values: np.ndarray, field: Field) -> int:
        """How many texts have more tokens than are read."""
        longest = int(field.options["longest"])
        split = _splitter(_read_to(field, longest + 1))
        return sum(len(split(_text(row))) > longest for row in _rows(values) if len(row) > longest)

    def width(self, field: Field) -> int:
        """Tokens that `flat` counts; all pieces of words, which do not stand in the order of how frequent they are."""
        known = max(len(field.vocabulary), 1)
        return known if field.options["tokens"] == "bpe" else min(FLAT, known)

    def names(self, field: Field) -> list[str]:
        """Each token that `flat` counts."""
        return [f"{field.name}: {printable(token)}" for token in readable(field.vocabulary[: self.width(field)], field)]

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """Makes of a text the codes of its tokens, 0 for one that is not known; one that is cut has no end."""
        codes = {token: code for code, token in enumerate(field.vocabulary)}
        ends, longest = bool(field.options.get("ends")), int(field.options["longest"])
        split = _splitter(_read_to(field, longest + 1))  # one more tells whether it is cut

        def coded(values: np.ndarray) -> np.ndarray:
            tokens = split(_text(values))
            end = [END_CODE] if ends and len(tokens) <= longest else []
            return np.array([*(codes.get(token, 0) for token in tokens[:longest]), *end], dtype=np.int64)

        return coded

    def tokens(self, values: np.ndarray, field: Field) -> list[str]:
        """The tokens of one cached text, those that are not known among them, as they stand there.

        Args:
            values: Its bytes.
            field: How it is read.
        """
        return readable(_splitter(field)(_text(values)), field)

    def dim(self, field: Field) -> int:
        """A step is a token."""
        del field
        return 0

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Which of the tokens that are counted a text holds, as 0 and 1; see `width`."""
        width = self.width(field)
        held = torch.zeros(len(coded), width + 1)
        place = torch.where((coded >= 0) & (coded < width), coded, width)
        return held.scatter_(1, place, 1.0)[:, :width]

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The text."""
        return "\n".join(map(printable, _text(np.asarray(value)).split("\n")))


def _options(tokens: str, spec: InputSpec | OutputSpec) -> dict[str, Scalar]:
    words = tokens == "words"
    found: dict[str, Scalar] = {
        "tokens": tokens,
        "lower": words if spec.lower is None else spec.lower,
        "vocabulary": spec.vocabulary or (PIECES if tokens == "bpe" else MOST_TOKENS),
        "longest": spec.longest or MOST_STEPS[tokens],
    }
    if not isinstance(spec, InputSpec):
        return {**found, "align": "ctc"} if spec.align else {**found, "ends": True}
    embed = (32 if tokens == "characters" else 100) if spec.embed is None else spec.embed
    return {**found, "embed": embed}


def _comes_out(field: Field) -> bool:
    return any(field.options.get(name) for name in ("ends", "align", "of"))


def _read_to(field: Field, longest: int) -> Field:
    """The field with texts read up to so many tokens."""
    return field.model_copy(update={"options": {**field.options, "longest": longest}})


def _some(column: Column) -> list[str] | None:
    """Some texts of a column, evenly spread; None where it holds none."""
    if isinstance(column, Blobs):
        return [decoded(head) for head in column.heads(50)]
    if not isinstance(column, Cells) or not column.is_text:
        return None
    places = np.unique(np.linspace(0, max(len(column) - 1, 0), _LOOKED_AT).astype(np.int64))
    return [text or "" for text in column.values.take(pa.array(places)).to_pylist()] if len(column) else []


def normal(text: str) -> str:
    r"""The one form in which a text is read: NFC, with one way of ending lines.

    Args:
        text: As it is written; normal once, it stays so, and so do pieces of it.

    Example:
        >>> normal("e\u0301\r\n") == "\u00e9\n"
        True
    """
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", text))


def _text(values: np.ndarray) -> str:
    return values.tobytes().decode("utf-8")


def _rows(values: np.ndarray) -> list[np.ndarray]:
    return [values[place] for place in range(len(values))]


def _splitter(field: Field) -> Callable[[str], list[str]]:
    """What gives the tokens of a text, at most `longest`; of what comes next the one behind each that goes in."""
    lower, longest, tokens = field.options["lower"], int(field.options["longest"]), str(field.options["tokens"])
    pieces = bpe.splitter(tuple(_pieces(field.vocabulary))) if tokens == "bpe" else None

    low = str.lower if lower else str

    def split(text: str) -> list[str]:
        if pieces is None:
            return list(units(low(text), tokens, lines=bool(field.options.get("lines")))[:longest])
        if not field.options.get("of"):
            return pieces(low(text))[:longest]
        *before, last = units(text, tokens)
        return [*pieces(low("".join(before)))[1:], pieces(low(last))[0]][:longest]

    return split


def units(text: str, tokens: str, *, lines: bool = False) -> Sequence[str]:
    r"""What a text may be cut between: its tokens, or for pieces of words the words with the spaces before them.

    Args:
        text: In normal form.
        tokens: What it is read as.
        lines: Whether the end of a line is a token among words.

    Example:
        >>> units("To be,\nor", "words", lines=True), units("to  be or", "bpe")
        (['To', 'be', ',', '\n', 'or'], ['to', '  be', ' or'])
    """
    if tokens == "characters":
        return text
    if tokens == "bpe":
        return _SPACED.findall(text)
    if lines:
        return _OR_LINE_END[tokens].findall(text)
    return text.split() if tokens == "spaces" else _WORD.findall(text)


def _pieces(vocabulary: Iterable[str]) -> Iterator[str]:
    """Without the tokens that no text is split into, whatever it says."""
    return (token for token in vocabulary if token not in {UNKNOWN, END})


def readable(tokens: Iterable[str], field: Field) -> list[str]:
    """Tokens as a person reads them: a piece of a word in letters, not in bytes.

    Args:
        tokens: Of the field's vocabulary.
        field: How texts are read.
    """
    if field.options.get("tokens") != "bpe":
        return list(tokens)
    return [token if token in {UNKNOWN, END} else "".join(bpe.spelled([token])) for token in tokens]


def _learned(values: np.ndarray, field: Field, most: int) -> list[str]:
    """The tokens of the training part: pieces in the order in which they are made, others by how frequent they are."""
    if field.options["tokens"] == "bpe":
        lower = field.options["lower"]
        texts = (text.lower() if lower else text for text in map(_text, values))
        return list(_pieces(bpe.learned(texts, most)))
    split, counts = _splitter(field), Counter[str]()
    for row in values:
        counts.update(split(_text(row)))
    least = SEEN_TWICE if field.options["tokens"] in WORDS else 1
    known = [token for token, count in counts.items() if count >= least]
    return sorted(known, key=lambda token: (-counts[token], token))[:most]


def unseen(values: np.ndarray, field: Field) -> str:
    """How many tokens of the first texts are not known, in words; nothing where all are.

    Args:
        values: The texts' bytes.
        field: Its vocabulary is what is known.
    """
    others, tokens = strangers(values, field)
    if not others:
        return ""
    shown = listed([printable(token) for token, _ in others.most_common()], _SHOWN)
    return f"{others.total():,} of {tokens:,} tokens are none of them and count as one unknown: {shown}"


def strangers(values: np.ndarray, field: Field) -> tuple[Counter[str], int]:
    """How often each token that is not known stands in the first texts, and how many tokens these have.

    Args:
        values: The texts' bytes.
        field: Its vocabulary is what is known.
    """
    known, split, others = frozenset(field.vocabulary), _splitter(field), Counter[str]()
    read = tokens = 0
    for row in _rows(values) if field.options["tokens"] != "bpe" else ():  # all bytes are known
        found = split(_text(row))
        others.update(token for token in found if token not in known)
        read, tokens = read + len(row), tokens + len(found)
        if read > _MOST_BYTES:
            break
    return others, tokens


def spelled(tokens: Iterable[str], field: Field) -> Iterator[str]:
    """The text of tokens, piece by piece.

    Args:
        tokens: Of the field's vocabulary.
        field: How texts are read.

    Example:
        >>> field = Field(name="text", kind="text", source="text", dtype="uint8", options={"tokens": "words"})
        >>> "".join(spelled(["to", "be"], field))
        'to be'
    """
    if field.options.get("tokens") == "bpe":
        yield from bpe.spelled(_pieces(tokens))
    elif field.options.get("tokens") in WORDS:
        yield from _spaced(tokens)
    else:
        yield from tokens


def letters(field: Field) -> list[int]:
    """How many characters each token of the vocabulary stands for; words count as one, since some are unknown.

    Args:
        field: How texts are read.
    """
    pieces = field.options.get("tokens") == "bpe"
    return [bpe.letters(token) if pieces and token not in {UNKNOWN, END} else 1 for token in field.vocabulary]


def joined(parts: Sequence[str], tokens: str) -> str:
    """The text of what `units` gave, or of some of it.

    Args:
        parts: In their order.
        tokens: What the text is read as.
    """
    return "".join(_spaced(parts) if tokens in WORDS else parts)


def _spaced(words: Iterable[str]) -> Iterator[str]:
    """Words with a space between two of them, none around the end of a line."""
    before = "\n"
    for word in words:
        yield word if "\n" in {before, word} else f" {word}"
        before = word
