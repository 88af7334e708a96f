"""What numbers beside the points of pen ink say: where strokes begin or end, when the pen was down, the time.

Guarantees: the way it is written is decided once, from many inks, so that a new one is read the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from netwright.errors import CellError
from netwright.words import counted

Way = Literal["begins", "ends", "down", "up", "number"]
Marks = Mapping[str, np.ndarray]  # numbers of each point beside x and y, by name, or by place counted from 1
NUMBERED = "stroke"  # a name of what may count strokes
NAMES = ("pen_down", "down", "pen", "pen_up", "up", "p", NUMBERED)
TIMES = ("t", "time", "timestamp", "time_ms", "time_s", "millis")  # names of what may tell the time
_DOWN, _UP = frozenset({"pen_down", "down"}), frozenset({"pen_up", "up"})
_MOSTLY = 0.5  # of the points the time rises
_UNDECIDED = ("pen", "3")  # what is read where no way was decided
_WORDS = {
    "begins": "1 where a stroke begins",
    "ends": "1 where a stroke ends",
    "down": "1 while it is down",
    "up": "1 while it is up",
    "number": "the number of the stroke",
}


@dataclass(frozen=True)
class Pen:
    """Which number says something of the pen, and what.

    Args:
        at: Its name or place; "" takes `pen`, or the third number, where it is 0 or 1 throughout.
        way: What it says.
        why: What showed it.
    """

    at: str = ""
    way: Way = "begins"
    why: str = ""

    @property
    def words(self) -> str:
        """What the number says, for a person to read."""
        return _WORDS[self.way]

    def strokes(self, marks: Marks, points: int) -> tuple[np.ndarray, np.ndarray]:
        """Of each point whether a stroke begins there, and whether it was drawn at all.

        Args:
            marks: Numbers of each point.
            points: How many there are.

        Raises:
            CellError: The number is none that the way has.
        """
        pen = self._numbers(marks)
        begins, drawn = np.zeros(points, dtype=bool), np.ones(points, dtype=bool)
        if pen is None or not points:
            return begins, drawn
        if self.way == "begins":
            begins = pen == 1
        elif self.way == "ends":
            begins[1:] = pen[:-1] == 1
        elif self.way == "number":
            begins[1:] = np.diff(pen) != 0
        else:
            drawn = pen == (self.way == "down")
            begins = drawn & ~np.concatenate([[False], drawn[:-1]])
        return begins, drawn

    def _numbers(self, marks: Marks) -> np.ndarray | None:
        if self.at in marks and self.way != "number" and not _binary(marks[self.at]):
            odd = marks[self.at][~np.isin(marks[self.at], (0, 1))][0]
            raise CellError(f"holds {odd:g} where the pen is 0 or 1.")
        places = [self.at, *marks] if self.at else _UNDECIDED
        return next((marks[at] for at in places if at in marks and (at == self.at or _binary(marks[at]))), None)


def recognised(inks: Sequence[Marks]) -> Pen | None:
    """What many inks show of the pen; None where none of their numbers says where it was lifted.

    Of several numbers it is one that changes, by name or the first of them.

    Args:
        inks: Numbers of each point, of inks that have points.

    Example:
        >>> down = {"3": np.array([1, 1, 0, 1, 1])}
        >>> begins = {"3": np.array([1, 0, 0, 1, 0])}
        >>> recognised([down]).words, recognised([begins]).words, recognised([{"3": np.array([8, 9])}])
        ('1 while it is down', '1 where a stroke begins', None)
    """
    known = {name for marks in inks for name in marks} - {*TIMES}
    names = [name for name in NAMES if name in known] + sorted(known - {*NAMES}, key=int)
    columns = {name: [marks[name] for marks in inks if name in marks] for name in names}
    fit = [name for name in names if _numbers_strokes(name, columns[name]) or all(map(_binary, columns[name]))]
    fit.sort(key=lambda name: len(np.unique(np.concatenate(columns[name]))) == 1)
    if not fit or not any(pen.any() for pen in columns[fit[0]]):
        return None
    at, pens = fit[0], columns[fit[0]]
    share = float(np.concatenate(pens).mean())
    way: Way = "number" if _numbers_strokes(at, pens) else _way(at, pens, share)
    what = f"number {at} of each point" if at.isdecimal() else at
    seen = "never falls" if way == "number" else f"is 1 at {share:.0%} of the points"
    looked = f"{what} {seen} of {counted(len(pens), 'ink')} looked at"
    aside = "; what moves while the pen is up is not ink" if way in {"down", "up"} else ""
    return Pen(at, way, looked + aside)


def clock(inks: Sequence[Marks]) -> str | None:
    """Which number tells when each point was drawn; None where none does.

    It is one that every ink has, that never falls and mostly rises, by name or the first of them.

    Args:
        inks: Numbers of each point, of inks that have points.

    Example:
        >>> clock([{"3": np.array([0, 1, 1]), "4": np.array([7.0, 7.1, 7.3])}])
        '4'
    """
    shared = set.intersection(*(set(marks) for marks in inks)) if inks else set()
    names = [name for name in TIMES if name in shared]
    names += sorted((name for name in shared if name.isdecimal()), key=int)
    return next((name for name in names if _rises([marks[name] for marks in inks])), None)


def _rises(times: Sequence[np.ndarray]) -> bool:
    ways = np.concatenate([np.diff(each) for each in times])
    return len(ways) > 0 and bool((ways >= 0).all()) and float((ways > 0).mean()) > _MOSTLY


def _way(at: str, pens: Sequence[np.ndarray], share: float) -> Way:
    """What zeros and ones say: ones that stand alone are marks, ones that follow each other a state."""
    runs = sum(int(pen[0] == 1) + int((np.diff(pen) == 1).sum()) for pen in pens)
    alone = share <= 0.5 and share * sum(map(len, pens)) <= 2 * runs  # a stroke may be a dot
    first, last = (float(np.mean([pen[place] for pen in pens])) for place in (0, -1))
    if alone and first >= max(0.5, last):
        return "begins"
    if alone and last > 0.5 and at not in _DOWN:
        return "ends"
    if at in _UP:
        return "up"
    if at in _DOWN or share > 0.5:
        return "down"
    if alone:  # a first stroke need not be marked
        return "begins"
    return "down" if first >= 0.5 else "up"


def _numbers_strokes(name: str, pens: Sequence[np.ndarray]) -> bool:
    whole = name == NUMBERED and all((pen == np.rint(pen)).all() and (np.diff(pen) >= 0).all() for pen in pens)
    return whole and any(pen[0] != pen[-1] for pen in pens)


def _binary(pen: np.ndarray) -> bool:
    return bool(np.isin(pen, (0, 1)).all())
