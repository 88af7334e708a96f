"""The history: no clock, no NaN, no torn line, and exactly cut back to a checkpoint."""

import json
import shutil
from pathlib import Path

from netwright.training import history
from netwright.training.history import History


def test_rows_come_back_and_numbers_that_are_none_become_null(tmp_path: Path) -> None:
    kept = History(tmp_path / "h.jsonl")
    kept.add({"kind": "epoch", "step": 2**40, "loss": float("nan"), "best": float("-inf"), "lr": 0.1 + 0.2})
    assert kept.write() == (tmp_path / "h.jsonl").stat().st_size
    expected = [{"kind": "epoch", "step": 2**40, "loss": None, "best": None, "lr": 0.1 + 0.2}]
    assert history.read(tmp_path / "h.jsonl") == kept.rows == expected


def test_nothing_is_on_the_disk_before_it_is_written(tmp_path: Path) -> None:
    kept = History(tmp_path / "h.jsonl")
    kept.add({"step": 1})
    assert not (tmp_path / "h.jsonl").exists()
    assert History(None).write() == 0


def test_a_half_line_of_a_killed_writer_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"step":1}\n{"step":2}\n{"st', encoding="utf-8")
    assert history.read(tmp_path / "h.jsonl") == [{"step": 1}, {"step": 2}]
    assert history.read(tmp_path / "none.jsonl") == []


def test_cut_drops_what_lies_beyond_and_gives_the_acts_of_people(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    kept = History(path)
    kept.add({"kind": "step", "step": 1, "é": "…"})
    size = kept.write()
    act = {"kind": "action", "step": 2, "by": "person", "act": "lr", "factor": 0.5}
    for row in (act, {"kind": "action", "step": 3, "by": "finite"}, {"kind": "step", "step": 4}):
        kept.add(row)
    kept.write()
    again = History(path)
    assert len(again.rows) == 4
    assert again.cut(size) == [act]
    assert again.rows == [{"kind": "step", "step": 1, "é": "…"}]
    assert path.stat().st_size == size
    again.add({"kind": "step", "step": 2})
    assert again.write() == path.stat().st_size
    assert [row["step"] for row in history.read(path)] == [1, 2]


def test_what_cannot_be_written_waits_and_is_written_later(tmp_path: Path) -> None:
    kept = History(tmp_path / "run" / "h.jsonl")
    kept.add({"step": 1})
    assert kept.write() == -1
    assert "its folder is gone. The history waits in memory" in kept.warning
    (tmp_path / "run").mkdir()
    kept.add({"step": 2})
    assert kept.write() > 0
    assert kept.warning == ""
    lines = (tmp_path / "run" / "h.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]
    shutil.rmtree(tmp_path / "run")
    assert kept.write() > 0  # nothing waits, so nothing is tried
