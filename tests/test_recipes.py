"""Recipes that need data of one's own: with a table that has their columns, they are decided whole."""

from __future__ import annotations

import csv
import importlib
import json
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import recipes, run, spec
from netwright.errors import DataError
from netwright.seeds import numpy_generator

WORDS = ("one", "two", "ten")
PROOFS = Path(__file__).resolve().parents[1] / "proofs"


def _ink(place: Path, chance: np.random.Generator) -> str:
    points = [[*chance.random(2).round(3).tolist(), int(at == 0)] for at in range(24)]
    return json.dumps(points)


def _picture(place: Path, chance: np.random.Generator) -> str:
    Image.fromarray(chance.integers(0, 255, (16, 40), dtype=np.uint8)).save(place.with_suffix(".png"))
    return place.with_suffix(".png").name


def _sound(place: Path, chance: np.random.Generator) -> str:
    with wave.open(str(place.with_suffix(".wav")), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(chance.integers(-9000, 9000, 8000).astype("<i2").tobytes())
    return place.with_suffix(".wav").name


@pytest.mark.parametrize(
    ("name", "signal", "make", "proof", "layers"),
    [
        ("ink-words", "ink", _ink, "pens", "READ"),
        ("ink-images", "image", _picture, "pens", "SEEN"),
        ("digit-strings", "audio", _sound, "speech", "READ"),
    ],
)
def test_signals_are_read_by_ctc_with_the_layers_that_were_proved(
    name: str,
    signal: str,
    make: Callable[[Path, np.random.Generator], str],
    proof: str,
    layers: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = numpy_generator(0, "recipes")
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([signal, "text", "writer", "part"])
        for at in range(30):
            part = "test" if at > 24 else "train"
            table.writerow([make(tmp_path / str(at), chance), WORDS[at % 3], f"w{at % 10}", part])
    wanted = spec.override(recipes.load(name), {"data.path": f'"{tmp_path / "a.csv"}"'})
    monkeypatch.syspath_prepend(str(PROOFS))
    proved = getattr(importlib.import_module(proof), layers).strip('"')
    as_proved = run.plan(spec.override(wanted, {"model.layers": f"'{proved}'"}))
    assert [(row.text, row.shape) for row in run.plan(wanted).layers] == [
        (row.text, row.shape) for row in as_proved.layers
    ]


def test_without_data_they_ask_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from netwright.cli.arguments import Settings, Wanted, spec_from

    monkeypatch.chdir(tmp_path)
    for name in ("ink-words", "ink-images", "digit-strings"):
        with pytest.raises(DataError, match=f"the data of the recipe {name} is not here"):
            spec_from(name, Wanted(), Settings())
