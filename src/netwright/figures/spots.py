"""A map of examples: a spot for each, coloured and shaped by its class; pointing at one tells what it is.

No script is needed: what is told lies hidden beside its spot in the drawing, and the style sheet shows it while the
spot is pointed at. All thumbnails are cut from one sheet, so that they are stored once and together.
"""

from __future__ import annotations

import statistics
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.lines import SERIES
from netwright.figures.marks import Real, clip, element, group, number, svg, text
from netwright.figures.scale import Scale

_SIDE, _PANEL, _GAP = 560.0, 190.0, 24.0  # of the map, the panel beside it and what is between
_THUMB = 128.0
_TOLD_LINES, _TOLD_WIDTH = 11, 28  # lines and letters that a panel has room for
_NAMED = 26  # classes whose names stand on the map and beside it
_LINE = 15.0


@dataclass(frozen=True)
class Spot:
    """One example.

    Args:
        x: Place, -1 to 1.
        y: Place, -1 to 1, upwards.
        code: Its class, counted from 0.
        lines: What is told of it, the first as a heading.
        missed: The network takes it for something else.
    """

    x: Real
    y: Real
    code: int
    lines: tuple[str, ...]
    missed: bool = False


@dataclass(frozen=True)
class Sheet:
    """Thumbnails in rows of square cells, as many in a row as fit.

    Args:
        data: The picture as a data URI.
        size: Its width and height in pixels.
        cell: Side of a cell in pixels.
        picture: Width and height of a thumbnail, in the upper left corner of its cell.
    """

    data: str
    size: tuple[int, int]
    cell: int
    picture: tuple[int, int]


def spots(says: str, drawn: Sequence[Spot], classes: Sequence[str], sheet: Sheet | None = None) -> Markup:
    """The map, the names of its classes, and room where the spot that is pointed at is told.

    Args:
        says: The figure in words.
        drawn: The examples; thumbnails lie on the sheet in the same order.
        classes: Names of the classes.
        sheet: Thumbnails, where there are any.
    """
    scale_x, scale_y = Scale(-1, 1, 12, _SIDE - 12), Scale(-1, 1, _SIDE - 12, 12)
    places = [(scale_x(spot.x), scale_y(spot.y)) for spot in drawn]
    marks = [element("rect", {"x": 0, "y": 0, "width": _SIDE, "height": _SIDE, "rx": 6, "class": "box"})]
    if sheet:
        picture = {"id": "sheet", "href": sheet.data, "width": sheet.size[0], "height": sheet.size[1]}
        marks.append(element("defs", {}, element("image", {**picture, "class": "sheet"})))
    marks += _legend(drawn, classes)
    for at, (spot, place) in enumerate(zip(drawn, places, strict=True)):
        style = f"mark point s{spot.code % SERIES + 1}{' missed' if spot.missed else ''}"
        marks.append(group(_shape(place, spot.code, style), _tip(spot, at, sheet), style="spot"))
    if len(classes) <= _NAMED:
        marks += _names(drawn, places, classes)
    return svg(_SIDE + _GAP + _PANEL, _SIDE, says, *marks, style="spots")


def _shape(place: tuple[Real, Real], code: int, style: str) -> Markup:
    """Classes of one colour differ in shape: circle, square, triangle, diamond."""
    x, y = place
    form = code // SERIES % 4
    if form == 0:
        return element("circle", {"cx": x, "cy": y, "r": 4, "class": style})
    if form == 1:
        return element("rect", {"x": x - 3.6, "y": y - 3.6, "width": 7.2, "height": 7.2, "class": style})
    outline = "l4.8 8.6h-9.6z" if form == 2 else "l5 5l-5 5l-5 -5z"
    return element("path", {"d": f"M{x:.1f} {y - 5:.1f}{outline}", "class": style})


def _tip(spot: Spot, at: int, sheet: Sheet | None) -> Markup:
    """What is shown in the panel while a spot is pointed at; it covers the names of the classes."""
    left, top = _SIDE + _GAP, 0.0
    parts = [element("rect", {"x": left - 6, "y": 0, "width": _PANEL + 6, "height": _SIDE, "class": "cover"})]
    if sheet:
        across = sheet.size[0] // sheet.cell
        corner = f"{at % across * sheet.cell} {at // across * sheet.cell}"
        box = {"x": left, "y": 0, "width": _THUMB, "height": _THUMB}
        view = f"{corner} {sheet.picture[0]} {sheet.picture[1]}"
        parts.append(element("svg", {**box, "viewBox": view}, element("use", {"href": "#sheet"})))
        top = _THUMB + 8
    told = [
        (line, "strong" if row == 0 else "label") for row, whole in enumerate(spot.lines) for line in _wrapped(whole)
    ]
    for row, (line, style) in enumerate(told[:_TOLD_LINES]):
        parts.append(text(left, top + 12 + _LINE * row, line, style))
    return group(*parts, style="tip")


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _TOLD_WIDTH, break_on_hyphens=False) or [""]


def _legend(drawn: Sequence[Spot], classes: Sequence[str]) -> list[Markup]:
    """Names of the classes with their marks and counts."""
    left, counts = _SIDE + _GAP, Counter(spot.code for spot in drawn)
    marks = [text(left, 12, "Point at a spot", "quiet")]
    for row, name in enumerate(classes[:_NAMED]):
        y = 38 + 19 * row
        marks.append(_shape((left + 6, y - 4), row, f"mark point s{row % SERIES + 1}"))
        marks.append(text(left + 20, y, clip(name, 17), "label", full=name))
        marks.append(text(left + _PANEL, y, number(counts[row]), "tick", "end"))
    if len(classes) > _NAMED:
        more = f"and {number(len(classes) - _NAMED)} more classes"
        marks.append(text(left, 38 + 19 * _NAMED, more, "tick"))
    return marks


def _names(drawn: Sequence[Spot], places: Sequence[tuple[Real, Real]], classes: Sequence[str]) -> list[Markup]:
    """The name of each class in the middle of its spots."""
    marks = []
    for code, name in enumerate(classes):
        own = [place for spot, place in zip(drawn, places, strict=True) if spot.code == code]
        if own:
            x, y = (statistics.median(place[axis] for place in own) for axis in (0, 1))
            marks.append(text(x, y + 5, clip(name, 16), "place-name", "middle"))
    return marks
