"""The figures of a report, each drawn from the facts it shows; None where the facts have nothing to draw."""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup

from netwright.figures.bars import Bar, Tone, Whisker, bar_rows, whiskers
from netwright.figures.graph import GraphNode, graph
from netwright.figures.lines import Axes, Line, Place, line_chart
from netwright.figures.marks import element, number, percent
from netwright.figures.matrix import READABLE, confused_pairs, confusion_matrix
from netwright.figures.network import DrawnNet, network
from netwright.figures.scatter import scatter
from netwright.figures.tracks import DrawnTrack, drawn
from netwright.report.facts import Facts, OutputFacts, Shown, TrackFacts
from netwright.report.sentences import (
    baseline_name,
    best_first,
    interval_text,
    is_share,
    leading_score,
    score_name,
    score_text,
    shape_text,
    split_name,
)
from netwright.words import begun

_MARKED = 8  # drops of the learning rate shown above a curve
_DRAWN_NODES = 150  # a longer graph would be a metre of paper; the layer table has every node


def both_widths(wide: Markup, narrow: Markup) -> Markup:
    """One figure in two shapes; the style sheet shows the one that fits, also to screen readers."""
    return element("div", {"class": "wide"}, wide) + element("div", {"class": "narrow"}, narrow)


def strip(output: OutputFacts) -> Markup | None:
    """The net beside its baselines, with intervals."""
    score = leading_score(output)
    value = output.scores.get(output.shown, {}).get(score)
    if value is None:
        return None
    low, high = output.intervals.get(score, (None, None))
    rows = [Whisker("this net", value, low, high, strong=True)]
    for each in best_first(output.baselines, score):
        low, high = each.interval.get(score, (None, None))
        rows.append(Whisker(baseline_name(each), each.scores.get(score), low, high))
    said = "; ".join(f"{row.label} {score_text(score, row.value)}" for row in rows)
    interval = interval_text(score, output.intervals.get(score))
    says = (
        f"{score_name(score)} on the {split_name(output)}: {said}. Interval of the net: {interval or 'not measured'}."
    )
    axis = f"{score_name(score)} on the {split_name(output)}, with 95 % intervals"
    share = is_share(score)
    return both_widths(
        whiskers(says, rows, axis, share=share, width=800), whiskers(says, rows, axis, share=share, width=380)
    )


def curves(facts: Facts) -> list[Markup]:
    """Loss, and the headline of each output where it was measured, over the epochs."""
    several = len(facts.outputs) > 1
    names = ["loss", *(f"{each.name}/{each.headline}" if several else each.headline for each in facts.outputs)]
    return [figure for name in names if (figure := _curve(facts, name)) is not None]


def _curve(facts: Facts, key: str) -> Markup | None:
    output, _, name = key.rpartition("/")
    epochs = [float(point.epoch) for point in facts.curves]
    train = [point.train.get(key) for point in facts.curves]
    validation = [point.validation.get(key) for point in facts.curves]
    lines = [
        Line(label, epochs, values, series)
        for label, values, series in (("training", train, 1), ("validation", validation, 2))
        if any(value is not None for value in values)
    ]
    if not lines:
        return None
    places: list[Place] = []
    verdict = facts.verdict
    if verdict is not None and verdict.label == "over-fitting" and verdict.since_epoch is not None:
        places.append(Place(verdict.since_epoch, f"over-fitting since epoch {verdict.since_epoch}", band=True))
    if facts.best_epoch is not None:
        places.append(Place(facts.best_epoch, f"best epoch {facts.best_epoch}, kept"))
    if facts.stopped_epoch is not None and facts.stopped_epoch != facts.best_epoch:
        places.append(Place(facts.stopped_epoch, f"stopped at {facts.stopped_epoch}"))
    places += [Place(mark.epoch, mark.text) for mark in facts.marks[:_MARKED]]
    places.sort(key=lambda place: place.x)
    ends = "; ".join(f"{line.label} ends at {score_text(name, line.y[-1])}" for line in lines)
    of = f"{output}: " if output else ""
    says = f"{of}{score_name(name)} by epoch: {ends}. {'; '.join(place.label for place in places)}."
    seen = [value for line in lines for value in line.y if value is not None and value > 0]
    steep = name == "loss" and bool(seen) and max(seen) / min(seen) > 30
    title = score_name(name) + (" (logarithmic)" if steep else "")
    axes = Axes("epoch", of + title if output else begun(title), share=is_share(name), log_y=steep)
    return line_chart(says, lines, axes, places)


