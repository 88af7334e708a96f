"""Rows in time made steps of tracks: rows that cannot be, gaps, and what lies around the globe.

Every row is accounted for: a row that is no point is refused, one that goes back in time or comes a second time is
quarantined, each with its place; a gap ends a track, or is filled or passed over where that is asked for, and is told.
Only a daily series that leaves out days of the week is taken as rows that follow each other by itself, with its reason.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from netwright.data import weeks
from netwright.data.roles import Roles, labels, numbers_of
from netwright.errors import DataError
from netwright.readers.columns import Cells, Found, Refusal
from netwright.readers.dates import is_date, read_ordered, written
from netwright.readers.layouts.timed_tables import FILE
from netwright.readers.numerals import Numbers, read_numbers
from netwright.words import counted

HUGE = 1e9  # of a coordinate
_GAP = 1.5  # usual steps of time; beyond, one is missing
_OUT_OF_ORDER = 0.05  # share of rows that stand out of order; above it the table is simply not sorted
_ALL = "all"  # name of the one series of a table without groups
_LONGEST_FILL = 100_000  # steps that are put into one gap
_PACKED = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])?")  # 20240131
Gaps = Literal["cut", "fill", "ignore"]


@dataclass
class Steps:
    """The steps of all tracks, one track after the other, each in the order of time.

    Args:
        values: (step, number).
        times: When each was.
        tracks: Number of the track of each, ascending.
        pieces: Number of the stretch without a gap that each belongs to, ascending.
        rows: Row in the table; -1 for a step that fills a gap.
        names: Of each track.
        usual: The usual step of time.
        dated: Whether times are dates, in seconds.
        day_first: Whether the day stood before the month in these; None where the year came first.
        decimal: The decimal mark of its numbers; "" where they show none.
        as_rows: Whether the rows themselves are the steps, however far apart.
        why: Why they are, where nobody asked for it.
        refused: Rows that are no step, and gaps.
        notes: What a person should know.
    """

    values: np.ndarray
    times: np.ndarray
    tracks: np.ndarray
    pieces: np.ndarray
    rows: np.ndarray
    names: list[str]
    usual: float
    dated: bool = False
    day_first: bool | None = None
    decimal: str = ""
    as_rows: bool = False
    why: str = ""
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def torn(self) -> bool:
        """Whether a gap ended a track."""
        return len(np.unique(self.pieces)) > len(np.unique(self.tracks))

    def at(self, place: int, word: str) -> str:
        """Track and moment of a step, with a word between them; the moment alone where there is one series."""
        moment = f"{word} {self.when(place)}"
        return moment if self.names == [_ALL] else f"{self.names[int(self.tracks[place])]} {moment}"

    def when(self, place: int | np.integer) -> str:
        """The moment of a step, in words."""
        time = float(self.times[place])
        return written(time) if self.dated else f"{time:.10g}"


# ---- rows ------------------------------------------------------------------------------------------------------------


class _Times(NamedTuple):
    """Numbers as they are, or dates as seconds; and whether the day stood before the month in these."""

    values: np.ndarray
    dated: bool = False
    day_first: bool | None = None


def _as_times(found: Found, name: str, day_first: bool | None) -> _Times:
    """When each row was.

    Raises:
        DataError: Nothing says whether the day or the month stands first.
    """
    column = found.columns[name]
    if isinstance(column, Cells):
        if not is_date(column.values.type):
            numbers = read_numbers(column.values).values
            if (packed := _packed(numbers)) is not None:
                return _Times(packed, True)
            if np.isfinite(numbers).mean() > 0.5:
                return _Times(numbers)
        moments = read_ordered(column.values, day_first)
        if moments.readings:
            raise DataError(
                f"{found.origin}: column {name} holds dates that can be read two ways: {moments.readings}.",
                "Say which: --set data.day_first=true or false; or write them as 2024-01-31.",
            )
        seconds = np.where(moments.missing | moments.unreadable, np.nan, moments.steps)
        return _Times(seconds, True, {"day": True, "month": False}.get(moments.first))
    return _Times(numbers_of(found, name).values)


def _packed(numbers: np.ndarray) -> np.ndarray | None:
    """Seconds of days or months written as one number, 20240131 or 202401; None where some number is no such date.

    Those of one year alone may be counted frames.
    """
    if not len(numbers) or not np.isfinite(numbers).all() or not ((numbers >= 190001) & (numbers < 21000000)).all():
        return None
    days: dict[float, float] = {}
    for number in np.unique(numbers):
        found = _PACKED.fullmatch(f"{number:.10g}")
        if found is None:
            return None
        try:
            day = np.datetime64(f"{found['year']}-{found['month']}-{found['day'] or '01'}", "s")
        except ValueError:  # 31 February
            return None
        days[float(number)] = float(day.astype(np.int64))
    several = len({int(number) // (10000 if number >= 1e6 else 100) for number in days}) > 1
    return np.array([days[float(number)] for number in numbers]) if several else None


def read(found: Found, which: Roles, *, gaps: Gaps | None = None, decimal: str = "") -> Steps:
    """The steps of all tracks.

    Args:
        found: The table.
        which: Its columns.
        gaps: cut ends a track there, fill puts steps on a straight line into them, ignore takes the rows as the steps;
            None decides by the days of the week.
        decimal: The decimal mark of the table; "" where it is not known.

    Raises:
        DataError: Longitudes and latitudes are exchanged, or no row is a step.
    """
    numbers = [numbers_of(found, name, decimal) for name in which.values]
    values = np.column_stack([each.values for each in numbers])
    times, dated, day_first = _as_times(found, which.order, which.day_first)
    names, tracks, files = _tracks(found, which)
    refused = _no_steps(found, which, values, times, tracks)
    good = np.ones(len(values), dtype=bool)
    good[list(refused)] = False
    notes = list(which.notes)
    backwards, ahead, falls = _backwards(times, tracks, np.flatnonzero(good))
    if falls:
        notes.append(f"{which.order} falls {counted(falls, 'time')}: the rows are put in order by {which.order}")
    quarantined = dict.fromkeys(backwards, f"goes back in time: {which.order} is smaller than in the row before it")
    quarantined |= dict.fromkeys(ahead, f"stands before its time: {which.order} is larger than in rows behind it")
    good[list(quarantined)] = False
    order = np.flatnonzero(good)
    order = order[np.lexsort((times[order], tracks[order]))]
    again = np.flatnonzero((np.diff(tracks[order]) == 0) & (np.diff(times[order]) == 0)) + 1
    same = (values[order[again]] == values[order[again - 1]]).all(axis=1)
    for row, alike in zip(order[again].tolist(), same.tolist(), strict=True):
        told = "" if alike else ", and says something else: the first one is kept"
        quarantined[row] = f"is a second row of the same track at the same time{told}"
    order = np.delete(order, again)
    if not len(order):
        why = next(iter([*refused.values(), *quarantined.values()]), "there is none")
        raise DataError(f"{found.origin}: no row can be used: it {why}.", "Repair the table.")
    told = [_refusal(found, row, "refused", why) for row, why in sorted(refused.items())]
    told += [_refusal(found, row, "quarantined", why) for row, why in sorted(quarantined.items())]
    steps = Steps(values[order], times[order], tracks[order], tracks[order], order, names, 0.0, dated, day_first)
    steps.refused, steps.notes, steps.decimal = told, notes, _mark(found, which, numbers)
    if which.geographic:
        _around_the_globe(steps)
    _without_gaps(steps, np.arange(len(names)) if which.series else files, gaps)
    return steps


def _refusal(found: Found, row: int, state: Literal["refused", "quarantined"], why: str) -> Refusal:
    return Refusal(str(found.ids[row]), found.where(row), state, f"{why}.")


def _tracks(found: Found, which: Roles) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the tracks, the track of each row (-1 where the row says none), and the file of each track."""
    count = len(found)
    ids = labels(found, which.group) if which.group else np.full(count, _ALL, dtype=object)
    files = labels(found, FILE) if FILE in found.columns and which.group != FILE else np.full(count, "", dtype=object)
    pairs = np.array([f"{file} {id}".strip() if id else "" for file, id in zip(files, ids, strict=True)], dtype=object)
    names, first, codes = np.unique(pairs.astype(str), return_index=True, return_inverse=True)
    file_codes = np.unique(files.astype(str), return_inverse=True)[1][first]
    if len(names) and names[0] == "":  # sorts first
        return names[1:].tolist(), codes - 1, file_codes[1:]
    return names.tolist(), codes, file_codes


