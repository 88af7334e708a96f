"""A map of held-out examples, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netwright.figures.marks import percent
from netwright.figures.spots import Sheet, Spot, spots
from netwright.report.look import Look, look_page
from netwright.report.sentences import interval_text

Share = tuple[float, tuple[float, float]]


@dataclass(frozen=True)
class MapFacts:
    """What is known about a map.

    Args:
        output: Whose classes colour it.
        layer: Whose activations made it.
        classes: Names of the classes.
        neighbours: How many of the nearest ones were looked at.
        original: Share of them with the same class in the activations, and its interval.
        drawn: Share of them with the same class on the map, and its interval.
        chance: Share to be expected if places meant nothing.
    """

    output: str
    layer: str
    classes: Sequence[str]
    neighbours: int
    original: Share
    drawn: Share
    chance: float


def map_page(facts: MapFacts, drawn: Sequence[Spot], sheet: Sheet | None, notes: Sequence[str]) -> str:
    """The map as one self-contained HTML page.

    Args:
        facts: What is known about it.
        drawn: The examples.
        sheet: Their thumbnails, where there are any.
        notes: Which examples, and how they were laid out.
    """
    says = (
        f"{len(drawn)} held-out examples laid out by {facts.layer}, coloured by {facts.output}. Of the "
        f"{facts.neighbours} nearest on the map {percent(facts.drawn[0])} have the same class, in the activations "
        f"{percent(facts.original[0])}, by chance {percent(facts.chance)}."
    )
    missed = sum(spot.missed for spot in drawn)
    rows = [
        ["in the activations", percent(facts.original[0]), interval_text("accuracy", facts.original[1])],
        ["on the map", percent(facts.drawn[0]), interval_text("accuracy", facts.drawn[1])],
        ["by chance", percent(facts.chance), ""],
    ]
    return look_page(
        Look(
            overline=f"a map of {facts.layer}",
            title=f"What {facts.layer} finds alike",
            heading="The map",
            says="Examples lie near each other where the layer gives much the same for them (t-SNE). Who lies next to "
            "whom means something; how far groups are apart and how large they are does not. Dark rims are examples "
            "that the network takes for something else.",
            figure=spots(says, drawn, facts.classes, sheet),
            columns=[f"of the {facts.neighbours} nearest", "same class", "95 % interval"],
            rows=rows,
            notes=[f"{missed:,} of {len(drawn):,} are taken for something else", *notes],
        )
    )
