"""Line charts: curves over epochs, examples or seconds, with round ticks, a legend and marked places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, group, line, number, percent, svg, text
from netwright.figures.scale import Scale, fit, tick_texts

SERIES = 6  # colours there are; each also has its own dash, so a black-and-white print is readable
POINTS = 400  # more points than this per line cannot be seen at the width of a page


@dataclass(frozen=True)
class Line:
    """One curve.

    Args:
        label: Its name in the legend.
        x: Places, ascending.
        y: Values; None, NaN and infinite values leave a gap.
        series: Which colour and dash, 1 to 6.
        between: Interval of each value, drawn as a stroke through it; none when left out.
    """

    label: str
    x: Sequence[Real]
    y: Sequence[Real | None]
    series: int = 1
    between: Sequence[tuple[Real, Real]] = ()


@dataclass(frozen=True)
class Place:
    """A marked place on the x axis.

    Args:
        x: Where.
        label: What happened there.
        band: Shade everything from here to the right end.
    """

    x: Real
    label: str
    band: bool = False


@dataclass(frozen=True)
class Axes:
    """What the two axes of a chart mean and how large the paper is.

    Args:
        x: Name of the x axis.
        y: Name of the y axis, written above it.
        share: The y values are shares of one, written as per cent.
        log_x: Logarithmic x axis.
        log_y: Logarithmic y axis.
        zero: The y axis starts at zero.
        width: Width in CSS pixels.
        height: Height in CSS pixels.
    """

    x: str
    y: str
    share: bool = False
    log_x: bool = False
    log_y: bool = False
    zero: bool = False
    width: Real = 460
    height: Real = 280


def line_chart(says: str, lines: Sequence[Line], axes: Axes, places: Sequence[Place] = ()) -> Markup:
    """A line chart.

    Args:
        says: The figure in words, for those who cannot see it.
        lines: The curves, at most six to be told apart.
        axes: Names and form of the axes.
        places: Marked places; each gets one line of text above the plot.
    """
    axes = replace(axes, height=axes.height + 15 * max(len(places) - 3, 0))  # so that the plot keeps its room
    names, rows = legend(lines, axes)
    top = 26 + 16 * rows + 15 * len(places)
    ys = [value for each in lines for value in [*each.y, *(end for ends in each.between for end in ends)]]
    low_x, high_x = _ends([value for each in lines for value in each.x] + [p.x for p in places], axes.log_x)
    low_y, high_y = fit(ys, log=axes.log_y, zero=axes.zero, bounds=(0, 1) if axes.share else None)
    scale_y = Scale(low_y, high_y, axes.height - 40, top, axes.log_y)
    labels = tick_texts(scale_y.ticks(5), share=axes.share)
    left = 12 + 6.6 * max((len(label) for label in labels), default=1)
    scale_x = Scale(low_x, high_x, left, axes.width - 14, axes.log_x)
    marks = [*frame(scale_x, scale_y, axes), text(0, 14, axes.y, "strong"), *names]
    for row, place in enumerate(places):
        marks.append(_place(place, scale_x, scale_y, top - 6 - 15 * (len(places) - 1 - row)))
    marks.extend(_curve(each, scale_x, scale_y) for each in lines)
    marks.extend(
        line(scale_x(x), scale_y(low), scale_x(x), scale_y(high), f"between s{each.series}")
        for each in lines
        for x, (low, high) in zip(each.x, each.between, strict=bool(each.between))
        if math.isfinite(low) and math.isfinite(high)
    )
    return svg(axes.width, axes.height, says, *marks, style="chart")


def _ends(values: Sequence[Real], log: bool) -> tuple[Real, Real]:
    seen = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    if not seen:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = min(seen), max(seen)
    if high > low:
        return low, high
    return (low / 2, high * 2) if log else (low - 0.5, high + 0.5)


def frame(scale_x: Scale, scale_y: Scale, axes: Axes) -> list[Markup]:
    """Grid lines, ticks and the name of the x axis; shared by line charts and scatter plots."""
    left, right, bottom = scale_x.start, scale_x.stop, scale_y.start
    marks: list[Markup] = []
    ticks = scale_y.ticks(5)
    for tick, label in zip(ticks, tick_texts(ticks, share=axes.share), strict=True):
        marks.append(line(left, scale_y(tick), right, scale_y(tick), "grid"))
        marks.append(text(left - 7, scale_y(tick) + 3.5, label, "tick", "end"))
    ticks = scale_x.ticks(max(3, int((right - left) / 70)))
    for tick, label in zip(ticks, tick_texts(ticks), strict=True):
        marks.append(line(scale_x(tick), bottom, scale_x(tick), bottom + 4, "axis"))
        marks.append(text(scale_x(tick), bottom + 17, label, "tick", "middle"))
    marks.append(line(left, bottom, right, bottom, "axis"))
    marks.append(text((left + right) / 2, bottom + 34, axes.x, "tick", "middle"))
    return marks


def legend(lines: Sequence[Line], axes: Axes) -> tuple[list[Markup], int]:
    """The marks of a legend below a figure's name, and how many rows of text they take."""
    marks: list[Markup] = []
    x, y = 0.0, 28.0
    for each in lines:
        label = clip(each.label, 34)
        width = 27 + 6.6 * len(label) + 14
        if x and x + width - 14 > axes.width:
            x, y = 0.0, y + 16
        marks.append(line(x, y, x + 22, y, f"curve s{each.series}"))
        marks.append(text(x + 27, y + 4, label, "label", full=each.label))
        x += width
    return marks, round((y - 28) / 16) + 1


