"""Runs on moved pictures, beside each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import run
from netwright.errors import SpecError
from netwright.report.facts import Facts
from netwright.run.folder import RunFolder


def test_a_run_on_moved_pictures_is_told_drawn_and_counted_as_a_reading(own_pictures: Path) -> None:
    reads = RunFolder(own_pictures).reads()["test"]
    found = run.shifts(own_pictures, to=20)
    scores = found.scores["dark-or-bright"]
    assert [each.px for each in scores] == list(range(8))
    assert scores[0].score == Facts.read(RunFolder(own_pictures).facts).outputs[0].scores["test"]["accuracy"]
    assert scores[7].score > 0.8  # dark pictures stay dark wherever they are moved
    assert all(each.interval[0] <= each.score <= each.interval[1] for each in scores)
    assert "more than 4 pixels aside, most of what is seen is its reflection" in found.text
    assert scores[0].changed == 0
    assert all(each.changed is not None and 0 <= each.changed < 0.4 for each in scores)
    assert any(line.startswith("answers of dark-or-bright that moving changes, by pixels: ") for line in found.text)
    assert "the smallest pictures end at 7 pixels, so 20 was not reached" in found.text
    assert RunFolder(own_pictures).reads()["test"] == reads + 1
    assert Facts.read(RunFolder(own_pictures).facts).test_reads == reads + 1
    page = found.page.read_text(encoding="utf-8")
    assert page.startswith("<!")
    assert "pixels moved" in page
    assert page.count('class="between s1"') == 8


def test_runs_beside_each_other_have_columns_of_their_own(
    own_pictures: Path, digit_run: Path, tmp_path: Path, netwright: Callable
) -> None:
    other = Path(shutil.copytree(digit_run, tmp_path / "digits"))
    found = run.shifts(own_pictures, to=2, beside=[other])
    assert list(found.scores) == ["dark-or-bright", "digits"]
    assert found.text[1].split() == ["px", "dark-or-bright", "digits"]
    assert any("hold out different examples" in line for line in found.text)
    said = netwright("look", "shifts", str(own_pictures), "--beside", str(own_pictures), "--to", "1", "--json")
    assert said.returncode == 0, said.stderr
    assert [each["px"] for each in json.loads(said.stdout)["runs"][str(own_pictures)]] == [0, 1]


def test_what_cannot_be_moved_is_refused(own_pictures: Path, done_run: Path) -> None:
    with pytest.raises(SpecError, match="no picture goes into this network"):
        run.shifts(done_run)
    with pytest.raises(SpecError, match="nothing would be moved"):
        run.shifts(own_pictures, to=0)
    with pytest.raises(SpecError, match="7 runs are too many"):
        run.shifts(own_pictures, beside=[own_pictures] * 6)