def _no_steps(found: Found, which: Roles, values: np.ndarray, times: np.ndarray, tracks: np.ndarray) -> dict[int, str]:
    """Rows that are no step, and why."""
    x, y = (*which.values, "")[:2]
    problems = {
        f"has no {which.group}, so that nobody knows whose it is": tracks < 0,
        f"{which.order} is neither a number nor a date": ~np.isfinite(times),
        f"{' or '.join(which.values)} is no number": ~np.isfinite(values).all(axis=1),
    }
    if not which.series:
        problems[f"holds a number beyond {HUGE:.0e}"] = np.abs(np.nan_to_num(values)).max(axis=1) > HUGE
    if which.geographic:
        far = np.abs(np.nan_to_num(values[:, 1])) > 90
        if far.any() and (np.abs(np.nan_to_num(values[:, 0])) <= 90).all():
            row = int(np.argmax(far))
            raise DataError(
                f"{found.where(row)}: {y} is {values[row, 1]:g}, and a latitude ends at 90; no {x} is beyond 90: "
                "the two are exchanged.",
                f"Exchange the names of the columns {x} and {y}.",
            )
        problems[f"{y} is no latitude: beyond 90"] = far
        problems[f"{x} is no longitude: beyond 360"] = np.abs(np.nan_to_num(values[:, 0])) > 360
    refused: dict[int, str] = {}
    for why, which_rows in problems.items():
        for row in np.flatnonzero(which_rows):
            refused.setdefault(int(row), why)
    return refused


