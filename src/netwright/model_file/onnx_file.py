"""A trained model as an ONNX file: raw values go in, answers come out, in any program that runs ONNX.

What stands around the network is written with it: pixels go in as they are decoded, numbers in their own units and
classes as their places in a list that the file holds; out come probabilities and numbers in their own units.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from netwright import files
from netwright.data.fields import kind_of
from netwright.errors import NetwrightError, SpecError
from netwright.field import Field
from netwright.model_file.file import examples, load
from netwright.model_file.model import Cell, Model, Predict, Replay, replay
from netwright.readers.kinds.kind import room

if TYPE_CHECKING:
    from onnx_ir import Graph
    from onnxruntime import InferenceSession

_NOISY = "torch.onnx._internal.exporter._registration"  # tells of each package that it does without
_SHOWN = 2  # examples that the exporter sees; how many there are stays free


@dataclass(frozen=True)
class OnnxFile:
    """What was written.

    Args:
        path: The file.
        inputs: Type and shape of each input in words, e.g. `uint8 (batch, 28, 28, 1)`.
        outputs: The same of each output.
        size: Bytes.
        replayed: How the file answers the examples that the model keeps, computed by onnxruntime.
    """

    path: Path
    inputs: dict[str, str]
    outputs: dict[str, str]
    size: int
    replayed: Replay


class _Whole(nn.Module):
    """From raw arrays to answers, both in the order of their names, which torch would write into code of its own."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.network, self._model = model.network, model

    def forward(self, *raw: Tensor) -> list[Tensor]:
        units = self.network(self._model.code(dict(zip(self._model.inputs, raw, strict=True))))
        return [task.answers(units[name]) for name, task in self._model.tasks.items()]


def write_onnx(source: Path, out: Path) -> OnnxFile:
    """Write a model file as ONNX, and let onnxruntime answer the model's own examples from it first.

    Under `netwright` its metadata hold JSON: of every input and output its kind, the classes in their order, and the
    probabilities from which a class is answered where that is not the likeliest.

    Args:
        source: A `.netwright` file.
        out: Where to.

    Raises:
        SpecError: Sequences or dates, which have no operations in ONNX; packages that are missing.
        ModelFileError: The source cannot be read.
        NetwrightError: The network cannot be written, or would give other answers; nothing is written then.
    """
    model = load(source)
    _refuse(model)
    content = _exported(model)
    session = _session(content)
    replayed = replay(model, examples(source, model), _answering(model, session))
    if replayed.matches < replayed.total:
        raise NetwrightError(
            f"as ONNX the model gives other answers: {replayed}; {replayed.worst}.", "Keep the .netwright file."
        )
    files.write_bytes(out, content)
    taken, given = (
        {each.name: _told(each.type, each.shape) for each in side}
        for side in (session.get_inputs(), session.get_outputs())
    )
    return OnnxFile(out, taken, given, len(content), replayed)


def _refuse(model: Model) -> None:
    for name, field in (*model.inputs.items(), *model.outputs.items()):
        if field.ragged or field.kind == "identity" or not kind_of(field).traceable:
            raise SpecError(
                f"{name} is {field.kind}, which cannot be written as ONNX.", "Pictures, numbers and classes can be."
            )


def _exported(model: Model) -> bytes:
    """The whole as a graph in bytes."""
    raw = tuple(torch.from_numpy(room(field, _SHOWN)) for field in model.inputs.values())
    free = ({0: torch.export.Dim("batch")},) * len(raw)
    whole = _Whole(model).eval()
    with _quiet(), torch.no_grad():
        try:
            program = torch.export.export(whole, raw, dynamic_shapes=(free,), strict=False)
            written = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=list(model.inputs), output_names=list(model.outputs)
            )
        except ImportError as exc:
            raise _missing(exc) from exc
        except Exception as exc:  # whatever a layer of one's own may meet in there
            raise _impossible(exc) from exc
    if written is None:
        raise RuntimeError("torch.onnx gave nothing")  # pragma: no cover - it does so only for its older exporter
    about = {
        "netwright": version("netwright"),
        "inputs": {name: _about(field) for name, field in model.inputs.items()},
        "outputs": {name: _about(field) for name, field in model.outputs.items()},
    }
    _keep_apart(written.model.graph, {*model.inputs, *model.outputs})
    proto = written.model_proto
    proto.metadata_props.add(key="netwright", value=json.dumps(about, ensure_ascii=False))
    try:
        return proto.SerializeToString()
    except Exception as exc:  # more than the 2 GB that the format holds
        raise _impossible(exc) from exc


def _keep_apart(graph: Graph, names: set[str]) -> None:
    """Renames what is computed inside of the graph and has, by chance, the name of an input or output."""
    ends = {id(value) for value in (*graph.inputs, *graph.outputs)}
    inside = [value for node in graph for value in node.outputs] + list(graph.initializers.values())
    for value in inside:
        if value.name in names and id(value) not in ends:
            value.name = f"inside:{value.name}"


def _about(field: Field) -> dict[str, object]:
    found: dict[str, object] = {"kind": field.kind}
    if field.vocabulary:
        found["classes"] = list(field.vocabulary)
    if field.thresholds:
        found["thresholds"] = list(field.thresholds)
    return found


def _session(content: bytes) -> InferenceSession:
    try:
        import onnxruntime
    except ImportError as exc:
        raise _missing(exc) from exc
    try:
        return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as exc:  # an operation that it does not know
        raise _impossible(exc) from exc


def _answering(model: Model, session: InferenceSession) -> Predict:
    """Answers as `Model.predict` gives them, computed by onnxruntime."""
    taken = {each.name for each in session.get_inputs()}  # what no layer reads is left out of the graph

    def answers(cells: Sequence[Mapping[str, Cell]]) -> dict[str, Tensor]:
        raw = {name: values for name, values in model.read(cells).items() if name in taken}
        names = [each.name for each in session.get_outputs()]
        return {name: torch.as_tensor(found) for name, found in zip(names, session.run(None, raw), strict=True)}

    return answers


def _told(tensor: str, shape: Sequence[int | str]) -> str:
    kind = tensor.removeprefix("tensor(").removesuffix(")").replace("double", "float64")
    sizes = ["batch" if isinstance(size, str) else str(size) for size in shape]
    return f"{'float32' if kind == 'float' else kind} ({', '.join(sizes)})"


def _impossible(exc: Exception) -> NetwrightError:
    said = next((line for line in str(exc).splitlines() if line.strip()), type(exc).__name__)
    return NetwrightError(
        f"this network cannot be written as ONNX: {files.printable(said.strip())[:300]}",
        "Keep the .netwright file; a layer that it names may be unknown to ONNX.",
    )


def _missing(exc: ImportError) -> SpecError:
    return SpecError(f"{exc.name or 'onnx'} is not installed.", "Install it: pip install netwright[export]")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter tells about itself."""
    logger = logging.getLogger(_NOISY)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(before)
