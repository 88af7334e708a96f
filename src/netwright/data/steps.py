"""Rows in time made steps of tracks: which column is what, rows that cannot be, gaps, and what lies around the globe.

Every row is accounted for: a row that is no point is refused, one that goes back in time or comes a second time is
quarantined, each with its place; a gap ends a track, or is filled or passed over where that is asked for, and is told.
Only a daily series that leaves out days of the week is taken as rows that follow each other by itself, with its reason.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.data import weeks
from netwright.errors import DataError, SpecError
from netwright.readers.columns import Arrays, Cells, Found, Refusal
from netwright.readers.dates import is_date, read_ordered, written
from netwright.readers.layouts.timed_tables import FILE
from netwright.readers.numerals import read_numbers
from netwright.registry import nearest
from netwright.spec_data import DataSpec
from netwright.words import counted, listed

HUGE = 1e9  # of a coordinate
_GAP = 1.5  # usual steps of time; beyond, one is missing
_OUT_OF_ORDER = 0.05  # share of rows that go back in time; above it the table is simply not sorted
_REPEATED = 0.05  # share of rows of a moment that was already; above it, rows of several series lie in one table
_ALL = "all"  # name of the one series of a table without groups
_LONGEST_FILL = 100_000  # steps that are put into one gap
_LATITUDE, _LONGITUDE = {"lat", "latitude"}, {"lon", "lng", "long", "longitude"}
_GROUP = {
    "id", "track", "track_id", "trackid", "ped", "ped_id", "pedestrian", "pedestrian_id", "person", "person_id",
    "agent", "agent_id", "object", "object_id", "obj_id", "target_id", "vehicle_id", "vessel", "mmsi", "trip_id",
}  # fmt: skip
_ORDER = {
    "frame", "frame_id", "frame_number", "time", "t", "timestamp", "time_s", "seconds", "step", "date", "datetime",
    "month", "day", "year", "week", "hour",
}  # fmt: skip
Gaps = Literal["cut", "fill", "ignore"]
_X, _Y = {"x", "pos_x", "x_m", "x_px", "cx", *_LONGITUDE}, {"y", "pos_y", "y_m", "y_px", "cy", *_LATITUDE}


@dataclass(frozen=True)
class Roles:
    """Which column is what.

    Args:
        group: Says which track or series a row belongs to; "" where all rows are one.
        order: Says when it was.
        values: The numbers of a step, coordinates first.
        geographic: Whether these are a longitude and a latitude.
        notes: What was recognised.
        most: The largest number that may be, of whatever size.
        day_first: Whether the day stands before the month in its dates, where somebody said so.
    """

    group: str
    order: str
    values: tuple[str, ...]
    geographic: bool = False
    notes: tuple[str, ...] = ()
    most: float = HUGE
    day_first: bool | None = None


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


# ---- columns ---------------------------------------------------------------------------------------------------------


def roles(found: Found, data: DataSpec, values: tuple[str, ...], kind: Literal["track", "series"]) -> Roles:
    """Which column is what, by what the spec says, by names, or in a table without names by what the columns hold.

    Args:
        found: The table.
        data: Names the columns of group and order, where it does, and how dates are read.
        values: As the spec says; () where it is left open.
        kind: Of a track the first two numbers are coordinates.

    Raises:
        SpecError: A column that is not there, or nothing says which it is.
    """
    group, order = data.group, data.order
    for name in (group, order, *values):
        if name is not None and name not in found.columns:
            known = ", ".join(list(found.columns)[:40])
            raise SpecError(
                f'{found.origin}: no column "{name}"{nearest(name, found.columns)}.', f"Its columns are: {known}."
            )
    columns = [name for name in found.columns if name != FILE]
    unnamed = all(name.startswith("column_") for name in columns)
    if unnamed and kind == "track" and len(columns) == 4 and not (group or order or values):
        return _told_by_content(found, columns)
    notes = []
    if order is None:
        order = _called(columns, _ORDER, values) or _dated(found, columns, data.day_first)
        if order is None:
            raise SpecError(
                f"{found.origin}: nothing says when a row was; the columns are {', '.join(columns[:40])}.",
                "Name it: --set data.order=COLUMN",
            )
        notes.append(f"{order}: when a row was")
    if group is None:
        group = _called(columns, _GROUP, (order, *values)) if kind == "track" else None
        notes += [f"{group}: which track a row belongs to"] if group else []
    if not values:
        values, said = _values(found, columns, {order, group or ""}, kind, data.split.column)
        notes += said
    if kind == "series":
        _refuse_twice(found, order, group)
        return Roles(group or "", order, values, notes=tuple(notes), most=math.inf, day_first=data.day_first)
    return Roles(group or "", order, values, _geographic(values), tuple(notes), day_first=data.day_first)


def _refuse_twice(found: Found, order: str, group: str | None) -> None:
    """A column that is to order a series says each moment once, or once in each file and group.

    Raises:
        SpecError: It does not.
    """
    whose = [name for name in (FILE, group) if name in found.columns and name is not None]
    moments = _codes(found, [*whose, order])
    told = len(np.unique(moments)) / max(len(moments), 1)
    if told >= 1 - _REPEATED:
        return
    apart = None if group else _telling_apart(found, order, moments)
    if apart is not None:
        raise SpecError(
            f"{found.origin}: {order} holds the same value in several rows, which {apart} tells apart.",
            f"If each {apart} is a series of its own, say so: --set data.group={apart}",
        )
    if told < 0.5:
        raise SpecError(
            f"{found.origin}: {order} holds the same value in many rows{f' of one {group}' if group else ''}, so that "
            "it does not say when a row was.",
            "Name the column that does: --set data.order=COLUMN",
        )


def _telling_apart(found: Found, order: str, moments: np.ndarray) -> str | None:
    """The column of few names or whole numbers that differs wherever moments are the same; texts are tried first."""
    tried = []
    for name, column in found.columns.items():
        text = isinstance(column, Cells) and column.is_text
        kind = column.values.type if isinstance(column, Cells) else None
        whole = kind is not None and pa.types.is_integer(kind)
        whole |= isinstance(column, Arrays) and column.values.ndim == 1 and column.values.dtype.kind in "iu"
        if not (text or whole) or name in {order, FILE} or name.strip().casefold() in _ORDER:
            continue
        codes = _codes(found, [name])
        values = int(codes.max()) + 1
        both = len(np.unique(moments * values + codes))
        if 2 <= values <= len(codes) / 4 and both >= (1 - _REPEATED / 5) * len(codes):
            tried.append((not text, values, name))
    return min(tried)[2] if tried else None


def _codes(found: Found, names: list[str]) -> np.ndarray:
    """One whole number for each row, the same where all columns are."""
    rows = np.zeros(len(found), dtype=np.int64)
    for name in names:
        known = pa.array(_labels(found, name), pa.string()).dictionary_encode()
        rows = rows * len(known.dictionary) + known.indices.to_numpy()
        rows = np.unique(rows, return_inverse=True)[1]
    return rows


def _called(columns: list[str], names: set[str], taken: tuple[str, ...]) -> str | None:
    return next((name for name in columns if name.strip().casefold() in names and name not in taken), None)


def _dated(found: Found, columns: list[str], day_first: bool | None) -> str | None:
    """The first column of dates, even if nothing in it says how they are read."""
    for name in columns:
        column = found.columns[name]
        if isinstance(column, Cells) and (is_date(column.values.type) or column.is_text):
            moments = read_ordered(column.values, day_first)
            dates = bool(moments.readings) or not moments.unreadable.any()
            if dates and len(moments.values) and not moments.missing.any():
                return name
    return None


def _values(
    found: Found, columns: list[str], taken: set[str], kind: Literal["track", "series"], divides: str | None
) -> tuple[tuple[str, ...], list[str]]:
    """The numbers of a step; and which columns a track leaves out, since nobody said what else is known of a step."""
    if kind == "series":
        return _numbers(found, columns, taken), []
    axes = _coordinates(found, columns)
    rest = [name for name in columns if name not in {*taken, *axes, divides}]
    wanted = ", ".join([*axes, *rest[:1]])
    told = f"left out: {listed(rest, 8)}; such numbers go in where they are named: from: [{wanted}]"
    return axes, [told] if rest else []


def _coordinates(found: Found, columns: list[str]) -> tuple[str, ...]:
    x, y = _called(columns, _X, ()), _called(columns, _Y, ())
    if x is None or y is None:
        raise SpecError(
            f"{found.origin}: nothing says which columns are the coordinates; there are {', '.join(columns[:40])}.",
            "Name them: inputs: {path: {kind: track, from: [x, y]}}",
        )
    return (x, y)


def _numbers(found: Found, columns: list[str], taken: set[str]) -> tuple[str, ...]:
    wanted = []
    for name in columns:
        column = found.columns[name]
        if name not in taken and isinstance(column, Cells) and np.isfinite(read_numbers(column.values).values).any():
            wanted.append(name)
    if not wanted:
        raise SpecError(f"{found.origin}: no column of numbers to go on with.", "Give a table with a date and numbers.")
    return tuple(wanted)


def _geographic(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[0].strip().casefold() in _LONGITUDE and values[1].strip().casefold() in _LATITUDE


def _told_by_content(found: Found, columns: list[str]) -> Roles:
    """Frame, id, x and y of a table without names: frame and id are whole, and the steps of a track are short."""
    numbers = {name: _as_numbers(found, name) for name in columns}
    whole = [name for name in columns if (numbers[name] == np.rint(numbers[name])).all()][:2]
    if len(whole) < 2:
        raise SpecError(
            f"{found.origin}: has no header, and {len(whole)} of 4 columns hold whole numbers, where two were "
            "expected, frame and id.",
            "Give the columns names in a first line, e.g. frame id x y.",
        )
    x, y = (name for name in columns if name not in whole)
    places = np.column_stack([numbers[x], numbers[y]])
    lengths = []
    for order, group in (whole, whole[::-1]):
        sorted_by_time = np.lexsort((numbers[order], numbers[group]))
        same = np.diff(numbers[group][sorted_by_time]) == 0
        ways = np.linalg.norm(np.diff(places[sorted_by_time], axis=0), axis=1)[same]
        lengths.append(float(np.nanmedian(ways)) if len(ways) else np.inf)
    order, group = whole if lengths[0] <= lengths[1] else whole[::-1]
    said = f"no header: {order} was read as the frame, {group} as the id, {x} and {y} as x and y"
    return Roles(group, order, (x, y), notes=(said,))


def _as_numbers(found: Found, name: str, decimal: str = "") -> np.ndarray:
    column = found.columns[name]
    if isinstance(column, Arrays) and column.values.ndim == 1 and column.values.dtype.kind in "iuf":
        return np.asarray(column.values, dtype=np.float64)
    if isinstance(column, Cells):
        return read_numbers(column.values, decimal=decimal, comma=column.comma).values
    raise SpecError(f"{found.origin}: column {name} holds no numbers.", "Name columns of numbers.")


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
            numbers = read_numbers(column.values)
            if np.isfinite(numbers.values).mean() > 0.5:
                return _Times(numbers.values)
        moments = read_ordered(column.values, day_first)
        if moments.readings:
            raise DataError(
                f"{found.origin}: column {name} holds dates that can be read two ways: {moments.readings}.",
                "Say which: --set data.day_first=true or false; or write them as 2024-01-31.",
            )
        seconds = np.where(moments.missing | moments.unreadable, np.nan, moments.values)
        return _Times(seconds, True, {"day": True, "month": False}.get(moments.first))
    return _Times(_as_numbers(found, name))


# ---- rows ------------------------------------------------------------------------------------------------------------


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
    values = np.column_stack([_as_numbers(found, name, decimal) for name in which.values])
    times, dated, day_first = _as_times(found, which.order, which.day_first)
    names, tracks, files = _tracks(found, which)
    refused = _no_steps(found, which, values, times, tracks)
    good = np.ones(len(values), dtype=bool)
    good[list(refused)] = False
    notes = list(which.notes)
    backwards, unsorted = _backwards(times, tracks, np.flatnonzero(good))
    if len(unsorted):
        notes.append(
            f"{counted(len(unsorted), 'row')} stand before an earlier one: the rows are put in order by {which.order}"
        )
    quarantined = dict.fromkeys(
        backwards.tolist(), f"goes back in time: {which.order} is smaller than in the row before it"
    )
    good[backwards] = False
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
    steps.refused, steps.notes = told, notes
    if which.geographic:
        _around_the_globe(steps)
    _without_gaps(steps, files, gaps)
    return steps


def _refusal(found: Found, row: int, state: Literal["refused", "quarantined"], why: str) -> Refusal:
    return Refusal(str(found.ids[row]), found.where(row), state, f"{why}.")


def _tracks(found: Found, which: Roles) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the tracks, the track of each row (-1 where the row says none), and the file of each track."""
    count = len(found)
    ids = _labels(found, which.group) if which.group else np.full(count, _ALL, dtype=object)
    files = _labels(found, FILE) if FILE in found.columns and which.group != FILE else np.full(count, "", dtype=object)
    pairs = np.array([f"{file} {id}".strip() if id else "" for file, id in zip(files, ids, strict=True)], dtype=object)
    names, first, codes = np.unique(pairs.astype(str), return_index=True, return_inverse=True)
    file_codes = np.unique(files.astype(str), return_inverse=True)[1][first]
    if len(names) and names[0] == "":  # sorts first
        return names[1:].tolist(), codes - 1, file_codes[1:]
    return names.tolist(), codes, file_codes


