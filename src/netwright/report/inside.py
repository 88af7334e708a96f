"""The figures of what went on inside a net: gradients by layer, spreads of weights, and the learning rates tried."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from netwright.figures.histogram import Spread, histogram
from netwright.figures.lines import Axes, Line, Place, line_chart
from netwright.figures.marks import number, percent
from netwright.figures.plane import Plane, plane
from netwright.report.facts import Facts, LayerInside

_DRAWN = 6  # lines that can be told apart
_HISTOGRAMS = 24


@dataclass(frozen=True)
class InsideRow:
    """One layer in the table: its name, and its numbers as text."""

    layer: str
    cells: list[str]


COLUMNS = ("spread first", "spread last", "zeros", "at limits", "never awake", "step moves", "tiny weights")


def rows(facts: Facts) -> list[InsideRow]:
    """The table of layers; columns as in `COLUMNS`."""
    return [InsideRow(each.layer, _cells(each)) for each in facts.inside]


def _cells(each: LayerInside) -> list[str]:
    awake = "–" if each.dead is None else f"{len(each.dead)} of {each.units}"
    return [
        number(each.std_first),
        number(each.std_last),
        percent(each.zeros),
        percent(each.saturated),
        awake,
        "–" if each.moved is None else percent(each.moved, 2),
        percent(each.small),
    ]


def own_rates(facts: Facts) -> list[tuple[str, list[str]]]:
    """By layer: the smallest, middle and largest rate that the optimizer gave single weights, and how far apart."""
    known = [(each.layer, each.rates) for each in facts.inside if each.rates]
    return [(layer, [*map(number, rates), f"{number(rates[2] / rates[0], 2)} times"]) for layer, rates in known]


def gradients(facts: Facts) -> Markup | None:
    """Size of the gradients of each layer's weights over the steps; of many layers six, first and last among them."""
    known = [each for each in facts.inside if len(each.gradients) > 1]
    if len(known) < 2:
        return None
    count = min(len(known), _DRAWN)
    picked = [known[round(place * (len(known) - 1) / (count - 1))] for place in range(count)]
    lines = [
        Line(each.layer, [max(step, 1) for step, _ in each.gradients], [size for _, size in each.gradients], series)
        for series, each in enumerate(picked, 1)
    ]
    ends = "; ".join(f"{each.layer} ends at {number(each.gradients[-1][1])}" for each in picked)
    axes = Axes("step", "Gradient of the weights, root mean square", log_x=True, log_y=True)
    return line_chart(f"Size of the gradients by layer: {ends}.", lines, axes)


def weights(facts: Facts) -> list[Markup]:
    """Before and after, how the weights of each layer (or the values of a function) are spread."""
    found = []
    for each in facts.inside[:_HISTOGRAMS]:
        if each.last is None or (each.small is None and each.dead is None and each.saturated is None):
            continue
        before, after = (Spread(*seen) if seen else None for seen in (each.first, each.last))
        what = "weights" if each.small is not None else "values"
        says = f"{what} of {each.layer}: from {number(each.last[0])} to {number(each.last[1])} at the end"
        found.append(histogram(says, f"{each.layer}: {what}", before, after))
    return found


def answered_plane(facts: Facts) -> Markup | None:
    """What a net of two inputs answers all over their plane."""
    found = facts.plane
    if found is None:
        return None
    drawn = Plane(found.x, found.y, found.answers, found.points, found.centres, found.classes)
    shown = f"{len(found.points)} training examples of {', '.join(found.classes[:6])}"
    says = f"Answers over {found.inputs[0]} and {found.inputs[1]}, with {shown} and {len(found.centres)} centres."
    return plane(says, drawn, Axes(found.inputs[0], found.inputs[1], width=520, height=460))


def rates(facts: Facts) -> Markup | None:
    """The learning rates tried before training, and the one chosen."""
    test = facts.range_test
    if test is None:
        return None
    says = f"Loss after steps at rising rates: lowest at {number(test.lowest)}, chosen {number(test.chosen)}."
    axes = Axes("learning rate", "Loss on one fixed batch", log_x=True)
    places = [Place(test.chosen, f"chosen {number(test.chosen)}"), Place(test.lowest, f"lowest {number(test.lowest)}")]
    return line_chart(says, [Line("after each step", test.rates, test.losses, 1)], axes, places)
