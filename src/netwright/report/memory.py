"""How long recurrent layers remember, as a page: a heat map of each and their curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.cells import Block, Cell, cell_blocks
from netwright.figures.lines import Axes, Line, line_chart
from netwright.figures.marks import number
from netwright.report.drawings import both_widths
from netwright.report.sections import Section, sections_page

_DECADES = 4  # below the largest, beyond which cells stay white
_SIDE = 262.0  # of a heat map in CSS pixels
_TICK = 10


@dataclass(frozen=True)
class MemoryLine:
    """One run.

    Args:
        label: Its name.
        layer: The layer that was looked at.
        text: As in the layer text.
        width: Numbers of its state.
        norms: `[t][k]`, None where k > t.
        by_lag: Means from lag 0 on.
        remembers: Its effective memory in words.
    """

    label: str
    layer: str
    text: str
    width: int
    norms: Sequence[Sequence[float | None]]
    by_lag: Sequence[float]
    remembers: str


def memory_page(lines: Sequence[MemoryLine], notes: Sequence[str]) -> str:
    """The memory of some runs as one self-contained HTML page.

    Args:
        lines: The runs, at most six.
        notes: How it was measured.
    """
    top = max(value for line in lines for row in line.norms for value in row if value is not None)
    maps = [(f"{line.label}: {line.layer} ({line.text})", _map(line, top)) for line in lines]
    results = [f"effective memory of {line.label}: {line.remembers}" for line in lines]
    reach = len(lines[0].by_lag)
    lags = [lag for lag in (1, 2, 5, 10, 20, 50, 100) if lag < reach - 1] + [reach - 1]
    sections = [
        Section(
            "What is left of a change of the state",
            "A row is a step t, a column an earlier step k; a cell says how long ∂h_t/∂h_k is, the product of the "
            f"derivatives of all steps between. Deepest at {number(top, 2)}, white at a ten-thousandth of it, by "
            "powers of ten; the same for all. Point at a cell for its number.",
            maps,
            beside=True,
        ),
        Section(
            "By distance",
            "The mean over all places and sequences. A line that falls straight is a memory that loses the same share "
            "at every step; gates that stay open keep it level.",
            [("", _curves(lines))],
            ["run", "layer", "state", *(f"lag {lag}" for lag in lags), "effective memory"],
            [
                [
                    line.label,
                    line.layer,
                    str(line.width),
                    *(number(line.by_lag[lag], 2) for lag in lags),
                    line.remembers,
                ]
                for line in lines
            ],
            notes,
        ),
    ]
    return sections_page("how long it remembers", "Memory of recurrent layers", results, sections)


def _map(line: MemoryLine, top: float) -> Markup:
    reach = len(line.norms)
    rows: list[list[Cell | None]] = [
        [
            None if value is None else Cell(_shade(value, top), f"t = {t + 1}, k = {k + 1}: {number(value)}")
            for k, value in enumerate(row)
        ]
        for t, row in enumerate(line.norms)
    ]
    marks = [str(at + 1) if at == 0 or (at + 1) % _TICK == 0 else "" for at in range(reach)]
    says = f"Length of the derivative of the state at step t by that at step k of {line.label}, over {reach} steps."
    side = _SIDE / reach
    return cell_blocks(says, marks, [Block("", marks, rows, side)], side, "t \\ k")


def _shade(value: float, top: float) -> float:
    """From 0, `_DECADES` powers of ten below the largest, to 1."""
    if value <= 0 or top <= 0 or not math.isfinite(value):
        return 0.0 if value <= 0 else 1.0
    return min(max(1 + math.log10(value / top) / _DECADES, 0.0), 1.0)


def _curves(lines: Sequence[MemoryLine]) -> Markup:
    drawn = [
        Line(line.label, list(range(len(line.by_lag))), list(line.by_lag), series)
        for series, line in enumerate(lines, 1)
    ]
    told = "; ".join(f"{line.label} remembers {line.remembers}" for line in lines)
    says = f"Mean length of the derivative over the distance in steps: {told}."
    return both_widths(
        line_chart(says, drawn, Axes("steps apart", "Left of a change", log_y=True, width=640, height=360)),
        line_chart(says, drawn, Axes("steps apart", "Left of a change", log_y=True, width=370, height=300)),
    )
