"""Finite losses only: a step whose loss is NaN or infinite is not applied, and a run that keeps failing goes back.

After `tries` such steps in a row the weights and the optimizer return to the start of the epoch and the learning
rate is halved; after `restarts` returns the run ends with the examples of the last batch named. A run whose last epoch
ends without a number keeps the weights of the last epoch that had one. Everything is decided by steps, never by the
clock, so a resumed run decides the same.
"""

from __future__ import annotations

import math

import torch

from netwright.errors import DivergedError
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy
from netwright.words import counted

_COUNTS = ("in_a_row", "returns", "skipped", "good_epoch")


class Finite(Strategy):
    """Guards against losses that are no numbers.

    Args:
        tries: Such steps in a row before going back.
        restarts: Returns before giving up.
    """

    name = "finite"

    def __init__(self, tries: int = 5, restarts: int = 3) -> None:
        self.tries, self.restarts = tries, restarts
        self.in_a_row = self.returns = self.skipped = self.good_epoch = 0
        self.sound = True
        self._good: dict[str, torch.Tensor] = {}

    def begin(self, training: Training) -> None:
        """The untrained weights are the first place to come back to."""
        self._keep(training)

    def accept(self, training: Training, loss: float) -> bool:
        """Whether the loss is a number; goes back to the start of the epoch after `tries` refusals.

        Raises:
            DivergedError: The returns are used up.
        """
        if math.isfinite(loss):
            self.in_a_row = 0
            return True
        self.in_a_row += 1
        self.skipped += 1
        training.act(self.name, f"step not applied: its loss was {loss}")
        self._mend(training)
        if self.in_a_row == self.tries:
            self.in_a_row = 0
            self._go_back(training, loss)
        return False

    def _mend(self, training: Training) -> None:
        """Running means that the refused batch has spoiled are those of the start of the epoch again."""
        for of, net in training.plan.nets.items():
            for name, values in net.named_buffers():
                if not torch.isfinite(values).all():
                    values.copy_(self._good[f"weights/{of}/{name}"])

    def _go_back(self, training: Training, loss: float) -> None:
        self.returns += 1
        if self.returns > self.restarts:
            raise self._diverged(training, loss, training.epoch + 1)
        training.load_snapshot(self._good)
        training.lr_scale *= 0.5
        training.act(self.name, f"back to the start of the epoch, learning rate x {training.lr_scale:g}")

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """An epoch that trained and whose validation loss is a number is a place to come back to."""
        self.sound = _is_number(row.get("validation/loss", row.get("train/loss")))
        if self.sound and _is_number(row.get("train/loss")):
            self.good_epoch = training.epoch + 1
            self._keep(training)

    def finish(self, training: Training) -> None:
        """A last epoch without a number is undone, and refused steps are told.

        Raises:
            DivergedError: No epoch trained and ended with a number.
        """
        if not self.good_epoch:
            raise self._diverged(training, math.nan, training.epoch)
        if not self.sound:
            training.load_snapshot(self._good)
            training.best_epoch = self.good_epoch
        if self.skipped:
            training.note(
                f"{counted(self.skipped, 'step')} not applied: the loss was no number (history.jsonl lists them)"
            )

    def _keep(self, training: Training) -> None:
        self._good = {key: tensor.detach().clone() for key, tensor in training.snapshot().items()}

    def _diverged(self, training: Training, loss: float, epoch: int) -> DivergedError:
        batch, named, columns = training.batch, [], []
        if batch is not None:
            named = training.source.describe(batch.index[:4])
            columns = [
                name
                for name, x in {**batch.inputs, **batch.targets}.items()
                if x.ndim != 3 and not torch.isfinite(x).all()
            ]
        where = f"; not finite in this batch: {', '.join(columns)}" if columns else "; the data of this batch is finite"
        return DivergedError(
            f"the loss is {loss} at step {training.step} (epoch {epoch}), after {min(self.returns, self.restarts)} "
            f"returns with the learning rate halved each time{where}. The batch begins with: {', '.join(named)}.",
            "Lower training.optimizer.lr by ten times, bound the gradients (training.clip: 1.0), or look at those "
            "examples with `netwright data show`.",
        )

    def state(self) -> State:
        """Counts, and the weights to come back to."""
        kept: State = {f"good/{key}": tensor for key, tensor in self._good.items()}
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {**kept, **counts, "sound": self.sound}

    def load_state(self, state: State) -> None:
        """Guard on from where `state` was taken."""
        for name in _COUNTS:
            setattr(self, name, state[name])
        self.sound = bool(state["sound"])
        self._good = {
            key.removeprefix("good/"): value for key, value in state.items() if isinstance(value, torch.Tensor)
        }


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)
