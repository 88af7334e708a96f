"""ONNX out and in: the answers of a file are those of the model, from raw values on, computed by another program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from netwright import run, spec
from netwright.errors import NetwrightError, SpecError
from netwright.model_file import foreign, load, onnx_file

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

NETS = ["conv 4x3 pad 1, batch_norm, relu, pool 2, dense 8, tanh, dropout 0.5", "conv 4x3, elu, global_pool", ""]
DIGITS = "{data: {path: 'sklearn:digits'}, inputs: [image], outputs: [category], model: {layers: '%s'}, training: %s}"
ONCE = "{stop: {epochs: 1}}"
HOUSES = "{outputs: [%s], model: {layers: 'dense 8, relu'}, training: {stop: {epochs: 3}}}"


def table(rows: int = 120, towns: int = 30) -> pd.DataFrame:
    """Numbers with gaps, classes, two answers, a column whose name is no word and one named like a step of a graph."""
    draw = np.random.default_rng(0)
    size, rooms = draw.normal(90, 20, rows), draw.integers(1, 6, rows).astype(float)
    size[::9] = np.nan
    town = draw.choice([f"town {n}" for n in range(towns)], rows)
    price = 3000 * np.nan_to_num(size, nan=90.0) + 1e4 * rooms
    return pd.DataFrame(
        {"size (m²), of 'all'": size, "linear": rooms, "town": town, "price": price, "dear": price > np.median(price)}
    )


def outside(path: Path, raw: dict[str, np.ndarray]) -> list[np.ndarray]:
    """What onnxruntime alone makes of raw arrays."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, raw)


def metadata(path: Path) -> dict:
    """What the file says about its inputs and outputs."""
    return json.loads({each.key: each.value for each in onnx.load(path).metadata_props}["netwright"])


@pytest.mark.parametrize("layers", NETS)
def test_pixels_go_in_and_probabilities_come_out(layers: str, tmp_path: Path) -> None:
    run.train(spec.load(DIGITS % (layers, ONCE)), out=tmp_path / "run")
    found = run.export(tmp_path / "run", tmp_path / "m.onnx")
    assert found.inputs == {"image": "uint8 (batch, 8, 8, 1)"}
    assert found.outputs == {"category": "float32 (batch, 10)"}
    assert found.replayed.matches == found.replayed.total == 64
    model = load(tmp_path / "run" / "model.netwright")
    for rows in (1, 7, 300):
        raw = {"image": np.random.default_rng(rows).integers(0, 256, (rows, 8, 8, 1)).astype(np.uint8)}
        (shares,) = outside(tmp_path / "m.onnx", raw)
        np.testing.assert_allclose(shares, model.answers(model.code(raw))["category"].numpy(), atol=1e-5)
    assert metadata(tmp_path / "m.onnx")["outputs"]["category"]["classes"] == [str(digit) for digit in range(10)]


def test_numbers_go_in_and_come_out_in_their_own_units(tmp_path: Path) -> None:
    data = table()
    run.train(spec.load(HOUSES % "price, dear"), data=data, out=tmp_path / "run")
    found = run.export(tmp_path / "run", tmp_path / "m.onnx")
    assert found.replayed.matches == found.replayed.total > 0
    assert set(found.inputs) == set(data.columns) - {"price", "dear"}
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    model = load(tmp_path / "run" / "model.netwright")
    cells = data.drop(columns=["price", "dear"]).to_dict("records")
    towns = metadata(tmp_path / "m.onnx")["inputs"]["town"]["classes"]
    raw = {  # as a program would code them that has the file alone
        "size (m²), of 'all'": data["size (m²), of 'all'"].to_numpy(),
        "linear": data["linear"].to_numpy(),
        "town": np.array([towns.index(town) for town in data["town"]], np.int32),
    }
    price, dear = session.run(None, raw)
    answers = model.predict(cells)
    np.testing.assert_allclose(price, answers["price"].numpy(), rtol=1e-5)
    np.testing.assert_allclose(dear, answers["dear"].numpy(), atol=1e-5)
    assert price.mean() == pytest.approx(float(model.predict(cells)["price"].mean()), rel=1e-6)
    assert abs(price.mean()) > 1e4


def test_what_onnx_cannot_say_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    dates = table().assign(sold=pd.date_range("2020-01-01", periods=120).astype(str))
    run.train(spec.load(HOUSES % "price"), data=dates, out=tmp_path / "dated")
    with pytest.raises(SpecError, match="sold is date, which cannot be written as ONNX"):
        run.export(tmp_path / "dated", tmp_path / "m.onnx")
    with pytest.raises(SpecError, match=r"m\.pb: its end says no form that can be written"):
        run.export(tmp_path / "dated", tmp_path / "m.pb")
    with pytest.raises(SpecError, match="there is no such run or file"):
        run.export(tmp_path / "nothing", tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_pictures_beside_numbers_tags_and_vectors(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    data = {
        "photo": draw.integers(0, 256, (90, 8, 8, 3)).astype(np.uint8),
        "place": draw.normal(size=(90, 2)),
        "seen": [["cat", "dog"][: 1 + at % 2] for at in range(90)],
        "spot": draw.normal(size=(90, 3)),
    }
    wanted = spec.load(f"{{inputs: [photo, place], outputs: {{seen: {{kind: tags}}, spot: {{}}}}, training: {ONCE}}}")
    run.train(wanted, data=data, out=tmp_path / "run")
    found = run.export(tmp_path / "run", tmp_path / "m.onnx")
    assert found.replayed.matches == found.replayed.total > 0
    about = metadata(tmp_path / "m.onnx")["outputs"]["seen"]
    assert about["classes"] == ["cat", "dog"]
    assert len(about["thresholds"]) == 2
    assert outside(tmp_path / "m.onnx", {"photo": data["photo"], "place": data["place"]})[1].shape == (90, 3)


def test_other_answers_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.train(spec.load(DIGITS % ("", ONCE)), out=tmp_path / "run")
    model = load(tmp_path / "run" / "model.netwright")
    with torch.no_grad():
        model.network.module("category").bias[3] += 0.1
    monkeypatch.setattr(onnx_file, "load", lambda path: model)
    with pytest.raises(NetwrightError, match="as ONNX the model gives other answers: 0 of 64 match"):
        run.export(tmp_path / "run", tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.train(spec.load(DIGITS % ("", ONCE)), out=tmp_path / "run")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SpecError, match=r"onnxruntime is not installed") as caught:
        run.export(tmp_path / "run", tmp_path / "m.onnx")
    assert "netwright[export]" in caught.value.cure


# ---- in --------------------------------------------------------------------------------------------------------------


class Small(nn.Module):
    """A network as one writes it in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(144, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.relu(self.conv1(x)).flatten(1))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's own, of its own
def test_weights_of_an_onnx_file_are_read_by_name(tmp_path: Path) -> None:
    network = Small()
    options = {"dynamo": True, "verbose": False, "external_data": False}
    torch.onnx.export(network.eval(), (torch.zeros(2, 1, 8, 8),), str(tmp_path / "m.onnx"), **options)
    found = foreign.read(tmp_path / "m.onnx")
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(found[name], weight)
