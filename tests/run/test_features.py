"""Features: one row per example with its id, of any layer, the same numbers that the network computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from torch import Tensor

import netwright
from netwright import run, spec
from netwright.errors import SpecError
from netwright.models.network import Network
from netwright.run.folder import RunFolder


@pytest.fixture(scope="module")
def pictured(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = "{data: {path: %s}, outputs: [category], model: {layers: 'conv 4x3 pad 1, relu, pool 2, dense 5, relu'}, "
    wanted = spec.load(text % pictures + "training: {stop: {epochs: 1}}}")
    return run.train(wanted, out=tmp_path_factory.mktemp("features") / "run").run


def test_a_runs_own_examples_come_with_part_and_class(pictured: Path, tmp_path: Path) -> None:
    found = run.features(pictured, out=tmp_path / "f.parquet")
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.equals(found.table)
    assert (found.layer, found.width, found.refused) == ("relu2", 5, {})
    assert table.column_names == ["id", "split", "category", *(f"feature_{k}" for k in range(5))]
    assert set(table["split"].to_pylist()) == {"train", "validation", "test"}
    assert all(
        name.startswith(label)
        for name, label in zip(table["id"].to_pylist(), table["category"].to_pylist(), strict=True)
    )


def test_they_are_what_the_layer_gives_and_maps_become_the_means_of_their_channels(
    pictured: Path, pictures: Path
) -> None:
    model = netwright.load(RunFolder(pictured).model)
    found = run.features(pictured, [pictures], layer="relu1").table
    names = found["id"].to_pylist()
    cells = [{"image": (pictures / name).read_bytes()} for name in names]
    values = model.network.eval().values(model.code(model.read(cells)), ["relu1"])["relu1"]
    given = np.stack([found[f"feature_{k}"].to_numpy() for k in range(4)], axis=1)
    assert given == pytest.approx(values.mean(dim=(2, 3)).detach().numpy(), abs=1e-6)


def test_no_more_is_computed_or_kept_at_once_than_memory_holds(
    pictured: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, made = run.features(pictured, [pictures], layer="relu1").table, []
    values = Network.values

    def counted(network: Network, inputs: dict[str, Tensor], names: list[str]) -> dict[str, Tensor]:
        made.append(len(inputs["image"]))
        return values(network, inputs, names)

    monkeypatch.setattr(Network, "values", counted)
    monkeypatch.setattr(Network, "rows", lambda network, steps: 3)
    found = run.features(pictured, [pictures], layer="relu1").table
    assert found.column_names == whole.column_names
    assert found["id"].equals(whole["id"])
    for name in (name for name in whole.column_names if name.startswith("feature_")):
        assert found[name].to_numpy() == pytest.approx(whole[name].to_numpy(), abs=1e-6)
    assert max(made) == 3
    assert sum(made) == len(whole)


def test_a_second_tool_learns_from_the_file(pictured: Path, tmp_path: Path) -> None:
    run.features(pictured, out=tmp_path / "f.parquet")
    text = "{data: {path: %s, split: {by: column, column: split}}, outputs: [category], training: {stop: {epochs: 2}}}"
    outcome = run.train(spec.load(text % (tmp_path / "f.parquet")), out=tmp_path / "second")
    assert set(netwright.load(outcome.model).inputs) == {f"feature_{k}" for k in range(5)}


def test_what_cannot_be_read_is_told_and_left_out(pictured: Path, pictures: Path, tmp_path: Path) -> None:
    whole = next(pictures.rglob("*.png")).read_bytes()
    (tmp_path / "good.png").write_bytes(whole)
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) - 30])
    found = run.features(pictured, [tmp_path / "good.png", tmp_path / "cut.png"])
    assert found.table.num_rows == 1
    assert list(found.refused) == ["cut.png"]
    assert "damaged" in found.refused["cut.png"]


def test_what_cannot_be_done_is_said(pictured: Path, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r'there is no layer "relu9" \(did you mean "relu'):
        run.features(pictured, [pictures], layer="relu9")
    with pytest.raises(SpecError, match=r"features are written as \.parquet or \.csv"):
        run.features(pictured, [pictures], out=tmp_path / "f.json")
    with pytest.raises(SpecError, match="a model file has no examples of its own"):
        run.features(RunFolder(pictured).model)
