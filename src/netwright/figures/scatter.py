"""Scatter plots: predicted against true values, with the line where they would be equal."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from netwright.figures.lines import Axes, frame
from netwright.figures.marks import Real, element, line, svg, text
from netwright.figures.scale import Scale, fit

SHOWN = 1500  # dots; more would only blacken the paper and make the page heavy


def scatter(says: str, points: Sequence[tuple[Real, Real]], axes: Axes, *, equal: bool = True) -> Markup:
    """Dots; with `equal`, both axes have the same ends and the line y = x is drawn.

    Of more than `SHOWN` points every k-th is drawn, so the density stays true.

    Args:
        says: The figure in words.
        points: (x, y) pairs.
        axes: Names and form of the axes.
        equal: Both axes measure the same thing.
    """
    step = max(1, -(-len(points) // SHOWN))
    drawn = points[::step]
    ends_x, ends_y = fit([x for x, _ in points]), fit([y for _, y in points])
    if equal:
        ends_x = ends_y = (min(ends_x[0], ends_y[0]), max(ends_x[1], ends_y[1]))
    scale_x = Scale(*ends_x, 58, axes.width - 14, axes.log_x)
    scale_y = Scale(*ends_y, axes.height - 40, 26, axes.log_y)
    marks = [*frame(scale_x, scale_y, axes), text(0, 14, axes.y, "strong")]
    if equal:
        marks.append(line(scale_x(ends_x[0]), scale_y(ends_x[0]), scale_x(ends_x[1]), scale_y(ends_x[1]), "place"))
        marks.append(text(scale_x.stop - 6, scale_y.stop + 26, "predicted = true", "tick", "end"))
    marks.extend(
        element("circle", {"cx": scale_x(x), "cy": scale_y(y), "r": 2.6, "class": "scatter"}) for x, y in drawn
    )
    return svg(axes.width, axes.height, says, *marks, style="chart")
