"""`netwright export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from netwright.cli.screen import Output
from netwright.errors import SpecError


def export(
    run_or_model: Path,
    /,
    *,
    save: Path | None = None,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Write a trained model as ONNX, or its weights alone, for other programs.

    Into ONNX, pixels go as they are decoded and numbers in their own units, and
    probabilities and numbers in their own units come out: scaling is part of
    the file. Before it is written, onnxruntime answers the model's own examples
    from it. Weights alone are named after their layers, for a network of torch
    that you build.

    Args:
        run_or_model: Folder of a run, a .netwright file, or a name of the zoo.
        save: The file to write: .onnx, or .safetensors, .pth or .pt for the weights alone.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry, run
    from netwright.files import printable
    from netwright.model_file.weights_file import WeightsFile

    output = output or Output()
    if save is None:
        raise SpecError("nothing says where to write the model.", "Name a file: --save model.onnx")
    for path in own_parts:
        registry.use(path)
    with output.display() as show:
        show.stage("writing and reading back", 0)
        found = run.export(run_or_model, save)
    if output.json:
        output.document(found)
        return
    if isinstance(found, WeightsFile):
        output.table(["tensor", "type and shape"], [list(each) for each in found.tensors.items()], numbers=())
        output.lines([f"{printable(save)}: {found.size / 1e6:.2f} MB, read back the same"])
        return
    ends = [("in", found.inputs), ("out", found.outputs)]
    rows = [[way, name, kind] for way, each in ends for name, kind in each.items()]
    output.table(["", "name", "type and shape"], rows, numbers=())
    read = f"answered by onnxruntime: {found.replayed}"
    output.lines([f"{printable(save)}: {found.size / 1e6:.2f} MB, {read}"])
