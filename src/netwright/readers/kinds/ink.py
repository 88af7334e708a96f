"""Pen ink: points in the order in which they were drawn, and where the pen was set down anew.

Read from points in arrays, JSON, CSV, InkML, IAM's XML and UNIPEN-like text. What is cached is the points as they are;
the network sees them in a frame of their own, so that neither place nor size on the page matters, and the way to each.
What the other numbers of each point say, of the pen and of the time, is decided when the data is planned
(`readers/pens.py`); how hard the pen was pressed is not read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast
from xml.etree import ElementTree

import numpy as np
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.columns import Blobs, Column, Found, Several, Steps, named
from netwright.readers.encodings import decoded
from netwright.readers.kinds.kind import Cell, path_of, source_of
from netwright.readers.kinds.sequence import Sequence, each_cell
from netwright.readers.pens import NAMES, TIMES, Marks, Pen, Way, clock, recognised
from netwright.readers.sniff import HEAD_BYTES, INKS, TEXTS, sniff
from netwright.spec import InputSpec, OutputSpec
from netwright.words import counted

LONGEST = 2_000  # points
_HUGE = 1e9  # of a coordinate
_LOOKED_AT = 200  # inks, to know what the numbers of their points say
_PEN, _PEN_AT = "pen", "pen_at"  # options: what a number of each point says of the pen, and which number that is
_NEVER = "never"  # none says when the pen was lifted
_TIME = "time"  # option: which number says when a point was drawn
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(_NUMBER)
_VALUES = re.compile(rf"([!'\"]?)\s*({_NUMBER}|[*?TF])")
Strokes = list[list[tuple[float, ...]]]  # x and y of each point, and perhaps its time


@dataclass(frozen=True)
class _Written:
    """An ink as it is written.

    Args:
        places: `(time, 2)`: x and y.
        marks: Other numbers of each point that may say something of the pen or the time.
        begins: Where strokes begin, of a form that has strokes; None for mere points.
    """

    places: np.ndarray
    marks: Marks
    begins: np.ndarray | None = None


class Ink(Sequence):
    """Pen points, cached as x, y, 1 where a stroke begins, and the time since the first where that is known."""

    name: ClassVar[str] = "ink"
    settings: ClassVar[tuple[str, ...]] = ("longest", "augment")
    foresees: ClassVar[str] = "ink is placed in a frame of all its points, which later ones change"

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Pairs of columns are points of one stroke; anything else holds its points in each cell.

        Raises:
            SpecError: An odd number of columns.
        """
        path = path_of(name, spec)
        if isinstance(column, Several) and len(column.columns) % 2:
            raise SpecError(
                f"{path}.from: {len(column.columns)} columns are no pairs of x and y.",
                "Name them in the order x1, y1, x2, y2, ...",
            )
        longest = spec.longest if isinstance(spec, InputSpec) and spec.longest else LONGEST
        field = Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(3,),
            dtype="float32",
            ragged=True,
            options={"longest": longest},
        )
        inks = _some(self.cells(column), name)
        options, reasons = dict(field.options), []
        if mere := [ink.marks for ink in inks if ink.begins is None]:  # else strokes are written as such
            lifted, reason = _lifted(mere, f"{path}: pen")
            options |= lifted
            reasons.append(reason)
        if timed := clock([ink.marks for ink in inks]):
            options[_TIME] = timed
            what = f"number {timed} of each point" if timed.isdecimal() else timed
            why = f"{what} never falls in {counted(len(inks), 'ink')} looked at"
            reasons.append(Reason(path=f"{path}: time", value="of each point", why=why))
        return field.model_copy(update={"options": options, "shape": (3 + bool(timed),)}), reasons

    def cells(self, column: Column) -> Column:
        """The files themselves where cells name them."""
        return named(column, self.name) or column

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """`(time, 3)`: x, y, and 1 where the pen was set down anew; `(time, 4)` with times.

        Raises:
            CellError: No ink, no point, a coordinate that is none, or no times where the others have some.
        """
        points = _drawn(_written(raw), field)
        if not len(points):
            raise CellError("holds no point that was drawn.")
        if not np.isfinite(points).all() or np.abs(points[:, :3]).max() > _HUGE:
            raise CellError("holds a coordinate that is no number, or beyond all paper.")
        points[0, 2] = 1
        moved = np.ones(len(points), dtype=bool)
        if not field.options.get("every"):  # where each point is answered, those at which the pen stood still as well
            moved[1:] = (np.diff(points[:, :2], axis=0) != 0).any(axis=1) | (points[1:, 2] == 1)
        return points[moved][: int(field.options["longest"])].astype(np.float32)

    def width(self, field: Field) -> int:
        """Mean and spread of each number, and how many points there are."""
        return 2 * self.dim(field) + 1

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """`(time, 5)`: place in the ink's own frame, the way here, where a stroke begins; 6 with the time it took."""
        del field
        return _framed

    def dim(self, field: Field) -> int:
        """Place, way and pen, and perhaps time."""
        return field.shape[-1] + 2

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each number over time, and the logarithm of the points."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How many points and strokes there are."""
        del field
        points = np.asarray(value)
        return f"{len(points)} points, {int(points[:, 2].sum())} strokes"


