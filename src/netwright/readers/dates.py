"""Cells to moments: the order in which a column writes day, month and year is found once and must fit the whole column.

Guarantees: a column that can be read day first as well as month first is not read at all; one cell alone gives the
same moment as the same cell in its column, and text the same as a typed column. Moments are seconds since 1970-01-01
00:00; times with a zone are brought to UTC, times without one are taken as they stand.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.readers.columns import is_text
from netwright.readers.numerals import MISSING

DAY = 86400  # seconds
UNDECIDED = "undecided"
_UNITS = (("day", DAY), ("hour", 3600), ("minute", 60), ("second", 1))
_SECOND = 10**6  # microseconds
_TIME = (
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r" ?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?"
)
_TWO = r"[./-](?P<year>\d{4})"
_FORMS = {  # what stands first -> how a cell looks
    "year": rf"^(?P<year>\d{{4}})(?:-(?P<only>\d{{1,2}})|[./-](?P<month>\d{{1,2}})[./-](?P<day>\d{{1,2}}){_TIME})$",
    "day": rf"^(?P<day>\d{{1,2}})[./-](?P<month>\d{{1,2}}){_TWO}{_TIME}$",
    "month": rf"^(?P<month>\d{{1,2}})[./-](?P<day>\d{{1,2}}){_TWO}{_TIME}$",
}
_LOOKED_AT = 1000  # cells of which one must be a date before a whole column is tried


@dataclass(frozen=True)
class Moments:
    """A column read as moments.

    Args:
        values: float64 seconds since 1970-01-01 00:00, NaN where there is none.
        missing: Cells that say "no value", e.g. empty or NA.
        unreadable: Cells that hold something else.
        first: What stands first in a cell: "year", "day", "month", or `UNDECIDED`.
        readings: Both readings of a cell in words, where the order is undecided.
        ahead: Seconds that the zone of each is ahead of UTC; None where there are no zones.
    """

    values: np.ndarray
    missing: np.ndarray
    unreadable: np.ndarray
    first: str
    readings: str = ""
    ahead: np.ndarray | None = None

    @property
    def steps(self) -> np.ndarray:
        """Moments that tell how far rows lie apart: as clocks showed them where these always showed the same.

        A day that begins at midnight in Berlin is that day, though in UTC it begins on the one before, and the days on
        which clocks are changed are no shorter or longer than others.
        """
        if self.ahead is None:
            return self.values
        shown = self.values + self.ahead
        clocks = np.unique(shown[np.isfinite(shown)] % DAY)
        return shown if len(clocks) == 1 else self.values


def is_date(kind: pa.DataType) -> bool:
    """Whether a column holds days, with or without times."""
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def read_moments(values: pa.ChunkedArray, first: str = "") -> Moments:
    """Every cell of a column as a moment.

    Args:
        values: Text or dates; a column of another type has no readable cell.
        first: What stands first in its texts; found from the cells when left out.
    """
    if is_date(values.type):
        return _typed(values)
    if not is_text(values.type):
        nothing = np.zeros(len(values), bool)
        return Moments(np.full(len(values), np.nan), nothing, ~nothing, first or "year")
    text = pc.utf8_trim_whitespace(pc.fill_null(values, ""))
    missing = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING)).to_numpy()
    if not first and not _some_date(text, missing):
        return Moments(np.full(len(text), np.nan), missing, ~missing, "year")
    read = {form: _parsed(text, form) for form in ([first] if first else _FORMS)}
    first = first or max(read, key=lambda form: int(np.isfinite(read[form][0]).sum()))
    found, ahead = read[first]
    readings = _readings(text, found, read["month"][0]) if first == "day" and len(read) > 1 else ""
    if readings:
        return Moments(np.full(len(text), np.nan), missing, ~missing, UNDECIDED, readings)
    return Moments(found, missing, ~missing & np.isnan(found), first, ahead=ahead if ahead.any() else None)


def read_ordered(values: pa.ChunkedArray, day_first: bool | None) -> Moments:
    """Every cell of a column as a moment, its order as a person says; dates with the year first leave nothing to say.

    Args:
        values: As for `read_moments`.
        day_first: Whether the day stands before the month; None finds it from the cells.
    """
    moments = read_moments(values, {None: "", True: "day", False: "month"}[day_first])
    if day_first is not None and not np.isfinite(moments.values).any():
        return read_moments(values)
    return moments


def spelled(seconds: float) -> str:
    """A length of time in its largest fitting unit.

    Example:
        >>> spelled(86400.0), spelled(5400.0), spelled(30.44 * 86400)
        ('1 day', '1.5 hours', '30.4 days')
    """
    name, size = next(((name, size) for name, size in _UNITS if seconds >= size), _UNITS[-1])
    many = f"{seconds / size:.3g}"
    return f"{many} {name}{'' if many == '1' else 's'}"


def written(seconds: float) -> str:
    """A moment as people who agree on ISO 8601 write it; the time only where there is one.

    Example:
        >>> written(0.0), written(86400 * 365.5)
        ('1970-01-01', '1971-01-01 12:00')
    """
    moment = np.datetime64(round(seconds * _SECOND), "us")
    text = str(moment).replace("T", " ")
    day, _, clock = text.partition(" ")
    if clock == "00:00:00.000000":
        return day
    return f"{day} {clock.removesuffix('.000000').removesuffix(':00')}"


def exact(values: pa.ChunkedArray) -> str | None:
    """The one cell of a typed column as a text that `read_moments` reads as the same moment."""
    micros = _micros(values)[0].as_py()
    return None if micros is None else str(np.datetime64(micros, "us"))


def _typed(values: pa.ChunkedArray) -> Moments:
    micros = _micros(values)
    missing = micros.is_null().to_numpy()
    seconds = pc.fill_null(micros, 0).to_numpy().astype(np.float64) / _SECOND
    ahead = None
    if pa.types.is_timestamp(values.type) and values.type.tz:
        shown = pc.fill_null(_micros(pc.local_timestamp(values)), 0).to_numpy().astype(np.float64) / _SECOND
        ahead = shown - seconds
    return Moments(np.where(missing, np.nan, seconds), missing, np.zeros(len(values), bool), "year", ahead=ahead)


def _micros(values: pa.ChunkedArray) -> pa.ChunkedArray:
    zone = values.type.tz if pa.types.is_timestamp(values.type) else None
    return pc.cast(values, pa.timestamp("us", zone), safe=False).cast(pa.int64())


def _some_date(text: pa.ChunkedArray, missing: np.ndarray) -> bool:
    """Whether one of the first cells looks like a date, so that long texts cost nothing."""
    some = text.filter(pa.array(~missing)).slice(0, _LOOKED_AT)
    return any(bool(pc.any(pc.match_substring_regex(some, pattern)).as_py()) for pattern in _FORMS.values())


def _parsed(text: pa.ChunkedArray, form: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds by cell, NaN where a cell is no such date or no day of the calendar; and how far its zone is ahead."""
    found = pc.extract_regex(text, _FORMS[form])
    fits = found.is_valid().to_numpy()

    def group(name: str, otherwise: int = 0) -> np.ndarray:
        words = pc.struct_field(found, name)
        return pc.cast(pc.if_else(pc.equal(words, ""), None, words), pa.int64()).fill_null(otherwise).to_numpy()

    month = group("month", 1)
    if form == "year":
        only = pc.struct_field(found, "only")
        month = np.where(pc.not_equal(only, "").fill_null(False).to_numpy(), group("only", 1), month)
    year, day = group("year", 1970), group("day", 1)
    hour, minute, second = (group(name) for name in ("hour", "minute", "second"))
    fits &= (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year - 1970) * 12 + np.where(fits, month, 1) - 1
    start, end = (months + more for more in (0, 1))
    start, end = (of.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for of in (start, end))
    fits &= day <= end - start
    ahead = _offset(found)
    whole = ((start + day - 1) * DAY + hour * 3600 + minute * 60 + second - ahead) * _SECOND
    return np.where(fits, (whole + _fraction(found)) / _SECOND, np.nan), ahead