def _place(place: Place, scale_x: Scale, scale_y: Scale, y: Real) -> Markup:
    x = scale_x(place.x)
    to_left = x > (scale_x.start + scale_x.stop) / 2
    marks = [
        line(x, y - 4, x, scale_y.start, "place"),
        element("circle", {"cx": x, "cy": y - 4, "r": 2.2, "class": "dot"}),
    ]
    if place.band and scale_x.stop > x:
        box = {"x": x, "y": scale_y.stop, "width": scale_x.stop - x, "height": scale_y.start - scale_y.stop}
        marks.insert(0, element("rect", {**box, "class": "band"}))
    marks.append(text(x - 6 if to_left else x + 6, y, place.label, "tick", "end" if to_left else "start"))
    return group(*marks)


def _curve(each: Line, scale_x: Scale, scale_y: Scale) -> Markup:
    path: list[str] = []
    pen_down = False
    points = thin([(x, y) for x, y in zip(each.x, each.y, strict=True)])
    for x, y in points:
        drawable = y is not None and math.isfinite(y) and (y > 0 or not scale_y.log) and (x > 0 or not scale_x.log)
        if drawable and y is not None:
            path.append(f"{'L' if pen_down else 'M'}{scale_x(x):.1f} {scale_y(y):.1f}")
        pen_down = drawable
    style = f"curve s{each.series}"
    if len(path) == 1:  # a single epoch: a path of one point shows nothing
        x, y = path[0][1:].split()
        return element("circle", {"cx": float(x), "cy": float(y), "r": 3.5, "class": f"point s{each.series}"})
    return element("path", {"d": "".join(path), "class": style})


def thin(points: Sequence[tuple[Real, Real | None]]) -> list[tuple[Real, Real | None]]:
    """At most about `POINTS` points; of every stretch the lowest and the highest stay, so no spike is lost."""
    if len(points) <= POINTS:
        return list(points)
    size = math.ceil(len(points) / (POINTS // 2))
    kept: list[tuple[Real, Real | None]] = []
    for start in range(0, len(points), size):
        stretch = points[start : start + size]
        known = [point for point in stretch if point[1] is not None and math.isfinite(point[1])]
        if len(known) < len(stretch):
            kept.append((stretch[0][0], None))
        if known:
            extremes = {min(known, key=lambda p: p[1] or 0.0), max(known, key=lambda p: p[1] or 0.0)}
            kept.extend(sorted(extremes, key=lambda p: p[0]))
    return kept


def written(value: Real | None, *, share: bool) -> str:
    """A value as its axis writes it: per cent for shares, else a plain number."""
    return percent(value) if share else number(value)
