"""Bars and dots in rows: likeliest answers of one example, and scores with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from netwright.figures.lines import written
from netwright.figures.marks import Real, clip, element, group, line, number, percent, svg, text
from netwright.figures.scale import Scale, fit, tick_texts

Tone = Literal["right", "wrong", "plain"]
_SIGNS: dict[Tone, str] = {"right": "✓", "wrong": "✗", "plain": ""}


@dataclass(frozen=True)
class Bar:
    """One bar: a share of one with its name; the tone is shown by colour and by a sign."""

    label: str
    share: Real
    tone: Tone = "plain"


def bar_rows(says: str, bars: Sequence[Bar], width: Real = 150) -> Markup:
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
    value: Real | None
    low: Real | None = None
    high: Real | None = None
    strong: bool = False
    points: tuple[Real, ...] = ()


def whiskers(says: str, rows: Sequence[Whisker], axis: str, *, share: bool = False, width: Real = 720) -> Markup:
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
    left = 8.0 if narrow else min(max(90.0, 7.0 * longest + 16), 300.0)
    pitch = 46 if narrow else 34
    values = [v for row in rows for v in (row.value, row.low, row.high, *row.points)]
    ends = fit(values, bounds=(0, 1) if share else None)
    intervals = [interval_ends(row, share=share) for row in rows]
    value_width = 18 + 7.4 * max((len(written(row.value, share=share)) for row in rows), default=1)
    interval_width = 0.0 if narrow else 10 + 6.2 * max(map(len, intervals), default=0)
    scale = Scale(*ends, left, width - value_width - interval_width - 8)
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
    for k, row in enumerate(rows):
        middle = 10 + pitch * k + (31 if narrow else pitch / 2)
        label_at = (0.0, middle - 16 if narrow else middle + 4)
        marks.append(
            text(
                *label_at,
                clip(row.label, 44 if narrow else int((left - 10) / 6.6)),
                "strong" if row.strong else "label",
                full=row.label,
            )
        )
        marks.append(_whisker(row, scale, middle))
        value = written(row.value, share=share) if row.value is not None else "not measured"
        marks.append(text(width - interval_width, middle + 4, value, "value strong" if row.strong else "value", "end"))
        if not narrow:
            marks.append(text(width, middle + 4, intervals[k], "tick", "end"))
    return svg(width, bottom + 42, says, *marks, style="whiskers")


def interval_ends(row: Whisker, *, share: bool) -> str:
    """The interval of a row in words, per cent without their sign; empty when there is none."""
    if row.low is None or row.high is None:
        return ""
    if share:
        return f"{100 * row.low:.1f}–{100 * row.high:.1f}"
    joint = " to " if row.low < 0 else "–"
    return f"{number(row.low, 2)}{joint}{number(row.high, 2)}"


def _whisker(row: Whisker, scale: Scale, y: Real) -> Markup:
    tone = "net" if row.strong else "other"
    marks: list[Markup] = []
    if row.low is not None and row.high is not None:
        marks.append(line(scale(row.low), y, scale(row.high), y, f"whisker {tone}"))
        marks.extend(line(scale(end), y - 4, scale(end), y + 4, f"whisker {tone}") for end in (row.low, row.high))
    marks.extend(line(scale(point), y - 7, scale(point), y + 7, f"seed {tone}") for point in row.points)
    if row.value is not None:
        dot = {"cx": scale(row.value), "cy": y, "r": 6 if row.strong else 4.5, "class": f"head {tone}"}
        marks.append(element("circle", dot))
    return group(*marks)
