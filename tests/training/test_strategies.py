"""The strategies that are built in: what each does to a run, with answers known beforehand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from netwright.data.augment import Draw
from netwright.data.augment.geometry import Rotate, Shift
from netwright.data.batches import Batch
from netwright.errors import DivergedError, Stopped
from netwright.field import STEPS, Field
from netwright.models.decoders import Decoder
from netwright.models.recurrent import EmbedTokens, Gru, Lstm, Rnn
from netwright.readers.kinds.ink import Ink
from netwright.spec import DecoderSpec
from netwright.training.history import Row
from netwright.training.loop import Budget, Training
from netwright.training.strategies import controls
from netwright.training.strategies.augment import Augment
from netwright.training.strategies.averaging import Averaging
from netwright.training.strategies.carry import Carry
from netwright.training.strategies.clipping import Clipping
from netwright.training.strategies.controls import Controls
from netwright.training.strategies.early_stopping import EarlyStopping
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.max_norm import MaxNorm
from netwright.training.strategies.mix import Mix
from netwright.training.strategies.noise import Noise
from netwright.training.strategies.penalty import Penalty
from netwright.training.strategies.plateau import Plateau
from netwright.training.strategies.scheduled_sampling import ScheduledSampling
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


def test_running_means_that_a_refused_batch_spoiled_are_put_back(little: Little) -> None:
    class Spoil(Strategy):
        name = "spoil"

        def batch(self, training: Training, batch: Batch) -> Batch:
            return replace(batch, inputs={"table": batch.inputs["table"] * (math.nan if training.step == 7 else 1)})

    norm = nn.BatchNorm1d(3)
    training = little(strategies=[Spoil(), Finite()], net=nn.Sequential(norm, nn.Linear(3, 1)))
    training.run()
    assert torch.isfinite(norm.running_mean).all()
    assert torch.isfinite(norm.running_var).all()
    assert math.isfinite(training.history.rows[-1]["validation/loss"])


def test_refused_steps_are_told_at_the_end(little: Little) -> None:
    training = little(strategies=[Poison(3, 7), Finite()])
    training.run()
    assert training.notes == [
        "2 steps not applied: the loss was no number, or 1,000 times the first (history.jsonl lists them)"
    ]


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
    assert re.search(r"the data of this batch is finite\. Losses .* The batch begins with: row ", caught.value.message)
    assert "Lower training.optimizer.lr" in caught.value.cure

    class BadTable(Strategy):
        name = "bad_table"

        def batch(self, training: Training, batch: Batch) -> Batch:
            return Batch({"table": batch.inputs["table"] * math.inf}, batch.targets, batch.index)

    with pytest.raises(DivergedError, match="not finite in this batch: table"):
        little(strategies=[BadTable(), Finite(tries=1, restarts=0)]).run()


class Thrown(Strategy):
    """Makes the weights a hundred thousand times larger at some steps, as a far too long step does."""

    name = "thrown"

    def __init__(self, *steps: int) -> None:
        self.steps = steps

    def after_step(self, training: Training) -> None:
        if training.step in self.steps:
            with torch.no_grad():
                for weight in training.parameters:
                    weight.mul_(1e5)


class Wild(Strategy):
    """Makes what one batch is to give a million times larger."""

    name = "wild"

    def __init__(self, step: int) -> None:
        self.at = step

    def batch(self, training: Training, batch: Batch) -> Batch:
        return replace(batch, targets={"y": batch.targets["y"] * (1e6 if training.step == self.at else 1)})


def test_weights_that_were_thrown_go_back_at_once_and_the_note_says_what_helps(little: Little) -> None:
    seen, guard = Remember(), Finite()
    training = little(strategies=[guard, Thrown(8), seen])
    training.run()
    (act, back) = [row["what"] for row in training.history.rows if row["kind"] == "action"]
    assert act.startswith("step not applied: its loss was ")
    assert act.endswith(" on another batch: the weights did it")
    assert back == "back to the start of the epoch, learning rate x 0.5"
    assert torch.equal(seen.weights[8], seen.weights[4])
    assert (guard.skipped, guard.returns) == (1, 1)
    assert "went back to the start of an epoch 1 time, each time at half the learning rate: 0.5 times" in "".join(
        training.notes
    )


def test_a_wild_batch_is_left_out_and_the_weights_stay(little: Little) -> None:
    seen, guard = Remember(), Finite()
    training = little(strategies=[Wild(7), guard, seen])
    training.run()
    (act,) = [row["what"] for row in training.history.rows if row["kind"] == "action"]
    assert act.endswith(" on another batch: this batch did it")
    assert torch.equal(seen.weights[7], seen.weights[6])
    assert (guard.skipped, guard.returns, training.lr_scale) == (1, 0, 1.0)


def test_a_wild_batch_that_begins_an_epoch_is_compared_with_the_next(little: Little) -> None:
    guard = Finite()
    training = little(strategies=[guard])
    plain = training.source.epoch

    def epoch(number: int, start_step: int = 0) -> Iterator[Batch]:
        """The second epoch begins with a wild batch, whoever reads it."""
        for step, batch in enumerate(plain(number, start_step), start_step):
            wild = number == 1 and step == 0
            yield replace(batch, targets={"y": batch.targets["y"] * (1e6 if wild else 1)})

    training.source.epoch = epoch  # type: ignore[method-assign]
    training.run()
    (act,) = [row["what"] for row in training.history.rows if row["kind"] == "action"]
    assert act.endswith(" on another batch: this batch did it")
    assert (guard.skipped, guard.returns) == (1, 0)


def test_a_run_that_keeps_exploding_tells_what_led_there_and_ends_with_the_last_good_weights(little: Little) -> None:
    seen = Remember()
    training = little(strategies=[Finite(restarts=1), Thrown(8, 9), seen])
    with pytest.raises(DivergedError, match=r"the loss is [\d.e+]+ at step 9 \(epoch 2\), after 1 returns") as caught:
        training.run()
    assert re.search(
        r"Losses before: [\d.e+, -]+\. Norms of the gradient: [\d.e+, ]+, the largest part in \w+\.",
        caught.value.message,
    )
    assert caught.value.good_epoch == 1
    now = nn.utils.parameters_to_vector(training.plan.nets["net"].parameters())
    assert torch.equal(now, seen.weights[4])


@pytest.mark.parametrize(("measures", "told"), [(True, 8), (False, 1)])
def test_the_last_gradients_are_told_where_every_one_is_measured(little: Little, measures: bool, told: int) -> None:
    training = little(strategies=[Finite(restarts=0, measures=measures), Thrown(9)])
    with pytest.raises(DivergedError, match=r"the loss is [\d.e+]+ at step 9") as caught:
        training.run()
    norms = re.search(r"Norms of the gradient: ([\d.e+, -]+), the largest part in", caught.value.message)
    assert norms is not None
    assert len(norms.group(1).split(", ")) == told


def test_a_run_resumed_right_before_a_wild_batch_decides_the_same(little: Little) -> None:
    kept: list[tuple[dict[str, torch.Tensor], dict[str, object]]] = []

    class Keep(Strategy):
        name = "keep"

        def after_step(self, training: Training) -> None:
            if training.step == 7:
                tensors, facts = training.state()
                kept.append(({key: value.clone() for key, value in tensors.items()}, facts))

    whole = little(strategies=[Wild(7), Finite(), Keep()])
    whole.run()
    resumed = little(strategies=[Wild(7), Finite(), Keep()])
    resumed.load_state(*kept[0])
    resumed.run()
    one, other = (nn.utils.parameters_to_vector(each.plan.nets["net"].parameters()) for each in (whole, resumed))
    assert torch.equal(one, other)
    acts = [[row["what"] for row in each.history.rows if row["kind"] == "action"] for each in (whole, resumed)]
    assert acts[0] == acts[1] != []


def test_wild_values_that_are_only_held_out_stop_nothing(little: Little) -> None:
    losses = iter([4e7, 3e7, 2e7])
    training = little(strategies=[Finite()], validate=lambda: {"loss": next(losses)})
    training.run()
    assert training.epoch == 3
    assert training.notes == []


def test_a_mean_of_weights_begins_anew_where_they_were_thrown(little: Little) -> None:
    mean = Averaging(0.999)
    training = little(strategies=[Finite(), Thrown(8), mean])
    training.run()
    assert max(float(value.abs().max()) for value in mean._mean.values()) < 100


def test_a_refused_step_ends_what_is_carried(little: Little) -> None:
    carry = Carry()
    training = little(strategies=[carry])
    layer = next(iter(training.plan.nets.values()))
    carry._now = {layer: (torch.full((2, 3), math.nan),)}
    training.applied = False
    carry.after_step(training)
    assert carry._states == {}


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


# ---- penalties, bounds, means ----------------------------------------------------------------------------------------


def _unit() -> nn.Module:
    """One linear unit, always with the same first weights."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return nn.Sequential(nn.Linear(3, 1))


