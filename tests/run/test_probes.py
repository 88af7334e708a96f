"""Linear classifiers on the stages of a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import run, spec
from netwright.errors import SpecError
from netwright.report.facts import Facts
from netwright.run.folder import RunFolder


def test_each_stage_of_a_network_of_digits_is_read(digit_run: Path, tmp_path: Path, netwright: Callable) -> None:
    folder = Path(shutil.copytree(digit_run, tmp_path / "digits"))
    found = run.probes(folder)
    assert [each.layer for each in found.stages] == ["input:image", "pool1", "pool2", "relu3"]
    assert [each.numbers for each in found.stages] == [64, 128, 64, 32]
    assert all(each.accuracy > 0.8 for each in found.stages)
    scores = Facts.read(RunFolder(folder).facts).outputs[0].scores
    assert found.network == pytest.approx(scores["test"]["accuracy"])
    assert "Stage by stage" in found.page.read_text(encoding="utf-8")
    assert any("training examples, drawn by the run's seed" in line for line in found.text)
    said = netwright("look", "probes", str(folder), "--json")
    assert said.returncode == 0, said.stderr
    again = json.loads(said.stdout)
    assert [each["accuracy"] for each in again["stages"]] == [each.accuracy for each in found.stages]


def test_a_table_has_stages_too(done_run: Path) -> None:
    assert [each.layer for each in run.probes(done_run).stages] == ["input:table", "relu1"]


def test_a_run_without_classes_is_refused(tmp_path: Path) -> None:
    text = "{data: {path: 'sklearn:diabetes'}, outputs: [target], training: {stop: {epochs: 1}}}"
    folder = run.train(spec.load(text), out=tmp_path / "run").run
    for look in (run.probes, run.example_map):
        with pytest.raises(SpecError, match="needs an output with one class"):
            look(folder)
