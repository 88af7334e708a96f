"""A network's graph of operations, drawn from top to bottom.

In a long graph, nodes that simply follow each other share one box, a row each, so that it stays short on paper and its
branches, merges and skips stand out. Links that pass by boxes get a lane of their own and never run through a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, line, svg, text

_LONG = 8  # nodes; from here on chains share boxes
_ROW, _GAP, _BOX, _LANE, _BETWEEN = 23.0, 26.0, 250.0, 26.0, 26.0


@dataclass(frozen=True)
class GraphNode:
    """One operation: its name (unique), what it does, and a remark at the right of its row, e.g. its output shape."""

    name: str
    text: str
    remark: str = ""


@dataclass(frozen=True)
class _Place:
    x: Real  # centre
    top: Real
    height: Real
    width: Real


def graph(says: str, nodes: Sequence[GraphNode], edges: Sequence[tuple[str, str]]) -> Markup:
    """Boxes and arrows.

    Args:
        says: The figure in words.
        nodes: The operations, in the order they run.
        edges: (from, to) pairs of names; ends that are not nodes are ignored.
    """
    known = {node.name: node for node in nodes}
    links = [(a, b) for a, b in edges if a in known and b in known]
    names = [node.name for node in nodes]
    chains = _chains(names, links) if len(nodes) >= _LONG else [[name] for name in names]
    head = {name: chain[0] for chain in chains for name in chain}
    outer = list(dict.fromkeys((head[a], head[b]) for a, b in links if head[a] != head[b]))
    rows = _rank([chain[0] for chain in chains], outer)
    lanes = _add_lanes(rows, outer)
    _untangle(rows, lanes)
    sizes = {chain[0]: _ROW * len(chain) + 6 for chain in chains}
    places, width, height = _lay_out(rows, sizes)
    marks = [_arrow([places[stop] for stop in lane]) for lane in lanes]
    marks.extend(_box(places[chain[0]], [known[name] for name in chain]) for chain in chains)
    return svg(width, height, says, *marks, style="graph")


def _chains(names: Sequence[str], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    after: dict[str, list[str]] = {name: [] for name in names}
    before: dict[str, list[str]] = {name: [] for name in names}
    for a, b in links:
        after[a].append(b)
        before[b].append(a)
    chains: list[list[str]] = []
    of: dict[str, list[str]] = {}
    for name in names:
        source = before[name][0] if len(before[name]) == 1 else ""
        if source and len(after[source]) == 1 and source in of and of[source][-1] == source:
            of[source].append(name)
            of[name] = of[source]
        else:
            of[name] = [name]
            chains.append(of[name])
    return chains


def _rank(heads: Sequence[str], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    rank = dict.fromkeys(heads, 0)
    for _ in heads:  # the longest path; settles after as many sweeps as the graph is deep
        moved = False
        for a, b in links:
            if rank[b] <= rank[a] and rank[a] < len(heads):
                rank[b] = rank[a] + 1
                moved = True
        if not moved:
            break
    rows: list[list[str]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for head in heads:
        rows[rank[head]].append(head)
    return rows


def _add_lanes(rows: list[list[str]], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Every link as the stops it passes; where it passes a row, a stop named with a NUL is put into that row."""
    rank = {name: k for k, row in enumerate(rows) for name in row}
    lanes: list[list[str]] = []
    for a, b in links:
        stops = [a]
        for k in range(rank[a] + 1, rank[b]):
            stop = f"\0{a}\0{b}\0{k}"
            rows[k].append(stop)
            stops.append(stop)
        lanes.append([*stops, b])
    return lanes


def _untangle(rows: list[list[str]], lanes: Sequence[Sequence[str]]) -> None:
    """Orders each row by the middle of its neighbours, down and up a few times: few crossings remain."""
    near: dict[str, list[str]] = {name: [] for row in rows for name in row}
    for lane in lanes:
        for a, b in pairwise(lane):
            near[a].append(b)
            near[b].append(a)
    for sweep in range(4):
        order = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for k in order:
            beside = rows[k - 1] if sweep % 2 == 0 else rows[k + 1]
            spot = {name: j / max(len(beside), 1) for j, name in enumerate(beside)}
            mean = {
                name: sum(seen) / len(seen) if (seen := [spot[n] for n in near[name] if n in spot]) else 0.5
                for name in rows[k]
            }
            rows[k].sort(key=lambda name: (mean[name], name.startswith("\0")))


def _lay_out(rows: Sequence[Sequence[str]], heights: dict[str, Real]) -> tuple[dict[str, _Place], Real, Real]:
    widths = [sum(_BOX if name in heights else _LANE for name in row) + _BETWEEN * (len(row) - 1) for row in rows]
    width = max(widths, default=_BOX) + 4
    places: dict[str, _Place] = {}
    top = 2.0
    for row, taken in zip(rows, widths, strict=True):
        x = (width - taken) / 2
        tall = max((heights.get(name, 0.0) for name in row), default=_ROW)
        for name in row:
            size = _BOX if name in heights else _LANE
            height = heights.get(name, tall)
            places[name] = _Place(x + size / 2, top + (tall - height) / 2, height, size)
            x += size + _BETWEEN
        top += tall + _GAP
    return places, width, top - _GAP + 2


def _arrow(stops: Sequence[_Place]) -> Markup:
    first, last = stops[0], stops[-1]
    path = f"M{first.x:.1f} {first.top + first.height:.1f}"
    x, y = first.x, first.top + first.height
    for stop in stops[1:]:
        bend = (stop.top - y) / 2
        end = stop.top - (6 if stop is last else 0)
        path += f"C{x:.1f} {y + bend:.1f} {stop.x:.1f} {end - bend:.1f} {stop.x:.1f} {end:.1f}"
        x, y = stop.x, stop.top + stop.height
        if stop is not last:
            path += f"L{x:.1f} {y:.1f}"
    tip = f"M{last.x - 4:.1f} {last.top - 7:.1f}L{last.x:.1f} {last.top - 1:.1f}L{last.x + 4:.1f} {last.top - 7:.1f}Z"
    return Markup("").join([element("path", {"d": path, "class": "edge"}), element("path", {"d": tip, "class": "tip"})])


def _box(place: _Place, nodes: Sequence[GraphNode]) -> Markup:
    left = place.x - place.width / 2
    shape = {"x": left, "y": place.top, "width": place.width, "height": place.height, "rx": 6, "class": "box"}
    marks = [element("rect", shape)]
    for k, node in enumerate(nodes):
        y = place.top + 3 + _ROW * k
        if k:
            marks.append(line(left, y, left + place.width, y, "grid"))
        remark = clip(node.remark, 16)
        room = int((place.width - 24 - 6.4 * len(remark)) / 6.6)
        marks.append(text(left + 10, y + 15.5, clip(node.text, room), "label", full=node.text))
        marks.append(text(left + place.width - 10, y + 15.5, remark, "tick", "end", full=node.remark))
    return Markup("").join(marks)
