"""B10: the same seed gives the same bits, in another process and from another cache; another seed gives others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Differences = Callable[[Path, Path], list[str]]


def test_b10_same_seed_twice_is_the_same_run(
    start: Start, words: tuple[str, ...], unbroken: Path, tmp_path: Path, differences: Differences
) -> None:
    again, other = start(*words, "--to", "again"), start(*words, "--to", "other", "--seed", "1")
    assert again.ends() == 0, again.says()
    assert other.ends() == 0, other.says()
    assert differences(tmp_path / "again", unbroken) == []
    assert "history" in differences(tmp_path / "other", unbroken)
