"""Pen ink: points in the order in which they were drawn, and where the pen was set down anew.

Read from points in arrays, JSON, CSV, InkML, IAM's XML and UNIPEN-like text. What is cached is the points as they are;
the network sees them in a frame of their own, so that neither place nor size on the page matters, and the way to each.
When a point was drawn and how hard the pen was pressed is not read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.columns import Column, Found, Several, named
from netwright.readers.kinds.kind import Cell, path_of, source_of
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.sniff import HEAD_BYTES, INKS, TEXTS, sniff
from netwright.spec import InputSpec, OutputSpec

LONGEST = 2_000  # points
_HUGE = 1e9  # of a coordinate
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(_NUMBER)
_VALUES = re.compile(rf"([!'\"]?)\s*({_NUMBER}|[*?TF])")
Strokes = list[list[tuple[float, float]]]


class Ink(Sequence):
    """Pen points, cached as x, y, and 1 where a stroke begins."""

    name: ClassVar[str] = "ink"
    settings: ClassVar[tuple[str, ...]] = ("longest", "augment")
    foresees: ClassVar[str] = "ink is placed in a frame of all its points, which later ones change"

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Pairs of columns are points of one stroke; anything else holds its points in each cell."""
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
        return field, []

    def cells(self, column: Column) -> Column:
        """The files themselves where cells name them."""
        return named(column, self.name) or column

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """`(time, 3)`: x, y, and 1 where the pen was set down anew.

        Raises:
            CellError: No ink, no point, or a coordinate that is none.
        """
        points = _points(raw)
        if not len(points):
            raise CellError("holds no point.")
        if not np.isfinite(points).all() or np.abs(points).max() > _HUGE:
            raise CellError("holds a coordinate that is no number, or beyond all paper.")
        points[0, 2] = 1
        moved = np.ones(len(points), dtype=bool)
        if not field.options.get("every"):  # where each point is answered, those at which the pen stood still as well
            moved[1:] = (np.diff(points[:, :2], axis=0) != 0).any(axis=1) | (points[1:, 2] == 1)
        return points[moved][: int(field.options["longest"])].astype(np.float32)

    def width(self, field: Field) -> int:
        """Mean and spread of each number, and how many points there are."""
        del field
        return 2 * _DIM + 1

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """`(time, 5)`: place in a frame of the ink's own, the way here, and where a stroke begins."""
        del field
        return _framed

    def dim(self, field: Field) -> int:
        """Place, way and pen."""
        del field
        return _DIM

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each number over time, and the logarithm of the points."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How many points and strokes there are."""
        del field
        points = np.asarray(value)
        return f"{len(points)} points, {int(points[:, 2].sum())} strokes"


_DIM = 5


def _framed(points: np.ndarray) -> np.ndarray:
    """Centred, the longer side from -1 to 1; ways in units of their mean length, those of a lifted pen as well."""
    if not len(points):  # of a cell that could not be read
        return np.zeros((0, _DIM), dtype=np.float32)
    places = points[:, :2]
    low, high = places.min(axis=0), places.max(axis=0)
    side = float((high - low).max()) or 1.0
    inside = (places - (low + high) / 2) * (2 / side)
    ways = np.diff(inside, axis=0, prepend=inside[:1])
    usual = float(np.abs(ways).mean()) or 1.0
    return np.concatenate([inside, np.clip(ways / usual, -10, 10), points[:, 2:]], axis=1).astype(np.float32)


def _points(raw: Cell) -> np.ndarray:
    if isinstance(raw, np.ndarray):
        return _of_array(raw)
    if isinstance(raw, bytes):
        if sniff(raw[:HEAD_BYTES]) not in TEXTS | INKS:
            raise CellError(f"is no ink (holds {sniff(raw[:HEAD_BYTES])}).")
        raw = raw.decode("utf-8-sig", "replace")
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


