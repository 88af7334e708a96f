"""Early stopping: keep the weights of the best epoch, stop when further epochs bring nothing.

Source: Prechelt 1998, "Early stopping - but when?"; the criterion is his UP_s with patience in epochs.
"""

from __future__ import annotations

import math
from typing import Literal

import torch

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy
from netwright.words import counted


class EarlyStopping(Strategy):
    """Watches one validation number; at the end the weights of its best epoch are put back.

    Two epochs of equal score, as small validation parts have many, are told apart by the validation loss.

    Args:
        watch: Name in the epoch's row, e.g. "validation/accuracy".
        patience: Epochs without improvement before stopping; 0 only keeps the best and never stops.
        better: Which way is better, "min" or "max".
    """

    name = "early_stopping"

    def __init__(self, watch: str, patience: int, better: Literal["min", "max"] = "min") -> None:
        self.watch, self.patience, self._sign = watch, patience, -1.0 if better == "max" else 1.0
        self.best, self.best_loss, self.best_epoch = math.inf, math.inf, 0
        self._weights: dict[str, torch.Tensor] = {}

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Keep this epoch's weights if it is the best so far; ask to stop after `patience` worse ones."""
        value = row.get(self.watch)
        epoch = training.epoch + 1
        trained = row.get("train/loss")
        if value is None or (isinstance(trained, float) and math.isnan(trained)):
            return  # nothing is held out, or every step of the epoch was refused: nothing can be said about it
        loss = row.get("validation/loss")
        found = (self._sign * float(value), float(loss) if isinstance(loss, float | int) else math.inf)
        if not math.isnan(found[0]) and found < (self.best, self.best_loss):
            (self.best, self.best_loss), self.best_epoch = found, epoch
            self._weights = {key: tensor.detach().clone() for key, tensor in training.weights().items()}
        elif self.patience and self.best_epoch and epoch - self.best_epoch >= self.patience:
            training.stop(
                f"no better {self.watch.replace('/', ' ').replace('_', ' ')} for {counted(self.patience, 'epoch')}"
            )

    def finish(self, training: Training) -> None:
        """Put the best weights back."""
        if self._weights:
            training.load_weights(self._weights)
            training.best_epoch = self.best_epoch

    def state(self) -> State:
        """Best value, its epoch and its weights."""
        kept: State = {f"weights/{key}": tensor for key, tensor in self._weights.items()}
        return {**kept, "best": self.best, "best_loss": self.best_loss, "best_epoch": self.best_epoch}

    def load_state(self, state: State) -> None:
        """Go on watching where `state` was taken."""
        self.best, self.best_loss = float(state["best"]), float(state["best_loss"])  # type: ignore[arg-type]
        self.best_epoch = int(state["best_epoch"])  # type: ignore[arg-type]
        self._weights = {
            key.removeprefix("weights/"): value for key, value in state.items() if isinstance(value, torch.Tensor)
        }
