"""Observers: what they are told, and that a log that cannot be written ends no training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netwright.training.loop import Budget
from netwright.training.observers import Progress, Timing

if TYPE_CHECKING:
    from tests.conftest import Little


class Told:
    """A display that remembers."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.done: list[int] = []
        self.rows: list[Mapping[str, float | int | str]] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append((name, total))

    def advance(self, done: int) -> None:
        self.done.append(done)

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        self.rows.append(row)


def test_progress_tells_stage_steps_and_scores(little: Little) -> None:
    told = Told()
    little(observers=[Progress(told, 15)]).run()
    assert told.stages == [("training", 15)]
    assert told.done == sorted(told.done)
    assert told.done[-1] == 15
    assert [row["epoch"] for row in told.rows] == [1, 2, 3]
    assert list(told.rows[0]) == ["epoch", "train/loss", "validation/loss", "lr"]


def test_timing_writes_rising_seconds_to_a_file_of_its_own(little: Little, tmp_path: Path) -> None:
    little(observers=[Timing(tmp_path / "timing.jsonl")]).run()
    rows = [json.loads(line) for line in (tmp_path / "timing.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 5), (2, 10), (3, 15)]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)


def test_times_that_cannot_be_written_are_said_once(little: Little, tmp_path: Path) -> None:
    training = little(observers=[Timing(tmp_path / "gone" / "timing.jsonl")], budget=Budget(4))
    training.run()
    (note,) = training.notes
    assert "its folder is gone. Times are not written any more." in note
    assert training.epoch == 4


def test_with_a_budget_in_minutes_the_bar_counts_seconds(little: Little) -> None:
    told = Told()
    little(observers=[Progress(told, 15, 2.0)]).run()
    assert told.stages == [("training, at most 2 min, in seconds", 120)]