def _labels(found: Found, name: str) -> np.ndarray:
    """A column as texts, `7.0` as `7`."""
    column = found.columns[name]
    if isinstance(column, Arrays):
        values = pa.array(np.asarray(column.values).reshape(len(column), -1)[:, 0])
    elif isinstance(column, Cells):
        values = column.values.combine_chunks()
    else:
        raise SpecError(f"{found.origin}: column {name} holds files.", "Name a column of numbers or texts.")
    texts = pc.utf8_trim_whitespace(pc.fill_null(pc.cast(values, pa.string()), ""))
    return np.asarray(pc.replace_substring_regex(texts, r"\.0+$", "").to_pylist(), dtype=object)


def _no_steps(found: Found, which: Roles, values: np.ndarray, times: np.ndarray, tracks: np.ndarray) -> dict[int, str]:
    """Rows that are no step, and why."""
    x, y = (*which.values, "")[:2]
    problems = {
        f"has no {which.group}, so that nobody knows whose it is": tracks < 0,
        f"{which.order} is neither a number nor a date": ~np.isfinite(times),
        f"{' or '.join(which.values)} is no number": ~np.isfinite(values).all(axis=1),
        f"holds a number beyond {which.most:.0e}": np.abs(np.nan_to_num(values)).max(axis=1) > which.most,
    }
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


