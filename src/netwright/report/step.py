"""One step of gradient descent on two weights, as a page: where it stood, which way, how far, and what it brought."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import Axes
from netwright.figures.marks import Real, number
from netwright.figures.surface import Surface, surface
from netwright.report.drawings import both_widths


@dataclass(frozen=True)
class StepView:
    """One step on two chosen weights; every number measured, none computed here but the step itself.

    Args:
        names: Names of the two weights, e.g. ("dense 1, unit 3, from x5", ...).
        values: The two weights before the step.
        gradients: The derivative of the loss by each of them.
        lr: The learning rate.
        loss_before: The loss at `values`.
        loss_after: The loss after the step in these two weights.
        x: Places of the grid's columns: values of the first weight, ascending.
        y: Places of the grid's rows: values of the second weight, ascending.
        losses: `losses[row][column]`, all other weights held.
        title: Title of the page.
        note: Which examples the loss is of, and what else to know.
    """

    names: tuple[str, str]
    values: tuple[Real, Real]
    gradients: tuple[Real, Real]
    lr: Real
    loss_before: Real
    loss_after: Real
    x: tuple[Real, ...]
    y: tuple[Real, ...]
    losses: tuple[tuple[Real, ...], ...]
    title: str = "One step of gradient descent"
    note: str = ""


@dataclass(frozen=True)
class _Row:
    name: str
    before: Real
    gradient: Real
    change: Real
    after: Real


def step_page(view: StepView) -> str:
    """The step as one self-contained HTML page.

    Args:
        view: The weights, their gradients, and the loss around them.
    """
    rows = [
        _Row(name, value, gradient, -view.lr * gradient, value - view.lr * gradient)
        for name, value, gradient in zip(view.names, view.values, view.gradients, strict=True)
    ]
    size = math.hypot(rows[0].change, rows[1].change)
    body = (
        templates("netwright.report")
        .get_template("step.html.jinja")
        .render(view=view, rows=rows, size=size, angle=_direction(rows), figure=_figure(view, rows), fell=_fell(view))
    )
    return frame(view.title, Markup(body), style_sheet("report/report.css"))


def _direction(rows: list[_Row]) -> str:
    """The direction on the figure in words, e.g. "down and to the left"."""
    words = []
    if rows[1].change:
        words.append("up" if rows[1].change > 0 else "down")
    if rows[0].change:
        words.append("to the right" if rows[0].change > 0 else "to the left")
    return " and ".join(words) or "nowhere"


def _fell(view: StepView) -> str:
    change = view.loss_after - view.loss_before
    if not math.isfinite(change):
        return "The loss after the step is not a number: the step was far too long."
    foreseen = -view.lr * sum(gradient**2 for gradient in view.gradients)
    verb = "fell" if change < 0 else "rose" if change > 0 else "stayed"
    said = f"The loss {verb} from {number(view.loss_before, 4)} to {number(view.loss_after, 4)}"
    if change > 0:
        return (
            f"{said}: the step was too long, it went beyond the valley. A smaller learning rate would have gone down."
        )
    return f"{said}, by {number(-change)}; the slope alone foresaw {number(-foreseen)}."


def _figure(view: StepView, rows: list[_Row]) -> Markup:
    step = ((view.values[0], view.values[1]), (rows[0].after, rows[1].after))
    says = (
        f"Loss over the two weights {view.names[0]} and {view.names[1]}, bluer where it is higher. The step goes "
        f"{_direction(rows)}, from ({number(step[0][0])}, {number(step[0][1])}) to ({number(step[1][0])}, "
        f"{number(step[1][1])}). {_fell(view)}"
    )
    seen = Surface(view.x, view.y, view.losses)
    wide = Axes(view.names[0], view.names[1], width=640, height=520)
    narrow = Axes(view.names[0], view.names[1], width=370, height=380)
    return both_widths(surface(says, seen, wide, [step]), surface(says, seen, narrow, [step]))
