"""A trained model for other programs."""

from __future__ import annotations

from pathlib import Path

from netwright import files
from netwright.errors import SpecError
from netwright.model_file import zoo
from netwright.model_file.onnx_file import OnnxFile, write_onnx
from netwright.run.folder import RunFolder


def export(run_or_model: Path, out: Path) -> OnnxFile:
    """Write a trained model as ONNX; see `model_file.onnx_file`.

    Args:
        run_or_model: Folder of a finished run, a `.netwright` file, or a name of the zoo.
        out: Where to; it ends in `.onnx`.

    Raises:
        SpecError: No such model, or one that ONNX cannot say.
        ModelFileError: The model file cannot be read.
        NetwrightError: The file would give other answers.
    """
    path = zoo.find(run_or_model)
    model = RunFolder(path).model if path.is_dir() else path
    name = files.printable(run_or_model)
    if not model.is_file():
        begun = path.is_dir() and RunFolder(path).spec.exists()
        raise SpecError(
            f"{name} has no model to write: {'the run is not finished' if begun else 'there is no such run or file'}.",
            f"Finish it first: netwright resume {name}" if begun else "`netwright runs` lists what is here.",
        )
    return write_onnx(model, out)
