"""Recurrent layers one on the other need much to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start
from netwright.models.network import Node

RECURRENT = frozenset({"rnn", "lstm", "gru"})


class Stacked(StartCheck):
    """Whether the layers behind the first learn more numbers than there are answers, and nothing holds them back."""

    fault: ClassVar[str] = "three layers of lstm on twelve paths"

    def look(self, start: Start) -> list[Finding]:
        """Numbers beside answers; nothing where no recurrent layer stands on another; see `StartCheck.look`."""
        above = _above(start.nodes)
        layers = {node.name for node in start.nodes if node.part in RECURRENT}
        behind = [node for node in start.nodes if node.name in layers and above[node.name] & layers]
        if not behind or not start.answers or not start.fresh:
            return []
        numbers = sum(node.parameters for node in behind)
        first = next(node.name for node in start.nodes if node.name in above[behind[0].name] & layers)
        told = (
            f"behind {first}, recurrent layers learn {numbers:,} numbers from {start.answers:,} answers"
            f" of the training part"
        )
        between = set.union(*(above[node.name] for node in behind))
        held = any(
            node.part == "dropout" and node.name in between and above[node.name] & layers for node in start.nodes
        )
        if numbers <= start.answers or held:
            return [Finding("stacked", "good", f"{told}{', and dropout holds them back' if held else ''}")]
        cure = "Stacking takes much data: try one layer, or write dropout between them."
        return [Finding("stacked", "note", told, cure)]

    def planted(self) -> Start:
        """Three layers, and twelve paths of twenty steps; see `StartCheck.planted`."""
        return plant.walk("x3 {lstm 32}")


def _above(nodes: Sequence[Node]) -> dict[str, set[str]]:
    """By node, in order of execution, all that it depends on."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        found[node.name] = set(node.inputs).union(*(found.get(name, set()) for name in node.inputs))
    return found
