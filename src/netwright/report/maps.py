"""What the layers of a network make of one picture, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.bars import Bar, Tone, bar_rows
from netwright.figures.columns import Column, Panel, picture_columns, picture_row
from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.marks import percent
from netwright.words import begun


@dataclass(frozen=True)
class Answered:
    """What one output says of the picture.

    Args:
        output: Its name.
        truth: What the picture really is.
        bars: Classes with their probabilities, likeliest first; empty where the answer is no class.
        words: The answer in words.
    """

    output: str
    truth: str
    bars: Sequence[tuple[str, float]]
    words: str


@dataclass(frozen=True)
class MapsFacts:
    """What is known about the maps of one picture.

    Args:
        example: The picture's name.
        answers: Of each output.
        picture: The picture, as a column of one.
        columns: The layers.
        rows: Of each layer: name, what comes out, what a place sees, lowest and highest value, share of zeros.
        notes: What else to know, a sentence each.
        chosen: What the one map is, e.g. "map 3 of conv1"; "" for none.
        chosen_says: How it came about.
        panels: The picture, the filter, the map, and what follows.
    """

    example: str
    answers: Sequence[Answered]
    picture: Column
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    chosen: str
    chosen_says: Sequence[str]
    panels: Sequence[Panel]


def maps_page(facts: MapsFacts) -> str:
    """The maps as one self-contained HTML page.

    Args:
        facts: What to show.
    """
    names = ", ".join(column.name for column in facts.columns)
    said = "; ".join(f"{answer.output}: {answer.words}" for answer in facts.answers)
    says = f"Activation maps of {facts.example}, a column for each of: {names}. {said}."
    chosen = f"{facts.chosen} of {facts.example}: {' '.join(facts.chosen_says)}"
    body = (
        templates("netwright.report")
        .get_template("maps.html.jinja")
        .render(
            facts=facts,
            figure=picture_columns(says, facts.columns, facts.picture),
            bars=[(answer, _bars(answer)) for answer in facts.answers],
            row=picture_row(chosen, facts.panels),
            notes=[f"{begun(note).rstrip('.')}." for note in facts.notes],
        )
    )
    return frame(f"{facts.example} through the layers", Markup(body), style_sheet("report/report.css"))


def _bars(answer: Answered) -> Markup | None:
    """Classes with probabilities, the true one marked."""
    if not answer.bars:
        return None
    bars = []
    for rank, (label, share) in enumerate(answer.bars):
        tone: Tone = "right" if label == answer.truth else "wrong" if rank == 0 else "plain"
        bars.append(Bar(label, share, tone))
    said = ", ".join(f"{bar.label} {percent(bar.share)}" for bar in bars)
    return bar_rows(f"{answer.output}: {said}. Really {answer.truth}.", bars)
