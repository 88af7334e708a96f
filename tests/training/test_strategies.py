"""The strategies that are built in: what each does to a run, with answers known beforehand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from netwright.data.batches import Batch
from netwright.errors import DivergedError, Stopped
from netwright.training.history import Row
from netwright.training.loop import Budget, Training
from netwright.training.strategies import controls
from netwright.training.strategies.controls import Controls
from netwright.training.strategies.early_stopping import EarlyStopping
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.strategy import Strategy, defined

if TYPE_CHECKING:
    from tests.conftest import Little

    from netwright.training.strategies.strategy import Terms


class Poison(Strategy):
    """Makes the loss NaN at some steps."""

    name = "poison"

    def __init__(self, *steps: int) -> None:
        self.steps = steps

    def terms(self, training: Training, terms: Terms) -> Terms:
        factor = math.nan if training.step in self.steps else 1.0
        return {name: term * factor for name, term in terms.items()}


class Remember(Strategy):
    """Keeps the weights after every step."""

    name = "remember"

    def __init__(self) -> None:
        self.weights: list[torch.Tensor] = []

    def after_step(self, training: Training) -> None:
        self.weights.append(nn.utils.parameters_to_vector(training.plan.nets["net"].parameters()).detach().clone())


# ---- finite ----------------------------------------------------------------------------------------------------------


def test_a_step_whose_loss_is_no_number_is_not_applied_and_the_run_goes_on(little: Little) -> None:
    seen, guard = Remember(), Finite()
    training = little(strategies=[Poison(3, 7), guard, seen])
    training.run()
    assert torch.equal(seen.weights[3], seen.weights[2])
    assert torch.equal(seen.weights[7], seen.weights[6])
    assert not torch.equal(seen.weights[4], seen.weights[3])
    assert (guard.skipped, guard.in_a_row, guard.returns, training.lr_scale) == (2, 0, 0, 1.0)
    acts = [(row["step"], row["what"]) for row in training.history.rows if row["kind"] == "action"]
    assert acts == [(3, "step not applied: its loss was nan"), (7, "step not applied: its loss was nan")]
    assert all(math.isfinite(row["train/loss"]) for row in training.history.rows if row["kind"] == "epoch")


def test_refused_steps_are_told_at_the_end(little: Little) -> None:
    training = little(strategies=[Poison(3, 7), Finite()])
    training.run()
    assert training.notes == ["2 steps were not applied: their loss was no number (history.jsonl lists them)"]


def test_an_epoch_that_only_went_back_is_neither_the_best_nor_a_reason_to_stop(little: Little) -> None:
    losses = iter([9.0, 0.1, 0.1, 8.0, 7.0])
    strategies = [Poison(*range(5, 15)), Finite(tries=5), EarlyStopping("validation/loss", 2)]
    training = little(strategies=strategies, validate=lambda: {"loss": next(losses)}, budget=Budget(5))
    training.run()
    assert (training.epoch, training.best_epoch) == (5, 5)


def test_many_in_a_row_go_back_to_the_start_of_the_epoch_at_half_the_rate(little: Little) -> None:
    seen = Remember()
    training = little(strategies=[Poison(7, 8, 9), Finite(tries=3), seen])
    training.run()
    assert torch.equal(seen.weights[9], seen.weights[4])  # the end of epoch 1
    assert not torch.equal(seen.weights[6], seen.weights[4])
    assert training.lr_scale == 0.5
    assert training.step == 15


def test_in_the_first_epoch_it_goes_back_to_the_untrained_weights(little: Little) -> None:
    seen, training = Remember(), None
    training = little(strategies=[Poison(1, 2, 3), Finite(tries=3), seen])
    start = nn.utils.parameters_to_vector(training.plan.nets["net"].parameters()).detach().clone()
    training.run()
    assert torch.equal(seen.weights[3], start)


def test_a_run_that_cannot_be_saved_names_the_examples_and_what_is_not_finite(little: Little, tmp_path: Path) -> None:
    guard = Finite(tries=2, restarts=1)
    training = little(strategies=[Poison(*range(5, 15)), guard])
    with pytest.raises(DivergedError, match=r"the loss is nan at step 8 \(epoch 2\), after 1 returns") as caught:
        training.run()
    assert "the data of this batch is finite. The batch begins with: row " in caught.value.message
    assert "Lower training.optimizer.lr" in caught.value.cure

    class BadTable(Strategy):
        name = "bad_table"

        def batch(self, training: Training, batch: Batch) -> Batch:
            return Batch({"table": batch.inputs["table"] * math.inf}, batch.targets, batch.index)

    with pytest.raises(DivergedError, match="not finite in this batch: table"):
        little(strategies=[BadTable(), Finite(tries=1, restarts=0)]).run()


def test_an_epoch_with_a_bad_validation_loss_is_no_place_to_come_back_to(little: Little) -> None:
    losses = iter([0.5, math.nan, 0.4])
    guard = Finite(tries=2)
    training = little(strategies=[Poison(11, 12), guard, seen := Remember()], validate=lambda: {"loss": next(losses)})
    training.run()
    assert torch.equal(seen.weights[12], seen.weights[4])  # epoch 1, not epoch 2


def test_a_last_epoch_without_a_number_is_undone(little: Little) -> None:
    losses, seen = iter([0.5, math.nan, math.inf]), Remember()
    training = little(strategies=[Finite(), seen], validate=lambda: {"loss": next(losses)})
    training.run()
    now = nn.utils.parameters_to_vector(training.plan.nets["net"].parameters())
    assert torch.equal(now, seen.weights[4])
    assert training.best_epoch == 1


def test_a_run_in_which_no_epoch_had_a_number_has_diverged_however_short_it_was(little: Little) -> None:
    with pytest.raises(DivergedError, match=r"the loss is nan at step 15 \(epoch 3\), after 0 returns"):
        little(strategies=[Finite(), EarlyStopping("validation/loss", 1)], validate=lambda: {"loss": math.nan}).run()


# ---- early stopping --------------------------------------------------------------------------------------------------


def _watched(little: Little, losses: list[float], patience: int, epochs: int = 9) -> tuple[Training, Remember]:
    left, seen = iter(losses), Remember()
    strategies = [EarlyStopping("validation/loss", patience), seen]
    training = little(strategies=strategies, validate=lambda: {"loss": next(left)}, budget=Budget(epochs))
    training.run()
    return training, seen


def test_the_best_epochs_weights_are_put_back(little: Little) -> None:
    training, seen = _watched(little, [0.5, 0.3, 0.4, 0.31, 0.35, 0.1], patience=3)
    assert (training.best_epoch, training.epoch) == (2, 5)
    assert training.stop_reason == "no better validation loss for 3 epochs"
    now = nn.utils.parameters_to_vector(training.plan.nets["net"].parameters())
    assert torch.equal(now, seen.weights[2 * 5 - 1])


def test_patience_of_nothing_keeps_the_best_and_never_stops(little: Little) -> None:
    training, _ = _watched(little, [0.1, *[0.5] * 8], patience=0)
    assert (training.best_epoch, training.epoch) == (1, 9)


def test_an_equal_loss_is_no_improvement_and_nan_is_none_either(little: Little) -> None:
    training, _ = _watched(little, [0.5, 0.5, math.nan, 0.5], patience=3)
    assert (training.best_epoch, training.epoch) == (1, 4)


def test_where_nothing_is_held_out_nothing_stops_early(little: Little) -> None:
    training = little(strategies=[EarlyStopping("validation/loss", 1)], budget=Budget(4))
    training.plan.validate = None
    training.run()
    assert (training.epoch, training.best_epoch) == (4, 0)


# ---- controls --------------------------------------------------------------------------------------------------------


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(controls, "_EVERY_SECONDS", 0.0)  # look after every step
    (tmp_path / "control").mkdir()
    return tmp_path / "control"


def _put(inbox: Path, name: str, act: object) -> None:
    (inbox / name).write_text(act if isinstance(act, str) else json.dumps(act), encoding="utf-8")


def test_a_learning_rate_act_is_done_recorded_and_taken_out_of_the_inbox(little: Little, inbox: Path) -> None:
    _put(inbox, "1.json", {"do": "lr", "factor": 0.25})
    training = little(strategies=[Controls(inbox)])
    training.run()
    assert training.lr_scale == 0.25
    acts: list[Row] = [row for row in training.history.rows if row["kind"] == "action"]
    assert acts == [
        {"kind": "action", "step": 1, "by": "person", "what": "learning rate changed", "act": "lr", "factor": 0.25}
    ]
    assert list(inbox.iterdir()) == []


def test_stop_leaves_with_the_state_saved_and_exit_code_nothing(little: Little, inbox: Path) -> None:
    _put(inbox, "1.json", {"do": "stop"})
    saved = []
    with pytest.raises(Stopped, match="stopped at step 1, epoch 1; the state is saved") as caught:
        little(strategies=[Controls(inbox)]).run(lambda training: saved.append(training.step))
    assert caught.value.exit_code == 0
    assert saved == [1]


def test_save_saves_at_once(little: Little, inbox: Path) -> None:
    _put(inbox, "1.json", {"do": "save"})
    saved = []
    little(strategies=[Controls(inbox)]).run(lambda training: saved.append(training.step))
    assert saved == [1, 15]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("{not json", "1.json in the control folder is no act; known: stop, save, lr"),
        ([1, 2], "is no act"),
        ({"do": "explode"}, "is no act"),
        ({"do": ["lr"]}, "is no act"),
        ({"do": "lr"}, "ignored: lr needs a positive factor"),
        ({"do": "lr", "factor": -1}, "ignored: lr needs a positive factor"),
        ({"do": "lr", "factor": float("nan")}, "ignored: lr needs a positive factor"),
        ({"do": "lr", "factor": "2"}, "ignored: lr needs a positive factor"),
    ],
)
def test_what_is_no_act_is_said_and_changes_nothing(little: Little, inbox: Path, act: object, says: str) -> None:
    _put(inbox, "1.json", act)
    training = little(strategies=[Controls(inbox)])
    training.run()
    (note,) = training.notes
    assert says in note
    assert training.lr_scale == 1.0
    assert list(inbox.iterdir()) == []


def test_acts_beyond_the_checkpoint_are_done_again_at_their_steps(little: Little, inbox: Path) -> None:
    acts: list[Row] = [
        {"act": "lr", "step": 4, "factor": 0.5},
        {"act": "stop", "step": 5},
        {"act": "lr", "step": 9, "factor": 4.0},
    ]
    scales = []

    class Look(Strategy):
        name = "look"

        def after_step(self, training: Training) -> None:
            scales.append(training.lr_scale)

    little(strategies=[Controls(inbox, acts), Look()]).run()
    assert scales == [1.0] * 3 + [0.5] * 5 + [2.0] * 7


# ---- the base --------------------------------------------------------------------------------------------------------


def test_a_strategy_that_defines_nothing_costs_nothing() -> None:
    hooks = ("begin", "batch", "step", "terms", "accept", "gradients", "after_step", "end_of_epoch", "finish")
    assert [hook for hook in hooks if defined([Strategy()], hook)] == []
    assert Strategy().state() == {}


def test_a_score_may_be_better_when_larger_and_ties_go_to_the_smaller_loss(little: Little) -> None:
    rows = iter([(0.5, 0.9), (0.7, 0.6), (0.7, 0.4), (0.7, 0.5), (0.6, 0.1)])
    strategy = EarlyStopping("validation/accuracy", 0, "max")

    def validate() -> dict[str, float]:
        accuracy, loss = next(rows)
        return {"accuracy": accuracy, "loss": loss}

    training = little(strategies=[strategy], validate=validate, budget=Budget(5))
    training.run()
    assert training.best_epoch == 3
    assert (strategy.best, strategy.best_loss) == (-0.7, 0.4)