def _fraction(found: pa.ChunkedArray) -> np.ndarray:
    """Microseconds behind the point; digits behind the sixth are cut."""
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.struct_field(found, "fraction"), 6, "0"), 0, 6)
    return pc.cast(digits, pa.int64()).fill_null(0).to_numpy()


def _offset(found: pa.ChunkedArray) -> np.ndarray:
    """Seconds that a cell's zone is ahead of UTC; 0 for a cell without one."""
    zone = pc.struct_field(found, "zone")
    zone = pc.replace_substring(pc.if_else(pc.is_in(zone, value_set=pa.array(["", "Z"])), "+0000", zone), ":", "")
    zone = pc.utf8_rpad(pc.fill_null(zone, "+0000"), 5, "0")  # "+02" is whole hours
    hours, minutes = (
        pc.cast(pc.utf8_slice_codeunits(zone, at, at + 2), pa.int64()).to_numpy() * unit
        for at, unit in ((1, 3600), (3, 60))
    )
    behind = pc.starts_with(zone, "-").to_numpy()
    return np.where(behind, -1, 1) * (hours + minutes)


def _readings(text: pa.ChunkedArray, by_day: np.ndarray, by_month: np.ndarray) -> str:
    """Both readings of the first cell that has two, where as many cells are dates either way; else nothing."""
    if np.isfinite(by_day).sum() != np.isfinite(by_month).sum():
        return ""
    both = np.flatnonzero(np.isfinite(by_day) & np.isfinite(by_month) & (by_day != by_month))
    if not len(both):
        return ""
    at = int(both[0])
    return f'"{text[at].as_py()}" is {written(by_day[at])} day first and {written(by_month[at])} month first'
