"""A small network drawn with its weights on the links; biases are links from a unit that is always 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, line, number, svg, text

NUMBERED = 36  # links; with more, the numbers would cover each other and stand only in the tips
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class DrawnNet:
    """What is drawn.

    Args:
        units: Names of the units, layer by layer, inputs first; an empty name is numbered.
        weights: `weights[k][j][i]` is the weight from unit i of layer k to unit j of layer k + 1.
        biases: `biases[k][j]` is the bias of unit j of layer k + 1.
        functions: Activation after each layer, e.g. ("tanh", "softmax"); may be empty.
    """

    units: Sequence[Sequence[str]]
    weights: Sequence[Sequence[Sequence[Real]]]
    biases: Sequence[Sequence[Real]]
    functions: Sequence[str] = ()


Point = tuple[Real, Real]


def network(says: str, net: DrawnNet, width: Real = 720) -> Markup:
    """Units in columns, inputs left; a link's width is its weight's size, its colour and dash its weight's sign.

    Args:
        says: The figure in words.
        net: Names and numbers, at most about 40 units in all.
        width: Width in CSS pixels.
    """
    tallest = max(len(layer) + (k < len(net.units) - 1) for k, layer in enumerate(net.units))
    pitch = 62.0 if tallest <= 6 else 44.0 if tallest <= 12 else 30.0
    radius = min(17.0, pitch * 0.34)
    height = 44 + pitch * tallest + 10
    left, right = _margins(net)
    gap = (width - left - right) / max(len(net.units) - 1, 1)
    places = [
        [
            (left + gap * k, 34 + pitch * (tallest - len(layer) - (k < len(net.units) - 1)) / 2 + pitch * (j + 0.5))
            for j in range(len(layer))
        ]
        for k, layer in enumerate(net.units)
    ]
    ones = [(column[-1][0], column[-1][1] + pitch) for column in places[:-1]]
    strongest = max((abs(w) for w in _all_weights(net)), default=1.0) or 1.0
    numbered = sum(1 for _ in _all_weights(net)) <= NUMBERED
    lines: list[Markup] = []
    numbers: list[Markup] = []
    for k, (rows, biases) in enumerate(zip(net.weights, net.biases, strict=True)):
        for j, (row, bias) in enumerate(zip(rows, biases, strict=True)):
            for i, weight in enumerate([*row, bias]):
                start = places[k][i] if i < len(row) else ones[k]
                lines.append(
                    _link(start, places[k + 1][j], weight / strongest, radius, _tip(k, i, j, weight, len(row)))
                )
                if numbered:
                    numbers.append(_link_number(start, places[k + 1][j], weight, radius, j))
    marks = [*lines, *numbers, *_units(net, places, ones, radius), *_headings(net, places)]
    return svg(width, height, says, *marks, style="network")


def _margins(net: DrawnNet) -> tuple[Real, Real]:
    first = max((len(clip(name, 18)) for name in net.units[0]), default=0)
    last = max((len(clip(name, 18)) for name in net.units[-1]), default=0)
    return 30 + 6.6 * first, 34 + 6.6 * last


def _all_weights(net: DrawnNet) -> list[Real]:
    return [w for rows, biases in zip(net.weights, net.biases, strict=True) for row in [*rows, biases] for w in row]


def _tip(layer: int, source: int, target: int, weight: Real, inputs: int) -> str:
    if source == inputs:
        return f"bias of unit {target + 1} in layer {layer + 1}: {number(weight)}"
    return f"weight from {source + 1} to unit {target + 1} in layer {layer + 1}: {number(weight)}"


def _link(start: Point, end: Point, share: Real, radius: Real, tip: str) -> Markup:
    sign = "positive" if share >= 0 else "negative"
    marks = {"x1": start[0] + radius, "y1": start[1], "x2": end[0] - radius, "y2": end[1]}
    style = {
        "class": f"link {sign}",
        "stroke-width": 0.6 + 4.4 * abs(share),
        "stroke-opacity": 0.25 + 0.65 * abs(share),
    }
    return element("line", {**marks, **style}, element("title", {}, tip))


def _link_number(start: Point, end: Point, weight: Real, radius: Real, target: int) -> Markup:
    # Numbers of the links into neighbouring units stand at different depths, so that fewer of them meet.
    share = (0.2, 0.34, 0.48)[target % 3]
    x = start[0] + radius + (end[0] - start[0] - 2 * radius) * share
    y = start[1] + (end[1] - start[1]) * share
    return text(x, y + 3.5, f"{weight:.2f}".replace("-", "−"), "weight", "middle")


def _units(net: DrawnNet, places: list[list[Point]], ones: list[Point], radius: Real) -> list[Markup]:
    marks: list[Markup] = []
    last = len(net.units) - 1
    for k, (names, column) in enumerate(zip(net.units, places, strict=True)):
        letter = "x" if k == 0 else "y" if k == last else "z"
        for j, (name, (x, y)) in enumerate(zip(names, column, strict=True)):
            symbol = letter + str(j + 1).translate(_SUBSCRIPT)
            marks.append(element("circle", {"cx": x, "cy": y, "r": radius, "class": "unit"}))
            if radius >= 10:
                marks.append(text(x, y + 4, symbol, "label", "middle"))
            if name and k == 0:
                marks.append(text(x - radius - 7, y + 4, clip(name, 18), "label", "end", full=name))
            elif name and k == last:
                marks.append(text(x + radius + 7, y + 4, clip(name, 18), "label", full=name))
    for k, (x, y) in enumerate(ones):
        side = 2 * radius * 0.8
        marks.append(
            element(
                "rect",
                {"x": x - side / 2, "y": y - side / 2, "width": side, "height": side, "rx": 3, "class": "unit one"},
            )
        )
        if radius >= 10:
            marks.append(text(x, y + 4, ("x" if k == 0 else "z") + "₀", "label", "middle"))
        marks.append(text(x - side / 2 - 7, y + 4, "1", "tick", "end"))
    return marks


def _headings(net: DrawnNet, places: list[list[Point]]) -> list[Markup]:
    marks: list[Markup] = []
    last = len(net.units) - 1
    for k, column in enumerate(places):
        name = "inputs" if k == 0 else "outputs" if k == last else f"hidden layer {k}" if last > 2 else "hidden"
        function = net.functions[k - 1] if 0 < k <= len(net.functions) else ""
        marks.append(text(column[0][0], 14, name, "strong", "middle"))
        marks.append(text(column[0][0], 29, function, "tick", "middle"))
        if k < last:  # the way the numbers flow
            middle = (column[0][0] + places[k + 1][0][0]) / 2
            marks.append(element("path", {"d": f"M{middle - 16:.1f} 10H{middle + 14:.1f}", "class": "edge"}))
            marks.append(
                element(
                    "path", {"d": f"M{middle + 12:.1f} 6L{middle + 19:.1f} 10L{middle + 12:.1f} 14Z", "class": "tip"}
                )
            )
    return marks


def legend() -> Markup:
    """How to read the links, as a small figure of its own."""
    return svg(
        330,
        18,
        "Legend: solid links are positive weights, dashed links negative ones; the wider, the larger.",
        line(0, 9, 34, 9, "link positive", 3),
        text(41, 13, "positive weight", "tick"),
        line(150, 9, 184, 9, "link negative", 3),
        text(191, 13, "negative weight (dashed)", "tick"),
    )
