"""Small data sets and networks for checks to be proven on: a sound one, and places to put a fault in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from netwright.data.dataset import prepare
from netwright.doctor.border import Border
from netwright.doctor.short import short
from netwright.doctor.start import Start, first_batch, measure
from netwright.model_file import Model, assemble
from netwright.seeds import numpy_generator
from netwright.spec import Spec, load

Columns = Mapping[str, np.ndarray]
TREES = ("elm", "fir", "oak")


def sound(rows: int = 600) -> dict[str, np.ndarray]:
    """Columns with nothing wrong: three sorts of tree, told by height and girth, by soil a little.

    Args:
        rows: How many examples.
    """
    draw = numpy_generator(0, "planted")
    tree = draw.integers(0, 3, rows)
    height = draw.normal(12, 3, rows) + 9 * (tree == 1)
    girth = draw.normal(80, 15, rows) + 45 * (tree == 2)
    soil = np.where(draw.random(rows) < 0.6, tree, draw.integers(0, 3, rows))
    price = 3 * height + girth + draw.normal(0, 20, rows)
    return {
        "height": np.round(height, 2),
        "girth": np.round(girth, 1),
        "soil": np.array(["clay", "sand", "peat"])[soil],
        "price": np.round(price, 2),
        "tree": np.array(TREES)[tree],
    }


def pictures(count: int = 80) -> dict[str, np.ndarray]:
    """Columns with grey pictures of 16 x 16 pixels, bright or dark, no two alike."""
    draw = numpy_generator(0, "planted pictures")
    bright = draw.integers(0, 2, count)
    blocks = draw.normal(70 + 90 * bright[:, None, None], 35, (count, 8, 8)).clip(0, 255)
    return {
        "photo": blocks.repeat(2, axis=1).repeat(2, axis=2).astype(np.uint8)[..., None],
        "light": np.array(["dark", "bright"])[bright],
    }


def border(columns: Columns, output: str = "tree", *, shuffled: bool = True) -> Border:
    """The evidence of data in memory.

    Args:
        columns: What `sound` or `pictures` gave, with a fault put in.
        output: The column that comes out.
        shuffled: See `Border`.
    """
    return Border(prepare(load(f"{{outputs: [{output}]}}"), data=dict(columns)), shuffled=shuffled)


def walk(layers: str = "lstm 8", harm: Callable[[Model], None] = lambda model: None) -> Start:
    """The evidence of a fresh causal network on sound sequences: twelve paths, and at every step whether it climbs.

    Args:
        layers: As text.
        harm: Puts a fault into the model before it is looked at.
    """
    draw = numpy_generator(0, "planted paths")
    way = draw.normal(size=(12, 20)).cumsum(axis=1)
    columns = {
        "path": np.repeat(np.arange(12), 20),
        "height": np.round(way, 2).reshape(-1),
        "climbs": np.where(np.diff(way, axis=1, prepend=0) > 0, "yes", "no").reshape(-1),
    }
    wanted = load(
        "{data: {group: path}, inputs: {way: {kind: signal, from: [height]}}, outputs: {climbs: {per: way}}, "
        f"model: {{layers: '{layers}', causal: true}}}}"
    )
    return _measured(wanted, columns, harm)


def words(layers: str = "lstm 8") -> Start:
    """The evidence of a fresh network that reads words of six letters off sound sequences of twenty steps.

    Args:
        layers: As text.
    """
    draw = numpy_generator(0, "planted words")
    said = ["".join(draw.choice(list("aeimnrst"), 6)) for _ in range(24)]
    columns = {
        "word": np.repeat(np.arange(24), 20),
        "height": np.round(draw.normal(size=480), 2),
        "text": np.repeat(np.array(said), 20),
    }
    wanted = load(
        "{data: {group: word}, inputs: {way: {kind: signal, from: [height]}}, "
        f"outputs: {{text: {{kind: text, align: ctc}}}}, model: {{layers: '{layers}'}}}}"
    )
    return _measured(wanted, columns, lambda model: None)


def start(layers: str = "dense 16, relu, dense 16, relu", harm: Callable[[Model], None] = lambda model: None) -> Start:
    """The evidence of a fresh network on sound data.

    Args:
        layers: As text.
        harm: Puts a fault into the model before it is looked at.
    """
    wanted = load(f"{{outputs: [tree], model: {{layers: '{layers}'}}}}")
    return _measured(wanted, sound(), harm)


def _measured(wanted: Spec, columns: Columns, harm: Callable[[Model], None]) -> Start:
    data = prepare(wanted, data=dict(columns))
    model = assemble(wanted, data.inputs, data.outputs, seed=0)
    with torch.no_grad():
        harm(model)
    batch = first_batch(data, model.network, 0, torch.device("cpu"))
    return measure(model, batch, examples=len(data.parts["train"]), short=short(model, data))
