"""Columns and rows of pictures: each where it belongs, named, framed where it was asked for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import pairwise

from netwright.figures.columns import Column, Panel, Picture, picture_columns, picture_row

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def picture(name: str, size: tuple[int, int] = (8, 8)) -> Picture:
    return Picture(f"data:image/png;base64,{name}", size, f"<{name}>")


def places(root: ET.Element) -> dict[str, tuple[float, float, float, float]]:
    return {
        str(mark.get("href")).rpartition(",")[2]: (
            *(float(mark.get(name, 0)) for name in ("x", "y", "width", "height")),
        )
        for mark in root.iter(f"{SVG}image")
    }


def test_columns_stand_side_by_side_and_their_pictures_under_each_other() -> None:
    columns = [Column("conv <1>", ("2 maps", "8×8"), [picture("a"), picture("b")]), Column("relu", (), [picture("c")])]
    root = parsed(str(picture_columns("says", columns, Column("in", ("8×8",), [picture("i")]))))
    found = places(root)
    assert found["i"][0] + found["i"][2] < found["a"][0] < found["c"][0]
    assert found["a"][0] == found["b"][0]
    assert found["a"][1] == found["c"][1]
    assert found["a"][1] + found["a"][3] < found["b"][1]
    texts = [mark.text or mark[-1].tail for mark in root.iter(f"{SVG}text")]
    assert {"conv <1>", "2 maps", "8×8", "relu", "in"} <= set(texts)
    assert [mark.text for mark in root.iter(f"{SVG}title")] == ["<i>", "<a>", "<b>", "<c>"]
    width = float(str(root.get("width")))
    assert all(x >= 0 and x + wide <= width for x, _, wide, _ in found.values())


def test_many_columns_become_small_and_tall_pictures_keep_their_form() -> None:
    columns = [Column("x", (), [picture(f"{at}", (10, 20))]) for at in range(30)]
    found = places(parsed(str(picture_columns("says", columns))))
    assert {(wide, high) for _, _, wide, high in found.values()} == {(20, 40)}
    left = [x for x, *_ in found.values()]
    assert all(after - before == 46 for before, after in pairwise(left))


def test_a_frame_lies_on_its_places_whatever_the_size_of_the_picture() -> None:
    panels = [
        Panel(picture("a", (100, 100)), "one", ["low"], (2, 1, 4, 3), (8, 4)),
        Panel(picture("b"), "two", sign="→"),
    ]
    root = parsed(str(picture_row("says", panels, side=160)))
    found = places(root)
    frames = [mark for mark in root.iter(f"{SVG}rect") if str(mark.get("class")).startswith("aim")]
    left, top, wide, high = (float(frames[0].get(name, 0)) for name in ("x", "y", "width", "height"))
    x, y, *_ = found["a"]
    assert (left - x, top - y, wide, high) == (2 * 20, 1 * 40, 2 * 20, 2 * 40)
    assert len(frames) == 2
    assert found["b"][0] == 160 + 34
    assert [mark.text for mark in root.iter(f"{SVG}text") if mark.get("class") == "sign"] == ["→"]
