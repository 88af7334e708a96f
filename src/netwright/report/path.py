"""Ways of several trainings down one loss, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import Axes
from netwright.figures.marks import Real, number, percent
from netwright.figures.surface import Surface, Way, surface


@dataclass(frozen=True)
class DrawnPath:
    """One training.

    Args:
        label: What is special about it, e.g. "momentum 0.9".
        points: Where it was on the plane after each step.
        turn: Mean cosine between one step and the next.
        loss: At its end, on the examples of the surface.
    """

    label: str
    points: Sequence[tuple[Real, Real]]
    turn: Real
    loss: Real


def path_page(title: str, note: str, paths: Sequence[DrawnPath], seen: Surface, share: float) -> str:
    """The ways as one self-contained HTML page.

    Args:
        title: Of the page.
        note: Which examples the loss is of, and what else to know.
        paths: The trainings, at most six.
        seen: The loss on the plane.
        share: Share of the ways' spread that lies in the plane.
    """
    ways = [Way(path.label, path.points, series) for series, path in enumerate(paths, 1)]
    ends = "; ".join(f"{path.label}: loss {number(path.loss)}, turn {number(path.turn, 2)}" for path in paths)
    says = f"Ways of {len(paths)} trainings from one start over their loss. {ends}."
    axes = Axes("first main direction", "Second main direction", width=640, height=540)
    body = (
        templates("netwright.report")
        .get_template("path.html.jinja")
        .render(
            title=title, note=note, paths=paths, figure=surface(says, seen, axes, ways=ways), share=percent(share, 0)
        )
    )
    return frame(title, Markup(body), style_sheet("report/report.css"))
