"""Tracks drawn: what lies where, in which scale, and what is escaped."""

import re
import xml.etree.ElementTree as ElementTree

from netwright.figures.tracks import SIDE, DrawnTrack, drawn, legend

TRACK = DrawnTrack(
    "<7> at 80",
    seen=[(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)],
    true=[(3.0, 0.0), (4.0, 0.0)],
    answer=[(3.0, 1.0), (4.0, 2.0)],
    simple=[(3.0, 0.0), (4.0, -4.0)],
    measure="m",
    remark="off by 1.5 m",
)


def paths(track: DrawnTrack) -> dict[str, list[tuple[float, float]]]:
    root = ElementTree.fromstring(str(drawn("a track", track)))
    found = {}
    for each in root.iter():
        if each.tag.endswith("path"):
            numbers = [float(part) for part in re.findall(r"-?[\d.]+", each.get("d", ""))]
            found[each.get("class", "").split()[-1]] = list(zip(numbers[::2], numbers[1::2], strict=True))
    return found


def test_all_ways_begin_where_the_track_was_last_seen() -> None:
    ways = paths(TRACK)
    assert ways["s1"][0] == ways["s2"][0] == ways["s3"][0] == ways["s6"][-1]
    assert [len(ways[name]) for name in ("s6", "s1", "s2", "s3")] == [3, 3, 3, 3]


def test_both_axes_are_alike_and_more_lies_higher() -> None:
    ways = paths(TRACK)
    unit = ways["s6"][1][0] - ways["s6"][0][0]
    last, end = ways["s2"][0], ways["s2"][-1]
    assert abs(end[0] - last[0] - 2 * unit) < 0.3
    assert abs(last[1] - end[1] - 2 * unit) < 0.3
    assert all(0 <= x <= SIDE and 0 <= y <= SIDE for way in ways.values() for x, y in way)


def test_a_straight_way_takes_no_more_height_than_it_needs() -> None:
    def height(track: DrawnTrack) -> float:
        return float(ElementTree.fromstring(str(drawn("a track", track))).get("viewBox", "").split()[3])

    straight = DrawnTrack("1", seen=[(0.0, 0.0), (5.0, 0.0)], true=[(9.0, 0.1)], answer=[(9.0, 0.0)])
    assert height(straight) < SIDE / 2 < height(TRACK)
    ends = [y for way in paths(straight).values() for _, y in way]
    assert 0 < min(ends) <= max(ends) < height(straight) - 20


def test_the_bar_says_a_round_length_and_names_are_escaped() -> None:
    written = str(drawn("a track", TRACK))
    assert ">1 m<" in written
    assert "off by 1.5 m" in written
    assert "&lt;7&gt; at 80" in written
    assert "<7>" not in written


def test_who_stands_and_has_no_simple_way_is_drawn_too() -> None:
    still = DrawnTrack("1", seen=[(5.0, 5.0)], true=[(5.0, 5.0)], answer=[(5.0, 5.0)])
    assert set(paths(still)) == {"s1", "s2"}
    assert "a simple way" in str(legend(simple="a simple way"))
