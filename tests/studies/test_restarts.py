"""Restarts: the lowest training loss is kept, and an interrupted study goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import model_file, run, spec, studies
from netwright.data.ledger import Ledger
from netwright.errors import NetwrightError, SpecError
from netwright.run.folder import RunFolder

TEXT = (
    "{data: {path: 'sklearn:iris'}, outputs: [category], model: {layers: 'dense 3, tanh'}, "
    "training: {restarts: 3, optimizer: {lr: 0.05}, stop: {epochs: 6}, seed: 4}}"
)


def test_the_lowest_training_loss_is_kept_and_all_are_told(tmp_path: Path) -> None:
    found = studies.restarts(spec.load(TEXT), out=tmp_path / "starts")
    assert [start.seed for start in found.starts] == [4, 5, 6]
    best = min(found.starts, key=lambda start: start.train_loss)
    assert found.best == Path(best.run)
    kept = json.loads((tmp_path / "starts" / "restarts.json").read_text(encoding="utf-8"))
    assert kept["best"] == best.seed
    assert len({start.train_loss for start in found.starts}) == 3
    model = model_file.load(tmp_path / "starts" / "model.netwright")
    assert model.facts["run"] == f"seed-{best.seed}"
    assert f"kept: seed {best.seed}, the lowest training loss of 3 starts" in found.text
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("facts.json")}
    again = studies.restarts(spec.load(TEXT), out=tmp_path / "starts")  # nothing is trained twice
    assert again.starts == found.starts
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("facts.json")} == before
    with pytest.raises(NetwrightError, match="holds the starts of another spec"):
        studies.restarts(spec.override(spec.load(TEXT), {"model.layers": "''"}), out=tmp_path / "starts")


def test_starts_share_their_split(tmp_path: Path) -> None:
    studies.restarts(spec.load(TEXT.replace("restarts: 3", "restarts: 2")), out=tmp_path / "starts")
    folders = [RunFolder(tmp_path / "starts" / f"seed-{seed}") for seed in (4, 5)]
    first, second = (Ledger.read(folder.ledger).table["split"].to_pylist() for folder in folders)
    assert first == second


def test_a_single_run_refuses_them_instead_of_forgetting_them() -> None:
    with pytest.raises(SpecError, match="several starts are a study of several runs"):
        run.train(spec.load(TEXT))


def test_the_command_line_prints_the_table(netwright: Callable, tmp_path: Path) -> None:
    words = ["train", "sklearn:iris", "--out", "category", "--width", "3", "--epochs", "3", "--restarts", "2", "--to"]
    said = netwright(*words, "r")
    assert said.returncode == 0, said.stderr
    assert "training loss" in said.stdout
    assert (tmp_path / "r" / "model.netwright").exists()
    refused = netwright(*words, "other", "--from", "r/model.netwright")
    assert refused.returncode == 2
    assert "restarts begin from fresh weights" in refused.stderr
