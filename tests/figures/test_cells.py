"""Coloured cells: where they stand, how deep they are, and that nothing from data becomes markup."""

from __future__ import annotations

import re

from netwright.figures.cells import Block, Cell, cell_blocks
from netwright.report.sections import Section, Tinted, sections_page, tinted


def test_cells_stand_in_their_columns_and_are_as_deep_as_they_say() -> None:
    block = Block(
        "state", ["0", "1"], [[Cell(0.25, "a"), Cell(-1.0, "b", "−1")], [None, Cell(2.0, "c")]], tips=["x", "y"]
    )
    drawn = str(cell_blocks("two steps", ["h", "e"], [block], wide=20, across="reads"))
    rects = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" [^>]*class="heat (up|down)" fill-opacity="([\d.]+)"', drawn)
    assert [(tone, depth) for _, _, tone, depth in rects] == [("up", "0.25"), ("down", "1"), ("up", "1")]
    assert float(rects[1][0]) - float(rects[0][0]) == 20
    assert rects[1][0] == rects[2][0]
    assert float(rects[2][1]) - float(rects[1][1]) == 14
    assert "<title>x</title>" in drawn
    assert 'aria-label="two steps"' in drawn
    assert "on-dark" in drawn


def test_only_deep_cells_have_bright_letters_and_long_headings_are_cut() -> None:
    pale = Block("", [""], [[Cell(0.1, "says", "ab")]])
    drawn = str(cell_blocks("one", ["a very long heading"], [pale], wide=30))
    assert "on-dark" not in drawn
    assert "<title>a very long heading</title>" in drawn
    assert "…" in drawn


def test_hostile_words_stay_words() -> None:
    page = sections_page(
        "over",
        "<b>",
        ["<i>"],
        [
            Section(
                "<u>", "says", [("<s>", tinted([Tinted("<script>", 1.0, '"><script>')]))], ["<a>"], [["<p>"]], ["<em>"]
            )
        ],
    )
    assert not re.findall(r"<(?:script|b|i|u|s|a|em)>", page.partition("<body>")[2])
    assert "&lt;script&gt;" in page


def test_ends_of_lines_are_shown_and_end_one() -> None:
    drawn = str(tinted([Tinted("a\n", 0.0, "x"), Tinted("\t", -1.0, "y")]))
    assert drawn.count("<br/>") == 1
    assert "a⏎</span>" in drawn
    assert 'class="tint down8"' in drawn
    assert 'class="tint" title="x"' in drawn