def _mark(found: Found, which: Roles, numbers: list[Numbers]) -> str:
    """The decimal mark that texts of numbers show; "" where they show none."""
    shown = set()
    for name, each in zip(which.values, numbers, strict=True):
        column, good = found.columns[name], each.values[np.isfinite(each.values)]
        if isinstance(column, Cells) and column.is_text and (good != np.rint(good)).any():
            shown.add(each.style.decimal)
    return shown.pop() if len(shown) == 1 else ""


def _backwards(times: np.ndarray, tracks: np.ndarray, good: np.ndarray) -> tuple[list[int], list[int], int]:
    """Rows that go back in time, and rows before their time, as few as can be; where they are many, how often it falls.

    Many of them are no faults: the table is not sorted.
    """
    grouped = good[np.argsort(tracks[good], kind="stable")]
    falls = int(((np.diff(times[grouped]) < 0) & (np.diff(tracks[grouped]) == 0)).sum())
    if not falls:
        return [], [], 0
    back: list[int] = []
    ahead: list[int] = []
    starts = np.flatnonzero(np.diff(tracks[grouped], prepend=tracks[grouped[0]] - 1))
    for rows in np.split(grouped, starts[1:]):
        behind = times[rows] < np.maximum.accumulate(times[rows])
        if behind.any():
            kept = _rising(times[rows])
            fewer = len(rows) - len(kept) < behind.sum()
            back += [] if fewer else rows[behind].tolist()
            ahead += np.delete(rows, kept).tolist() if fewer else []
    if len(back) + len(ahead) > _OUT_OF_ORDER * len(grouped):
        return [], [], falls
    return back, ahead, 0


def _rising(times: np.ndarray) -> list[int]:
    """Places of the longest part of these that never falls."""
    ends: list[float] = []  # of rising parts of 1, 2, ... places the smallest last time
    places: list[int] = []
    before: list[int] = []
    for place, time in enumerate(times.tolist()):
        length = bisect_right(ends, time)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1], places[length : length + 1] = [time], [place]
    kept, place = [], places[-1]
    while place >= 0:
        kept.append(place)
        place = before[place]
    return kept[::-1]