def _backwards(times: np.ndarray, tracks: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that go back in time; and instead of these, where the table is not sorted at all, those out of order."""
    grouped = good[np.argsort(tracks[good], kind="stable")]
    falls = (np.diff(times[grouped]) < 0) & (np.diff(tracks[grouped]) == 0)
    if not falls.any():
        return grouped[:0], grouped[:0]
    if falls.mean() > _OUT_OF_ORDER:
        return grouped[:0], grouped[1:][falls]
    found = []
    starts = np.flatnonzero(np.diff(tracks[grouped], prepend=tracks[grouped[0]] - 1))
    for rows in np.split(grouped, starts[1:]):
        behind = times[rows] < np.maximum.accumulate(times[rows])
        found += rows[behind].tolist()
    return np.array(found, dtype=np.int64), grouped[:0]


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


def _without_gaps(steps: Steps, files: np.ndarray, wish: Gaps | None) -> None:
    """Ends tracks at gaps, fills these or passes them over; what a usual step is, each file tells by itself."""
    same = np.diff(steps.tracks) == 0
    ways = np.diff(steps.times)
    of_file = files[steps.tracks[1:]] if len(files) else np.zeros(len(ways), dtype=np.int64)
    usual = np.ones(len(ways))
    for file in np.unique(of_file[same]):
        usual[of_file == file] = np.median(ways[same & (of_file == file)])
    steps.usual = float(np.median(ways[same])) if same.any() else 1.0
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
    return f"{counted(len(gaps), 'gap')} in {counted(several, 'track')}, {missing.sum():,} steps ({place} first)"


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
