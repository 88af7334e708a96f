"""Byte-pair encoding: the pieces of words that a text is best told in, learned from the training part.

Every byte is a token of its own, so that no text is unknown; the pair that stands together most often becomes the next
token, again and again. Tokens are written in 256 printable letters, one for each byte, and stand in the order in which
they were made, which is all that splitting a text needs.

Source: Sennrich, Haddow, Birch 2016, Neural Machine Translation of Rare Words with Subword Units, arXiv:1508.07909; on
bytes as in Radford et al. 2019, Language Models are Unsupervised Multitask Learners, section 2.2.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from netwright.errors import SpecError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_STRANGE = ord("?")  # stands for a letter that is no byte's, which only a damaged file holds
TWICE = 2  # how often a pair is in the training part to become a token


def learned(texts: Iterable[str], most: int) -> tuple[str, ...]:
    """Tokens of some texts in the order in which they were made, the 256 bytes first.

    Args:
        texts: Of the training part.
        most: Tokens at most, at least 256.

    Raises:
        SpecError: The package is not installed.

    Example:
        >>> learned(["low lower lowest", "low"], 259)[256:]
        ('lo', 'low', 'Ġlow')
    """
    tokenizer = _tokenizer(())
    from tokenizers.trainers import BpeTrainer

    letters = sorted(_bytes())
    trainer = BpeTrainer(vocab_size=most, min_frequency=TWICE, show_progress=False, initial_alphabet=letters)
    tokenizer.train_from_iterator(texts, trainer)
    codes = tokenizer.get_vocab()
    return tuple(sorted(codes, key=codes.__getitem__))


@lru_cache(maxsize=8)
def splitter(tokens: tuple[str, ...]) -> Callable[[str], list[str]]:
    """What gives the tokens of a text.

    Args:
        tokens: What `learned` gave.

    Example:
        >>> splitter(learned(["low lower lowest", "low"], 259))("lower low")
        ['low', 'e', 'r', 'Ġlow']
    """
    tokenizer = _tokenizer(tokens)
    return lambda text: tokenizer.encode(text).tokens


def spelled(tokens: Iterable[str]) -> Iterator[str]:
    """The text of tokens, piece by piece; a letter of several bytes comes with its last one.

    Example:
        >>> "".join(spelled(["low", "e", "r", "Ġlow", "Ã", "©"]))
        'lower lowé'
    """
    reader = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        yield reader.decode(bytes(_bytes().get(letter, _STRANGE) for letter in token))
    yield reader.decode(b"", final=True)


def letters(token: str) -> int:
    """How many letters begin in a token: its bytes but those that only go on with one, as UTF-8 marks them.

    Example:
        >>> letters("Ġlow"), letters("Ã"), letters("©")
        (4, 1, 0)
    """
    return sum(_bytes().get(letter, _STRANGE) & 0xC0 != 0x80 for letter in token)


def _tokenizer(tokens: tuple[str, ...]) -> Tokenizer:
    """Splits by these tokens.

    Raises:
        SpecError: The package is not installed.
    """
    try:
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel
    except ImportError as exc:
        raise SpecError(
            "tokens: bpe needs the package tokenizers, which is not installed.",
            "Install it: pip install netwright[text]; or say tokens: words.",
        ) from exc
    tokenizer = Tokenizer(BPE({token: code for code, token in enumerate(tokens)}, _pairs(tokens)))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer


def _pairs(tokens: tuple[str, ...]) -> list[tuple[str, str]]:
    """Which two tokens each one was made of: those that it falls into by the tokens before it."""
    rank = {token: code for code, token in enumerate(tokens)}
    pairs = []
    for token in tokens:
        parts = list(token)
        while len(parts) > 2:
            joined = [rank.get(one + other, len(rank)) for one, other in pairwise(parts)]
            best = min(joined)
            if best >= rank[token]:
                break
            at = joined.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        if len(parts) == 2:
            pairs.append((parts[0], parts[1]))
    return pairs


@lru_cache(maxsize=1)
def _bytes() -> dict[str, int]:
    """The byte that each letter stands for."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(256 + at): byte for at, byte in enumerate(others)}
