"""The plane of answers: one cell per answer, examples where they lie, centres inside only."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from netwright.figures.lines import Axes
from netwright.figures.plane import Plane, plane

SVG = "{http://www.w3.org/2000/svg}"


def _drawn(**changes: object) -> ET.Element:
    given = {
        "x": (0.0, 1.0),
        "y": (0.0, 2.0),
        "answers": [[(0, 1.0), (1, 0.0)], [(0, 0.5), (1, 1.0)]],
        "points": [(0.25, 0.5, 0), (0.75, 1.5, 1)],
        "centres": [(0.5, 1.0, 0.1, 0.2), (9.0, 9.0, 0.1, 0.1)],
        "classes": ["<a>", "b"],
    }
    drawn = str(plane("says", Plane(**{**given, **changes}), Axes("x", "y")))
    return ET.fromstring(drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_every_answer_is_a_cell_deeper_where_it_is_surer() -> None:
    cells = [mark for mark in _drawn().iter(f"{SVG}rect") if "region" in (mark.get("class") or "")]
    assert [(cell.get("class"), cell.get("fill-opacity")) for cell in cells] == [
        ("region s1", "0.5"),
        ("region s2", "0.08"),
        ("region s1", "0.29"),
        ("region s2", "0.5"),
    ]
    assert float(cells[0].get("y")) > float(cells[2].get("y"))  # the first row is the lowest


def test_examples_lie_in_their_cells_and_centres_outside_are_left_out() -> None:
    drawn = _drawn()
    dots = [mark for mark in drawn.iter(f"{SVG}circle") if "rim" in (mark.get("class") or "")]
    assert len(dots) == 2
    assert float(dots[0].get("cx")) < float(dots[1].get("cx"))
    assert float(dots[0].get("cy")) > float(dots[1].get("cy"))
    assert len(list(drawn.iter(f"{SVG}ellipse"))) == 1
    assert any(mark.text == "<a>" for mark in drawn.iter(f"{SVG}text"))
