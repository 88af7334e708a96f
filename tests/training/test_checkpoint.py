"""Checkpoints: what goes in comes out bit for bit; two are kept; what differs is named."""

from pathlib import Path

import pytest
import torch

from netwright.errors import NetwrightError
from netwright.training import checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run" / "checkpoints"


def _latest(folder: Path) -> checkpoint.Checkpoint:
    found = checkpoint.latest(folder)
    assert found is not None
    return found


def test_tensors_and_facts_come_back_whatever_their_layout(folder: Path) -> None:
    square = torch.arange(6.0).reshape(2, 3)
    tensors = {
        "turned": square.T, "tied": square, "view": square[0], "scalar": torch.tensor(3.5), "empty": torch.zeros(0, 4),
        "bytes": torch.arange(9, dtype=torch.uint8),
        "nan": torch.tensor([float("nan"), -0.0]), "ok/é": torch.tensor([True]),
    }  # fmt: skip
    facts = {"step": 2**53, "lr": 0.1 + 0.2, "none": None, "inf": float("inf"), "text": "é"}
    checkpoint.save(folder, 7, tensors, facts)
    found = _latest(folder)
    assert found.facts == facts
    assert checkpoint.same(found, checkpoint.Checkpoint(folder, tensors, facts)) == []


def test_only_the_two_newest_stay(folder: Path) -> None:
    for step in (9, 10, 99, 100, 10**12):
        checkpoint.save(folder, step, {"a": torch.tensor([step])}, {})
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000000100", "step-1000000000000"]
    assert _latest(folder).tensors["a"].item() == 10**12


def test_a_second_one_of_the_same_step_is_newer_and_leaves_the_first(folder: Path) -> None:
    for value in range(12):
        checkpoint.save(folder, 5, {"a": torch.tensor([value])}, {})
        assert _latest(folder).tensors["a"].item() == value
    assert sorted(path.name for path in folder.iterdir()) == ["step-000000000005.10", "step-000000000005.11"]
    checkpoint.save(folder, 6, {"a": torch.tensor([99])}, {})
    assert _latest(folder).tensors["a"].item() == 99


def test_without_checkpoints_there_is_none(folder: Path) -> None:
    assert checkpoint.latest(folder) is None


def test_a_run_whose_folder_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetwrightError, match=r"the run's folder is gone at step 3"):
        checkpoint.save(tmp_path / "gone" / "checkpoints", 3, {}, {})


def test_every_difference_is_named(folder: Path) -> None:
    one = checkpoint.Checkpoint(folder, {"a": torch.tensor(0.0), "b": torch.ones(2)}, {"step": 1, "elapsed": 2.0})
    other = checkpoint.Checkpoint(
        folder, {"a": torch.tensor(-0.0), "b": torch.ones(2, 1), "c": torch.ones(1)}, {"step": 2, "elapsed": 9.0}
    )
    assert checkpoint.same(one, other) == ["a", "b", "c", "step"]
    assert checkpoint.same(one, one) == []
