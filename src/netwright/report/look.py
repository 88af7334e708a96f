"""The page of a look into a network: one figure, its numbers in a table, and what to know about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.words import begun


@dataclass(frozen=True)
class Look:
    """What a page shows.

    Args:
        overline: What kind of look it is.
        title: Of the page.
        heading: Of the figure.
        says: What the figure shows and how to read it.
        figure: The figure.
        columns: Headings of the table.
        rows: Its cells, each row's name first.
        notes: What else to know, a sentence each.
    """

    overline: str
    title: str
    heading: str
    says: str
    figure: Markup
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]


def look_page(look: Look) -> str:
    """The look as one self-contained HTML page.

    Args:
        look: What it shows.
    """
    notes = [f"{begun(note).rstrip('.')}." for note in look.notes]
    body = (
        templates("netwright.report")
        .get_template("look.html.jinja")
        .render(
            overline=look.overline,
            title=look.title,
            heading=look.heading,
            says=look.says,
            figure=look.figure,
            columns=look.columns,
            rows=look.rows,
            notes=notes,
        )
    )
    return frame(look.title, Markup(body), style_sheet("report/report.css"))
