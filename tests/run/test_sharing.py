"""What convolutions of a run save, as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import run
from netwright.errors import SpecError
from netwright.lens.sharing import Cost
from netwright.run.folder import RunFolder
from netwright.run.sharing import _cost


def test_a_run_and_its_model_file_tell_the_same(digit_run: Path) -> None:
    found, of_file = run.shared(digit_run), run.shared(RunFolder(digit_run).model, batch=8)
    assert (found.batch, of_file.batch) == (32, 8)
    assert [row[:3] for row in found.rows] == [row[:3] for row in of_file.rows]
    assert found.rows[0][:3] == ("conv1: conv 8x3 pad 1", "80", "4,608")
    assert found.rows[1][:3] == ("  1x8x8 to 8x8x8, dense", "33,280", "32,768")
    parameters = (33_280 + 8 * 16 * 16 * 16 + 256) / (80 + 8 * 9 * 16 + 16)
    assert f"all 2 together: {parameters:.1f} times the parameters" in found.text[1]


def test_what_is_too_large_says_how_large_it_would_be() -> None:
    assert _cost(Cost(3_000_000_000, 7, None)) == ("3,000,000,000", "7", "too large to build: 12 GB")
    assert _cost(Cost(1, 2, 0.00125))[2] == "1.25 ms"


def test_the_table_fits_80_columns(digit_run: Path, netwright: Callable) -> None:
    said = netwright("look", "sharing", str(digit_run), "--batch", "4")
    assert said.returncode == 0, said.stderr
    table = said.stdout.splitlines()[:6]
    assert table[0].split() == ["layer", "parameters", "multiply-adds", "one", "batch"]
    assert max(map(len, table)) <= 80


def test_a_batch_of_nothing_is_refused(digit_run: Path) -> None:
    with pytest.raises(SpecError, match="nothing would be measured"):
        run.shared(digit_run, batch=0)