def _plain(little: Little, *strategies: Strategy, **given: object) -> Training:
    """One linear unit under plain gradient descent."""
    training = little(strategies=strategies, optimizer="sgd", net=_unit(), **given)
    training.run()
    return training


def _weight(training: Training) -> torch.Tensor:
    return training.matrices[0].detach()


def _epochs(training: Training) -> list[Row]:
    return [row for row in training.history.rows if row["kind"] == "epoch"]


def test_a_penalty_is_differentiated_and_reported_apart_from_the_loss(little: Little) -> None:
    """One step from known weights: w - lr (g + 2 l2 w), and the reported loss is that of the data alone."""
    given = {"budget": Budget(1, steps=1), "options": {"lr": 0.1}}
    free, held = _plain(little, **given), _plain(little, Penalty(l2=0.25), **given)
    start = little(optimizer="sgd", net=_unit())
    torch.testing.assert_close(_weight(held), _weight(free) - 0.1 * 2 * 0.25 * _weight(start))
    assert _epochs(held)[0]["train/loss"] == _epochs(free)[0]["train/loss"]
    assert _epochs(held)[0]["train/penalty/l2"] == pytest.approx(0.25 * float(_weight(held).square().sum()))


def test_l1_drives_weights_to_exactly_nothing_and_they_stay(little: Little) -> None:
    training = _plain(little, Penalty(l1=3.0), budget=Budget(60), options={"lr": 0.05})
    assert (_weight(training)[0, 2] == 0).item()  # the true weights are 1, -2 and 0.5
    assert abs(_weight(training)[0, 1].item()) > 0.2
    assert _epochs(training)[-1]["train/penalty/l1"] == pytest.approx(3 * float(_weight(training).abs().sum()))


