"""Sound losses only: no step is applied whose loss is no number or has exploded; a run that keeps failing goes back.

A loss has exploded when it is a thousand times the first one. Then the batch that began the epoch is answered too: is
its loss as far off, the weights were thrown, else the data of this batch are to blame. After `tries` refused steps in a
row, and at once where the weights were thrown, weights and optimizer return to the start of the epoch and the learning
rate is halved; after `restarts` returns the run ends, with the losses and gradients before and the examples of the last
batch named. Where layers are recurrent, the last gradients are always known. A run whose last epoch ends without a
number keeps the weights of the last epoch that had one. Everything is decided by steps, never by the clock, so a
resumed run decides the same. On a CUDA device the update itself leaves out a loss that is no number, and the rest is
looked at a few times an epoch.
"""

from __future__ import annotations

import math
from collections import deque

import torch

from netwright.errors import DivergedError
from netwright.models.decoders import fed_the_truth
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy
from netwright.words import counted

EXPLODED = 1e3  # times the first loss, and at least so much; without looking, no fresh network is so far off
_RISING = 3.0  # times the first loss, from which on gradients are measured
_SHOWN = 8  # losses, and gradients, told of a run that is lost
_COUNTS = ("in_a_row", "returns", "skipped", "good_epoch", "first", "first_held_out")


