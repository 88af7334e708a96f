"""Scores on moved pictures, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netwright.figures.lines import Axes, Line, line_chart
from netwright.report.look import Look, look_page
from netwright.report.sentences import is_share, score_name, score_text, with_interval
from netwright.words import begun


@dataclass(frozen=True)
class ShiftLine:
    """One run.

    Args:
        label: Its name.
        points: Of each distance: pixels, score, 95 % interval.
    """

    label: str
    points: Sequence[tuple[int, float, tuple[float, float]]]


def shift_page(score: str, lines: Sequence[ShiftLine], notes: Sequence[str]) -> str:
    """The scores of some runs over the distance as one self-contained HTML page.

    Args:
        score: Name of the score.
        lines: The runs, at most six.
        notes: Which pictures were moved, and how.
    """
    drawn = [
        Line(
            line.label,
            [px for px, _, _ in line.points],
            [value for _, value, _ in line.points],
            series,
            [between for _, _, between in line.points],
        )
        for series, line in enumerate(lines, 1)
    ]
    name = score_name(score)
    ends = "; ".join(
        f"{line.label} from {score_text(score, line.points[0][1])} to {score_text(score, line.points[-1][1])}"
        for line in lines
    )
    axes = Axes("pixels moved", begun(name), share=is_share(score), width=640, height=400)
    return look_page(
        Look(
            overline="pictures moved aside",
            title=f"{begun(name)} on moved pictures",
            heading="How far it holds",
            says="A net that shares its weights over places, and pools what it finds, minds a move less. The strokes "
            "through the curves are 95 % intervals.",
            figure=line_chart(f"{name} over the pixels moved: {ends}.", drawn, axes),
            columns=["pixels", *(line.label for line in lines)],
            rows=[
                [
                    str(at[0][0]),
                    *(with_interval(score, value, ends) for _, value, ends in at),
                ]
                for at in zip(*(line.points for line in lines), strict=True)
            ],
            notes=notes,
        )
    )
