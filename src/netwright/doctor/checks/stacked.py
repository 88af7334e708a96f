"""Recurrent layers one on the other need much to learn from."""

from __future__ import annotations

from typing import ClassVar

from netwright.doctor import plant
from netwright.doctor.check import StartCheck
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start

RECURRENT = frozenset({"rnn", "lstm", "gru"})


class Stacked(StartCheck):
    """Whether the layers behind the first learn more numbers than there are answers, and nothing holds them back."""

    fault: ClassVar[str] = "three layers of lstm on twelve paths"

    def look(self, start: Start) -> list[Finding]:
        """Numbers beside answers; nothing where no recurrent layer stands on another; see `StartCheck.look`."""
        layers = [node for node in start.nodes if node.part in RECURRENT]
        if len(layers) < 2 or not start.answers:
            return []
        numbers = sum(node.parameters for node in layers[1:])
        told = (
            f"behind {layers[0].name}, recurrent layers learn {numbers:,} numbers from {start.answers:,} answers"
            f" of the training part"
        )
        held = any(node.part == "dropout" for node in start.nodes)
        if numbers <= start.answers or held:
            return [Finding("stacked", "good", f"{told}{', and dropout holds them back' if held else ''}")]
        cure = "Stacking takes much data: try one layer, or write dropout between them."
        return [Finding("stacked", "note", told, cure)]

    def planted(self) -> Start:
        """Three layers, and twelve paths of twenty steps; see `StartCheck.planted`."""
        return plant.walk("x3 {lstm 32}")