def answer_bars(shown: Shown) -> Markup | None:
    """The likeliest answers of one example: right ones teal with a tick, a wrong answer vermilion with a cross."""
    if not shown.bars:
        return None
    bars = []
    for rank, (label, share) in enumerate(shown.bars[:3]):
        tone: Tone = "right" if label == shown.truth else "wrong" if rank == 0 else "plain"
        bars.append(Bar(label, share or 0.0, tone))
    said = ", ".join(f"{bar.label} {percent(bar.share)}" for bar in bars)
    return bar_rows(f"Answers: {said}. Really {shown.truth}.", bars, 150 if shown.picture else 215)


def confusion(output: OutputFacts) -> Markup | None:
    """The confusion matrix, up to as many classes as can be read."""
    if not output.confusion or len(output.classes) > READABLE:
        return None
    total = sum(map(sum, output.confusion))
    right = sum(row[k] for k, row in enumerate(output.confusion))
    worst = confused_pairs(output.confusion, output.classes, 3)
    said = "; ".join(f"{truth} answered as {answer} {count} times" for truth, answer, count, _ in worst)
    says = f"Confusion matrix: {number(right)} of {number(total)} right. {said or 'No mistakes'}."
    return confusion_matrix(says, output.confusion, output.classes)


def found_curve(output: OutputFacts) -> Markup | None:
    """Precision against recall of a class that is sought, with the chosen threshold marked."""
    sought = output.sought
    if sought is None or len(sought.curve) < 2:
        return None
    chosen = sought.alarms[0]
    score = number(output.scores.get(output.shown, {}).get("average_precision"))
    recall, precision = (list(column) for column in zip(*sought.curve, strict=True))
    places = [Place(chosen.recall, f"threshold {number(chosen.threshold)}")] if chosen.recall is not None else []
    says = f"Precision against recall of {sought.positive}: average precision {score}."
    axes = Axes("recall: share of them that is found", "Precision: share of the alarms that is right", share=True)
    return line_chart(says, [Line("this net", recall, precision, 1)], axes, places)


def calibrated(output: OutputFacts) -> Markup | None:
    """How often answers of a probability come true."""
    bins = [each for each in output.calibration if each[2]]
    if len(bins) < 2:
        return None
    told = "; ".join(
        f"of {number(count)} answers at {percent(mean, 0)} {percent(share, 0)}" for mean, share, count in bins
    )
    lines = [
        Line("this net", [mean for mean, _, _ in bins], [share for _, share, _ in bins], 1),
        Line("as it should be", [0.0, 1.0], [0.0, 1.0], 3),
    ]
    axes = Axes("probability given", "Share that came true", share=True)
    return line_chart(f"Calibration: came true {told}.", lines, axes)


def predicted_against_true(output: OutputFacts) -> Markup | None:
    """Predicted against true values, for number outputs."""
    points = [(x, y) for x, y in output.scatter if x is not None and y is not None]
    if not points:
        return None
    measure = f" ({output.measure})" if output.measure else ""
    error = number(output.scores.get(output.shown, {}).get("rmse"))
    many = f"{number(len(points))} examples of the {split_name(output)}"
    says = f"Predicted against true {output.name} for {many}; RMSE {error}."
    axes = Axes(f"true {output.name}{measure}", f"Predicted {output.name}{measure}", width=480, height=460)
    return scatter(says, points, axes)


