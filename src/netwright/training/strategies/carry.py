"""The state of recurrent layers goes on from one piece of a text or sequence to the next; gradients end at the border.

That is truncated back-propagation through time: what a network knows comes from the whole text so far, what it learns
from is a piece of it.

Source: Williams & Peng 1990, An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network
Trajectories.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from netwright.data.batches import Batch
from netwright.models.recurrent import Carried, cut_states
from netwright.training.loop import Training
from netwright.training.strategies.strategy import State, Strategy


class Carry(Strategy):
    """Hands each batch the states that the one before it left; an epoch begins with none, a sequence with zeros."""

    name = "carry"

    def __init__(self) -> None:
        self._states: Carried = {}
        self._now: Carried = {}
        self._loaded: dict[str, Tensor] = {}
        self._names: dict[nn.Module, str] = {}

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch with the states that it begins with."""
        if training.step_in_epoch == 0:
            self._states = {}
        elif self._loaded:
            self._states = _by_layer(training, self._loaded)
        self._loaded = {}
        self._now = dict(self._states)
        cut_states(self._now, len(batch.index))
        if batch.fresh is not None and bool(batch.fresh.any()):
            self._now = {
                layer: tuple(_begun(part, batch.fresh) for part in state) for layer, state in self._now.items()
            }
        return replace(batch, carried=self._now)

    def after_step(self, training: Training) -> None:
        """Keep the states at the end, without the way that led there; none behind a step that was refused.

        In memory of their own, as they are after a resume: some products differ in their last bits by where in memory
        their numbers lie (MKL on processors other than Intel's).
        """
        if not training.applied:  # a state that is no number would spoil the rest of the epoch
            self._now = {}
        if not self._names:
            self._names = {module: name for name, module in training.plan.nets["net"].named_modules()}
        self._states = {
            layer: tuple(part.detach().clone(memory_format=torch.contiguous_format) for part in state)
            for layer, state in self._now.items()
        }
        if training.plan.device.type == "cuda":  # pragma: no cover - there a step is refused without a word
            self._states = {
                layer: tuple(part.nan_to_num(0.0, 0.0, 0.0) for part in state) for layer, state in self._states.items()
            }

    def state(self) -> State:
        """The states, by the name of their layer."""
        return {
            f"{self._names[layer]}/{place}": part
            for layer, state in self._states.items()
            for place, part in enumerate(state)
        }

    def load_state(self, state: State) -> None:
        """States again."""
        self._loaded = {key: part for key, part in state.items() if isinstance(part, Tensor)}


def _begun(part: Tensor, fresh: Tensor) -> Tensor:
    """A state that is 0 in rows that begin a sequence."""
    return part.masked_fill(fresh.reshape(-1, *[1] * (part.ndim - 1)), 0)


def _by_layer(training: Training, loaded: dict[str, Tensor]) -> Carried:
    """Saved states by their layers."""
    modules = dict(training.plan.nets["net"].named_modules())
    found: Carried = {}
    for key in sorted(loaded):
        name, _, _ = key.rpartition("/")
        found[modules[name]] = (*found.get(modules[name], ()), loaded[key])
    return found
