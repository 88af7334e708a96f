"""A model's weights alone: torch reads them into a network of its own, netwright takes them back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from netwright import run, spec
from netwright.cli import main
from netwright.errors import ModelFileError, NetwrightError, SpecError
from netwright.field import STEPS
from netwright.model_file import foreign, load, weights_file
from netwright.models.build import build
from netwright.spec import ModelSpec

LAYERS = "conv 4x3 pad 1, batch_norm, relu, pool 2, dense 8, tanh"
DIGITS = "{data: {path: 'sklearn:digits'}, inputs: [image], outputs: [category], model: {layers: '%s'}, training: %s}"
NAMES = ["conv1", "batch_norm1", "dense1", "category"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "run"
    run.train(spec.load(DIGITS % (LAYERS, "{stop: {epochs: 1}}")), out=folder)
    return folder


class Theirs(nn.Module):
    """The same network as one writes it in torch, its layers called after netwright's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.batch_norm1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.dense1, self.category = nn.Linear(64, 8), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.max_pool2d(self.batch_norm1(self.conv1(x)).relu(), 2)
        return self.category(self.dense1(x.flatten(1)).tanh())


@pytest.mark.parametrize("end", weights_file.ENDS)
def test_a_network_of_torch_and_one_of_ours_answer_alike_with_them(trained: Path, end: str, tmp_path: Path) -> None:
    file = tmp_path / f"weights{end}"
    found = run.export(trained, file)
    assert isinstance(found, weights_file.WeightsFile)
    assert found.size == file.stat().st_size
    assert found.tensors["conv1.weight"] == "float32 (4, 1, 3, 3)"
    assert list(dict.fromkeys(name.partition(".")[0] for name in found.tensors)) == NAMES
    tensors = load_file(file) if end == ".safetensors" else torch.load(file, weights_only=True)
    theirs = Theirs()
    theirs.load_state_dict(tensors)
    model = load(trained / "model.netwright")
    x = torch.rand(20, 1, 8, 8)
    fresh = build(model.spec.model, {"image": (1, 8, 8)}, {"category": 10}, 1).eval()
    assert foreign.adopt(fresh, foreign.read(file)) == ["4 of 4 layers taken"]
    with torch.no_grad():
        wanted = model.network.eval()({"image": x})["category"]
        torch.testing.assert_close(theirs.eval()(x), wanted)
        assert torch.equal(fresh({"image": x})["category"], wanted)


def test_what_cannot_be_written_is_told(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpecError, match=r"weights\.h5: its end says no form"):
        run.export(trained, tmp_path / "weights.h5")
    (tmp_path / "no.netwright").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"no\.netwright"):
        run.export(tmp_path / "no.netwright", tmp_path / "weights.pth")
    monkeypatch.setattr(torch, "load", lambda *given, **options: {})
    with pytest.raises(NetwrightError, match="read differently"):
        run.export(trained, tmp_path / "weights.pth")
    assert not (tmp_path / "weights.pth").exists()


def test_recurrent_and_norm_layers_have_the_names_of_torch(tmp_path: Path) -> None:
    layers = "layer_norm, lstm 5 both yes, gru 4, last"
    network = build(ModelSpec(layers=layers), {"sound": (STEPS, 3)}, {"category": 2}, 0)
    found = weights_file._named(network)
    theirs = nn.ModuleDict(
        {
            "layer_norm1": nn.LayerNorm(3),
            "lstm1": nn.LSTM(3, 5, batch_first=True, bidirectional=True),
            "gru1": nn.GRU(10, 4, batch_first=True),
            "category": nn.Linear(4, network.module("category").weight.shape[0]),
        }
    )
    theirs.load_state_dict(found)
    x = torch.randn(2, 7, 3)
    with torch.no_grad():
        seen = theirs["gru1"](theirs["lstm1"](theirs["layer_norm1"](x))[0])[0][:, -1]
        torch.testing.assert_close(theirs["category"](seen), network.eval()({"sound": x})["category"])


def test_the_command_line_lists_what_it_wrote(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "w.pth"
    assert main(["export", str(trained), "--save", str(file)]) == 0
    said = capsys.readouterr().out
    assert "conv1.weight" in said
    assert "MB, read back the same" in said
    assert main(["export", str(trained), "--save", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tensors"]["dense1.bias"] == "float32 (8,)"
