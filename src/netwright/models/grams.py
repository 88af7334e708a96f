"""What token follows some others, counted in texts: an n-gram that is asked while a text is read off a sequence.

A context that was seen often says what follows by itself, a rare one mostly as the shorter context does: the share of
the shorter one is as if each different follower had been seen once more.

Source: Witten & Bell 1991, The Zero-Frequency Problem, method C, interpolated as in Chen & Goodman 1998, section 2.5.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

EDGE = 0  # stands before and behind every text; a blank is never written
MOST = 8  # tokens of an n-gram
Rows = tuple[tuple[int, ...], ...]


def counted(texts: Iterable[Sequence[int]], order: int) -> Rows:
    """Each stretch of so many tokens and behind it how often it stands, with edges before and behind each text.

    Args:
        texts: Codes of their tokens.
        order: Tokens of a stretch.

    Example:
        >>> counted([[3, 4]], 2)
        ((0, 3, 1), (3, 4, 1), (4, 0, 1))
    """
    found: Counter[tuple[int, ...]] = Counter()
    for text in texts:
        whole = (*[EDGE] * (order - 1), *text, EDGE)
        found.update(whole[at : at + order] for at in range(len(whole) - order + 1))
    return tuple((*stretch, count) for stretch, count in sorted(found.items()))


class Grams:
    """The probability of each next token, given those before it.

    Args:
        rows: As `counted` gives them.
        tokens: How many different tokens there are; those never seen share what is left.
    """

    def __init__(self, rows: Rows, tokens: int) -> None:
        self.order, self._tokens = len(rows[0]) - 1, tokens
        self._seen: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for *context, token, count in rows:
            for start in range(len(context) + 1):
                self._seen[tuple(context[start:])][token] += count
        self._sums = {context: (after.total(), len(after)) for context, after in self._seen.items()}
        self._known: dict[tuple[tuple[int, ...], int], float] = {}
        nats = [(count, self.nats(tuple(context), token)) for *context, token, count in rows if token != EDGE]
        total = sum(count for count, _ in nats)
        self.usual = sum(count * each for count, each in nats) / total if total else 0.0  # nats of a token

    def nats(self, before: Sequence[int], token: int) -> float:
        """How surprising a token is.

        Args:
            before: The tokens before it, edges included where they are fewer than a stretch has.
            token: Its code; `EDGE` for the end.
        """
        context = tuple(before[len(before) - self.order + 1 :])
        found = self._known.get((context, token))
        if found is None:
            found = self._known[context, token] = -math.log(self._share(context, token))
        return found

    def _share(self, context: tuple[int, ...], token: int) -> float:
        shorter = self._share(context[1:], token) if context else 1 / self._tokens
        total, different = self._sums.get(context, (0, 0))
        if not total:
            return shorter
        return (self._seen[context][token] + different * shorter) / (total + different)
