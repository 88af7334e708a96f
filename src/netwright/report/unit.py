"""The function that one unit has learned, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import SERIES, Axes, Line, Place, line_chart
from netwright.figures.marks import Real, number


@dataclass(frozen=True)
class UnitView:
    """A unit along the way on which its sums change the most.

    Args:
        name: Its name, e.g. "maxout1[3]".
        function: Of its sum; identity for none.
        way: Places on the way, in spreads of the examples.
        output: What it gives there.
        sums: Each of its weighted sums there.
    """

    name: str
    function: str
    way: Sequence[Real]
    output: Sequence[Real]
    sums: Sequence[Sequence[Real]]


def unit_page(view: UnitView, note: str) -> str:
    """The function as one self-contained HTML page.

    Args:
        view: The unit.
        note: Of which examples.
    """
    title, bends = f"Unit {view.name}", _bends(view)
    shown = view.sums[: SERIES - 1]
    lines = [Line(f"sum {at}", view.way, values, at + 1) for at, values in enumerate(shown, 1)]
    what = "the largest sum" if len(view.sums) > 1 else f"{view.function} of its sum"
    what = what if len(view.sums) == 1 or view.function == "identity" else f"{view.function} of {what}"
    where = ", ".join(number(place) for place in bends)
    says = f"{title} answers {what}, from {number(view.output[0])} to {number(view.output[-1])}"
    axes = Axes("spreads from the mean example", "Output and sums", width=640, height=400)
    figure = line_chart(
        f"{says}{f'; another sum becomes the largest at {where}' if bends else ''}.",
        [*lines, Line(f"output: {what}", view.way, view.output, 1)],
        axes,
        [Place(place, f"bends at {number(place)}") for place in bends],
    )
    body = (
        templates("netwright.report")
        .get_template("unit.html.jinja")
        .render(title=title, what=what, several=len(view.sums) > 1, bends=bends, figure=figure, note=note)
    )
    return frame(title, Markup(body), style_sheet("report/report.css"))


def _bends(view: UnitView) -> list[Real]:
    """Where another sum becomes the largest."""
    largest = [max(range(len(view.sums)), key=lambda at: view.sums[at][place]) for place in range(len(view.way))]
    return [view.way[place] for place in range(1, len(largest)) if largest[place] != largest[place - 1]]
