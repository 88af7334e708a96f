"""What a trained model is worth on other examples, as a page: accuracy against the number of examples, way by way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import Axes, Line, line_chart
from netwright.report.sentences import interval_text, score_text


@dataclass(frozen=True)
class TransferLine:
    """One way of learning.

    Args:
        way: Its name.
        means: Mean test accuracy at each size; None where nothing was measured.
        between: 95 % interval of each mean; None where it is not known.
    """

    way: str
    means: list[float | None]
    between: list[tuple[float, float] | None]


def transfer_page(
    title: str, answer: str, sizes: Sequence[int], lines: Sequence[TransferLine], notes: Sequence[str]
) -> str:
    """The study as one self-contained HTML page.

    Args:
        title: Of the page.
        answer: What came out, in words.
        sizes: Numbers of training examples.
        lines: One for each way.
        notes: What else was measured, in sentences.
    """
    drawn = [
        Line(
            each.way,
            list(sizes),
            each.means,
            series,
            [pair or (mean or 0.0, mean or 0.0) for pair, mean in _pairs(each)],
        )
        for series, each in enumerate(lines, 1)
    ]
    told = "; ".join(f"{each.way} {score_text('accuracy', each.means[-1])}" for each in lines)
    says = f"Test accuracy against the number of training examples. With all {sizes[-1]:,}: {told}."
    axes = Axes("training examples", "Test accuracy", share=True, log_x=True, width=760, height=380)
    rows = [
        (f"{size:,}", [_cell(each.means[place], each.between[place]) for each in lines])
        for place, size in enumerate(sizes)
    ]
    body = (
        templates("netwright.report")
        .get_template("transfer.html.jinja")
        .render(title=title, answer=answer, figure=line_chart(says, drawn, axes), lines=lines, rows=rows, notes=notes)
    )
    return frame(title, Markup(body), style_sheet("report/report.css"))


def _pairs(line: TransferLine) -> list[tuple[tuple[float, float] | None, float | None]]:
    return list(zip(line.between, line.means, strict=True))


def _cell(mean: float | None, between: tuple[float, float] | None) -> tuple[str, str]:
    return score_text("accuracy", mean), interval_text("accuracy", between) or "–"
