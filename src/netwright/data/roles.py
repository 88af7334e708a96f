"""Which column of a table of rows in time is what: whose a row is, when it was, and the numbers of a step.

What nobody says is told by the names of the columns, or in a table without names by what they hold.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.errors import SpecError
from netwright.readers.columns import Arrays, Cells, Found
from netwright.readers.dates import is_date, read_ordered
from netwright.readers.layouts.timed_tables import FILE
from netwright.readers.numerals import Numbers, read_numbers
from netwright.registry import nearest
from netwright.spec_data import DataSpec
from netwright.words import counted, listed

_REPEATED = 0.05  # share of rows of a moment that was already; above it, rows of several series lie in one table
_MOSTLY = 0.5  # of the rows hold a number, where nobody named the column
_LATITUDE, _LONGITUDE = {"lat", "latitude"}, {"lon", "lng", "long", "longitude"}
_GROUP = {
    "id", "track", "track_id", "trackid", "ped", "ped_id", "pedestrian", "pedestrian_id", "person", "person_id",
    "agent", "agent_id", "object", "object_id", "obj_id", "target_id", "vehicle_id", "vessel", "mmsi", "trip_id",
}  # fmt: skip
_ORDER = {
    "frame", "frame_id", "frame_number", "time", "t", "timestamp", "time_s", "seconds", "step", "date", "datetime",
    "month", "day", "year", "week", "hour",
}  # fmt: skip
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
        series: Whether each is a series of its own, with a usual step of its own, and not a place among others.
        day_first: Whether the day stands before the month in its dates, where somebody said so.
        unnamed: Group and order of a table without names, told by what they hold; () of one with names.
    """

    group: str
    order: str
    values: tuple[str, ...]
    geographic: bool = False
    notes: tuple[str, ...] = ()
    series: bool = False
    day_first: bool | None = None
    unnamed: tuple[str, ...] = ()


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
        return Roles(group or "", order, values, notes=tuple(notes), series=True, day_first=data.day_first)
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
        known = pa.array(labels(found, name), pa.string()).dictionary_encode()
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
        return _numbers(found, columns, taken)
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


def _numbers(found: Found, columns: list[str], taken: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """Columns that hold numbers in most rows; and which are left out since they hold few, as every row needs them."""
    shares = {}
    for name in columns:
        column = found.columns[name]
        if name not in taken and isinstance(column, Cells) and len(found):
            shares[name] = float(np.isfinite(read_numbers(column.values).values).mean())
    some = {name: share for name, share in shares.items() if share}
    wanted = [name for name, share in some.items() if share >= _MOSTLY] or list(some)
    if not wanted:
        raise SpecError(f"{found.origin}: no column of numbers to go on with.", "Give a table with a date and numbers.")
    few = [name for name in some if name not in wanted]
    held = [f"{name} ({counted(round(some[name] * len(found)), 'number')} in {len(found):,} rows)" for name in few]
    return tuple(wanted), [f"left out: {listed(held, 8)}"] if few else []


def _geographic(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[0].strip().casefold() in _LONGITUDE and values[1].strip().casefold() in _LATITUDE


def _told_by_content(found: Found, columns: list[str]) -> Roles:
    """Frame, id, x and y of a table without names: frame and id are whole, and the steps of a track are short."""
    numbers = {name: numbers_of(found, name).values for name in columns}
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
    return Roles(group, order, (x, y), notes=(said,), unnamed=(group, order))


def numbers_of(found: Found, name: str, decimal: str = "") -> Numbers:
    """A column as numbers.

    Args:
        found: The table.
        name: Of the column.
        decimal: The decimal mark of the table; "" where it is not known.

    Raises:
        SpecError: It holds no numbers.
    """
    column = found.columns[name]
    if isinstance(column, Arrays) and column.values.ndim == 1 and column.values.dtype.kind in "iuf":
        column = Cells(pa.chunked_array([pa.array(np.asarray(column.values, dtype=np.float64))]))
    if isinstance(column, Cells):
        return read_numbers(column.values, decimal=decimal, comma=column.comma)
    raise SpecError(f"{found.origin}: column {name} holds no numbers.", "Name columns of numbers.")


def labels(found: Found, name: str) -> np.ndarray:
    """A column as texts; of a column of numbers `7.0` as `7`.

    Args:
        found: The table.
        name: Of the column.

    Raises:
        SpecError: It holds files.
    """
    column = found.columns[name]
    if isinstance(column, Arrays):
        values = pa.array(np.asarray(column.values).reshape(len(column), -1)[:, 0])
    elif isinstance(column, Cells):
        values = column.values.combine_chunks()
    else:
        raise SpecError(f"{found.origin}: column {name} holds files.", "Name a column of numbers or texts.")
    texts = pc.utf8_trim_whitespace(pc.fill_null(pc.cast(values, pa.string()), ""))
    if pc.all(pc.match_substring_regex(texts, r"^(-?\d+(\.\d+)?)?$")).as_py():
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    return np.asarray(texts.to_pylist(), dtype=object)
