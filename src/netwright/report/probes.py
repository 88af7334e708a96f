"""What linear classifiers read from the stages of a network, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netwright.figures.bars import Whisker, whiskers
from netwright.figures.marks import number, percent
from netwright.report.drawings import both_widths
from netwright.report.look import Look, look_page
from netwright.report.sentences import interval_text, shape_text


@dataclass(frozen=True)
class DrawnProbe:
    """One stage.

    Args:
        layer: Name of the node.
        shape: Of one example there.
        numbers: How many the classifier was given.
        accuracy: On held-out examples.
        interval: 95 % interval of it.
    """

    layer: str
    shape: tuple[int, ...]
    numbers: int
    accuracy: float
    interval: tuple[float, float]


def probe_page(
    output: str, probes: Sequence[DrawnProbe], network: tuple[float, tuple[float, float]], notes: Sequence[str]
) -> str:
    """The stages from the input to the head as one self-contained HTML page.

    Args:
        output: What is answered.
        probes: The stages in order.
        network: Accuracy of the network itself and its interval.
        notes: Which examples, and how they were read.
    """
    rows = [Whisker(each.layer, each.accuracy, *each.interval) for each in probes]
    rows.append(Whisker("the network", network[0], *network[1], strong=True))
    said = "; ".join(f"{row.label} {percent(row.value)}" for row in rows)
    axis = f"{output} right on held-out examples, with 95 % intervals"
    says = f"Held-out accuracy of a linear classifier on each stage, the input first: {said}."
    figure = both_widths(
        whiskers(says, rows, axis, share=True, width=800), whiskers(says, rows, axis, share=True, width=380)
    )
    return look_page(
        Look(
            overline="linear classifiers on each stage",
            title=f"How far {output} is laid open",
            heading="Stage by stage",
            says="Each row is a classifier that can only weigh and add, on what the network gives at that stage. The "
            "higher it scores, the more of the answer the stages before have worked out.",
            figure=figure,
            columns=["stage", "shape", "numbers given", "accuracy", "95 % interval"],
            rows=[
                [
                    each.layer,
                    shape_text(each.shape),
                    number(each.numbers),
                    percent(each.accuracy),
                    interval_text("accuracy", each.interval),
                ]
                for each in probes
            ],
            notes=notes,
        )
    )