def tracks(output: OutputFacts) -> list[Markup]:
    """Held-out tracks: what was seen, how they went on, and how they were said to."""
    found = []
    for each in output.tracks:
        if output.kind == "series":
            found.append(_origin(output, each))
            continue
        unit = f" {each.measure}" if each.measure else ""
        says = f"{each.id}: {len(each.seen)} points seen; the net is off by {number(each.off)}{unit} on average."
        ways = (each.seen, each.true, each.answer, each.simple)
        found.append(drawn(says, DrawnTrack(each.id, *ways, each.measure, f"off by {number(each.off)}{unit}")))
    return found


def _origin(output: OutputFacts, each: TrackFacts) -> Markup:
    """A series around one origin, over the steps from it."""
    ways = ((each.seen, "seen", 6), (each.true, "went on", 1), (each.answer, "this net", 2))
    lines = [
        Line(label, [step for step, _ in way], [value for _, value in way], colour)
        for way, label, colour in (*ways, (each.simple, "a season ago", 3))
        if way
    ]
    says = f"{each.id}: {len(each.seen)} steps seen; the net is off by {number(each.off)} on average."
    return line_chart(says, lines, Axes("steps from the origin", f"{each.id}: off by {number(each.off)}"))


def apart(output: OutputFacts) -> Markup | None:
    """How far apart two examples of one identity lie, and two of different ones."""
    spread = output.apart
    if spread is None:
        return None
    step = (spread.high - spread.low) / len(spread.same)
    middles = [spread.low + step * (place + 0.5) for place in range(len(spread.same))]
    lines = [
        Line(name, middles, [count / max(sum(counts), 1) for count in counts], series)
        for name, counts, series in (("same identity", spread.same, 1), ("different", spread.different, 2))
    ]
    peaks = [number(middles[counts.index(max(counts))]) for counts in (spread.same, spread.different)]
    area = number(output.scores.get(output.shown, {}).get("auc"))
    says = (
        f"Distances of pairs: {number(sum(spread.same))} of one identity, most of them near {peaks[0]}, and "
        f"{number(sum(spread.different))} of different ones, most near {peaks[1]}; area under the ROC curve {area}."
    )
    places = (
        [Place(spread.threshold, f"known up to {number(spread.threshold)}")] if spread.threshold is not None else []
    )
    return line_chart(
        says, lines, Axes("distance of two embeddings", "Share of the pairs", share=True, zero=True), places
    )


def drawn_graph(facts: Facts) -> Markup | None:
    """The executed graph."""
    if facts.graph is None or not facts.graph.nodes or len(facts.graph.nodes) > _DRAWN_NODES:
        return None
    nodes = [GraphNode(node.name, node.text or node.name, shape_text(node.shape)) for node in facts.graph.nodes]
    says = "Graph of the network: " + "; ".join(f"{a} to {b}" for a, b in facts.graph.edges[:60]) + "."
    return graph(says, nodes, facts.graph.edges)


def drawn_net(facts: Facts) -> Markup | None:
    """A small net with its weights on the links."""
    small = facts.small_net
    if small is None or not _consistent(small.units, small.weights, small.biases):
        return None
    sizes = "-".join(str(len(layer)) for layer in small.units)
    says = f"The whole network {sizes}: every weight as a link; the layer table and the model file hold the numbers."
    return network(says, DrawnNet(small.units, small.weights, small.biases, small.functions), 800)


def _consistent(units: list[list[str]], weights: list[list[list[float]]], biases: list[list[float]]) -> bool:
    if len(units) < 2 or not len(units) - 1 == len(weights) == len(biases):
        return False
    return all(
        len(weights[k]) == len(biases[k]) == len(after) and all(len(row) == len(before) for row in weights[k])
        for k, (before, after) in enumerate(pairwise(units))
    )
