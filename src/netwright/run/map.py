"""A look at a run: held-out examples laid out by what a layer of its network finds alike."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from netwright import files
from netwright.data.dataset import Dataset
from netwright.errors import SpecError
from netwright.figures.spots import Sheet, Spot
from netwright.lens.activations import last_before_head
from netwright.lens.map import LEAST, MapView, map_view
from netwright.progress import Display, Silent
from netwright.report.map import MapFacts, map_page
from netwright.report.sentences import interval_text, score_text, shape_text
from netwright.run.gather import describe
from netwright.run.held_out import HeldOut, held_out

MOST_BYTES = 3_000_000  # of all thumbnails together, as they stand in the page
_MOST_EXAMPLES = 10_000
_MOST_NUMBERS = 16_384  # of a layer's activations that are kept of an example
_BLOCK_PX = 16  # in which a JPEG is coded: a cell is a multiple, so that no picture shines into the next
_SIDES_PX = (48, 32, 16)  # longest side of a thumbnail
_QUALITIES = (None, 85, 70)  # None is PNG, without loss


@dataclass(frozen=True)
class ExampleMap:
    """A map of held-out examples.

    Args:
        layer: Whose activations made it.
        output: Whose classes colour it.
        ids: Of the examples.
        classes: What each really is.
        answers: What the network says each is.
        view: Places and purities.
        page: Where the map lies.
        text: In words, line by line.
    """

    layer: str
    output: str
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    answers: tuple[str, ...]
    view: MapView
    page: Path
    text: list[str]


def example_map(run: Path, *, layer: str = "", examples: int = 2000, show: Display | None = None) -> ExampleMap:
    """Held-out examples of a run on a map, near each other where a layer gives much the same for them.

    Args:
        run: The run folder.
        layer: Name of a node; the last one before the head when left out.
        examples: At most so many, 12 to 10,000.
        show: Where progress is told.

    Raises:
        SpecError: No such layer, or no output with one class for each example.
        DataError: The run's data is gone or changed, or too few examples are held out.
    """
    if not LEAST <= examples <= _MOST_EXAMPLES:
        raise SpecError(f"--examples is {examples}.", f"Give {LEAST} to {_MOST_EXAMPLES:,}.")
    show = show or Silent()
    looked = held_out(run, examples, show)
    output, task = looked.category()
    network = looked.model.network
    layer = layer or last_before_head(network, output)
    with looked.computing():
        show.stage("computing activations", 0)
        found, truth = looked.gathered([layer, output], output, _MOST_NUMBERS)
    show.stage("laying out", 0)
    view = map_view(found[layer], truth.numpy())
    answers = [task.classes[code] for code in task.chosen(task.answers(found[output])).tolist()]
    classes = [task.classes[code] for code in truth.tolist()]
    positions = looked.dataset.parts[looked.part]
    ids = [files.printable(str(looked.dataset.ids[int(position)])) for position in positions]
    sheet, shown = thumbnails(looked.dataset, positions)
    notes = [*_notes(looked, layer), shown]
    told = _told(looked.dataset, positions, ids, list(zip(classes, answers, strict=True)))
    page = looked.folder.path / "map.html"
    spots = [
        Spot(float(x), float(y), code, lines, missed=answer != label)
        for (x, y), code, lines, answer, label in zip(view.places, truth.tolist(), told, answers, classes, strict=True)
    ]
    facts = MapFacts(
        output,
        layer,
        task.classes,
        view.neighbours,
        (view.original.share, view.original.interval),
        (view.drawn.share, view.drawn.interval),
        view.chance,
    )
    files.write_text(page, map_page(facts, spots, sheet, notes))
    text = [*_text(layer, len(ids), view), *notes, f"picture: {files.printable(page)} ({_size(page.stat().st_size)})"]
    return ExampleMap(layer, output, tuple(ids), tuple(classes), tuple(answers), view, page, text)


def thumbnails(dataset: Dataset, positions: np.ndarray, most: int = MOST_BYTES) -> tuple[Sheet | None, str]:
    """Small pictures of examples on one sheet, row by row, and in words how large it is; None for tables.

    Args:
        dataset: The data.
        positions: Which examples.
        most: Bytes of the sheet as it stands in a page; pictures become smaller until they fit.
    """
    name = next((name for name, field in dataset.inputs.items() if field.kind == "image"), "")
    if not name:
        return None, "the examples are no pictures: pointing at one tells its values"
    pictures = [Image.fromarray(_flat(np.asarray(dataset.arrays[name][np.array([int(at)])][0]))) for at in positions]
    for side in _SIDES_PX:
        drawn = _drawn(pictures, side)
        for quality in _QUALITIES:
            data = _encoded(drawn[0], quality)
            if len(data) <= most:
                sheet = Sheet(data, drawn[0].size, drawn[1], drawn[2])
                how = "as they are" if quality is None else "as JPEG"
                size = f"{sheet.picture[0]} x {sheet.picture[1]} pixels"
                return sheet, f"pointing at a spot shows its picture, {size} {how}, {_size(len(data))} in all"
    return None, f"thumbnails are left out: they would take more than {_size(most)}"


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def _drawn(pictures: Sequence[Image.Image], side: int) -> tuple[Image.Image, int, tuple[int, int]]:
    """The sheet, how far apart its cells are, and the size of a picture in its cell's corner."""
    width, height = pictures[0].size
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    cell = -(-max(size) // _BLOCK_PX) * _BLOCK_PX
    columns = math.ceil(math.sqrt(len(pictures)))
    sheet = Image.new(pictures[0].mode, (columns * cell, -(-len(pictures) // columns) * cell))
    for at, picture in enumerate(pictures):
        small = picture if size == picture.size else picture.resize(size, Image.Resampling.BILINEAR)
        sheet.paste(small, (at % columns * cell, at // columns * cell))
    return sheet, cell, size


def _encoded(sheet: Image.Image, quality: int | None) -> str:
    """A data URI."""
    sink = io.BytesIO()
    if quality is None:
        sheet.save(sink, "PNG", optimize=True)
    else:
        sheet.save(sink, "JPEG", quality=quality)
    kind = "png" if quality is None else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(sink.getvalue()).decode('ascii')}"


def _told(
    dataset: Dataset, positions: np.ndarray, ids: Sequence[str], said: Sequence[tuple[str, str]]
) -> list[tuple[str, ...]]:
    """What is told of each example: its name, what it is and is taken for, and its values unless it is a picture."""
    lines = []
    for position, name, (label, answer) in zip(positions, ids, said, strict=True):
        right = f"is {label}" if label == answer else f"is {label}, answered {answer}"
        values = describe(dataset, int(position))
        lines.append((name, right, values) if values else (name, right))
    return lines


def _notes(looked: HeldOut, layer: str) -> list[str]:
    shape = next(node.shape for node in looked.model.network.nodes if node.name == layer)
    told = [f"looked at {looked.told()}; the same examples give the same map"]
    if math.prod(shape) > _MOST_NUMBERS:
        told.append(f"{layer} gives {shape_text(shape)}, averaged over a grid to at most {_MOST_NUMBERS:,} numbers")
    return told


def _text(layer: str, count: int, view: MapView) -> list[str]:
    lines = [f"{count:,} held-out examples laid out by {layer}; of the {view.neighbours} nearest have the same class:"]
    for where, found in (("in the activations", view.original), ("on the map", view.drawn)):
        share, within = score_text("accuracy", found.share), interval_text("accuracy", found.interval)
        lines.append(f"  {where:<18}  {share} ({within})")
    return [*lines, f"  {'by chance':<18}  {score_text('accuracy', view.chance)}"]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} kB"