def _around_the_globe(steps: Steps) -> None:
    """A way across the 180th meridian is a short one."""
    crossed = []
    starts = np.flatnonzero(np.diff(steps.tracks, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(steps.tracks)], strict=True):
        ways = np.unwrap(steps.values[start:end, 0], period=360.0)
        if not np.array_equal(ways, steps.values[start:end, 0]):
            crossed.append(steps.names[int(steps.tracks[start])])
            steps.values[start:end, 0] = ways
    if crossed:
        steps.notes.append(
            f"{counted(len(crossed), 'track')} cross the 180th meridian ({crossed[0]} first): longitudes go on there"
        )


def _without_gaps(steps: Steps, clocks: np.ndarray, wish: Gaps | None) -> None:
    """Ends tracks at gaps, fills these or passes them over; what a usual step is, each clock tells by itself."""
    same = np.diff(steps.tracks) == 0
    ways = np.diff(steps.times)
    whose = clocks[steps.tracks[1:]] if len(clocks) else np.zeros(len(ways), dtype=np.int64)
    usual = np.ones(len(ways))
    for clock in np.unique(whose[same]):
        usual[whose == clock] = np.median(ways[same & (whose == clock)])
    each, steps_of = np.unique(usual[same], return_counts=True)
    steps.usual = float(each[np.argmax(steps_of)]) if same.any() else 1.0
    gaps = np.flatnonzero(same & (ways > _GAP * usual))
    steps.as_rows = wish == "ignore"
    if wish is None and steps.dated and (off := weeks.days_off(steps.times, steps.usual)):
        steps.as_rows, steps.why = True, f"no row lies on a {' or '.join(off)}: the rows themselves are the steps"
    missing = np.rint(ways[gaps] / usual[gaps]).astype(np.int64) - 1
    if steps.as_rows or not len(gaps):
        _passed(steps, gaps, missing)
        return
    breaks = ~same
    breaks[gaps] = True
    steps.pieces = np.concatenate([[0], np.cumsum(breaks)])
    told = _told(steps, gaps, missing)
    if wish == "fill" and missing.max() <= _LONGEST_FILL:
        steps.notes.append(f"{told}: filled along straight lines")
        _filled(steps, gaps, missing)
        return
    steps.notes.append(
        f"{told}: a track ends there and another begins; data.window.gaps: fill puts steps into them, ignore takes the "
        "rows as the steps"
    )
    for gap, lost in zip(gaps, missing, strict=True):
        place = steps.at(int(gap), "after")
        reason = "steps are missing: the track ends here and another begins."
        steps.refused.append(Refusal(f"gap in {place}", f"{place}, {counted(int(lost), 'step')}", "refused", reason))


def _told(steps: Steps, gaps: np.ndarray, missing: np.ndarray) -> str:
    place = steps.at(int(gaps[0]), "after")
    several = len(np.unique(steps.tracks[gaps]))
    steps_lost = counted(int(missing.sum()), "step")
    return f"{counted(len(gaps), 'gap')} in {counted(several, 'track')}, {steps_lost} ({place} first)"


def _passed(steps: Steps, gaps: np.ndarray, missing: np.ndarray) -> None:
    """Every track is one stretch; how much time was passed over is told."""
    steps.pieces = steps.tracks.copy()
    if len(gaps):
        longest = int(np.argmax(missing))
        most = f"{counted(int(missing[longest]), 'step')} after {steps.when(gaps[longest])}"
        steps.notes.append(
            f"{_told(steps, gaps, missing)}: passed over, since the rows are the steps; {most} in the longest"
        )


def _filled(steps: Steps, gaps: np.ndarray, missing: np.ndarray) -> None:
    places = np.repeat(gaps, missing)
    part = np.concatenate([np.arange(1, lost + 1) / (lost + 1) for lost in missing])
    values = steps.values[places] + part[:, None] * (steps.values[places + 1] - steps.values[places])
    times = steps.times[places] + part * (steps.times[places + 1] - steps.times[places])
    at = places + 1
    steps.values = np.insert(steps.values, at, values, axis=0)
    steps.times = np.insert(steps.times, at, times)
    steps.rows = np.insert(steps.rows, at, -1)
    steps.tracks = np.insert(steps.tracks, at, steps.tracks[places])
    steps.pieces = steps.tracks.copy()
