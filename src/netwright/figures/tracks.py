"""Where somebody was and went: what was seen of a track, how it really went on, and how it was said to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, line, number, svg, text

Point = tuple[Real, Real]
Points = Sequence[Point]
SIDE = 250.0
_MARGIN, _TOP, _BOTTOM = 14.0, 26.0, 26.0
_LEAST = 0.25  # of the room below the name; a straight way needs no more


@dataclass(frozen=True)
class DrawnTrack:
    """One track.

    Args:
        name: What it is called.
        seen: The points that were seen.
        true: How it went on.
        answer: How the net says it goes on.
        simple: How a simple method says so; may be empty.
        measure: What a unit of the plane is, e.g. "m"; may be empty.
        remark: A few words at the lower right.
    """

    name: str
    seen: Points
    true: Points
    answer: Points
    simple: Points = ()
    measure: str = ""
    remark: str = ""


def drawn(says: str, track: DrawnTrack) -> Markup:
    """A track in its plane, both axes alike, as high as it needs to be, with a bar that shows how long a unit is.

    Args:
        says: The figure in words.
        track: What is drawn.
    """
    every = [*track.seen, *track.true, *track.answer, *track.simple]
    low_x, high_x = min(x for x, _ in every), max(x for x, _ in every)
    low_y, high_y = min(y for _, y in every), max(y for _, y in every)
    span = max(high_x - low_x, high_y - low_y) or 1.0
    room = SIDE - 2 * _MARGIN
    scale = room / span
    left = _MARGIN + (room - (high_x - low_x) * scale) / 2
    high = max((high_y - low_y) * scale, _LEAST * room)
    top = _TOP + (high - (high_y - low_y) * scale) / 2
    foot = _TOP + high

    def place(point: Point) -> Point:
        return left + (point[0] - low_x) * scale, top + (high_y - point[1]) * scale

    start = [track.seen[-1]]
    marks = [
        text(0, 12, clip(track.name, 36), "tick", full=track.name),
        *_way([*start, *track.simple], place, 3, dots=False),
        *_way([*start, *track.true], place, 1),
        *_way([*start, *track.answer], place, 2),
        *_way(track.seen, place, 6),
    ]
    x, y = place(track.seen[-1])
    marks.append(element("circle", {"cx": x, "cy": y, "r": 4, "class": "point rim s6"}))
    marks.append(text(SIDE - _MARGIN, foot + 14, track.remark, "label", "end"))
    return svg(SIDE, foot + _BOTTOM, says, *marks, *_bar(span, scale, track.measure, foot + 10), style="chart")


def legend(*, simple: str) -> Markup:
    """What the lines of a track are.

    Args:
        simple: Name of the simple method.
    """
    entries = [("seen", 6), ("went on", 1), ("this net", 2), *([(simple, 3)] if simple else [])]
    marks, x = [], 0.0
    for name, series in entries:
        marks += [line(x, 10, x + 22, 10, f"curve s{series}"), text(x + 27, 14, name, "label")]
        x += 45 + 6.8 * len(name)
    return svg(x, 20, "; ".join(name for name, _ in entries), *marks, style="chart")


def _way(points: Points, place: Callable[[Point], Point], series: int, *, dots: bool = True) -> list[Markup]:
    if len(points) < 2:
        return []
    places = [place(point) for point in points]
    path = "".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(places))
    marks = [element("path", {"d": path, "class": f"curve s{series}"})]
    if dots:
        marks += [element("circle", {"cx": x, "cy": y, "r": 2, "class": f"point s{series}"}) for x, y in places]
    return marks


def _bar(span: Real, scale: Real, measure: str, y: Real) -> list[Markup]:
    """A bar of a round length, about a quarter of the side."""
    rough = span / 4
    size = 10.0 ** math.floor(math.log10(rough))
    length = max((factor * size for factor in (1, 2, 5) if factor * size <= rough * 1.001), default=size)
    end = _MARGIN + length * scale
    ticks = [line(x, y - 4, x, y + 4, "axis") for x in (_MARGIN, end)]
    return [
        line(_MARGIN, y, end, y, "axis"),
        *ticks,
        text(end + 6, y + 4, f"{number(length)} {measure}".strip(), "tick"),
    ]
