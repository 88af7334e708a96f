"""Maps of runs: on pictures with thumbnails, on tables with values; nothing on the page asks for the network."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import run
from netwright.errors import SpecError
from netwright.progress import Silent
from netwright.run.folder import RunFolder
from netwright.run.map import thumbnails
from netwright.run.prediction import run_data


@pytest.fixture
def digits(digit_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digit_run, tmp_path / "digits"))


def test_digits_on_a_map(digits: Path, netwright: Callable) -> None:
    found = run.example_map(digits, examples=150)
    assert (found.layer, found.output, len(found.ids)) == ("relu3", "category", 150)
    assert found.view.original.share > 0.7 > 0.2 > found.view.chance
    page = found.page.read_text(encoding="utf-8")
    assert page.count('class="spot"') == 150
    assert page.count("data:image/png;base64,") == 1
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", page)
    wrong = sum(answer != label for answer, label in zip(found.answers, found.classes, strict=True))
    assert page.count(" missed") >= wrong
    said = netwright("look", "map", str(digits), "--examples", "150", "--json")
    assert said.returncode == 0, said.stderr
    again = json.loads(said.stdout)
    assert np.array_equal(again["view"]["places"], found.view.places)
    assert again["ids"] == list(found.ids)


def test_any_layer_can_be_laid_out(digits: Path) -> None:
    found = run.example_map(digits, layer="input:image", examples=60)
    assert found.layer == "input:image"
    with pytest.raises(SpecError, match='no layer "relu7"'):
        run.example_map(digits, layer="relu7")
    with pytest.raises(SpecError, match="--examples is 3"):
        run.example_map(digits, examples=3)


def test_a_table_is_told_by_its_values(done_run: Path) -> None:
    found = run.example_map(done_run)
    page = found.page.read_text(encoding="utf-8")
    assert "data:image" not in page
    assert "colour red" in page
    assert "pointing at one tells its values" in "\n".join(found.text)


def test_thumbnails_are_the_pictures_and_are_kept_below_a_size(digits: Path) -> None:
    dataset, _ = run_data(RunFolder(digits), Silent())
    positions = dataset.parts["test"][:50]
    sheet, said = thumbnails(dataset, positions)
    assert sheet is not None
    assert "8 x 8 pixels as they are" in said
    with Image.open(io.BytesIO(base64.b64decode(sheet.data.partition(",")[2]))) as picture:
        pixels = np.asarray(picture)
    across = sheet.size[0] // sheet.cell
    for at, position in enumerate(positions):
        top, left = at // across * sheet.cell, at % across * sheet.cell
        expected = dataset.arrays["image"][np.array([int(position)])][0]
        assert np.array_equal(pixels[top : top + 8, left : left + 8], expected[:, :, 0])
    smaller, _ = thumbnails(dataset, positions, most=len(sheet.data) - 1)
    assert smaller is None or len(smaller.data) < len(sheet.data)
    assert thumbnails(dataset, positions, most=100)[0] is None
