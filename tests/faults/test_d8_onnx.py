"""D8: an ONNX file whose tensors lie in another file, which may be any file of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from netwright.errors import ModelFileError
from netwright.model_file import foreign

onnx = pytest.importorskip("onnx")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_d8_tensors_in_another_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 40)).eval()
    torch.onnx.export(network, (torch.zeros(2, 8, 8),), str(path), dynamo=True, verbose=False, external_data=True)
    (secret := tmp_path / "secret").write_bytes(b"x" * 4096)
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "../" * 20 + str(secret) if entry.key == "location" else entry.value
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelFileError, match="lies in another file"):
        foreign.read(path)
