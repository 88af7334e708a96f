"""Looks into a run: what one unit computes for one example, and the function it has learned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netwright import files
from netwright.data.batches import TABLE, groups
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.lens.unit import Unit, learned, unit_view
from netwright.model_file import Model
from netwright.progress import Silent
from netwright.report.unit import UnitView, unit_page
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.held_out import position_of
from netwright.run.prediction import run_data
from netwright.training import hardware

_EXAMPLES = 512
_TERMS = 12  # of a unit's sum, told one by one
_UNIT = re.compile(r"(?P<layer>.+)\[(?P<place>\d+)\]")


@dataclass(frozen=True)
class OneUnit:
    """A unit on one example, in numbers and in words.

    Args:
        unit: The numbers.
        example: Id of the example.
        names: Of what comes in, in the order of `unit.inputs`.
        page: Where the picture of its function lies.
        text: In words, line by line.
    """

    unit: Unit
    example: str
    names: tuple[str, ...]
    page: Path
    text: list[str]


def one_unit(run: Path, unit: str, *, example: str = "") -> OneUnit:
    """What one unit of a trained network computes for one example of the run's data, and the function it has learned.

    Args:
        run: The run folder.
        unit: Layer and place, e.g. "dense1[3]".
        example: Its id; the first held-out one when left out.

    Raises:
        SpecError: No such unit, or no such example.
        DataError: The run's data is gone or changed.
    """
    found = _UNIT.fullmatch(unit.strip())
    if not found:
        raise SpecError(f'"{unit}" names no unit.', 'Write layer and place, e.g. --unit "dense1[3]".')
    folder = RunFolder(run)
    dataset, decided = run_data(folder, Silent())
    model = load_model(run)
    layer, place, position = found["layer"], int(found["place"]), position_of(dataset, example)
    positions = [position, *dataset.parts["train"][:_EXAMPLES].tolist()]
    coded = model.code({name: dataset.arrays[name][np.array(positions)] for name in dataset.inputs})
    model.network.eval()
    with hardware.applied(decided.hardware):
        view = unit_view(model.network, {name: values[:1] for name, values in coded.items()}, layer, place)
        function = learned(model.network, {name: values[1:] for name, values in coded.items()}, layer, place)
    names, shown = _comes_in(model, view), str(dataset.ids[position])
    page = folder.path / "unit.html"
    note = f"The way leads through the mean of {len(positions) - 1} training examples of {folder.path.name}."
    drawn = UnitView(
        f"{layer}[{place}]", view.function, function.way.tolist(), function.output.tolist(), function.sums.tolist()
    )
    files.write_text(page, unit_page(drawn, note))
    text = [*_unit_text(view, files.printable(shown), names), f"picture: {files.printable(page)}"]
    return OneUnit(view, shown, names, page, text)


def _comes_in(model: Model, unit: Unit) -> tuple[str, ...]:
    """Names of what a unit sums: columns of the table, else the layer before and the place in it."""
    node = next(node for node in model.network.nodes if node.name == unit.layer)
    before = node.inputs[0]
    if before == f"input:{TABLE}":
        fields = groups(model.inputs)[TABLE]
        names = tuple(name for field in fields for name in kind_of(field).names(field))
        if len(names) == len(unit.inputs):
            return names
    return tuple(f"{before}[{place}]" for place in range(len(unit.inputs)))


def _unit_text(unit: Unit, example: str, names: Sequence[str]) -> list[str]:
    terms = [(name, w, x, w * x) for name, w, x in zip(names, unit.weights, unit.inputs, strict=True)]
    terms.sort(key=lambda term: -abs(term[3]))
    which = f" of the largest of its {len(unit.smaller) + 1} sums" if unit.smaller else ""
    lines = [f"{unit.layer}[{unit.place}] on {example}, the largest terms{which} first:"]
    lines += [f"  {name}: w {w:+.5f} * x {x:+.5f} = {wx:+.5f}" for name, w, x, wx in terms[:_TERMS]]
    if len(terms) > _TERMS:
        rest = sum(term[3] for term in terms[_TERMS:])
        lines.append(f"  {len(terms) - _TERMS} smaller terms: {rest:+.5f}")
    lines.append(f"  bias: {unit.bias:+.5f}")
    lines.append(f"a = {unit.activation:+.6f} (added again term by term: {unit.added:+.6f})")
    if unit.smaller:
        lines.append(f"its other sums: {', '.join(f'{each:+.6f}' for each in unit.smaller)}")
    return [*lines, f"z = {unit.function}(a) = {unit.output:+.6f}"]
