"""What a strategy is: the only kind of part that may change training.

The loop calls the hooks a strategy defines, in this order: `begin` once, then for every step `batch`, and `step` if one
strategy replaces the step, else `terms` (losses), `accept` and `gradients`; then `after_step`; when an epoch is
complete `before_validation` and `end_of_epoch`, and `finish` at the end. A hook that a strategy leaves alone costs
nothing. Whatever a strategy must remember it gives in `state`, so that a resume is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from netwright.data.batches import Batch

if TYPE_CHECKING:
    from netwright.training.loop import Training

Row = dict[str, float | int | str | None]
State = dict[str, Tensor | float | int | str | bool | None]
Terms = dict[str, Tensor]


class Strategy:
    """A strategy that changes nothing; real ones define some of these hooks."""

    name = "nothing"

    def begin(self, training: Training) -> None:
        """Act once before the first step; not called on a resume, which loads `state` instead."""

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch to use instead."""
        return batch

    def step(self, training: Training, batch: Batch) -> Terms | None:
        """The whole step, done by this strategy: its losses, or None when no update was made."""
        raise NotImplementedError(f"{self.name} does not replace the step")

    def terms(self, training: Training, terms: Terms) -> Terms:
        """The losses to add up instead."""
        return terms

    def accept(self, training: Training, loss: float) -> bool:
        """Whether the step may be applied; called with the sum of the losses before anything is computed from it."""
        return True

    def gradients(self, training: Training) -> None:
        """Change the gradients before the optimizer uses them."""

    def after_step(self, training: Training) -> None:
        """Act after an update, e.g. on the weights."""

    def before_validation(self, training: Training) -> None:
        """Act before the validation part is scored; `end_of_epoch` comes right after it."""

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Act on the epoch's scores."""

    def finish(self, training: Training) -> None:
        """Act once, when training has ended by itself."""

    def state(self) -> State:
        """What this strategy remembers."""
        return {}

    def load_state(self, state: State) -> None:
        """Remember again what `state` gave."""


def defined(strategies: list[Strategy], hook: str) -> list[Strategy]:
    """Those strategies that define a hook themselves."""
    return [s for s in strategies if getattr(type(s), hook) is not getattr(Strategy, hook)]
