"""How many of what, in words: the one way in which messages count."""

from __future__ import annotations


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