def _lifted(marks: list[Marks], told: str) -> tuple[dict[str, str], Reason]:
    """What says where strokes of mere points begin, and why."""
    if pen := recognised(marks):
        return {_PEN: pen.way, _PEN_AT: pen.at}, Reason(path=told, value=pen.words, why=pen.why)
    why = "no number of the points says where the pen was lifted: the way to the next stroke counts as drawn"
    return {_PEN: _NEVER}, Reason(path=told, value="one stroke each", why=why)


def _framed(points: np.ndarray) -> np.ndarray:
    """Centred, the longer side from -1 to 1; ways in units of their mean length, those of a lifted pen as well.

    The time since the point before is told by its logarithm, in units of the ink's own, so that its unit does not
    matter, nor how fast a hand is throughout.
    """
    if not len(points):  # of a cell that could not be read
        return np.zeros((0, points.shape[-1] + 2), dtype=np.float32)
    places = points[:, :2]
    low, high = places.min(axis=0), places.max(axis=0)
    side = float((high - low).max()) or 1.0
    inside = (places - (low + high) / 2) * (2 / side)
    ways = np.diff(inside, axis=0, prepend=inside[:1])
    usual = float(np.abs(ways).mean()) or 1.0
    columns = [inside, np.clip(ways / usual, -10, 10), points[:, 2:3]]
    if points.shape[1] > 3:
        took = np.diff(points[:, 3:], axis=0, prepend=points[:1, 3:])
        columns.append(np.log1p(took / (np.median(took[took > 0]) if took.any() else 1.0)))
    return np.concatenate(columns, axis=1).astype(np.float32)


def _some(column: Column, name: str) -> list[_Written]:
    """Inks that have points among some cells, evenly spread."""
    count = len(column)
    index = np.unique(np.linspace(0, max(count - 1, 0), min(count, _LOOKED_AT)).astype(np.int64))
    if isinstance(column, Several):
        return [_Written(np.zeros((1, 2)), {})]
    if isinstance(column, Steps):
        return []
    cells = (
        column.heads(_LOOKED_AT, -1) if isinstance(column, Blobs) else (c for _, c in each_cell(column, name, index))
    )
    found: list[_Written] = []
    for cell in cells:
        try:
            found.append(_written(cast("Cell", cell)))
        except CellError:
            continue  # it is met again, and accounted for, when the cells are read
    return [ink for ink in found if len(ink.places)]


def _drawn(ink: _Written, field: Field) -> np.ndarray:
    """What was drawn of an ink, where strokes begin, and perhaps when; of all points where each has an answer.

    Raises:
        CellError: See `Ink.one`.
    """
    begins, drawn = ink.begins, np.ones(len(ink.places), dtype=bool)
    if begins is None and field.options.get(_PEN) == _NEVER:
        begins = ~drawn
    elif begins is None:
        way = cast("Way", field.options.get(_PEN, "begins"))
        begins, drawn = Pen(str(field.options.get(_PEN_AT, "")), way).strokes(ink.marks, len(ink.places))
    points = np.column_stack([ink.places, begins, *_times(ink, field)])
    if not field.options.get("every"):
        return points[drawn]
    points[:, 2] = begins | ~drawn  # in the air nothing leads from one point to the next
    return points


def _times(ink: _Written, field: Field) -> list[np.ndarray]:
    """When each point was drawn, counted from the first; none where the field has no times."""
    if _TIME not in field.options or not len(ink.places):
        return []
    strokes = ink.begins is not None  # with one more number of each point, perhaps, as a page sends it
    names = (str(field.options[_TIME]), *TIMES, *("3",) * strokes)
    times = next((ink.marks[name] for name in names if name in ink.marks), None)
    if times is None:
        raise CellError("does not say when its points were drawn, as those do that were learned from.")
    if not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise CellError("has points whose times are no numbers, or fall.")
    return [times - times[0]]


