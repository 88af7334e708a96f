"""Figures whose answers are known by thought: places of marks, gaps, signs, escapes."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from markupsafe import Markup

from netwright.figures.bars import Bar, Whisker, bar_rows, whiskers
from netwright.figures.lines import POINTS, Axes, Line, Place, line_chart, thin
from netwright.figures.matrix import READABLE, confused_pairs, confusion_matrix
from netwright.figures.scatter import SHOWN, scatter
from netwright.figures.surface import Surface, contour, surface


def parsed(figure: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(figure))


def of_class(figure: Markup, name: str) -> list[ElementTree.Element]:
    return [each for each in parsed(figure).iter() if name in each.get("class", "").split()]


def test_a_line_goes_through_its_points() -> None:
    chart = line_chart("a line", [Line("loss", [0, 10], [0.0, 1.0])], Axes("epoch", "Loss", zero=True))
    (path,) = of_class(chart, "curve")[1:]  # the first is the sample in the legend
    x1, y1, x2, y2 = map(float, re.findall(r"[\d.]+", path.get("d", "")))
    assert x2 > x1
    assert y2 < y1, "a larger value lies higher"
    assert y1 == 240.0, "zero lies on the axis"


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
    chart = line_chart("gap", [Line("loss", [1, 2, 3, 4, 5], [1.0, 2.0, math.nan, None, 1.0])], Axes("epoch", "Loss"))
    path = of_class(chart, "curve")[1].get("d", "")
    assert path.count("M") == 2
    assert "nan" not in str(chart).lower()


def test_a_single_epoch_is_a_dot_and_no_epochs_are_an_empty_chart() -> None:
    assert of_class(line_chart("one", [Line("loss", [1], [0.5])], Axes("epoch", "Loss")), "point")
    assert parsed(line_chart("none", [], Axes("epoch", "Loss"))).tag == "svg"


def test_marked_places_stand_at_their_x_and_shade_to_the_right_end() -> None:
    places = [Place(5, "over-fitting", band=True)]
    chart = line_chart("places", [Line("loss", [0, 10], [1.0, 2.0])], Axes("epoch", "Loss"), places)
    (band,) = of_class(chart, "band")
    (place,) = of_class(chart, "place")
    assert band.get("x") == place.get("x1")
    assert float(band.get("x", 0)) + float(band.get("width", 0)) == pytest.approx(460 - 14, abs=0.02)


def test_long_curves_are_thinned_and_keep_their_spikes() -> None:
    points = [(float(k), 1.0) for k in range(100_000)]
    points[77_777] = (77_777.0, 99.0)
    kept = thin(points)
    assert len(kept) <= POINTS + 2
    assert (77_777.0, 99.0) in kept
    assert [x for x, _ in kept] == sorted(x for x, _ in kept)


def test_a_long_legend_takes_a_second_row_and_names_stay_whole() -> None:
    lines = [Line(f"a fairly long setting {k}", [0, 1], [0.0, 1.0], k) for k in range(1, 7)]
    chart = line_chart("legend", lines, Axes("epoch", "Loss"))
    rows = {each.get("y") for each in parsed(chart).iter("text") if (each.text or "").startswith("a fairly")}
    assert len(rows) > 1


def test_bars_show_share_name_and_sign() -> None:
    figure = bar_rows("bars", [Bar("cat", 0.75, "wrong"), Bar("dog", 0.25, "right"), Bar("cow", 0.0)], width=100)
    assert [each.get("width") for each in of_class(figure, "bar")] == ["75", "25"]
    words = [each.text for each in parsed(figure).iter("text")]
    assert words == ["✗ cat", "75.0\u00a0%", "✓ dog", "25.0\u00a0%", "cow", "0.0\u00a0%"]


def test_bars_survive_shares_that_are_none() -> None:
    assert not of_class(bar_rows("bars", [Bar("cat", math.nan), Bar("dog", -1.0)]), "bar")
    assert of_class(bar_rows("bars", [Bar("cat", 7.0)], width=100), "bar")[0].get("width") == "100"


def test_the_shaded_interval_is_the_one_of_the_strong_row() -> None:
    rows = [Whisker("net", 0.9, 0.8, 1.0, strong=True), Whisker("other", 0.5, 0.4, 0.6), Whisker("none", None)]
    figure = whiskers("scores", rows, "accuracy", share=True)
    (shade,) = of_class(figure, "shade")
    ends = next(each for each in of_class(figure, "whisker") if "net" in each.get("class", ""))
    assert float(shade.get("x", 0)) == float(ends.get("x1", 1))
    assert "not measured" in str(figure)
    assert "80.0–100.0" in str(figure)


def test_narrow_whiskers_put_labels_above_their_rows() -> None:
    rows = [Whisker("always the commonest class", 0.5, 0.4, 0.6, strong=True)]
    label = next(
        each for each in parsed(whiskers("s", rows, "accuracy", width=380)).iter("text") if each.text == rows[0].label
    )
    dot = of_class(whiskers("s", rows, "accuracy", width=380), "head")[0]
    assert float(label.get("y", 0)) < float(dot.get("cy", 0))


def test_a_confusion_matrix_counts_and_frames_mistakes() -> None:
    figure = confusion_matrix("matrix", [[8, 2], [0, 5]], ["cat", "<dog>"])
    assert len([each for each in of_class(figure, "cell") if "right" in each.get("class", "")]) == 2
    (mistake,) = [each for each in of_class(figure, "cell") if "wrong" in each.get("class", "")]
    assert float(mistake.get("fill-opacity", 0)) == pytest.approx(0.34, abs=0.01)
    assert "really cat, answered &lt;dog&gt;: 2 of 10" in str(figure)


def test_the_largest_readable_matrix_is_still_small() -> None:
    size = READABLE
    counts = [[int(r == c) * 9 + 1 for c in range(size)] for r in range(size)]
    figure = confusion_matrix("matrix", counts, [f"a class with a long name {k}" for k in range(size)])
    assert len(figure) < 450_000
    assert float(parsed(figure).get("width", 0)) < 1100


def test_confused_pairs_are_sorted_and_never_right_answers() -> None:
    assert confused_pairs([[9, 1, 0], [3, 1, 0], [0, 0, 4]], ["a", "b", "c"]) == [
        ("b", "a", 3, 0.75),
        ("a", "b", 1, 0.1),
    ]


def test_equal_values_lie_on_the_diagonal() -> None:
    figure = scatter("dots", [(0.0, 0.0), (10.0, 10.0)], Axes("true", "predicted", width=480, height=460))
    (line,) = of_class(figure, "place")
    x1, y1, x2, y2 = (float(line.get(key, 0)) for key in ("x1", "y1", "x2", "y2"))
    for dot in of_class(figure, "scatter"):
        x, y = float(dot.get("cx", 0)), float(dot.get("cy", 0))
        assert (x - x1) / (x2 - x1) == pytest.approx((y - y1) / (y2 - y1), abs=1e-3)


def test_a_million_points_do_not_make_the_page_heavy() -> None:
    figure = scatter("dots", [(float(k), float(k)) for k in range(100_000)], Axes("true", "predicted"))
    assert len(of_class(figure, "scatter")) <= SHOWN


def test_the_contour_of_a_cone_is_a_circle() -> None:
    places = tuple(k / 10 for k in range(-20, 21))
    cone = Surface(places, places, tuple(tuple(math.hypot(x, y) for x in places) for y in places))
    segments = contour(cone, 1.0)
    assert len(segments) > 40
    assert all(abs(math.hypot(x, y) - 1) < 0.01 for segment in segments for x, y in segment)


def test_the_arrow_goes_from_before_to_after() -> None:
    seen = Surface((0, 1, 2), (0, 1, 2), ((0, 1, 2), (1, 2, 3), (2, 3, math.inf)))
    figure = surface("step", seen, Axes("w1", "w2", width=400, height=400), [((2.0, 2.0), (1.0, 2.0))])
    (shaft,) = of_class(figure, "step")
    assert float(shaft.get("x2", 0)) < float(shaft.get("x1", 0))
    assert shaft.get("y1") == shaft.get("y2")
    assert "inf" not in str(figure)


def test_a_step_of_no_length_is_only_a_ring() -> None:
    seen = Surface((0, 1), (0, 1), ((1, 1), (1, 1)))
    figure = surface("step", seen, Axes("w1", "w2"), [((0.5, 0.5), (0.5, 0.5))])
    assert not of_class(figure, "step")
    assert of_class(figure, "step-start")
