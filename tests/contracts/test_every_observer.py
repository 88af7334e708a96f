"""What every registered observer keeps to: all of them on and off give the same weights, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from netwright import registry
from netwright.progress import Silent
from netwright.training import checkpoint
from netwright.training.loop import Training
from netwright.training.observers import Observer

if TYPE_CHECKING:
    from tests.conftest import Little

    from netwright.training.history import Row


def _made(name: str, folder: Path) -> Observer:
    known = {"progress": {"display": Silent(), "total": 15}, "timing": {"path": folder / "timing.jsonl"}}
    known |= {"stages": {"path": folder / "stages.jsonl"}}  # of a language model: tests/training/test_carry.py
    known |= {"evidence": {"path": folder / "evidence.jsonl"}}
    return registry.resolve("observer", name)(**known.get(name, {}))


def _state(training: Training, folder: Path) -> checkpoint.Checkpoint:
    """The state after training, its weights copied."""
    training.run()
    tensors, facts = training.state()
    return checkpoint.Checkpoint(folder, {key: value.clone() for key, value in tensors.items()}, facts)


def test_all_on_and_all_off_give_equal_hashes(little: Little, tmp_path: Path) -> None:
    watched = little(observers=[_made(name, tmp_path) for name in registry.parts("observer")])
    alone = little()
    one, other = (_state(training, tmp_path) for training in (watched, alone))
    assert checkpoint.same(one, other) == []
    assert watched.history.rows == alone.history.rows


def test_one_that_draws_numbers_would_be_noticed(little: Little, tmp_path: Path) -> None:
    class Clumsy(Observer):
        def epoch(self, training: Training, row: Row) -> None:
            torch.rand(1)

    one, other = (_state(training, tmp_path) for training in (little(observers=[Clumsy()]), little()))
    assert "generator/cpu" in checkpoint.same(one, other)
