"""A loss over two weights, seen from above: shades, contour lines, and the step that was taken."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from PIL import Image

from netwright.figures.lines import Axes, Line, frame, legend
from netwright.figures.marks import Real, element, number, svg, text
from netwright.figures.scale import Scale, round_ticks

_HIGH = (31, 95, 168)  # the blue of frame.css; its opacity is the height, so it lies on light and dark paper alike
Point = tuple[Real, Real]
Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Surface:
    """Heights over a grid.

    Args:
        x: Places of the columns, ascending.
        y: Places of the rows, ascending.
        heights: `heights[row][column]`; values that are not finite stay blank.
    """

    x: Sequence[Real]
    y: Sequence[Real]
    heights: Sequence[Sequence[Real]]


@dataclass(frozen=True)
class Way:
    """A line over the surface.

    Args:
        label: Its name in the legend.
        points: Where it goes, in the units of the axes; it begins at a ring.
        series: Which colour and dash, 1 to 6.
    """

    label: str
    points: Sequence[Point]
    series: int = 1


def surface(
    says: str, seen: Surface, axes: Axes, steps: Sequence[tuple[Point, Point]] = (), ways: Sequence[Way] = ()
) -> Markup:
    """Shades (the bluer the higher), labelled contour lines, an arrow for each step, and a line for each way.

    Args:
        says: The figure in words.
        seen: The grid, at least 2 by 2, evenly spaced.
        axes: Names of the axes and size of the paper.
        steps: Steps as (from, to) in the units of the axes.
        ways: Lines over it, with a legend above.
    """
    finite = [h for row in seen.heights for h in row if math.isfinite(h)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    scale_x = Scale(seen.x[0], seen.x[-1], 62, axes.width - 14)
    scale_y = Scale(seen.y[0], seen.y[-1], axes.height - 40, 44 if ways else 26)
    marks = [_shades(seen, scale_x, scale_y, low, high)]
    if high > low:
        for level in round_ticks(low, high, 9):
            marks.extend(_contour(seen, level, scale_x, scale_y))
    marks.extend(frame(scale_x, scale_y, axes))
    marks.append(text(0, 14, axes.y, "strong"))
    marks.extend(_step(begin, end, scale_x, scale_y) for begin, end in steps)
    marks.extend(_way(way, scale_x, scale_y) for way in ways)
    marks.extend(legend([Line(way.label, (), (), way.series) for way in ways], axes)[0])
    return svg(axes.width, axes.height, says, *marks, style="surface")


def _shades(seen: Surface, scale_x: Scale, scale_y: Scale, low: Real, high: Real) -> Markup:
    """The heights as a picture with one pixel per grid point; the browser blends between them."""
    rows, columns = len(seen.y), len(seen.x)
    depth = bytearray()
    for row in reversed(seen.heights):  # the first row of a picture is its top
        depth.extend(round(8 + 215 * (h - low) / (high - low or 1)) if math.isfinite(h) else 0 for h in row)
    picture = Image.new("RGB", (columns, rows), _HIGH)
    picture.putalpha(Image.frombytes("L", (columns, rows), bytes(depth)))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    data = base64.b64encode(written.getvalue()).decode("ascii")
    # A pixel's middle is its grid point: the picture reaches half a pixel beyond the grid; the inner svg cuts it off.
    width, height = scale_x.stop - scale_x.start, scale_y.start - scale_y.stop
    cell = (width / (columns - 1), height / (rows - 1))
    inner = {"x": -cell[0] / 2, "y": -cell[1] / 2, "width": width + cell[0], "height": height + cell[1]}
    image = element("image", {**inner, "preserveAspectRatio": "none", "href": f"data:image/png;base64,{data}"})
    window = {"x": scale_x.start, "y": scale_y.stop, "width": width, "height": height, "overflow": "hidden"}
    return element("svg", window, image)


def contour(seen: Surface, level: Real) -> list[Segment]:
    """The contour at one height as short segments in the grid's own units (marching squares).

    Example:
        >>> contour(Surface((0, 1), (0, 1), ((0, 1), (0, 1))), 0.5)
        [((0.5, 0.0), (0.5, 1.0))]
    """
    found: list[Segment] = []
    for r in range(len(seen.y) - 1):
        for c in range(len(seen.x) - 1):
            corners = [(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)]
            values = [seen.heights[row][column] for column, row in corners]
            if not all(math.isfinite(value) for value in values):
                continue
            cuts: list[Point] = []
            for k in range(4):
                (ca, ra), (cb, rb) = corners[k], corners[(k + 1) % 4]
                a, b = values[k], values[(k + 1) % 4]
                if (a < level) != (b < level):
                    t = (level - a) / (b - a)
                    x, y = seen.x[ca] + t * (seen.x[cb] - seen.x[ca]), seen.y[ra] + t * (seen.y[rb] - seen.y[ra])
                    cuts.append((float(x), float(y)))
            found.extend((cuts[k], cuts[k + 1]) for k in range(0, len(cuts) - 1, 2))
    return found


def _contour(seen: Surface, level: Real, scale_x: Scale, scale_y: Scale) -> list[Markup]:
    segments = contour(seen, level)
    if not segments:
        return []
    path = "".join(
        f"M{scale_x(a[0]):.1f} {scale_y(a[1]):.1f}L{scale_x(b[0]):.1f} {scale_y(b[1]):.1f}" for a, b in segments
    )
    marks = [element("path", {"d": path, "class": "contour"})]
    inside = [
        (scale_x(a[0]), scale_y(a[1]))
        for a, _ in segments
        if scale_x.start + 22 < scale_x(a[0]) < scale_x.stop - 22
        and scale_y.stop + 10 < scale_y(a[1]) < scale_y.start - 8
    ]
    if inside:
        spot = max(inside, key=lambda p: p[0] - p[1])  # towards the upper right, where the labels line up
        marks.append(text(spot[0], spot[1] + 3.5, number(level), "weight", "middle"))
    return marks


def _way(way: Way, scale_x: Scale, scale_y: Scale) -> Markup:
    places = [(scale_x(x), scale_y(y)) for x, y in way.points]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    ring = element("circle", {"cx": places[0][0], "cy": places[0][1], "r": 4.5, "class": "step-start"})
    return element("path", {"d": path, "class": f"curve s{way.series}"}) + ring


def _step(begin: Point, end: Point, scale_x: Scale, scale_y: Scale) -> Markup:
    x1, y1, x2, y2 = scale_x(begin[0]), scale_y(begin[1]), scale_x(end[0]), scale_y(end[1])
    length = math.hypot(x2 - x1, y2 - y1)
    start = element("circle", {"cx": x1, "cy": y1, "r": 4.5, "class": "step-start"})
    if length < 1:
        return start
    along, across = ((x2 - x1) / length, (y2 - y1) / length), (-(y2 - y1) / length, (x2 - x1) / length)
    size = min(11.0, 0.6 * length)
    base = (x2 - size * along[0], y2 - size * along[1])
    tip = (
        f"M{x2:.1f} {y2:.1f}L{base[0] + 0.5 * size * across[0]:.1f} {base[1] + 0.5 * size * across[1]:.1f}"
        f"L{base[0] - 0.5 * size * across[0]:.1f} {base[1] - 0.5 * size * across[1]:.1f}Z"
    )
    shaft = element("line", {"x1": x1, "y1": y1, "x2": base[0], "y2": base[1], "class": "step"})
    return Markup("").join([shaft, element("path", {"d": tip, "class": "step-tip"}), start])
