"""A look into a run: what every layer makes of one picture, and one filter beside the map that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from netwright import files
from netwright.data.dataset import Dataset
from netwright.figures.columns import Column, Panel, Picture
from netwright.figures.marks import number, percent
from netwright.lens.maps import (
    MOST_CHANNELS,
    MOST_LAYERS,
    Filter,
    LayerMaps,
    UnitMap,
    layer_maps,
    layers_with_maps,
    unit_map,
)
from netwright.model_file import Model
from netwright.models.network import Network
from netwright.progress import Display, Silent
from netwright.report.maps import Answered, MapsFacts, maps_page
from netwright.report.pictures import page_picture, shades
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.held_out import position_of
from netwright.run.prediction import run_data
from netwright.tasks.category import Category
from netwright.training import hardware
from netwright.words import counted, listed

_CLASSES = 10  # bars
_SMALL_PX, _LARGE_PX = 96, 320  # longest side of a picture in a column, and of one in the row below
_SLICES = 64  # channels of a filter that are drawn
_LINES = ("framed: where the map", "is largest")
_Row = tuple[str, str, str, str, str, str, str]


@dataclass(frozen=True)
class ShownLayer:
    """One column in numbers.

    Args:
        layer: Name.
        text: As in the layer text.
        shape: (channel, height, width).
        sees: Rows and columns of the picture that one place sees.
        lowest: Of all its values.
        highest: Of all its values.
        zeros: Share of its values that are 0.
        drawn: How many of its maps are drawn.
    """

    layer: str
    text: str
    shape: tuple[int, ...]
    sees: tuple[int, int] | None
    lowest: float
    highest: float
    zeros: float
    drawn: int


@dataclass(frozen=True)
class Maps:
    """One picture through the layers.

    Args:
        example: Id of the picture.
        part: Which part it belongs to.
        answers: What each output says of it: classes with their probabilities, or words.
        layers: The columns.
        layer: Whose map is shown by itself.
        unit: Which of its maps, from 0.
        map: That map, row by row.
        behind: What the layers behind make of it, up to the first function, by layer.
        filter: What gives it; None where the layer has no filters.
        page: Where the pictures lie.
        text: In words, line by line.
    """

    example: str
    part: str
    answers: dict[str, dict[str, float] | str]
    layers: tuple[ShownLayer, ...]
    layer: str
    unit: int
    map: list[list[float]]
    behind: dict[str, list[list[float]]]
    filter: Filter | None
    page: Path
    text: list[str]


def maps(
    run: Path, *, example: str = "", layer: str = "", unit: int | None = None, show: Display | None = None
) -> Maps:
    """What each layer of a run's network makes of one picture; the page is written into the run's folder.

    Args:
        run: The run folder.
        example: Id of the picture; the first held-out one when left out.
        layer: Layer whose map is shown by itself; the first one with filters when left out.
        unit: Which of its maps, from 0; the one that reaches highest when left out.
        show: Where progress is told.

    Raises:
        SpecError: A run without pictures or maps; no such example, layer or map.
        DataError: The run's data is gone or changed.
    """
    folder, model = RunFolder(run), load_model(run)
    layers_with_maps(model.network)
    dataset, decided = run_data(folder, show or Silent())
    position = position_of(dataset, example)
    coded = model.code({name: dataset.arrays[name][np.array([position])] for name in dataset.inputs})
    with hardware.applied(decided.hardware) as device:
        model.network.to(device)
        columns = layer_maps(model.network, coded)
        chosen = unit_map(model.network, coded, layer, unit)
        answers = model.answers(coded)
    name = files.printable(str(dataset.ids[position]))
    part = next(each for each, places in dataset.parts.items() if position in places)
    answered = [_answered(model, dataset, output, answers[output], position) for output in model.tasks]
    picture = _picture(dataset, position, name)
    notes = _notes(model.network, columns, part)
    says = _chosen_says(chosen)
    page = folder.path / "maps.html"
    facts = MapsFacts(
        example=name,
        answers=answered,
        picture=Column(name.rpartition("/")[2], _size(columns[0]), [picture[0]]),
        columns=[_column(each) for each in columns if each.node.inputs],
        rows=[_row(each) for each in columns],
        notes=notes,
        chosen=f"Map {chosen.unit} of {chosen.stages[0].node.name}",
        chosen_says=says,
        panels=_panels(chosen, picture),
    )
    files.write_text(page, maps_page(facts))
    text = [*_text(name, answered, columns), *says, *notes, f"picture: {files.printable(page)}"]
    first, *behind = chosen.stages
    return Maps(
        example=name,
        part=part,
        answers={each.output: dict(each.bars) or each.words for each in answered},
        layers=tuple(_shown(each) for each in columns),
        layer=first.node.name,
        unit=chosen.unit,
        map=first.map.tolist(),
        behind={each.node.name: each.map.tolist() for each in behind},
        filter=chosen.filter,
        page=page,
        text=text,
    )


# ---- the picture and its answers -------------------------------------------------------------------------------------


def _picture(dataset: Dataset, position: int, name: str) -> tuple[Picture, tuple[int, int]]:
    """The first picture that goes in, and how many pixels lie beside and above each other in it."""
    field = next(field for field in dataset.inputs.values() if field.kind == "image")
    pixels = np.asarray(dataset.arrays[field.name][np.array([position])][0])
    data, size = page_picture(pixels, _LARGE_PX)
    return Picture(data, size, name), (pixels.shape[1], pixels.shape[0])


def _answered(model: Model, dataset: Dataset, output: str, answers: Tensor, position: int) -> Answered:
    task = model.tasks[output]
    truth = files.printable(str(dataset.preview(output, position)))
    decoded = task.decode(answers, _CLASSES)[0]
    if isinstance(task, Category):
        bars = [(files.printable(label), float(share)) for label, share in decoded]  # type: ignore[union-attr]
        return Answered(output, truth, bars, f"{bars[0][0]} with {percent(bars[0][1])}")
    if isinstance(decoded, list | tuple) and all(isinstance(each, tuple) for each in decoded):
        words = listed([f"{files.printable(label)} {percent(share)}" for label, share in decoded], _CLASSES)  # type: ignore[misc]
    else:
        words = ", ".join(number(float(value), 4) for value in np.ravel(np.asarray(decoded, dtype=np.float64)))
    return Answered(output, truth, [], words or "none")


# ---- columns ---------------------------------------------------------------------------------------------------------


def _column(of: LayerMaps) -> Column:
    pictures = []
    for channel, values in enumerate(of.maps.numpy()):
        low, high = float(values.min()), float(values.max())
        data, size = shades(values, low, high, _SMALL_PX)
        pictures.append(Picture(data, size, f"{of.node.name}[{channel}]: {number(low)} to {number(high)}"))
    return Column(of.node.text or of.node.part, _size(of), pictures)


def _size(of: LayerMaps) -> tuple[str, str]:
    channels, height, width = of.node.shape
    return counted(channels, "map" if of.node.inputs else "channel"), f"{height}×{width}"


def _shown(of: LayerMaps) -> ShownLayer:
    node = of.node
    drawn = len(of.maps) if node.inputs else 1
    return ShownLayer(node.name, node.text, node.shape, node.receptive_field, of.lowest, of.highest, of.zeros, drawn)


def _row(of: LayerMaps) -> _Row:
    sees = "×".join(map(str, of.node.receptive_field)) if of.node.receptive_field else "–"
    shape = "×".join(map(str, of.node.shape))
    text = of.node.text if of.node.inputs else "the picture, standardised"
    return of.node.name, text, shape, sees, number(of.lowest), number(of.highest), percent(of.zeros, 0)


def _notes(network: Network, columns: Sequence[LayerMaps], part: str) -> list[str]:
    there = len(layers_with_maps(network))
    told = [f"the picture is a {'training' if part == 'train' else part} example"]
    if there > MOST_LAYERS:
        told.append(f"{MOST_LAYERS} of {there} layers with maps, evenly chosen")
    most = max(each.node.shape[0] for each in columns)
    if most > MOST_CHANNELS:
        told.append(f"the first {MOST_CHANNELS} maps of a layer are drawn, of up to {most:,}")
    plain = [node.name for node in network.nodes if len(node.shape) == 1 and node.inputs and node.part != "flatten"]
    hidden = [name for name in plain if name not in {*network.heads, *network.aside}]
    if hidden:
        told.append(f"{listed(hidden, 4)} {'gives' if len(hidden) == 1 else 'give'} plain numbers and no maps")
    return told


# ---- one map ---------------------------------------------------------------------------------------------------------


def _chosen_says(chosen: UnitMap) -> list[str]:
    first, found = chosen.stages[0], chosen.filter
    told = f"{first.node.name}[{chosen.unit}] ({first.node.text}): {_range(first.map)}."
    if found is None:
        return [told, *_behind(chosen)]
    channels, height, width = found.weights.shape
    row, column = found.place
    products = counted(channels * height * width, "product")
    bias = f" and the bias {number(found.bias)}" if found.bias else ""
    ends = f"{number(float(found.weights.min()))} to {number(float(found.weights.max()))}"
    sums = f"{products}{bias} add up to {found.added:+.5f}; the network says {found.value:+.5f}."
    return [
        f"{told} Its filter has {channels} x {height} x {width} weights, {ends}.",
        f"It is largest in row {row}, column {column}: {sums}",
        *_behind(chosen),
    ]


def _behind(chosen: UnitMap) -> list[str]:
    return [f"Behind it, {each.node.name}: {_range(each.map)}." for each in chosen.stages[1:]]


def _range(values: Tensor) -> str:
    zeros = float((values == 0).double().mean())
    rest = f", {percent(zeros, 0)} zeros" if zeros else ""
    return f"{number(float(values.min()))} to {number(float(values.max()))}{rest}"


def _panels(chosen: UnitMap, picture: tuple[Picture, tuple[int, int]]) -> list[Panel]:
    """The picture, the filter, the map, and what follows; all maps in the same shades, so that they can be compared."""
    found, (seen, size) = chosen.filter, picture
    first = chosen.stages[0]
    begins = found is not None and found.reads.startswith("input:")
    aim, lines = (found.patch, _LINES) if found and begins else (None, ())
    panels = [Panel(seen, "the picture", lines, aim, size)]
    if found is not None:
        told = [f"{number(float(found.weights.min()))} to {number(float(found.weights.max()))}"]
        if len(found.weights) not in (1, 3):
            told.append(f"{min(len(found.weights), _SLICES)} of {counted(len(found.weights), 'channel')}")
        sign = "∗" if begins else "…"
        panels.append(Panel(_filter_picture(found.weights, first.node.name), "the filter", told, sign=sign))
    low = min(float(each.map.min()) for each in chosen.stages)
    high = max(float(each.map.max()) for each in chosen.stages)
    for stage in chosen.stages:
        values = stage.map.numpy()
        data, drawn = shades(values, low, high, _LARGE_PX)
        row, column = found.place if found and stage is first else (0, 0)
        panels.append(
            Panel(
                Picture(data, drawn, f"{stage.node.name}[{chosen.unit}]"),
                f"{stage.node.name}[{chosen.unit}]",
                [_range(stage.map)],
                (column, row, column + 1, row + 1) if found and stage is first else None,
                (values.shape[1], values.shape[0]),
                "=" if stage is first and found else "→",
            )
        )
    return panels


def _filter_picture(weights: Tensor, name: str) -> Picture:
    """Zero is middle gray; three channels are colours, any other number lies side by side."""
    values = weights.numpy()
    reach = float(np.abs(values).max())
    if len(values) == 3:
        data, size = shades(values, -reach, reach, _LARGE_PX)
    else:
        data, size = shades(_side_by_side(values[:_SLICES]), -reach, reach, _LARGE_PX)
    return Picture(data, size, f"filter of {name}")


def _side_by_side(slices: np.ndarray) -> np.ndarray:
    """Channels of a filter in rows; what lies between them is NaN."""
    count, height, width = slices.shape
    across = int(np.ceil(np.sqrt(count)))
    down = -(-count // across)
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for at, values in enumerate(slices):
        top, left = at // across * (height + 1), at % across * (width + 1)
        sheet[top : top + height, left : left + width] = values
    return sheet


# ---- in words --------------------------------------------------------------------------------------------------------


def _text(name: str, answered: Sequence[Answered], columns: Sequence[LayerMaps]) -> list[str]:
    lines = []
    for each in answered:
        rest = [f"{label} {percent(share)}" for label, share in each.bars[:3]]
        lines.append(f"{name}: {each.output} {', '.join(rest) or each.words}; really {each.truth}")
    cells = [("layer", "output", "sees", "lowest", "highest", "zeros")]
    cells += [(row[0], *row[2:]) for row in (_row(each) for each in columns)]
    widths = [max(len(row[at]) for row in cells) for at in range(6)]
    for row in cells:
        left, *right = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  " + "  ".join([left, *right]))
    return lines
