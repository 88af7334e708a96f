"""Spots on a map: each where it belongs, told in the panel, its thumbnail cut from its own cell."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from netwright.figures.spots import Sheet, Spot, spots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*given: Spot, classes: tuple[str, ...] = ("<a>", "b"), sheet: Sheet | None = None) -> ET.Element:
    text = str(spots("says", given, classes, sheet))
    return ET.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def found(root: ET.Element) -> list[ET.Element]:
    return [mark for mark in root.iter(f"{SVG}g") if mark.get("class") == "spot"]


def test_places_classes_and_what_is_told() -> None:
    one = Spot(-1.0, -1.0, 0, ("<x>", "is <a>, answered b"), missed=True)
    root = drawn(one, Spot(1.0, 1.0, 1, ("row 2", "is b")))
    first, second = (mark.find(f"{SVG}circle") for mark in found(root))
    assert first is not None
    assert second is not None
    assert float(first.get("cx", 0)) < float(second.get("cx", 0))
    assert float(first.get("cy", 0)) > float(second.get("cy", 0))
    assert (first.get("class"), second.get("class")) == ("mark point s1 missed", "mark point s2")
    told = [line.text for line in found(root)[0].iter(f"{SVG}text")]
    assert told == ["<x>", "is <a>, answered b"]
    names = [line.text for line in root.iter(f"{SVG}text") if line.get("class") == "place-name"]
    assert names == ["<a>", "b"]


def test_a_thumbnail_is_cut_from_its_own_cell() -> None:
    sheet = Sheet("data:image/png;base64,AAAA", (32, 32), 16, (12, 10))
    root = drawn(*(Spot(0.1 * k, 0.0, 0, ("x",)) for k in range(4)), sheet=sheet)
    views = [mark.get("viewBox") for spot in found(root) for mark in spot.iter(f"{SVG}svg")]
    assert views == ["0 0 12 10", "16 0 12 10", "0 16 12 10", "16 16 12 10"]
    assert sum(1 for _ in root.iter(f"{SVG}image")) == 1


def test_classes_of_one_colour_differ_in_shape_and_many_are_not_named() -> None:
    names = tuple(f"class {k}" for k in range(30))
    root = drawn(*(Spot(0.0, 0.0, k, ("x",)) for k in range(30)), classes=names)
    shapes = {}
    for code, spot in enumerate(found(root)):
        shape = spot[0]
        shapes.setdefault(shape.get("class"), []).append((shape.tag, len(shape.get("d", ""))))
        assert shape.get("class") == f"mark point s{code % 6 + 1}"
    assert all(len(set(each[:4])) >= 3 for each in shapes.values())
    text = [line.text for line in root.iter(f"{SVG}text")]
    assert "and 4 more classes" in text
    assert not any(line.get("class") == "place-name" for line in root.iter(f"{SVG}text"))


def test_long_values_are_folded_and_cut() -> None:
    root = drawn(Spot(0.0, 0.0, 0, ("name", "word " * 200)))
    lines = [line.text or "" for line in found(root)[0].iter(f"{SVG}text")]
    assert len(lines) == 11
    assert max(map(len, lines)) <= 28
