"""What a net answers all over a plane of two inputs, with the examples it learned from and the centres it learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.lines import SERIES, Axes, frame
from netwright.figures.marks import Real, clip, element, line, svg, text
from netwright.figures.scale import Scale


@dataclass(frozen=True)
class Plane:
    """Answers on a grid.

    Args:
        x: Smallest and largest value of the first input.
        y: Of the second.
        answers: Rows from the smallest y, columns from the smallest x: (class, how sure 0..1).
        points: Examples: (x, y, class).
        centres: Learned places: (x, y, reach along x, reach along y).
        classes: Names of the classes.
    """

    x: tuple[Real, Real]
    y: tuple[Real, Real]
    answers: Sequence[Sequence[tuple[int, Real]]]
    points: Sequence[tuple[Real, Real, int]]
    centres: Sequence[tuple[Real, Real, Real, Real]]
    classes: Sequence[str]


def plane(says: str, drawn: Plane, axes: Axes) -> Markup:
    """The plane as coloured cells, deeper where the net is surer, and the examples on it as dots.

    Args:
        says: The figure in words.
        drawn: What is drawn.
        axes: Names of the inputs.
    """
    top, bottom, left, right = 42.0, axes.height - 40, 52.0, axes.width - 14
    scale_x, scale_y = Scale(*drawn.x, left, right), Scale(*drawn.y, bottom, top)
    rows = len(drawn.answers)
    columns = len(drawn.answers[0])
    wide, high = (right - left) / columns, (bottom - top) / rows
    cells = [
        element(
            "rect",
            {
                "x": left + column * wide,
                "y": bottom - (row + 1) * high,
                "width": wide,
                "height": high,
                "class": f"region s{code % SERIES + 1}",
                "fill-opacity": round(0.08 + 0.42 * max(0.0, sure), 2),
            },
        )
        for row, answers in enumerate(drawn.answers)
        for column, (code, sure) in enumerate(answers)
    ]
    dots = [
        element("circle", {"cx": scale_x(x), "cy": scale_y(y), "r": 2.4, "class": f"point rim s{code % SERIES + 1}"})
        for x, y, code in drawn.points
    ]
    inside = [c for c in drawn.centres if drawn.x[0] <= c[0] <= drawn.x[1] and drawn.y[0] <= c[1] <= drawn.y[1]]
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    marked = [mark for centre in inside for mark in _centre(centre, scale_x, scale_y)]
    cut = element("svg", {**box, "viewBox": f"{left} {top} {right - left} {bottom - top}"}, *(marked or [Markup("")]))
    legend, place = [], left
    for code, name in enumerate(drawn.classes[:SERIES]):
        legend += [element("circle", {"cx": place + 4, "cy": 26, "r": 4, "class": f"point s{code + 1}"})]
        legend.append(text(place + 13, 30, clip(name, 16), "label", full=name))
        place += 30 + 6.6 * min(len(name), 16)
    marks = [*cells, *frame(scale_x, scale_y, axes), *dots, cut, text(0, 14, axes.y, "strong"), *legend]
    return svg(axes.width, axes.height, says, *marks, style="chart")


def _centre(centre: tuple[Real, Real, Real, Real], scale_x: Scale, scale_y: Scale) -> list[Markup]:
    """A cross at the centre and the ellipse where the unit has fallen to 1/e."""
    x, y, reach_x, reach_y = centre
    at, of = scale_x(x), scale_y(y)
    wide, high = abs(scale_x(x + reach_x) - at), abs(scale_y(y + reach_y) - of)
    return [
        line(at - 5, of, at + 5, of, "cross"),
        line(at, of - 5, at, of + 5, "cross"),
        element("ellipse", {"cx": at, "cy": of, "rx": wide, "ry": high, "class": "reach"}),
    ]
