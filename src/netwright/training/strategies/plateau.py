"""Plateau: when the watched number stops getting better, the learning rate drops.

Every drop is an action in the history with its epoch, the old and the new rate, and the epoch since which nothing got
better.

Source: Bengio 2012, Practical recommendations for gradient-based training, arXiv:1206.5533, section 3.1.1.
"""

from __future__ import annotations

import math
from typing import Literal

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy


class Plateau(Strategy):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement.

    Args:
        watch: Name in the epoch's row, e.g. "validation/loss".
        better: Which way is better.
        factor: What the rate is multiplied by, in (0, 1); 0.5 drops it by 50 %.
        patience: Epochs without improvement before a drop, >= 1.
        floor: Smallest share of the first rate, > 0.
    """

    name = "plateau"

    def __init__(
        self,
        watch: str = "validation/loss",
        better: Literal["min", "max"] = "min",
        factor: float = 0.5,
        patience: int = 3,
        floor: float = 0.001,
    ) -> None:
        if not 0 < factor < 1 or patience < 1 or not 0 < floor <= 1:
            raise ValueError("plateau needs factor and floor between 0 and 1 and a patience of 1 or more")
        self.watch, self._sign = watch, -1.0 if better == "max" else 1.0
        self.factor, self.patience, self.floor = factor, patience, floor
        self.best, self.best_epoch, self.waited, self.share = math.inf, 0, 0, 1.0

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Compare with the best so far, and drop the rate when it has waited long enough."""
        value = row.get(self.watch, row.get("train/loss"))
        if not isinstance(value, float | int) or math.isnan(value):
            return
        if self._sign * value < self.best:
            self.best, self.best_epoch, self.waited = self._sign * value, training.epoch + 1, 0
            return
        self.waited += 1
        lower = max(self.share * self.factor, self.floor)
        if self.waited < self.patience or lower >= self.share:
            return
        training.lr_scale *= lower / self.share
        old = row.get("lr")
        facts = {"old": float(old), "new": float(old) * lower / self.share} if isinstance(old, float | int) else {}
        watched = self.watch.replace("/", " ").replace("_", " ")
        training.act(
            self.name,
            f"learning rate x {lower / self.share:g}: no better {watched} since epoch {self.best_epoch}",
            epoch=training.epoch + 1,
            **facts,
        )
        self.share, self.waited = lower, 0

    def state(self) -> State:
        """The best value, and how far the rate has dropped."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "share": self.share}

    def load_state(self, state: State) -> None:
        """Watch on from where `state` was taken."""
        self.best, self.share = float(state["best"]), float(state["share"])  # type: ignore[arg-type]
        self.best_epoch, self.waited = int(state["best_epoch"]), int(state["waited"])  # type: ignore[arg-type]
