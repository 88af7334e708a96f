"""C15: names of files and classes in any script, with control characters and with bytes that are no UTF-8."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import run, spec
from netwright.readers import find
from netwright.run.folder import RunFolder

CLASSES = ["שלום", "👩‍🔬", "z\u200bw", "\x1b[31mred", "two\nlines", os.fsdecode(b"\xff\xfeclass")]
FILES = ["0.png", "x" * 251 + ".png", "\u202egnp.png", "new\nline.png", os.fsdecode(b"\xff1.png"), "\x1b[2J.png"]
TWINS = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for category in [*CLASSES, *TWINS]:
        (tmp_path / "data" / category).mkdir(parents=True)
        for name in FILES:
            pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            with (tmp_path / "data" / category / name).open("wb") as file:
                Image.fromarray(pixels).save(file, "PNG")
    return tmp_path / "data"


def test_c15_every_file_is_read_and_its_name_is_one_line_that_can_be_written(pictures: Path) -> None:
    found = find(pictures)
    assert len(found) == len(FILES) * (len(CLASSES) + 2)
    names = [str(name) for name in found.ids]
    assert len(set(names)) == len(found)
    for name in names:
        assert "\n" not in name
        assert name.encode("utf-8")


def test_c15_a_run_on_such_names_ends_well_and_twins_are_one_class(pictures: Path, tmp_path: Path) -> None:
    text = f"{{data: {{path: '{pictures}'}}, outputs: [category], training: {{stop: {{epochs: 1}}}}}}"
    outcome = run.train(spec.load(text), out=tmp_path / "run")
    report = RunFolder(outcome.run).report.read_text(encoding="utf-8")
    assert "two\\nlines" in report
    assert TWINS[0] in report
    assert TWINS[1] not in report
    assert "\x1b" not in report
    assert "\u202e" not in report
