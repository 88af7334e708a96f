"""The loop: steps worked out by hand, hooks in their order, every way to end, and every step a place to resume from."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from netwright import registry
from netwright.data.batches import Batch
from netwright.errors import Stopped
from netwright.training import checkpoint
from netwright.training.loop import Budget, Training, update_of
from netwright.training.observers import Observer
from netwright.training.schedules import cosine
from netwright.training.strategies.early_stopping import EarlyStopping
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.strategy import Strategy, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Little

    from netwright.training.history import Row


class AtStep(Observer):
    """Does something after one step."""

    def __init__(self, step: int, act: Callable[[Training], None]) -> None:
        self.at, self.act = step, act

    def step(self, training: Training) -> None:
        if training.step == self.at:
            self.act(training)


class OnePoint:
    """One example, x = 2 and y = 0."""

    steps = 1

    def epoch(self, number: int, start_step: int = 0) -> Iterator[Batch]:
        yield from [Batch({"table": torch.tensor([[2.0]])}, {"y": torch.tensor([0.0])}, torch.tensor([0]))][start_step:]

    def describe(self, index: torch.Tensor) -> list[str]:
        return ["the point"]


def _one_weight(value: float) -> nn.Linear:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return net


def test_one_step_is_what_one_works_out(little: Little) -> None:
    net = _one_weight(1.0)  # loss (2 w)^2, slope 8 w, so w = 1 - 0.1 * 8 = 0.2
    training = little(net=net, source=OnePoint(), optimizer="sgd", options={"lr": 0.1}, budget=Budget(1), validate=dict)
    training.run()
    assert net.weight.item() == pytest.approx(0.2)
    (first, epoch) = training.history.rows
    assert first == {"kind": "step", "step": 1, "epoch": 0, "loss/y": 4.0}
    assert (epoch["train/loss"], epoch["lr"], epoch["epoch"]) == (4.0, 0.1, 1)
    assert (training.step, training.epoch, training.stop_reason) == (1, 1, "1 epoch done")


def test_the_rate_follows_schedule_and_strategies(little: Little) -> None:
    rates = []
    watch = AtStep(0, lambda training: None)
    watch.step = lambda training: rates.append(training.plan.optimizers["net"].param_groups[0]["lr"])

    class Halve(Strategy):
        name = "halve"

        def after_step(self, training: Training) -> None:
            training.lr_scale = 0.5 if training.step >= 5 else 1.0

    little(
        optimizer="sgd", options={"lr": 0.2}, budget=Budget(2), schedule=cosine, strategies=[Halve()], observers=[watch]
    ).run()
    assert rates == pytest.approx([0.2 * cosine(step, 10) * (0.5 if step >= 5 else 1) for step in range(10)])


def test_an_epochs_loss_is_the_mean_over_examples_not_over_batches(little: Little) -> None:
    class Uneven(OnePoint):
        steps = 2

        def epoch(self, number: int, start_step: int = 0) -> Iterator[Batch]:
            for xs in ([1.0, 1.0, 1.0], [3.0])[start_step:]:
                x = torch.tensor(xs)
                yield Batch({"table": x[:, None]}, {"y": torch.zeros(len(xs))}, torch.arange(len(xs)))

    training = little(net=_one_weight(1.0), source=Uneven(), optimizer="sgd", options={"lr": 1e-12}, budget=Budget(1))
    training.plan.validate = None
    training.run()
    assert training.history.rows[-1]["train/loss"] == pytest.approx((3 * 1 + 9) / 4)


def test_hooks_are_called_in_their_order(little: Little) -> None:
    called = []

    class Tell(Strategy):
        name = "tell"

        def __init__(self, mark: str) -> None:
            self.mark = mark

        def begin(self, training: Training) -> None:
            called.append(f"begin{self.mark}")

        def batch(self, training: Training, batch: Batch) -> Batch:
            called.append(f"batch{self.mark}")
            return batch

        def terms(self, training: Training, terms: Terms) -> Terms:
            called.append(f"terms{self.mark}")
            return terms

        def accept(self, training: Training, loss: float) -> bool:
            called.append(f"accept{self.mark}")
            return True

        def gradients(self, training: Training) -> None:
            called.append(f"gradients{self.mark}")

        def after_step(self, training: Training) -> None:
            called.append(f"after{self.mark}")

        def end_of_epoch(self, training: Training, row: Row) -> None:
            called.append(f"epoch{self.mark}")

        def finish(self, training: Training) -> None:
            called.append(f"finish{self.mark}")

    little(
        source=OnePoint(), net=_one_weight(1), budget=Budget(1), strategies=[Tell("1"), Tell("2")], validate=dict
    ).run()
    hooks = ("begin", "batch", "terms", "accept", "gradients", "after", "epoch", "finish")
    assert called == [f"{hook}{mark}" for hook in hooks for mark in "12"]


def test_strategies_change_batch_terms_and_gradients(little: Little) -> None:
    class Change(Strategy):
        name = "change"

        def batch(self, training: Training, batch: Batch) -> Batch:
            return Batch({"table": batch.inputs["table"] / 2}, batch.targets, batch.index)  # x = 1

        def terms(self, training: Training, terms: Terms) -> Terms:
            return {name: 3 * term for name, term in terms.items()}  # 3 w^2, slope 6 w

        def gradients(self, training: Training) -> None:
            for parameter in training.plan.nets["net"].parameters():
                parameter.grad /= 6  # slope w

        def after_step(self, training: Training) -> None:
            with torch.no_grad():
                training.plan.nets["net"].weight += 10

    net = _one_weight(1.0)
    training = little(
        net=net,
        source=OnePoint(),
        optimizer="sgd",
        options={"lr": 0.5},
        budget=Budget(1),
        strategies=[Change()],
        validate=dict,
    )
    training.run()
    assert net.weight.item() == pytest.approx(10.5)
    assert training.history.rows[0]["loss/y"] == 3.0


def test_a_strategy_may_replace_the_step(little: Little) -> None:
    class Draw(Strategy):
        name = "draw"

        def step(self, training: Training, batch: Batch) -> Terms | None:
            with torch.no_grad():
                training.plan.nets["net"].weight.fill_(7.0)
            return {"own": torch.tensor(0.25)}

    net = _one_weight(1.0)
    training = little(net=net, source=OnePoint(), budget=Budget(2), strategies=[Draw()], validate=dict)
    training.run()
    assert net.weight.item() == 7
    assert training.history.rows[-1]["train/loss"] == 0.25


def test_an_epoch_of_refused_steps_has_no_loss_instead_of_a_perfect_one(little: Little) -> None:
    class Never(Strategy):
        name = "never"

        def accept(self, training: Training, loss: float) -> bool:
            return False

    net = _one_weight(1.0)
    training = little(net=net, source=OnePoint(), budget=Budget(1), strategies=[Never()], validate=dict)
    training.run()
    assert training.history.rows[-1]["train/loss"] is None
    assert net.weight.item() == 1.0


@pytest.mark.parametrize(
    ("budget", "step", "epoch", "reason"),
    [
        (Budget(2), 10, 2, "all 2 epochs done"),
        (Budget(9, steps=7), 7, 2, "all 7 steps done"),
        (Budget(9, steps=10), 10, 2, "all 10 steps done"),
        (Budget(9, minutes=1e-9), 1, 1, "1e-09 minutes are over"),
    ],
)
def test_a_budget_ends_training_and_its_reason_is_kept(
    little: Little, budget: Budget, step: int, epoch: int, reason: str
) -> None:
    training = little(budget=budget)
    training.run()
    assert (training.step, training.epoch, training.stop_reason) == (step, epoch, reason)
    assert [row["epoch"] for row in training.history.rows if row["kind"] == "epoch"] == list(range(1, epoch + 1))


# ---- resuming --------------------------------------------------------------------------------------------------------


def _parts(budget: Budget) -> dict:
    return {"strategies": [Finite(), EarlyStopping("validation/loss", 3)], "schedule": cosine, "budget": budget}


def _saver(folder: Path) -> Callable[[Training], None]:
    def save(training: Training) -> None:
        size = training.history.write()
        tensors, facts = training.state()
        checkpoint.save(folder / "checkpoints", training.step, tensors, {**facts, "history_bytes": size})

    return save


def _final(folder: Path) -> checkpoint.Checkpoint:
    found = checkpoint.latest(folder / "checkpoints")
    assert found is not None
    return found


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("budget", [Budget(3), Budget(9, steps=8)], ids=["epochs", "steps"])
def test_a_run_resumed_at_any_step_ends_as_the_unbroken_one(
    little: Little, tmp_path: Path, optimizer: str, budget: Budget
) -> None:
    options = {"momentum": 0.9} if optimizer == "sgd" else {}
    common = {"optimizer": optimizer, "options": options}
    (tmp_path / "whole").mkdir()
    whole = little(**_parts(budget), **common, history=tmp_path / "whole" / "h")
    whole.run(_saver(tmp_path / "whole"))
    for step in range(1, whole.step + 1):
        folder = tmp_path / str(step)
        folder.mkdir()
        stop = AtStep(step, lambda training: training.leave(0))
        broken = little(**_parts(budget), **common, history=folder / "h", observers=[stop])
        with pytest.raises(Stopped, match=f"stopped at step {step}, epoch .*; the state is saved"):
            broken.run(_saver(folder))
        torch.rand(3)  # the process that resumes has another past
        again = little(**_parts(budget), **common, history=folder / "h")
        found = _final(folder)
        again.history.cut(found.facts["history_bytes"])
        again.load_state(found.tensors, found.facts)
        assert again.step == step
        again.run(_saver(folder))
        assert checkpoint.same(_final(folder), _final(tmp_path / "whole")) == []
        assert (folder / "h").read_bytes() == (tmp_path / "whole" / "h").read_bytes()


def test_seconds_are_counted_over_all_resumes(little: Little) -> None:
    training = little()
    training.run()
    tensors, facts = training.state()
    again = little()
    again.load_state(tensors, {**facts, "elapsed": 3600.0})
    assert 3600 <= again.elapsed() < 3660


# ---- signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_finishes_the_step_saves_and_leaves(little: Little, tmp_path: Path, signum: int, code: int) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    training = little(history=tmp_path / "h", observers=[AtStep(7, lambda _: os.kill(os.getpid(), signum))])
    with pytest.raises(Stopped, match="stopped at step 7, epoch 2; the state is saved") as caught:
        training.run(_saver(tmp_path))
    assert caught.value.exit_code == code
    assert _final(tmp_path).facts["step"] == 7
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_signal_while_validating_or_while_saving_is_not_lost(little: Little, tmp_path: Path) -> None:
    def asked(training: Training) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped, match="stopped at step 5, epoch 2"):
        little(validate=lambda: {"loss": float(bool(os.kill(os.getpid(), signal.SIGTERM)))}).run()
    with pytest.raises(Stopped, match="stopped at step 15, epoch 4"):
        little().run(asked)  # the only save is the one at the end


def test_in_a_thread_signals_are_left_to_whom_they_belong(little: Little) -> None:
    training = little()
    worker = threading.Thread(target=training.run)
    worker.start()
    worker.join()
    assert training.step == 15


def test_checkpoints_are_written_at_intervals_and_on_demand(little: Little) -> None:
    steps = []
    little().run(lambda training: steps.append(training.step), save_every=0.0)
    assert steps == [*range(1, 16), 15]
    steps.clear()
    ask = AtStep(4, lambda training: setattr(training, "save_soon", True))
    little(observers=[ask]).run(lambda training: steps.append(training.step))
    assert steps == [4, 15]


def test_a_sentence_is_noted_once(little: Little) -> None:
    training = little()
    training.note("disk full")
    training.note("disk full")
    assert training.notes == ["disk full"]


@pytest.mark.parametrize("name", registry.parts("optimizer"))
def test_an_update_without_the_profilers_entry_is_the_optimizers_own_step(name: str) -> None:
    updated = []
    for unwrapped in (False, True):
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = registry.resolve("optimizer", name)([weight], lr=0.1)
        update = update_of(optimizer) if unwrapped else optimizer.step
        for _ in range(3):
            weight.grad = weight.detach() * 2 + 1
            update()
        updated.append(weight.detach())
    assert torch.equal(*updated)
    assert getattr(type(optimizer).step, "hooked", False), "torch wraps steps no more: update_of is not needed"


def test_the_seconds_of_training_stand_still_when_it_has_ended(little: Little) -> None:
    training = little()
    training.run()
    before = training.elapsed()
    time.sleep(0.02)
    assert training.elapsed() == before > 0