@pytest.mark.parametrize(
    "net",
    [
        Lstm((STEPS, 3), 4, both=True),
        Gru((STEPS, 3), 4),
        Rnn((STEPS, 3), 4),
        EmbedTokens((STEPS, 5), 3),
        Decoder((STEPS, 3), 5, 4),
        Decoder((STEPS, 3), 5, 4, DecoderSpec(tied=True, attention="bahdanau")),
    ],
    ids=lambda net: type(net).__name__,
)
def test_penalties_and_bounds_reach_every_matrix_of_layers_that_read_sequences(little: Little, net: nn.Module) -> None:
    reached = {id(weight) for weight in little(net=net).matrices}
    assert reached == {id(weight) for weight in net.parameters() if weight.ndim > 1}


def test_a_transform_that_acts_twice_draws_anew_and_two_inputs_are_changed_alike() -> None:
    pictures = torch.rand(4, 1, 9, 9)
    batch = Batch(index=torch.arange(4), inputs={"one": pictures, "other": pictures}, targets={})
    once = [("shift", Shift(3))]
    seen = Augment({"one": once, "other": once * 2}, (), 3).changed(batch, 0).inputs
    alike = Augment({"one": once, "other": once}, (), 3).changed(batch, 0).inputs
    assert torch.equal(alike["one"], alike["other"])
    twice = Shift(3).image(seen["one"], Draw(3, "augment/shift", 0, batch.index))  # as if both drew the same
    assert not torch.equal(seen["other"], twice)


def test_an_elastic_net_has_both(little: Little) -> None:
    row = _epochs(_plain(little, Penalty(l1=0.01, l2=0.01)))[-1]
    assert {"train/penalty/l1", "train/penalty/l2"} < set(row)


def test_no_units_weights_are_ever_longer_than_the_bound(little: Little) -> None:
    seen = Remember()
    training = little(strategies=[MaxNorm(0.3), seen], budget=Budget(4))
    training.run()
    for flat in seen.weights:
        hidden, last = flat[:24].reshape(8, 3), flat[32:40].reshape(1, 8)
        assert max(float(rows.norm(dim=1).max()) for rows in (hidden, last)) <= 0.3 + 1e-6
    assert max(row["train/longest_weights"] for row in _epochs(training)) == pytest.approx(0.3, abs=1e-5)