def _stacked(strokes: Strokes) -> np.ndarray:
    rows = [(x, y, float(k == 0)) for stroke in strokes for k, (x, y) in enumerate(stroke)]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _of_array(values: np.ndarray) -> np.ndarray:
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise CellError("its points are no numbers.") from exc
    if values.ndim == 1 and len(values) % 2 == 0:  # x1, y1, x2, y2, ...
        values = values.reshape(-1, 2)
    if values.ndim != 2 or values.shape[1] < 2:
        raise CellError(f"has shape {values.shape}, expected a row of x, y and perhaps pen for each point.")
    pen = values[:, 2] if values.shape[1] > 2 else np.zeros(len(values))
    if not np.isin(pen, (0, 1)).all():  # a time, or how hard the pen was pressed
        pen = np.zeros(len(values))
    return np.column_stack([values[:, :2], pen])


def _of_json(text: str) -> np.ndarray:
    """Points, strokes of points, or an object with x, y and perhaps pen."""
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise CellError(f"is no JSON ({exc}).") from exc
    try:
        if not found:
            return np.zeros((0, 3))
        if isinstance(found, dict):
            pen = found.get("pen", [0] * len(found["x"]))
            return _of_array(np.column_stack([found["x"], found["y"], pen]))
        if found and isinstance(found[0], dict):
            return _of_array(np.array([[point["x"], point["y"], point.get("pen", 0)] for point in found]))
        if found and found[0] and isinstance(found[0][0], list):
            return _stacked([[(float(point[0]), float(point[1])) for point in stroke] for stroke in found])
        return _of_array(np.array(found, dtype=np.float64).reshape(len(found), -1))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as exc:
        raise CellError("is JSON, but no list of points or strokes.") from exc


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
        if len(orders) > 1:
            raise CellError("has traces whose channels are in different orders.")
        places = orders.pop() if orders else (0, 1)
        return [_of_trace(trace.text or "", places) for trace in traces]
    strokes = [_named(stroke, "Point") for stroke in _named(root, "Stroke")]
    if not any(strokes):
        raise CellError("is XML without a trace of ink.")
    try:
        return [[(float(point.attrib["x"]), float(point.attrib["y"])) for point in stroke] for stroke in strokes]
    except (KeyError, ValueError) as exc:
        raise CellError("has a point without numbers x and y.") from exc


def _named(element: ElementTree.Element, tag: str) -> list[ElementTree.Element]:
    return [one for one in element.iter() if one.tag.rpartition("}")[2] == tag]


def _order(channels: list[str]) -> tuple[int, int]:
    """Places of x and y among the numbers of a point."""
    names = [name.upper() for name in channels]
    if not {"X", "Y"} <= {*names}:
        raise CellError(f"has points of {', '.join(channels) or 'nothing'}, expected X and Y among them.")
    return names.index("X"), names.index("Y")


def _of_trace(trace: str, places: tuple[int, int]) -> list[tuple[float, float]]:
    """Points of one trace, also those written as differences (') and as differences of these (").

    Source: W3C, Ink Markup Language (InkML), 2011, section 3.2.1.
    """
    points: list[tuple[float, float]] = []
    marks, last, ways = ["!", "!"], [0.0, 0.0], [0.0, 0.0]
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
        points.append((last[0], last[1]))
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
            strokes[-1].append((float(numbers[places[0]]), float(numbers[places[1]])))
    return [stroke for stroke in strokes if stroke]


def _of_table(text: str) -> np.ndarray:
    """A line for each point, with or without a header: x, y and perhaps pen; more is not read."""
    lines = [line for line in text.splitlines() if line.strip()]
    separator = next((mark for mark in ",;\t" if lines and mark in lines[0]), " ")
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, skipinitialspace=True))
    names = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if "x" in names and "y" in names:
        wanted = [names.index(name) for name in ("x", "y", "pen") if name in names]
        rows = [[row[place] for place in wanted if place < len(row)] for row in rows[1:]]
    try:
        return _of_array(np.array([[float(cell) for cell in row if cell.strip()] for row in rows]))
    except ValueError as exc:
        raise CellError("has a line that is no x, y and pen.") from exc
