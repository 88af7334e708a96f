"""A page of several sections, each with figures, a table and what to know about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.marks import element
from netwright.words import begun


@dataclass(frozen=True)
class Section:
    """One section.

    Args:
        heading: Its name.
        says: What it shows and how to read it.
        figures: Under each other, each with its own heading or "".
        columns: Headings of the table; () for none.
        rows: Its cells, each row's name first.
        notes: What else to know, a sentence each.
        worded: Columns that hold words: they are set to the left.
        beside: Figures stand side by side where there is room.
    """

    heading: str
    says: str
    figures: Sequence[tuple[str, Markup]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()
    worded: bool = False
    beside: bool = False


def sections_page(overline: str, title: str, results: Sequence[str], sections: Sequence[Section]) -> str:
    """The sections as one self-contained HTML page.

    Args:
        overline: What kind of look it is.
        title: Of the page.
        results: What came out, a sentence each, on top.
        sections: From the top down.
    """
    body = (
        templates("netwright.report")
        .get_template("sections.html.jinja")
        .render(
            overline=overline,
            title=title,
            results=[_sentence(each) for each in results],
            sections=[(section, [_sentence(note) for note in section.notes]) for section in sections],
        )
    )
    return frame(title, Markup(body), style_sheet("report/report.css", "report/sections.css"))


@dataclass(frozen=True)
class Tinted:
    """A piece of a text on a coloured ground.

    Args:
        text: The piece.
        shade: From -1 to 1, as of `figures.cells.Cell`.
        says: Shown when it is pointed at.
    """

    text: str
    shade: float
    says: str


def tinted(pieces: Sequence[Tinted], between: str = "") -> Markup:
    r"""A text whose pieces are coloured.

    Args:
        pieces: In their order; an end of a line is shown as a sign and ends one.
        between: What stands between two of them.

    Example:
        >>> print(tinted([Tinted("a<", -0.5, "x: -0.5")]))
        <p class="tinted"><span class="tint down4" title="x: -0.5">a&lt;</span></p>
    """
    spans = []
    for piece in pieces:
        depth = min(max(round(8 * abs(piece.shade)), 0), 8)
        style = f"tint {'up' if piece.shade >= 0 else 'down'}{depth}" if depth else "tint"
        shown = piece.text.replace("\n", "⏎").replace("\t", "⇥")
        spans.append(element("span", {"class": style, "title": piece.says}, shown))
        if "\n" in piece.text:
            spans.append(element("br", {}))
    return element("p", {"class": "tinted"}, Markup(between).join(spans))


def _sentence(words: str) -> str:
    return f"{begun(words).rstrip('.')}."
