"""A comparison of settings as one self-contained HTML page: scores with intervals and every seed, costs, curves."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from netwright.figures.bars import Whisker, whiskers
from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.lines import SERIES, Axes, Line, line_chart
from netwright.figures.marks import number
from netwright.report.drawings import both_widths
from netwright.report.sentences import duration, interval_text, is_share, lower_is_better, score_name, score_text
from netwright.report.values import Interval, Number, day
from netwright.words import begun


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComparedRow(_Fact):
    """One setting, trained once per seed.

    Args:
        label: The setting in words, e.g. "width 64".
        mean: Mean score over the seeds.
        interval: 95 % interval of that mean.
        seeds: Score of each seed, by seed.
        parameters: Parameters of its net.
        seconds: Mean training time of one seed.
        note: What else must be known, e.g. "1 of 5 diverged".
    """

    label: str
    mean: Number = None
    interval: Interval | None = None
    seeds: dict[str, Number] = {}
    parameters: int | None = None
    seconds: Number = None
    note: str = ""


class ComparedCurve(_Fact):
    """How the loss of one setting fell, over examples seen and over seconds; all three of one length."""

    label: str
    examples: list[float]
    seconds: list[Number] = []
    loss: list[Number]


class Comparison(_Fact):
    """What a comparison found.

    Args:
        title: Title of the page.
        question: What was asked, one sentence.
        answer: What came out, one or two sentences.
        score: Name of the score, e.g. "accuracy".
        split: Split it was measured on.
        rows: One per setting, in the order to show.
        curves: Loss curves, at most one per setting.
        loss: What the curves show, e.g. "validation loss".
        command: The command that repeats it.
        notes: Anything else the reader must know.
        created: When, ISO 8601 or in words.
    """

    title: str
    question: str = ""
    answer: str = ""
    score: str
    split: str = "test"
    rows: list[ComparedRow]
    curves: list[ComparedCurve] = []
    loss: str = "loss"
    command: str = ""
    notes: list[str] = []
    created: str = ""


@dataclass(frozen=True)
class _Shown:
    row: ComparedRow
    mean: str
    interval: str
    seeds: str
    parameters: str
    seconds: str
    best: bool


def compare_page(comparison: Comparison) -> str:
    """The comparison as one self-contained HTML page.

    Args:
        comparison: What was measured; empty parts are left out.
    """
    best = best_row(comparison)
    body = (
        templates("netwright.report")
        .get_template("compare.html.jinja")
        .render(
            facts=comparison,
            score=score_name(comparison.score),
            figure=_figure(comparison, best),
            rows=[_shown(comparison, row, row is best) for row in comparison.rows],
            day=day(comparison.created),
            charts=_charts(comparison),
            best=best,
        )
    )
    return frame(comparison.title, Markup(body), style_sheet("report/report.css"))


def best_row(comparison: Comparison) -> ComparedRow | None:
    """The setting with the best mean score; None when nothing was measured."""
    known = [row for row in comparison.rows if row.mean is not None]
    sign = -1 if lower_is_better(comparison.score) else 1
    return max(known, key=lambda row: sign * (row.mean or 0.0), default=None)


def _shown(comparison: Comparison, row: ComparedRow, best: bool) -> _Shown:
    return _Shown(
        row=row,
        mean=score_text(comparison.score, row.mean),
        interval=interval_text(comparison.score, row.interval) or "–",
        seeds=" · ".join(score_text(comparison.score, score) for score in row.seeds.values()),
        parameters=number(row.parameters),
        seconds=duration(row.seconds),
        best=best,
    )


def _figure(comparison: Comparison, best: ComparedRow | None) -> Markup:
    share = is_share(comparison.score)
    rows = []
    for row in comparison.rows:
        low, high = row.interval or (None, None)
        points = tuple(score for score in row.seeds.values() if score is not None)
        rows.append(Whisker(row.label, row.mean, low, high, strong=row is best, points=points))
    axis = f"{score_name(comparison.score)} on the {comparison.split} split: mean, 95 % interval, one tick per seed"
    says = f"{axis}. " + "; ".join(f"{row.label} {score_text(comparison.score, row.value)}" for row in rows) + "."
    short = f"{score_name(comparison.score)}, {comparison.split} split"
    wide = whiskers(says, rows, axis, share=share, width=800)
    return both_widths(wide, whiskers(says, rows, short, share=share, width=380))


def _charts(comparison: Comparison) -> list[Markup]:
    curves = comparison.curves[:SERIES]
    seen = [Line(c.label, c.examples, c.loss, k + 1) for k, c in enumerate(curves)]
    timed = [_timed(c, k + 1) for k, c in enumerate(curves) if any(s is not None for s in c.seconds)]
    charts = []
    for lines, axis in ((seen, "examples seen"), (timed, "seconds of training")):
        if lines:
            title = begun(comparison.loss)
            says = f"{title} against {axis} for {', '.join(each.label for each in lines)}."
            charts.append(line_chart(says, lines, Axes(axis, title)))
    return charts


def _timed(curve: ComparedCurve, series: int) -> Line:
    known = [(at, loss) for at, loss in zip(curve.seconds, curve.loss, strict=True) if at is not None]
    return Line(curve.label, [at for at, _ in known], [loss for _, loss in known], series)
