"""What a trained network makes of examples, layer by layer: numbers in a plain file, for whatever tool comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from torch import Tensor

from netwright import files, readers, registry
from netwright.data.batches import Batches
from netwright.data.dataset import Dataset
from netwright.errors import SpecError
from netwright.lens.activations import gathered, last_before_head
from netwright.model_file import Model
from netwright.models.network import Network
from netwright.progress import Display, Silent
from netwright.readers.columns import Cells, Found
from netwright.readers.kinds.kind import room
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.given import arranged, column_for, found_in
from netwright.run.prediction import run_data, write_table

_ROWS = 512  # examples held as pixels at a time
_MEANS = 1  # numbers kept of a map: its mean
_NUMBER = "feature_{:0{}d}"


@dataclass(frozen=True)
class Features:
    """Features of some examples.

    Args:
        table: One row per example: `id`, what is known of it, and one column for each number.
        layer: Whose values they are.
        width: How many numbers an example has.
        refused: Examples that could not be read, with the reason.
        path: The file they were written to, if any.
    """

    table: pa.Table
    layer: str
    width: int
    refused: dict[str, str]
    path: Path | None


def features(
    run_or_model: Path,
    inputs: Sequence[Path] = (),
    *,
    layer: str = "",
    out: Path | None = None,
    show: Display | None = None,
) -> Features:
    """What one layer of a trained network gives for examples.

    Args:
        run_or_model: Folder of a run, a `.netwright` file, or a name of the zoo.
        inputs: Folders of pictures, pictures, or tables; the run's own data with its parts when left out.
        layer: Which layer; the last one before the output when left out. Of a layer that gives maps, each channel's
            mean is taken.
        out: File to write, `.parquet` or `.csv`.
        show: Where progress is told.

    Raises:
        SpecError: No such model or layer; a model file without inputs; `out` with another ending.
        DataError: The inputs lack columns that the model needs.
    """
    show = show or Silent()
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise SpecError(f"--save {out}: features are written as .parquet or .csv.", "Give the file one of these ends.")
    model = load_model(run_or_model)
    layer = layer or last_layer(model.network)
    if inputs:
        each = [_of_found(model, _found(path, model), layer, show) for path in inputs]
    elif run_or_model.is_dir():
        each = [_of_run(model, run_or_model, layer, show)]
    else:
        raise SpecError("a model file has no examples of its own.", "Name some: pictures, folders, or tables.")
    told, values, refused = (list(part) for part in zip(*each, strict=True))
    numbers = np.concatenate(values)
    width = numbers.shape[1]
    columns = pa.concat_tables(told, promote_options="default")
    digits = len(str(max(width - 1, 0)))
    for place in range(width):
        columns = columns.append_column(_NUMBER.format(place, digits), pa.array(numbers[:, place]))
    if out is not None:
        write_table(out, columns)
    return Features(columns, layer, width, {k: v for part in refused for k, v in part.items()}, out)


def last_layer(network: Network) -> str:
    """The layer whose values the outputs are made from; of a network without outputs its last one."""
    if network.heads:
        return last_before_head(network, network.heads[0])
    return next(node.name for node in reversed(network.nodes) if node.part != "flatten")


def computed(model: Model, dataset: Dataset, part: str, layer: str) -> Float[Tensor, "example number"]:
    """What a layer gives for one part of a data set, in the order of its positions.

    Args:
        model: Whose layer.
        dataset: Coded as the model was trained.
        part: train, validation, test or all.
        layer: Name of a node.
    """
    batches = Batches(dataset, part, _ROWS, 0, shuffle=False, resident=False)
    return gathered(model.network, (batch.inputs for batch in batches.epoch(0)), [layer], _MEANS)[layer]


def _found(path: Path, model: Model) -> Found:
    """Class folders with their classes; everything else as prediction finds it."""
    folders = registry.resolve("layout", "class_folders")()
    return readers.find(path) if path.is_dir() and folders.matches(path) else found_in(path, model)


_Told = tuple[pa.Table, np.ndarray, dict[str, str]]


def _of_run(model: Model, run: Path, layer: str, show: Display) -> _Told:
    """The run's own examples: ids, parts, and what is true of them."""
    dataset, _ = run_data(RunFolder(run), show)
    positions, values, parts = [], [], []
    for part in ("train", "validation", "test"):
        if len(dataset.parts[part]):
            values.append(computed(model, dataset, part, layer).numpy())
            positions.append(dataset.positions(part))
            parts += [part] * len(positions[-1])
    places = np.concatenate(positions)
    table = {"id": _texts(dataset.ids.take(pa.array(places))), "split": pa.array(parts)}
    for name, field in dataset.outputs.items():
        targets = np.asarray(dataset.arrays[name][places])
        if field.kind == "category":
            table[name] = _texts(pa.array([field.vocabulary[int(code)] for code in targets]))
        elif targets.ndim == 1 and targets.dtype != object:  # answers at each step are no column of examples
            table[name] = pa.array(targets)
    return pa.table(table), np.concatenate(values), {}


def _of_found(model: Model, found: Found, layer: str, show: Display) -> _Told:
    """Examples as they lie there: ids, and the columns that stand beside what goes in."""
    found, _ = arranged(found, model)
    refused = {refusal.id: f"{refusal.state}: {refusal.reason}" for refusal in found.refused if refusal.reason}
    good = np.ones(len(found.ids), dtype=bool)

    def batches() -> Iterator[dict[str, Tensor]]:
        show.stage("computing features", len(found.ids))
        for start in range(0, len(found.ids), _ROWS):
            index = np.arange(start, min(start + _ROWS, len(found.ids)))
            raw = {name: room(field, len(index)) for name, field in model.inputs.items()}
            for name, field in model.inputs.items():
                kind = registry.resolve("kind", field.kind)()
                column = column_for(found, name, model)
                for row, reason in kind.read(column, field, index, raw[name], lambda done: None).items():
                    good[start + row] = False
                    refused[str(found.ids[start + row])] = f"{name}: {reason}"
            yield model.code(raw)
            show.advance(start + len(index))

    values = gathered(model.network, batches(), [layer], _MEANS)[layer].numpy()
    kept = pa.array(np.flatnonzero(good))
    sources = {name for field in model.inputs.values() for name in _names(field.source)}
    asked = {name for field in model.outputs.values() for name in _names(field.source)}
    beside = {
        name: _texts(column.values.take(kept))
        for name, column in sorted(found.columns.items(), key=lambda item: item[0] not in asked)  # answers first
        if isinstance(column, Cells) and name not in {*sources, model.spec.data.group, "id"}
    }
    if found.official is not None:
        beside["split"] = found.official.take(kept)
    return pa.table({"id": _texts(found.ids.take(kept)), **beside}), values[good], refused


def _names(source: str | tuple[str, ...]) -> tuple[str, ...]:
    return (source,) if isinstance(source, str) else source


def _texts(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts as they can be printed; other values as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    return pa.array([None if text is None else files.printable(text) for text in values.to_pylist()], pa.string())