class Finite(Strategy):
    """Guards against losses that are no numbers, or a thousand times the first one.

    Args:
        tries: Such steps in a row before going back.
        restarts: Returns before giving up.
        measures: Every gradient is measured, not only those of rising losses: through time a gradient can explode from
            one step to the next, and beside such a step the measure costs next to nothing.
    """

    name = "finite"

    def __init__(self, tries: int = 5, restarts: int = 3, *, measures: bool = False) -> None:
        self.tries, self.restarts, self.measures = tries, restarts, measures
        self.in_a_row = self.returns = self.skipped = self.good_epoch = 0
        self.first = self.first_held_out = 0.0
        self.sound = True
        self._losses: deque[float] = deque(maxlen=_SHOWN)
        self._norms: deque[float] = deque(maxlen=_SHOWN)
        self._steepest = ""
        self._good: dict[str, torch.Tensor] = {}

    def begin(self, training: Training) -> None:
        """The untrained weights are the first place to come back to."""
        self._keep(training)

    def accept(self, training: Training, loss: float) -> bool:
        """Whether the loss is sound; goes back to the start of the epoch where nothing else helps.

        Raises:
            DivergedError: The returns are used up.
        """
        if self.first and training.applied:
            rising = not loss < _RISING * self.first
            if rising or self.measures:
                self._measure(training, by_layer=rising)
        if _is_sound(loss, self.first):
            self.first = self.first or abs(loss)
            self.in_a_row = 0
            self._losses.append(loss)
            return True
        self.in_a_row += 1
        self.skipped += 1
        thrown, told = False, f"step not applied: its loss was {loss:.3g}"
        if math.isfinite(loss):
            other = self._on_another(training)
            thrown = not abs(other) <= _limit_of(self.first)
            told += f", and {other:.3g} on another batch: {'the weights' if thrown else 'this batch'} did it"
        training.act(self.name, told)
        self._mend(training)
        if self.in_a_row == self.tries or thrown:
            self.in_a_row = 0
            self._go_back(training, loss)
        return False

    @torch.no_grad()
    def _on_another(self, training: Training) -> float:
        """The loss on the batch that began the epoch, or came after it, with the weights as they are now."""
        batch = next(iter(training.source.epoch(training.epoch, 0 if training.step_in_epoch else 1)), None)
        if batch is None:  # an epoch of a single batch
            return math.nan
        kept = {key: tensor.clone() for key, tensor in training.weights().items()}  # running means are moved
        devices = [training.plan.device] if training.plan.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), fed_the_truth(*training.plan.nets.values()):
            found = float(sum(term.item() for term in training.plan.losses(batch).values()))
        training.load_weights(kept)
        return found

    def _measure(self, training: Training, *, by_layer: bool) -> None:
        """How long the gradients of the step before are, all together, and in which layer they are longest."""
        gradients = [weight.grad for weight in training.parameters if weight.grad is not None]
        if gradients:
            self._norms.append(float(torch.nn.utils.get_total_norm(gradients)))
        if not by_layer:
            return
        found: dict[str, float] = {}
        for net in training.plan.nets.values():
            for name, weight in net.named_parameters():
                if weight.grad is not None:
                    layer = name.removeprefix("parts.").partition(".")[0].removeprefix("head:")
                    found[layer] = math.hypot(found.get(layer, 0.0), float(weight.grad.norm()))
        if found:
            self._steepest = max(found, key=lambda layer: _size(found[layer]))

    def _mend(self, training: Training) -> None:
        """Running means that the refused batch has spoiled are those of the start of the epoch again."""
        for of, net in training.plan.nets.items():
            for name, values in net.named_buffers():
                if not torch.isfinite(values).all():
                    values.copy_(self._good[f"weights/{of}/{name}"])

    def _go_back(self, training: Training, loss: float) -> None:
        self.returns += 1
        lost = self._diverged(training, loss, training.epoch + 1) if self.returns > self.restarts else None
        training.load_snapshot(self._good)
        if lost is not None:
            raise lost
        training.returned = True
        training.lr_scale *= 0.5
        training.act(self.name, f"back to the start of the epoch, learning rate x {training.lr_scale:g}")

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """An epoch that trained and whose validation loss is sound is a place to come back to."""
        held_out = row.get("validation/loss")
        if not self.first_held_out and isinstance(held_out, float) and math.isfinite(held_out):
            self.first_held_out = abs(held_out)  # what is held out may have wild values of its own
        self.sound = _is_sound(row.get("train/loss"), self.first)
        if "validation/loss" in row:
            self.sound = self.sound and _is_sound(held_out, self.first_held_out)
        if self.sound:
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
                f"{counted(self.skipped, 'step')} not applied: the loss was no number, or {EXPLODED:,.0f} times the "
                "first (history.jsonl lists them)"
            )
        if self.returns:
            training.note(
                f"went back to the start of an epoch {counted(self.returns, 'time')}, each time at half the learning "
                f"rate: {training.lr_scale:g} times what was asked for. Lower training.optimizer.lr, or bound the "
                "gradients (training.clip: 1.0)."
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
        where = "; the data of this batch is finite"
        if columns:
            where = f"; not finite in this batch: {', '.join(columns)}"
        elif math.isfinite(loss):
            where = "; on another batch it is as far off now, so that not this batch but the steps are to blame"
        lost = DivergedError(
            f"the loss is {loss:.6g} at step {training.step} (epoch {epoch}), after "
            f"{min(self.returns, self.restarts)} returns with the learning rate halved each time{where}."
            f"{self._history()} The batch begins with: {', '.join(named)}.",
            "Lower training.optimizer.lr by ten times, bound the gradients (training.clip: 1.0), or look at those "
            "examples with `netwright data show`.",
        )
        lost.good_epoch = self.good_epoch
        return lost

    def _history(self) -> str:
        """The losses and gradients that led there."""
        told = f" Losses before: {_in_words(self._losses)}." if self._losses else ""
        if not self._norms:
            return told
        where = f", the largest part in {self._steepest}" if self._steepest else ""
        return f"{told} Norms of the gradient: {_in_words(self._norms)}{where}."

    def state(self) -> State:
        """Counts, and the weights to come back to."""
        kept: State = {f"good/{key}": tensor for key, tensor in self._good.items()}
        counts = {name: getattr(self, name) for name in _COUNTS}
        return {**kept, **counts, "sound": self.sound}

    def load_state(self, state: State) -> None:
        """Guard on from where `state` was taken."""
        for name in _COUNTS:
            setattr(self, name, state.get(name, 0))
        self.sound = bool(state["sound"])
        self._good = {
            key.removeprefix("good/"): value for key, value in state.items() if isinstance(value, torch.Tensor)
        }


def _limit_of(first: float) -> float:
    return EXPLODED * max(first, 1.0)


def _is_sound(loss: object, first: float) -> bool:
    """Whether a loss is a number and no thousand times the first one, where there is one."""
    return isinstance(loss, float | int) and math.isfinite(loss) and not (first and abs(loss) > _limit_of(first))


def _size(norm: float) -> float:
    """For comparing: what is no number is larger than any."""
    return math.inf if math.isnan(norm) else norm


def _in_words(values: deque[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
