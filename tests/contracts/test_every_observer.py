"""What every registered observer keeps to: all of them on and off give the same weights, bit for bit."""

from pathlib import Path

import torch

from netwright import registry
from netwright.progress import Silent
from netwright.training import checkpoint
from netwright.training.observers import Observer


def _made(name: str, folder: Path) -> Observer:
    known = {"progress": {"display": Silent(), "total": 15}, "timing": {"path": folder / "timing.jsonl"}}
    return registry.resolve("observer", name)(**known.get(name, {}))


def test_all_on_and_all_off_give_equal_hashes(little, tmp_path: Path):
    watched = little(observers=[_made(name, tmp_path) for name in registry.parts("observer")])
    alone = little()
    for training in (watched, alone):
        training.run()
    one, other = (checkpoint.Checkpoint(tmp_path, *training.state()) for training in (watched, alone))
    assert checkpoint.same(one, other) == []
    assert watched.history.rows == alone.history.rows


def test_one_that_draws_numbers_would_be_noticed(little, tmp_path: Path):
    class Clumsy(Observer):
        def epoch(self, training, row) -> None:
            torch.rand(1)

    clumsy, alone = little(observers=[Clumsy()]), little()
    for training in (clumsy, alone):
        training.run()
    one, other = (checkpoint.Checkpoint(tmp_path, *training.state()) for training in (clumsy, alone))
    assert "generator/cpu" in checkpoint.same(one, other)
