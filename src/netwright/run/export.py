"""A trained model for other programs."""

from __future__ import annotations

from pathlib import Path

from netwright import files
from netwright.errors import SpecError
from netwright.model_file import zoo
from netwright.model_file.onnx_file import OnnxFile, write_onnx
from netwright.model_file.weights_file import ENDS, WeightsFile, write_weights
from netwright.run.folder import RunFolder


def export(run_or_model: Path, out: Path) -> OnnxFile | WeightsFile:
    """Write a trained model as ONNX, or its weights alone; see `model_file.onnx_file` and `model_file.weights_file`.

    Args:
        run_or_model: Folder of a finished run, a `.netwright` file, or a name of the zoo.
        out: Where to: its end says the form, `.onnx`, `.safetensors`, or `.pth` and `.pt` for a state dict of torch.

    Raises:
        SpecError: Another end; no such model, or one that ONNX cannot say.
        ModelFileError: The model file cannot be read.
        NetwrightError: The file would give other answers.
    """
    if out.suffix not in {".onnx", *ENDS}:
        raise SpecError(
            f"--save {files.printable(out)}: its end says no form that can be written.",
            f"Give it one of these: .onnx (whole, raw values to answers), {', '.join(ENDS)} (weights alone).",
        )
    path = zoo.find(run_or_model)
    model = RunFolder(path).model if path.is_dir() else path
    name = files.printable(run_or_model)
    if not model.is_file():
        begun = path.is_dir() and RunFolder(path).spec.exists()
        raise SpecError(
            f"{name} has no model to write: {'the run is not finished' if begun else 'there is no such run or file'}.",
            f"Finish it first: netwright resume {name}" if begun else "`netwright runs` lists what is here.",
        )
    return write_weights(model, out) if out.suffix in ENDS else write_onnx(model, out)