@pytest.mark.parametrize(("bound", "norm"), [({"norm": 0.5}, 2.0), ({"value": 0.5}, math.inf)])
def test_a_gradient_beyond_its_bound_is_cut_and_counted(little: Little, bound: dict[str, float], norm: float) -> None:
    class Sizes(Strategy):
        name = "sizes"

        def __init__(self) -> None:
            self.found: list[float] = []

        def gradients(self, training: Training) -> None:
            gradients = [weight.grad for weight in training.parameters if weight.grad is not None]
            self.found.append(float(torch.nn.utils.get_total_norm(gradients, norm)))

    before, after = Sizes(), Sizes()
    training = _plain(little, before, Clipping(**bound), after, options={"lr": 0.02})
    assert max(after.found) <= 0.5 + 1e-6
    assert max(before.found) > 0.5
    row = _epochs(training)[0]
    assert row["train/clipped"] == sum(size > 0.5 for size in before.found[:5]) / 5
    assert row["train/largest_gradient"] == pytest.approx(max(before.found[:5]))


def test_the_running_mean_is_validated_and_kept_and_training_goes_on_with_the_weights(little: Little) -> None:
    seen = Remember()
    plain, averaged = _plain(little, seen), _plain(little, EarlyStopping("validation/loss", 0), Averaging(0.9))
    assert [row["train/loss"] for row in _epochs(averaged)] == [row["train/loss"] for row in _epochs(plain)]
    assert [row["validation/loss"] for row in _epochs(averaged)] != [row["validation/loss"] for row in _epochs(plain)]
    first = nn.utils.parameters_to_vector(little(net=_unit()).plan.nets["net"].parameters())
    mean = first.detach().clone()
    for step, weights in enumerate(seen.weights[: 5 * averaged.best_epoch]):
        keep = min(0.9, (1 + step) / (10 + step))
        mean = keep * mean + (1 - keep) * weights
    now = nn.utils.parameters_to_vector(averaged.plan.nets["net"].parameters()).detach()
    torch.testing.assert_close(now, mean)


def test_where_nothing_is_held_out_the_mean_is_kept_too(little: Little) -> None:
    averaging = Averaging(0.9)
    training = little(strategies=[averaging], optimizer="sgd", net=_unit())
    training.plan.validate = None
    training.run()
    kept = averaging.state()
    assert all(torch.equal(value, kept[f"mean/{name}"]) for name, value in training.weights().items())


def test_a_plateau_drops_the_rate_says_since_when_and_waits_again(little: Little) -> None:
    left = iter([0.5, 0.4, 0.4, 0.45, 0.41, 0.39, 0.5, 0.5, 0.5])
    plateau = Plateau("validation/loss", "min", factor=0.5, patience=2)
    training = little(strategies=[plateau], validate=lambda: {"loss": next(left)}, budget=Budget(9))
    training.run()
    acts = [row for row in training.history.rows if row["kind"] == "action"]
    assert [(row["epoch"], row["old"], row["new"]) for row in acts] == [(4, 0.001, 0.0005), (8, 0.0005, 0.00025)]
    assert acts[0]["what"] == "learning rate x 0.5: no better validation loss since epoch 2"
    assert [row["lr"] for row in _epochs(training)] == pytest.approx([0.001] * 4 + [0.0005] * 4 + [0.00025])


def test_a_plateau_stops_dropping_at_its_floor(little: Little) -> None:
    plateau = Plateau("validation/loss", "min", factor=0.1, patience=1, floor=0.05)
    training = little(strategies=[plateau], validate=lambda: {"loss": 1.0}, budget=Budget(8))
    training.run()
    assert training.lr_scale == pytest.approx(0.05)
    assert sum(row["kind"] == "action" for row in training.history.rows) == 2


def test_noise_has_its_spread_and_leaves_classes_alone(little: Little) -> None:
    noise = Noise(0.5, {"table": torch.tensor([1.0, 1.0, 0.0])})
    batch = Batch({"table": torch.zeros(4000, 3)}, {}, torch.arange(4000))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = noise.batch(little(), batch).inputs["table"]
    assert found[:, :2].std().item() == pytest.approx(0.5, rel=0.03)
    assert (found[:, 2] == 0).all()
    assert (batch.inputs["table"] == 0).all()


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


# ---- mix -------------------------------------------------------------------------------------------------------------


def _pair(count: int = 40) -> Batch:
    x = torch.arange(float(count))
    pictures = x[:, None, None, None].expand(-1, 1, 10, 12)
    return Batch({"image": pictures}, {"y": x}, torch.arange(count))


