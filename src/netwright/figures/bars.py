"""Bars and dots in rows: likeliest answers of one example, and scores with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from netwright.figures.lines import written
from netwright.figures.marks import clip, element, group, line, percent, svg, text
from netwright.figures.scale import Scale, fit, tick_texts

Tone = Literal["right", "wrong", "plain"]
_SIGNS: dict[Tone, str] = {"right": "✓", "wrong": "✗", "plain": ""}


@dataclass(frozen=True)
class Bar:
    """One bar: a share of one with its name; the tone is shown by colour and by a sign."""

    label: str
    share: float
    tone: Tone = "plain"


def bar_rows(says: str, bars: Sequence[Bar], width: float = 150) -> Markup:
    """Thin bars under each other, each with its label above it and its share at the right.

    Args:
        says: The figure in words.
        bars: Shares of one; outside 0..1 they are cut to it.
        width: Width in CSS pixels.
    """
    marks: list[Markup] = []
    room = int((width - 62) / 6)
    for row, bar in enumerate(bars):
        y = 25 * row
        full = min(max(bar.share, 0.0), 1.0) if math.isfinite(bar.share) else 0.0
        label = f"{_SIGNS[bar.tone]} {clip(bar.label, room)}".strip()
        whole = f"{_SIGNS[bar.tone]} {bar.label}".strip()
        marks.append(text(0, y + 12, label, f"label {bar.tone}", full=whole))
        marks.append(text(width, y + 12, percent(bar.share), "tick", "end"))
        marks.append(element("rect", {"x": 0, "y": y + 16, "width": width, "height": 4, "rx": 2, "class": "track"}))
        if full > 0:
            size = max(full * width, 2)
            box = {"x": 0, "y": y + 16, "width": size, "height": 4, "rx": 2}
            marks.append(element("rect", {**box, "class": f"bar {bar.tone}"}))
    return svg(width, 25 * len(bars), says, *marks, style="bars")


@dataclass(frozen=True)
class Whisker:
    """A score with its interval.

    Args:
        label: Whose score.
        value: The score; None when there is none.
        low: Lower end of its interval.
        high: Upper end of its interval.
        strong: The one the figure is about: drawn heavy, its interval shaded across all rows.
        points: Single values behind the score, e.g. one per seed; drawn as small ticks.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    strong: bool = False
    points: tuple[float, ...] = ()


def whiskers(says: str, rows: Sequence[Whisker], axis: str, *, share: bool = False, width: float = 720) -> Markup:
    """Dots with whiskers on one common axis, so that overlap is seen at once.

    Args:
        says: The figure in words.
        rows: One score each, the first on top.
        axis: Name of the axis.
        share: The scores are shares of one, written as per cent.
        width: Width in CSS pixels; below 500 the labels stand above their rows.
    """
    narrow = width < 500
    longest = max((len(row.label) for row in rows), default=1)
    left = 8.0 if narrow else min(max(90.0, 7.0 * longest + 16), 240.0)
    pitch = 46 if narrow else 34
    values = [v for row in rows for v in (row.value, row.low, row.high, *row.points)]
    ends = fit(values, bounds=(0, 1) if share else None)
    scale = Scale(*ends, left, width - (70 if narrow else 150))
    bottom = 10 + pitch * len(rows)
    marks: list[Markup] = []
    ticks = scale.ticks(4 if narrow else 6)
    for tick, label in zip(ticks, tick_texts(ticks, share=share), strict=True):
        marks.append(line(scale(tick), 4, scale(tick), bottom, "grid"))
        marks.append(text(scale(tick), bottom + 16, label, "tick", "middle"))
    marks.append(text((scale.start + scale.stop) / 2, bottom + 34, axis, "tick", "middle"))
    for row in rows:
        if row.strong and row.low is not None and row.high is not None:
            box = {"x": scale(row.low), "y": 4, "width": max(scale(row.high) - scale(row.low), 1), "height": bottom - 4}
            marks.insert(0, element("rect", {**box, "class": "shade"}))
    for number_of_row, row in enumerate(rows):
        marks.append(_whisker(row, scale, 10 + pitch * number_of_row, pitch, width, share))
    return svg(width, bottom + 42, says, *marks, style="whiskers")


def _whisker(row: Whisker, scale: Scale, top: float, pitch: float, width: float, share: bool) -> Markup:
    narrow = width < 500
    y = top + (31 if narrow else pitch / 2)
    style = "strong" if row.strong else "label"
    room = 44 if narrow else int((scale.start - 10) / 6.6)
    marks = [text(0, top + 15 if narrow else y + 4, clip(row.label, room), style, full=row.label)]
    if row.value is None:
        marks.append(text(scale.start, y + 4, "not measured", "quiet"))
        return group(*marks)
    tone = "net" if row.strong else "other"
    if row.low is not None and row.high is not None:
        marks.append(line(scale(row.low), y, scale(row.high), y, f"whisker {tone}"))
        marks.extend(line(scale(end), y - 4, scale(end), y + 4, f"whisker {tone}") for end in (row.low, row.high))
    marks.extend(line(scale(point), y - 7, scale(point), y + 7, f"seed {tone}") for point in row.points)
    marks.append(element("circle", {"cx": scale(row.value), "cy": y, "r": 6 if row.strong else 4.5, "class": f"head {tone}"}))
    value = written(row.value, share=share)
    marks.append(text(width - (0 if narrow else 66), y + 4, value, "value strong" if row.strong else "value", "end"))
    if not narrow and row.low is not None and row.high is not None:
        factor = 100 if share else 1
        ends = f"{_end(row.low * factor, share)}–{_end(row.high * factor, share)}"
        marks.append(text(width, y + 4, ends, "tick", "end"))
    return group(*marks)


def _end(value: float, share: bool) -> str:
    return f"{value:.1f}" if share else written(value, share=False)
