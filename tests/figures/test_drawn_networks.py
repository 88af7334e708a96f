import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

from netwright.figures.graph import GraphNode, graph
from netwright.figures.network import DrawnNet, network


def test_a_links_width_is_its_weight_and_its_dash_its_sign() -> None:
    net = DrawnNet([["a", "b"], ["yes"]], [[[2.0, -1.0]]], [[0.0]], ["sigmoid"])
    root = ElementTree.fromstring(str(network("net", net)))
    links = [each for each in root.iter("line") if "link" in each.get("class", "")]
    assert [each.get("class") for each in links] == ["link positive", "link negative", "link positive"]
    assert [float(each.get("stroke-width", 0)) for each in links] == [5.0, 2.8, 0.6]
    words = [each.text for each in root.iter("text")]
    assert {"2.00", "−1.00", "a", "b", "yes", "sigmoid", "x₀", "y₁"} <= set(words)


def test_every_weight_and_bias_is_drawn_once() -> None:
    sizes = [4, 3, 3]
    weights = [[[0.5] * before for _ in range(after)] for before, after in pairwise(sizes)]
    net = DrawnNet([[""] * size for size in sizes], weights, [[1.0] * 3, [1.0] * 3])
    assert str(network("net", net)).count('class="link ') == 4 * 3 + 3 + 3 * 3 + 3


def test_a_net_with_many_links_keeps_its_numbers_in_tips() -> None:
    net = DrawnNet([[""] * 20, [""] * 10], [[[0.25] * 20] * 10], [[0.0] * 10])
    figure = str(network("net", net))
    assert 'class="weight"' not in figure
    assert "weight from 1 to unit 1 in layer 1: 0.25" in figure


def test_a_net_whose_weights_are_all_zero_is_drawn() -> None:
    assert "NaN" not in str(network("net", DrawnNet([["a"], ["b"]], [[[0.0]]], [[0.0]])))


def boxes(figure: str) -> list[dict[str, float]]:
    found = re.findall(r'<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.-]+)" height="([\d.-]+)" rx="6"', figure)
    return [dict(zip(("x", "y", "width", "height"), map(float, each), strict=True)) for each in found]


def test_a_branch_lies_side_by_side_and_a_merge_below_both() -> None:
    nodes = [GraphNode(name, name) for name in ("in", "left", "right", "add")]
    figure = str(graph("graph", nodes, [("in", "left"), ("in", "right"), ("left", "add"), ("right", "add")]))
    start, left, right, merged = boxes(figure)
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]
    assert start["y"] < left["y"] < merged["y"]
    assert figure.count('class="edge"') == 4


def test_a_long_chain_shares_one_box_and_a_skip_gets_a_lane_beside_it() -> None:
    names = [f"n{k}" for k in range(12)]
    chain = list(pairwise(names))
    assert len(boxes(str(graph("chain", [GraphNode(n, n) for n in names], chain)))) == 1
    figure = str(graph("skip", [GraphNode(n, n) for n in names], [*chain, ("n0", "n8")]))
    middle = boxes(figure)[1]
    lane = [path for path in re.findall(r'd="(M[^"]*)" class="edge"', figure) if "L" in path]
    assert len(lane) == 1
    x = float(re.findall(r"L([\d.]+)", lane[0])[0])
    assert not middle["x"] <= x <= middle["x"] + middle["width"]


def test_boxes_never_overlap() -> None:
    names = [f"n{k}" for k in range(20)]
    edges = [(names[k], names[j]) for k in range(20) for j in (k + 1, k + 3, k + 7) if j < 20]
    placed = boxes(str(graph("dense", [GraphNode(n, n) for n in names], edges)))
    assert len(placed) == 20
    for k, a in enumerate(placed):
        for b in placed[k + 1 :]:
            apart_x = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            assert apart_x or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]


def test_links_to_nothing_and_empty_graphs_are_no_error() -> None:
    assert "svg" in str(graph("none", [], []))
    assert str(graph("one", [GraphNode("a", "a")], [("a", "gone")])).count('class="edge"') == 0
