"""Errors of runs with one crop and with several, alone and together."""

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


def test_one_crop_gives_the_errors_of_the_report_and_equal_networks_are_no_better_together(
    digit_run: Path, tmp_path: Path, netwright: Callable
) -> None:
    one, other = (Path(shutil.copytree(digit_run, tmp_path / name)) for name in ("one", "other"))
    found = run.cropped(one, crops=2, beside=[other])
    assert [(each.networks, each.crops) for each in found.errors] == [
        *((("one",), 1), (("one",), 2), (("other",), 1), (("other",), 2)),
        *((("one", "other"), 1), (("one", "other"), 2)),
    ]
    accuracy = Facts.read(RunFolder(one).facts).outputs[0].scores["test"]["accuracy"]
    assert accuracy is not None
    assert found.errors[0].top1 == pytest.approx(1 - accuracy)
    assert found.errors[0].top1 == found.errors[4].top1
    assert found.errors[1].top1 > found.errors[0].top1  # mirrored digits are no digits
    for each in found.errors:
        assert each.top5 is not None
        assert each.top5 <= each.top1
        assert each.interval[0] <= each.top1 <= each.interval[1]
    said = netwright("look", "crops", str(one), "--crops", "2", "--json")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["errors"][1]["top1"] == found.errors[1].top1
    shown = netwright("look", "crops", str(one), "--crops", "1", "--beside", str(other))
    assert "ensemble of 2" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_what_cannot_be_put_together_is_refused(own_pictures: Path, digit_run: Path, done_run: Path) -> None:
    with pytest.raises(SpecError, match="--crops is 3"):
        run.cropped(own_pictures, crops=3)
    with pytest.raises(SpecError, match="knows other classes than dark-or-bright"):
        run.cropped(own_pictures, beside=[digit_run])
    with pytest.raises(SpecError, match="no picture goes into this network"):
        run.cropped(done_run)


def test_runs_that_hold_out_other_pictures_are_refused(pictures: Path, own_pictures: Path, tmp_path: Path) -> None:
    text = (
        "{data: {path: %s}, inputs: [image], outputs: [category], model: {layers: ''}, training: {stop: {epochs: 1}}}"
    )
    other = run.train(spec.override(spec.load(text % pictures), {"data.split.seed": "5"}), out=tmp_path / "other").run
    with pytest.raises(SpecError, match="other holds out other pictures than dark-or-bright"):
        run.cropped(own_pictures, beside=[other])