def test_mixup_adds_up_inputs_in_the_shares_that_the_loss_is_asked_for() -> None:
    shares = []
    for step in range(30):
        mixed = Mix(mixup=0.4, seed=1).changed(_pair(), step)
        assert mixed.others is not None
        expected = mixed.share * mixed.targets["y"] + (1 - mixed.share) * mixed.others["y"]
        assert torch.allclose(mixed.inputs["image"], expected[:, None, None, None].expand(-1, 1, 10, 12), atol=1e-4)
        assert torch.equal(mixed.targets["y"], _pair().targets["y"])
        shares.append(mixed.share)
    assert min(shares) < 0.2
    assert max(shares) > 0.8


def test_cutmix_pastes_a_rectangle_whose_area_is_the_other_examples_share() -> None:
    for step in range(30):
        mixed = Mix(cutmix=1.0, seed=1).changed(_pair(), step)
        assert mixed.others is not None
        own = mixed.inputs["image"] == mixed.targets["y"][:, None, None, None]
        other = mixed.inputs["image"] == mixed.others["y"][:, None, None, None]
        assert (own | other).all()
        differ = mixed.targets["y"] != mixed.others["y"]
        kept = own[differ].double().mean(dim=(1, 2, 3))
        assert torch.allclose(kept, torch.tensor(mixed.share, dtype=torch.float64).expand_as(kept))
        pasted = ~own[differ][0, 0]
        rows, columns = pasted.any(dim=1).nonzero(), pasted.any(dim=0).nonzero()
        if len(rows):
            assert pasted[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


def test_with_both_each_step_has_one_of_them_and_the_same_step_the_same() -> None:
    mix = Mix(mixup=0.5, cutmix=1.0, seed=3)
    kinds = set()
    for step in range(12):
        first, second = mix.changed(_pair(), step), mix.changed(_pair(), step)
        assert torch.equal(first.inputs["image"], second.inputs["image"])
        kinds.add(bool((first.inputs["image"] == first.inputs["image"].round()).all()))
    assert kinds == {True, False}
    plain = _pair()
    assert Mix().changed(plain) is plain


def test_guesses_are_fed_back_more_and_more_and_alike_whatever_the_batch() -> None:
    decoder = Decoder((STEPS, 4), 9, 20, DecoderSpec(dim=4, embed=3))
    training = Training.__new__(Training)
    vars(training).update(plan=SimpleNamespace(nets={"net": decoder}), total=100, epoch=0)
    strategy, shares = ScheduledSampling(0.5, seed=3), []
    for training.step in (0, 25, 50, 100):
        strategy.batch(training, _pair(200))
        assert decoder.own is not None
        assert decoder.own.shape == (200, 21)
        shares.append(float(decoder.own.float().mean()))
    assert shares == pytest.approx([0, 0.125, 0.25, 0.5], abs=0.02)
    whole, few = decoder.own, _pair(200)
    strategy.batch(training, Batch({}, {}, few.index[3:5]))
    assert torch.equal(decoder.own, whole[3:5])


def test_pen_ink_is_turned_with_the_ways_between_its_points() -> None:
    ink = Ink()
    field = Field(name="ink", kind="ink", source="ink", dtype="float32", ragged=True)
    corner = ink.coder(field)(np.array([[0, 0, 1], [0, 4, 0], [3, 4, 0], [3, 0, 1]], dtype=np.float32))
    whole = torch.stack([torch.from_numpy(corner), torch.full(corner.shape, torch.nan)]).float()
    batch = Batch({"ink": whole}, {}, torch.tensor([7, 8]))
    seen = Augment({"ink": [("rotate", Rotate(90.0))]}, (), 3, {"ink": (1, 0.0, [])}).changed(batch, 1).inputs["ink"]
    assert torch.equal(seen[1].isnan(), whole[1].isnan())
    one, other = seen[0], whole[0]
    assert torch.equal(one[:, 4], other[:, 4])
    assert not torch.allclose(one[:, :4], other[:, :4], atol=0.01)
    for pair in (slice(0, 2), slice(2, 4)):
        torch.testing.assert_close(one[:, pair].norm(dim=1), other[:, pair].norm(dim=1))
    torch.testing.assert_close(one[:, :2] @ one[:, :2].T, other[:, :2] @ other[:, :2].T)
    torch.testing.assert_close(one[:, 2:4] @ one[:, :2].T, other[:, 2:4] @ other[:, :2].T)  # by the same angle
