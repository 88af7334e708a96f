"""Histograms: how values are spread, before and after, as two outlines over one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.marks import Real, element, line, number, svg, text
from netwright.figures.scale import Scale


@dataclass(frozen=True)
class Spread:
    """Counts in equal bins from the smallest to the largest value.

    Args:
        low: Smallest value.
        high: Largest value.
        counts: How many lie in each bin.
    """

    low: Real
    high: Real
    counts: Sequence[int]


def histogram(says: str, name: str, before: Spread | None, after: Spread | None, width: Real = 220) -> Markup:
    """Outlines of two spreads; the first dashed, the second filled. Heights are densities, so that both have one area.

    Args:
        says: The figure in words.
        name: What is spread, written above.
        before: Drawn dashed; None for none.
        after: Drawn filled; None for none.
        width: Width in CSS pixels.
    """
    height, top, bottom = 110.0, 22.0, 92.0
    seen = [spread for spread in (before, after) if spread is not None]
    low, high = min(s.low for s in seen), max(s.high for s in seen)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    scale = Scale(low, high, 6, width - 6)
    highest = max(max(_densities(spread)) for spread in seen)
    marks = [text(0, 12, name, "tick"), line(6, bottom, width - 6, bottom, "axis")]
    for spread, style in ((after, "shade outline s1"), (before, "curve s2")):
        if spread is not None:
            path = _outline(spread, scale, highest, top, bottom)
            marks.append(element("path", {"d": path, "class": style}))
    for value, anchor in ((low, "start"), (high, "end")):
        marks.append(text(scale(value), bottom + 15, number(value, 2), "tick", anchor))
    if low < 0 < high:
        marks.append(line(scale(0), bottom, scale(0), bottom + 4, "axis"))
        marks.append(text(scale(0), bottom + 15, "0", "tick", "middle"))
    return svg(width, height, says, *marks, style="histogram")


def _densities(spread: Spread) -> list[float]:
    total, step = max(sum(spread.counts), 1), max(spread.high - spread.low, 1e-12) / len(spread.counts)
    return [count / total / step for count in spread.counts]


def _outline(spread: Spread, scale: Scale, highest: float, top: Real, bottom: Real) -> str:
    if spread.high <= spread.low:
        x = scale(spread.low)
        return f"M{x:.1f} {bottom:.1f}V{top:.1f}"
    step = (spread.high - spread.low) / len(spread.counts)
    path = [f"M{scale(spread.low):.1f} {bottom:.1f}"]
    for place, density in enumerate(_densities(spread)):
        y = bottom - (bottom - top) * density / highest
        path.append(f"V{y:.1f}H{scale(spread.low + step * (place + 1)):.1f}")
    return "".join([*path, f"V{bottom:.1f}"])
