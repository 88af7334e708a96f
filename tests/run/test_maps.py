"""One picture through the layers of a run: drawn, told, and the same numbers as JSON."""

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

from netwright import run, spec
from netwright.errors import SpecError
from netwright.report.pictures import shades


@pytest.fixture
def digits(digit_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digit_run, tmp_path / "digits"))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with two outputs on pictures that are red or blue, taller than they are wide."""
    folder, draw = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    rows = ["file,label,level"]
    for at in range(40):
        pixels = draw.integers(0, 60, (12, 8, 3), dtype=np.uint8)
        pixels[:, :, 2 * (at % 2)] += 150
        Image.fromarray(pixels).save(folder / f"{at}.png")
        rows.append(f"{at}.png,{'blue' if at % 2 else 'red'},{pixels.mean():.3f}")
    (folder / "t.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = """
    data: {path: %s}
    inputs: {file: image}
    outputs: [label, level]
    model: {layers: "conv 12x3 stride 2, relu, pool 2"}
    training: {stop: {epochs: 2}}
    """
    return run.train(spec.load(text % (folder / "t.csv")), out=folder / "run").run


def test_a_digit_through_the_layers(digits: Path, netwright: Callable) -> None:
    found = run.maps(digits, layer="conv2", unit=3)
    assert found.part == "test"
    assert [each.layer for each in found.layers] == [
        *("input:image", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2")
    ]
    assert [each.drawn for each in found.layers] == [1, 8, 8, 8, 10, 10, 10]
    assert found.layers[4].shape == (16, 4, 4)
    answers = found.answers["category"]
    assert isinstance(answers, dict)
    assert sum(answers.values()) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(np.maximum(found.map, 0), found.behind["relu2"])
    assert found.filter is not None
    assert found.filter.added == pytest.approx(found.filter.value, abs=1e-5)
    page = found.page.read_text(encoding="utf-8")
    assert page.count("<image ") == 1 + 3 * 8 + 3 * 10 + 4
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", page)
    assert "the first 10 maps of a layer are drawn, of up to 16" in found.text
    assert "dense1, relu3 give plain numbers and no maps" in found.text
    assert all(len(line) <= 80 for line in found.text[:8])
    said = netwright("look", "maps", str(digits), "--layer", "conv2", "--unit", "3", "--json")
    assert said.returncode == 0, said.stderr
    again = json.loads(said.stdout)
    assert (again["example"], again["unit"]) == (found.example, 3)
    assert np.allclose(again["map"], found.map)


def test_the_drawn_map_is_the_map(digits: Path) -> None:
    found = run.maps(digits, layer="conv1", unit=0)
    page = found.page.read_text(encoding="utf-8")
    drawn = re.findall(r'href="data:image/png;base64,([^"]+)"[^>]*><title>conv1\[0\]: ', page)
    with Image.open(io.BytesIO(base64.b64decode(drawn[0]))) as opened:
        pixels = np.asarray(opened)
    values = np.array(found.map)
    expected = np.rint(255 * (values - values.min()) / (values.max() - values.min()))
    assert np.array_equal(pixels, expected)


def test_colours_several_outputs_and_an_example_by_name(colours: Path) -> None:
    found = run.maps(colours, example="row 8")
    assert found.example == "row 8"
    assert found.text[0].startswith("row 8: label ")
    assert found.text[0].endswith("; really blue")
    assert isinstance(found.answers["level"], str)
    assert found.layer == "conv1"
    page = found.page.read_text(encoding="utf-8")
    assert "row 8 through the layers" in page
    assert "12 maps" in page
    with pytest.raises(SpecError, match=r'no example is called "row 80"'):
        run.maps(colours, example="row 80")


def test_runs_without_maps_are_refused(done_run: Path, own_pictures: Path) -> None:
    with pytest.raises(SpecError, match="no picture goes into this network"):
        run.maps(done_run)
    with pytest.raises(SpecError, match="reads its pictures as plain numbers"):
        run.maps(own_pictures)


def test_shades_go_from_black_to_white_and_leave_gaps_clear() -> None:
    data, size = shades(np.array([[-1.0, 0.0], [np.nan, 1.0]]), -1.0, 1.0, 80)
    with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as opened:
        gray, cover = (np.asarray(band) for band in opened.split())
    assert size == (2, 2)
    assert gray[0].tolist() == [0, 128]
    assert gray[1, 1] == 255
    assert cover.tolist() == [[255, 255], [0, 255]]
    assert shades(np.zeros((3, 200, 100)), 0.0, 0.0, 80)[1] == (34, 67)