def _written(raw: Cell) -> _Written:
    if isinstance(raw, np.ndarray) and raw.ndim < 3 and not any(isinstance(point, list) for point in raw[:1]):
        return _of_array(raw)
    if isinstance(raw, list | np.ndarray):  # of points or strokes, as JSON has them
        raw = json.dumps(raw if isinstance(raw, list) else raw.tolist(), default=str)
    if isinstance(raw, bytes):
        if sniff(raw[:HEAD_BYTES]) not in TEXTS | INKS:
            raise CellError(f"is no ink (holds {sniff(raw[:HEAD_BYTES])}).")
        raw = decoded(raw)
    if not isinstance(raw, str):
        raise CellError("the cell has no value, expected ink.")
    text = raw.strip()
    if text.startswith("<"):
        return _stacked(_of_xml(text))
    if text.startswith(("[", "{")):
        return _of_json(text)
    if ".PEN_DOWN" in text:
        return _stacked(_of_unipen(text))
    return _of_table(text)


def _stacked(strokes: Strokes, third: str = TIMES[0]) -> _Written:
    """An ink that is written as strokes.

    Args:
        strokes: With x and y of each point, and perhaps one more number.
        third: Name of that.
    """
    points = [point for stroke in strokes for point in stroke]
    places = np.array([point[:2] for point in points], dtype=np.float64).reshape(-1, 2)
    begins = np.array([k == 0 for stroke in strokes for k in range(len(stroke))], dtype=bool)
    more = points and all(len(point) > 2 for point in points)
    return _Written(places, {third: np.array([point[2] for point in points])} if more else {}, begins)


def _of_array(values: np.ndarray) -> _Written:
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise CellError("its points are no numbers.") from exc
    if values.ndim == 1 and len(values) % 2 == 0:  # x1, y1, x2, y2, ...
        values = values.reshape(-1, 2)
    if values.ndim != 2 or values.shape[1] < 2:
        raise CellError(f"has shape {values.shape}, expected a row of x, y and perhaps pen for each point.")
    marks = {str(place + 1): values[:, place] for place in range(2, values.shape[1])}
    return _Written(values[:, :2], marks)


def _of_columns(columns: dict[str, list[object]]) -> _Written:
    """Points whose numbers have names; what is called like a pen or a time and holds no numbers is none."""
    places = np.stack([np.asarray(columns[name], dtype=np.float64) for name in ("x", "y")], axis=1)
    if places.ndim != 2:
        raise ValueError("x and y are no lists of numbers")
    marks: dict[str, np.ndarray] = {}
    for name in (name for name in (*NAMES, *TIMES) if name in columns):
        try:
            values = np.asarray(columns[name], dtype=np.float64)
        except (TypeError, ValueError):
            continue
        if values.shape == (len(places),) and np.isfinite(values).all():
            marks[name] = values
    return _Written(places, marks)


def _of_json(text: str) -> _Written:
    """Points, strokes of points, or an object with x, y and perhaps pen and time."""
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise CellError(f"is no JSON ({exc}).") from exc
    try:
        if not found:
            return _stacked([])
        if isinstance(found, dict):
            return _of_columns({name.casefold(): values for name, values in found.items()})
        if isinstance(found[0], dict):
            names = [name for name in (*NAMES, *TIMES) if any(name in point for point in found)]
            marks = {name: [point.get(name, 0) for point in found] for name in names}
            return _of_columns({**marks, **{name: [point[name] for point in found] for name in ("x", "y")}})
        if found[0] and isinstance(found[0][0], list):
            return _stacked([[_point(point) for point in stroke] for stroke in found], "3")
        return _of_array(np.array(found, dtype=np.float64).reshape(len(found), -1))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as exc:
        raise CellError("is no list of points or strokes.") from exc


def _point(values: list[object]) -> tuple[float, ...]:
    """x, y and one more number where there is one."""
    more = [float(value) for value in values[2:3] if isinstance(value, int | float)]
    return (float(values[0]), float(values[1]), *more)  # type: ignore[arg-type]


