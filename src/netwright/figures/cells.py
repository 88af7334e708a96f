"""Blocks of coloured cells under common columns: what happens at every step of a sequence, one column for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, line, svg, text

_LETTER = 7.2  # width of a letter
_LABEL = 16  # letters of a row's name
_HEAD, _GAP = 20.0, 26.0


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        shade: From -1 to 1: how deep it is coloured, negative numbers in another colour.
        says: What it is, shown when it is pointed at.
        written: What stands in it.
    """

    shade: Real
    says: str
    written: str = ""


@dataclass(frozen=True)
class Block:
    """Rows that belong together.

    Args:
        name: Above them.
        labels: Of the rows.
        rows: Of each the cells, None for an empty place.
        high: Height of a row in CSS pixels.
        tips: Shown when a row's name is pointed at; the whole name where left out.
    """

    name: str
    labels: Sequence[str]
    rows: Sequence[Sequence[Cell | None]]
    high: Real = 14
    tips: Sequence[str] = ()


def cell_blocks(says: str, heads: Sequence[str], blocks: Sequence[Block], wide: Real = 16, across: str = "") -> Markup:
    """Blocks under each other, their columns in line.

    Args:
        says: The figure in words.
        heads: Above the columns of the first block and below those of the last; "" leaves one bare.
        blocks: From the top down.
        wide: Width of a column in CSS pixels.
        across: What the columns are, written before them, e.g. "step".
    """
    names = [label for block in blocks for label in block.labels] + [across]
    left = 8 + _LETTER * min(max((len(name) for name in names), default=0), _LABEL)
    width = left + wide * len(heads)
    marks: list[Markup] = []
    y = 0.0
    for place, block in enumerate(blocks):
        if block.name:
            marks.append(text(0, y + 14, block.name, "strong"))
            y += _HEAD
        if place == 0 or len(blocks[place - 1].rows) + len(block.rows) > 12:
            marks += _headings(heads, left, wide, y + 13, across)
            y += _HEAD
        for label, tip, row in zip(block.labels, block.tips or block.labels, block.rows, strict=True):
            if label:
                small = "fine" if block.high < 11 else "tick"
                marks.append(text(left - 6, y + block.high / 2 + 3.5, clip(label, _LABEL), small, "end", full=tip))
            marks += [
                _drawn(cell, left + wide * at, y, wide, block.high) for at, cell in enumerate(row) if cell is not None
            ]
            y += block.high
        marks.append(line(left, y + 1, width, y + 1, "grid"))
        y += _GAP
    return svg(width, y - _GAP + 4, says, *marks, style="columns")


def _headings(heads: Sequence[str], left: Real, wide: Real, y: Real, across: str) -> list[Markup]:
    found = [text(left - 6, y, across, "tick", "end")] if across else []
    room = int(wide / _LETTER) if wide > 2 * _LETTER else 99  # narrow columns have a heading here and there
    return found + [
        text(left + wide * (at + 0.5), y, clip(head, room) if len(head) > room + 1 else head, "label", "middle", head)
        for at, head in enumerate(heads)
        if head
    ]


def _drawn(cell: Cell, x: Real, y: Real, wide: Real, high: Real) -> Markup:
    depth = min(abs(cell.shade), 1.0)
    rim = 0.5 if min(wide, high) > 8 else 0.0
    box = {"x": x + rim, "y": y + rim, "width": wide - 2 * rim, "height": high - 2 * rim}
    tone = {"class": f"heat {'up' if cell.shade >= 0 else 'down'}", "fill-opacity": depth}
    shape = element("rect", {**box, **tone}, element("title", {}, cell.says))
    if not cell.written:
        return shape
    style = f"count{' on-dark' if depth > 0.6 else ''}{' small' if high < 16 or len(cell.written) > 4 else ''}"
    return Markup("{}{}").format(shape, text(x + wide / 2, y + high / 2 + 4, cell.written, style, "middle"))
