"""B1: a loss that is no number is not applied, and names the examples. B8: counters do not overflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file

from netwright.training import checkpoint, history
from netwright.training.loop import Budget
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.strategy import Strategy

if TYPE_CHECKING:
    from tests.conftest import Little
    from tests.faults.conftest import Start

    from netwright.training.loop import Training
    from netwright.training.strategies.strategy import Terms


def test_b1_an_exploding_rate_ends_with_exit_code_4_and_names_the_batch(
    start: Start, table: Path, tmp_path: Path
) -> None:
    wild = ("--optimizer", "sgd", "--lr", "1e20", "--layers", "dense 8, relu", "--epochs", "50")
    process = start("train", table, "--in", "size,colour", "--out", "age:number", *wild, "--to", "run")
    assert process.ends() == 4, process.says()
    said = " ".join(process.says().split())
    assert "error: the loss is " in said
    assert "after 3 returns with the learning rate halved each time; the data of this batch is finite" in said
    assert "The batch begins with: row " in said
    assert "try: Lower training.optimizer.lr by ten times" in said
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["state"] == "failed"
    again = start("resume", "run")
    assert again.ends() == 4, again.says()


class NotANumber(Strategy):
    """A sample of what a broken layer does: one loss in the middle is no number."""

    name = "not_a_number"

    def terms(self, training: Training, terms: Terms) -> Terms:
        return {name: term * (float("nan") if training.step == 7 else 1.0) for name, term in terms.items()}


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_b1_one_bad_step_poisons_neither_weights_nor_optimizer(little: Little, optimizer: str) -> None:
    training = little(strategies=[NotANumber(), Finite()], optimizer=optimizer, options={"lr": 0.01})
    training.run()
    assert all(torch.isfinite(value).all() for value in training.snapshot().values())
    acts = [(row["step"], row["by"]) for row in training.history.rows if row["kind"] == "action"]
    assert acts == [(7, "finite")]


def test_b8_long_counters_do_not_overflow_and_weights_stay_float32(little: Little, tmp_path: Path) -> None:
    training = little(history=tmp_path / "h", budget=Budget(10**9))
    tensors, facts = training.state()
    far = 2**53 - 20  # the largest step that any reader of JSON keeps exactly
    again = little(history=tmp_path / "h", budget=Budget(far, steps=far + 10))
    again.load_state(tensors, facts | {"step": far, "epoch": 2**33})

    def save(training: Training) -> None:
        kept, plain = training.state()
        checkpoint.save(
            tmp_path / "checkpoints", training.step, kept, {**plain, "history_bytes": training.history.write()}
        )

    again.run(save)
    found = checkpoint.latest(tmp_path / "checkpoints")
    assert found is not None
    assert found.facts["step"] == far + 10
    assert found.facts["epoch"] == 2**33 + 2
    assert history.read(tmp_path / "h")[-1]["step"] == far + 10
    assert {value.dtype for key, value in found.tensors.items() if key.startswith(("weights", "optimizer"))} == {
        torch.float32
    }


def test_b8_a_finished_runs_weights_are_float32(unbroken: Path) -> None:
    tensors = load_file(unbroken / "model.netwright")
    assert {value.dtype for name, value in tensors.items() if name.startswith("weights/")} == {torch.float32}