def _of_xml(text: str) -> Strokes:
    """The traces of InkML, or the points in strokes of IAM's XML; what declares entities is refused unread."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CellError("declares entities, which ink has no use for.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as exc:
        raise CellError(f"is no XML ({exc}).") from exc
    if traces := _named(root, "trace"):
        formats = [_named(one, "channel") for one in _named(root, "traceFormat")]
        orders = {_order([channel.get("name", "") for channel in channels]) for channels in formats}
        if len({order[:2] for order in orders}) > 1:
            raise CellError("has traces whose channels are in different orders.")
        places = min(orders, default=(0, 1))
        return [_of_trace(trace.text or "", places) for trace in traces]
    strokes = [_named(stroke, "Point") for stroke in _named(root, "Stroke")]
    if not any(strokes):
        raise CellError("is XML without a trace of ink.")
    try:
        names = (
            ("x", "y", "time") if all("time" in point.attrib for stroke in strokes for point in stroke) else ("x", "y")
        )
        return [[tuple(float(point.attrib[name]) for name in names) for point in stroke] for stroke in strokes]
    except (KeyError, ValueError) as exc:
        raise CellError("has a point without numbers x and y.") from exc


def _named(element: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [one for one in element.iter() if one.tag.rpartition("}")[2] == tag]


def _order(channels: list[str]) -> tuple[int, ...]:
    """Places of x and y, and of the time if it is there, among the numbers of a point."""
    names = [name.upper() for name in channels]
    if not {"X", "Y"} <= {*names}:
        raise CellError(f"has points of {', '.join(channels) or 'nothing'}, expected X and Y among them.")
    return tuple(names.index(name) for name in ("X", "Y", "T") if name in names)


def _of_trace(trace: str, places: tuple[int, ...]) -> list[tuple[float, ...]]:
    """Points of one trace, also those written as differences (') and as differences of these (").

    Source: W3C, Ink Markup Language (InkML), 2011, section 3.2.1.
    """
    points: list[tuple[float, ...]] = []
    marks, last, ways = ["!"] * len(places), [0.0] * len(places), [0.0] * len(places)
    for point in filter(str.strip, trace.split(",")):
        values = _VALUES.findall(point)
        if len(values) <= max(places) or any(values[place][1] in "?TF" for place in places):
            raise CellError(f'"{point.strip()[:40]}" is no point.')
        for axis, place in enumerate(places):
            mark, value = values[place]
            marks[axis] = mark or marks[axis]
            if value == "*":
                ways[axis] = 0.0
            elif marks[axis] == "!":
                ways[axis] = float(value) - last[axis] if points else 0.0
            else:
                ways[axis] = float(value) + (ways[axis] if marks[axis] == '"' else 0.0)
            last[axis] = float(value) if marks[axis] == "!" and value != "*" else last[axis] + ways[axis]
        points.append(tuple(last))
    return points


def _of_unipen(text: str) -> Strokes:
    """`.PEN_DOWN`, lines of coordinates in the order of `.COORD`, `.PEN_UP`; other lines with a dot are passed over."""
    strokes: Strokes = []
    down, places = False, (0, 1)
    for line in text.splitlines():
        word = line.strip()
        if word.startswith(".PEN_DOWN"):
            strokes.append([])
            down = True
        elif word.startswith(".COORD"):
            places = _order(word.split()[1:])
        elif word.startswith("."):
            down = down and not word.startswith(".PEN_UP")
        elif down and word:
            numbers = _NUMBERS.findall(word)
            if len(numbers) <= max(places):
                raise CellError(f'"{word[:40]}" is no point.')
            strokes[-1].append(tuple(float(numbers[place]) for place in places))
    return [stroke for stroke in strokes if stroke]


def _of_table(text: str) -> _Written:
    """A line for each point, with or without a header: x, y and perhaps pen and time; more is not read."""
    lines = [line for line in text.splitlines() if line.strip()]
    separator = next((mark for mark in ",;\t" if lines and mark in lines[0]), " ")
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True))
    names = [cell.strip().casefold() for cell in rows[0]] if rows else []
    try:
        if "x" in names and "y" in names:
            wanted = {name: names.index(name) for name in ("x", "y", *NAMES, *TIMES) if name in names}
            return _of_columns({name: [row[place] for row in rows[1:]] for name, place in wanted.items()})
        return _of_array(np.array([[float(cell) for cell in row if cell.strip()] for row in rows]))
    except (IndexError, ValueError) as exc:
        raise CellError("has a line that is no x, y and pen.") from exc
