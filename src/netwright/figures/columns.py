"""Small pictures in columns under slanted names, and a few large ones in a row with signs between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, svg, text

_GAP = 6.0
_TURN, _RISE = 38, 0.62  # degrees by which names are slanted, and how much of their length that makes them high
_LETTER = 6.3  # width of a letter of a name
_NAME = 22  # letters
_SMALLEST, _LARGEST = 40.0, 68.0  # of a small picture
_SMALL_PRINT = 56.0  # below it, shapes are written smaller


@dataclass(frozen=True)
class Picture:
    """A picture in the page.

    Args:
        data: Data URI.
        size: Width and height in pixels.
        says: What it is, shown when it is pointed at.
    """

    data: str
    size: tuple[int, int]
    says: str


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: Above it.
        under: Smaller, under its name, at most two lines, e.g. how many maps of what size.
        pictures: From the top down.
    """

    name: str
    under: Sequence[str]
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Panel:
    """One large picture.

    Args:
        picture: The picture.
        name: Above it.
        lines: Under it.
        frame: Left, top, right and bottom of a rectangle to be drawn on it, in its own places.
        places: How many places lie beside and above each other in it, which `frame` counts; its pixels when left out.
        sign: Between it and the one before, e.g. "→".
    """

    picture: Picture
    name: str
    lines: Sequence[str] = ()
    frame: tuple[Real, Real, Real, Real] | None = None
    places: tuple[int, int] | None = None
    sign: str = ""


def picture_columns(says: str, columns: Sequence[Column], first: Column | None = None, width: Real = 880) -> Markup:
    """Columns of small pictures side by side; where there is a first one, its picture stands large beside their middle.

    Args:
        says: The figure in words.
        columns: One at least, with at most some twenty pictures each.
        first: What the others were made from.
        width: Of all in CSS pixels, where the pictures can be made to fit.
    """
    large = 112.0 if first else 0.0
    start = large + 3 * _GAP if first else 0.0
    room = (width - start + _GAP) / len(columns) - _GAP
    cell = min(max(room, _SMALLEST), _LARGEST)
    wide, high = _box(columns[0].pictures[0].size if columns[0].pictures else (1, 1), cell)
    longest = max(len(clip(column.name, _NAME)) for column in columns)
    top = _LETTER * longest * _RISE + 44
    rows = max(len(column.pictures) for column in columns)
    bottom = top + rows * (high + _GAP)
    marks = []
    if first:
        size = _box(first.pictures[0].size, large)
        at = max(top, (top + bottom - _GAP - size[1]) / 2)
        marks.append(_image(first.pictures[0], 0, at, size))
        over = at - 8 - 14 * len(first.under)
        marks.append(text(size[0] / 2, over, clip(first.name, 18), "strong", "middle", full=first.name))
        marks += [
            text(size[0] / 2, over + 15 + 14 * row, said, "tick", "middle") for row, said in enumerate(first.under)
        ]
    small = "fine" if cell < _SMALL_PRINT else "tick"
    for at, column in enumerate(columns):
        x = start + at * (cell + _GAP)
        rise = 12 * len(column.under)
        marks.append(_slanted(x + cell / 2 - 6, top - 9 - rise, column.name))
        marks += [
            text(x + cell / 2, top + 5 - rise + 12 * row, said, small, "middle")
            for row, said in enumerate(column.under)
        ]
        for row, picture in enumerate(column.pictures):
            marks.append(_image(picture, x + (cell - wide) / 2, top + row * (high + _GAP), (wide, high)))
    over = _LETTER * len(clip(columns[-1].name, _NAME)) * 0.79 - cell / 2  # the last name leans out to the right
    full = start + len(columns) * (cell + _GAP) - _GAP + max(over, 0)
    return svg(full, bottom - _GAP + 1, says, *marks, style="columns")


def picture_row(says: str, panels: Sequence[Panel], side: Real = 150) -> Markup:
    """Large pictures side by side, each with its name above and words under it.

    Args:
        says: The figure in words.
        panels: From left to right.
        side: Longest side of a picture in CSS pixels.
    """
    marks, x, sign_width, deepest = [], 0.0, 34.0, 0.0
    for panel in panels:
        if panel.sign:
            marks.append(text(x + sign_width / 2, 24 + side / 2 + 6, panel.sign, "sign", "middle"))
            x += sign_width
        wide, high = _box(panel.picture.size, side)
        top = 24 + (side - high) / 2
        marks.append(text(x + side / 2, 14, clip(panel.name, 22), "strong", "middle", full=panel.name))
        left = x + (side - wide) / 2
        marks.append(_image(panel.picture, left, top, (wide, high)))
        if panel.frame:
            across, down = panel.places or panel.picture.size
            marks += _outline(panel.frame, (left, top), (wide / across, high / down))
        for row, said in enumerate(panel.lines):
            marks.append(text(x + side / 2, 24 + side + 18 + 15 * row, said, "tick", "middle"))
        deepest = max(deepest, 24 + side + 18 + 15 * len(panel.lines))
        x += side
    return svg(x, deepest, says, *marks, style="columns")


def _box(size: tuple[int, int], side: Real) -> tuple[Real, Real]:
    """Width and height with a picture's proportions, the longer one given."""
    longest = max(size)
    return side * size[0] / longest, side * size[1] / longest


def _image(picture: Picture, x: Real, y: Real, size: tuple[Real, Real]) -> Markup:
    """Pixels of small pictures stay sharp; large ones are drawn smoothly."""
    box = {"x": x, "y": y, "width": size[0], "height": size[1]}
    style = "sheet" if picture.size[0] <= 1.5 * size[0] else None
    told = element("title", {}, picture.says)
    drawn = element("image", {**box, "href": picture.data, "class": style}, told)
    return Markup("{}{}").format(drawn, element("rect", {**box, "class": "rim"}))


def _outline(frame: tuple[Real, Real, Real, Real], corner: tuple[Real, Real], scale: tuple[Real, Real]) -> list[Markup]:
    """A rectangle that is seen on dark and on bright ground: a dark line in a wider bright one."""
    left, top, right, bottom = frame
    box = {
        "x": corner[0] + left * scale[0],
        "y": corner[1] + top * scale[1],
        "width": (right - left) * scale[0],
        "height": (bottom - top) * scale[1],
    }
    return [element("rect", {**box, "class": style}) for style in ("aim under", "aim")]


def _slanted(x: Real, y: Real, name: str) -> Markup:
    shown = clip(name, _NAME)
    told = [element("title", {}, name)] if shown != name else []
    turned = f"rotate({-_TURN} {x:.1f} {y:.1f})"
    return element("text", {"x": x, "y": y, "class": "name", "transform": turned}, *told, shown)
