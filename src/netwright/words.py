"""How many of what, in words, and lists of which only the first are told: the one way in which messages count."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun: one of it, or several.

    Args:
        count: How many.
        one: The noun for one of them.
        many: The noun for any other number; `one` with an s when left out.

    Example:
        >>> counted(1, "class", "classes"), counted(1240, "row"), counted(0, "example")
        ('1 class', '1,240 rows', '0 examples')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str], most: int = 5, between: str = ", ") -> str:
    """Words in a row, and how many more there are.

    Args:
        words: All of them.
        most: How many are told, at least 1.
        between: What stands between two.

    Example:
        >>> listed(["ant", "bee", "cow", "dog"], 2), listed(["ant", "bee"])
        ('ant, bee and 2 more', 'ant, bee')
    """
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return between.join(words[:most]) + more


def begun(words: str) -> str:
    """Words as a sentence begins with them: the first letter large, all others as they are.

    Args:
        words: Any, or none.

    Example:
        >>> begun("a bag of words"), begun("BLEU")
        ('A bag of words', 'BLEU')
    """
    return words[:1].upper() + words[1:]


def sizes(shape: Sequence[int], between: str = "x") -> str:
    """A shape in words; of sequences, whose steps each have a number of their own, `steps` and what a step is.

    Args:
        shape: Sizes, -1 for a number that is not fixed.
        between: What stands between two.

    Example:
        >>> sizes((3, 8, 8)), sizes((-1, 64))
        ('3x8x8', 'steps of 64')
    """
    if shape and shape[0] < 0:
        return f"steps of {between.join(map(str, shape[1:]))}"
    return between.join(map(str, shape))
