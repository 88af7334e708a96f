"""Errors forwards through time and gradients backwards, as a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.cells import Block, Cell, cell_blocks
from netwright.figures.lines import Axes, Line, line_chart
from netwright.figures.marks import number, percent
from netwright.lens.bptt import Terms, Truncated
from netwright.report.drawings import both_widths
from netwright.report.sections import Section, sections_page

_SIDE = 420.0  # of the figure of terms in CSS pixels


@dataclass(frozen=True)
class BpttFacts:
    """What is known about a run.

    Args:
        output: Whose errors.
        unit: What they are counted in.
        steps: The steps that have one, from 1.
        errors: Mean of each over held-out sequences.
        intervals: 95 % intervals of these.
        early: Mean error of the first quarter of the steps.
        late: Of the last.
        layer: Whose recurrent weights.
        example: The sequence taken apart.
        heads: What is read at each of its steps.
        terms: Its gradient.
        truncated: What shorter ways back keep.
        together: How many sequences that was measured on, and their steps.
        notes: What else to know, a sentence each.
    """

    output: str
    unit: str
    steps: Sequence[int]
    errors: Sequence[float]
    intervals: Sequence[tuple[float, float]]
    early: float
    late: float
    layer: str
    example: str
    heads: Sequence[str]
    terms: Terms
    truncated: Sequence[Truncated]
    together: Sequence[int]
    notes: Sequence[str]


def bptt_page(facts: BpttFacts) -> str:
    """Errors and gradients as one self-contained HTML page.

    Args:
        facts: What to show.
    """
    found = facts.terms
    results = [
        f"{facts.output}: early steps {number(facts.early, 4)} {facts.unit}, late ones {number(facts.late, 4)}",
        f"the whole gradient and the sum of its terms are {found.apart_sum:.1e} of its largest number apart",
    ]
    sections = [_errors(facts), _terms(facts)]
    if facts.truncated:
        sections.append(_truncated(facts))
    return sections_page("back through time", f"Through time: {facts.layer}", results, sections)


def _errors(facts: BpttFacts) -> Section:
    drawn = [Line(f"{facts.output}, mean", list(facts.steps), list(facts.errors), 1, list(facts.intervals))]
    says = f"Error of {facts.output} by step: {number(facts.early)} early, {number(facts.late)} late."
    places = sorted({round(at * (len(facts.steps) - 1) / 7) for at in range(8)})
    return Section(
        "Forwards: the error of each step",
        "What is read first helps with what comes later, as far as the state keeps it: errors fall as long as it does.",
        [("", _both(says, drawn, "step", f"{facts.unit} at this step"))],
        ["step", facts.unit, "95 % interval"],
        [
            [
                str(facts.steps[at]),
                number(facts.errors[at], 4),
                " to ".join(number(end, 4) for end in facts.intervals[at]),
            ]
            for at in places
        ],
        facts.notes,
    )


def _terms(facts: BpttFacts) -> Section:
    found = facts.terms
    largest = max((value for row in found.parts.tolist() for value in row if math.isfinite(value)), default=1.0) or 1.0
    wide = min(_SIDE / max(len(facts.heads), 1), 26.0)
    rows: list[list[Cell | None]] = [
        [
            None
            if not math.isfinite(value)
            else Cell((value / largest) ** 0.5, f"error of step {at + 1}, weights of step {k + 1}: {number(value)}")
            for k, value in enumerate(row)
        ]
        for at, row in zip(found.at, found.parts.tolist(), strict=True)
    ]
    heads = [_heading(head, at + 1, wide) for at, head in enumerate(facts.heads)]
    labels = [f"E {at + 1}" for at in found.at]
    says = f"Norm of each error and step: {len(rows)} errors, {len(facts.heads)} steps of {facts.example}."
    apart = (
        f"between it and the sum of all ∂E_t/∂W, each differentiated on its own, lie at most {found.apart_sum:.1e} of "
        f"its largest number; between it and the sum of the terms of all single steps k {found.apart_parts:.1e}"
    )
    figure = cell_blocks(says, heads, [Block("", labels, rows, max(wide, 9.0))], wide, "error \\ k")
    return Section(
        "Backwards: a sum over steps",
        "∂E/∂W is the sum over t of ∂E_t/∂W, and each of these the sum over k up to t of ∂E_t/∂h_t ∂h_t/∂h_k ∂h_k/∂W. "
        "A row is an error, a column the step at which the recurrent weights acted; deeper is longer, by the root. "
        "What is white on the left is too far back to be learned from.",
        [("", figure)],
        ["step", "reads", "E_t", "norm of ∂E_t/∂W", "of it within 5 steps"],
        [
            [
                str(at + 1),
                facts.heads[at],
                number(error, 3),
                number(norm, 3),
                percent(_near(found.parts[row].tolist(), at)),
            ]
            for row, (at, error, norm) in enumerate(zip(found.at, found.errors, found.norms, strict=True))
        ],
        [
            f"norm of the whole gradient of {facts.layer}'s recurrent weights: {number(found.whole, 4)}",
            apart,
            "an E_t is its part of the mean, so that all of them add up to the loss of the sequence",
            "at the first step the state is empty, so that its weights from step to step get nothing",
            "the share within 5 steps is that of the norms of the terms, added",
        ],
    )


def _heading(head: str, step: int, wide: float) -> str:
    """What is read where it is one letter, else the number of the step; every tenth where there is little room."""
    if wide > 12:
        return head if len(head) == 1 else str(step)
    return str(step) if step % 10 == 0 or step == 1 else ""


def _near(row: Sequence[float], at: int) -> float:
    """The share of the terms' norms that belong to the five steps up to the error."""
    known = [value for value in row if math.isfinite(value)]
    total = sum(known)
    return sum(row[max(at - 4, 0) : at + 1]) / total if total else math.nan


def _truncated(facts: BpttFacts) -> Section:
    count, reach = facts.together
    lines = [
        Line(
            "share of the gradient kept",
            [each.steps for each in facts.truncated],
            [each.share for each in facts.truncated],
            1,
        )
    ]
    says = "; ".join(f"{each.steps} steps keep {percent(each.share)}" for each in facts.truncated)
    wide = Axes("steps back", "Share kept", log_x=True, zero=True, width=640, height=320)
    return Section(
        "Truncated: errors that go back n steps at most",
        "As training does it with pieces of n steps: the state goes on from one to the next, the gradient does not. "
        f"On {count} sequences of {reach} steps.",
        [("", line_chart(says, lines, wide))],
        ["n", "share kept", "missing or wrong", "time", "kept for the way back"],
        [
            [
                str(each.steps),
                percent(each.share),
                percent(each.apart),
                f"{1e3 * each.seconds:.1f} ms",
                f"{each.kept_bytes / 1e6:.2f} MB",
            ]
            for each in facts.truncated
        ],
        [
            "share kept: the scalar product with the whole gradient, divided by the whole one's square",
            "missing or wrong: the norm of the difference, divided by the norm of the whole gradient",
            "time is the median of five, forwards and backwards over all steps",
            "memory is what the largest piece keeps for the way back, weights not counted",
        ],
    )


def _both(says: str, lines: Sequence[Line], x: str, y: str) -> Markup:
    return both_widths(
        line_chart(says, lines, Axes(x, y, width=640, height=320)),
        line_chart(says, lines, Axes(x, y, width=370, height=280)),
    )
