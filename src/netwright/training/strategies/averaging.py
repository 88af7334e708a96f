"""Weight averaging: what is validated and kept is a running mean of the weights, calmer than the weights themselves.

`mean <- d mean + (1 - d) weights` after every step, with d the smaller of `decay` and (1 + n) / (10 + n) at step n, so
that the first weights are soon forgotten. Training itself goes on with the plain weights.

Source: Polyak & Juditsky 1992, Acceleration of Stochastic Approximation by Averaging; the exponential form and its
start as in Tarvainen & Valpola 2017, arXiv:1703.01780, and TensorFlow's ExponentialMovingAverage.
"""

from __future__ import annotations

import torch

from netwright.training.loop import Training
from netwright.training.strategies.strategy import Row, State, Strategy


class Averaging(Strategy):
    """Keeps the running mean, and puts it in place while the network is validated and at the end.

    Args:
        decay: Share of the mean that stays at each step, in (0, 1); 0.999 averages over about 1,000 steps.
    """

    name = "averaging"

    def __init__(self, decay: float = 0.999) -> None:
        self.decay, self.steps = decay, 0
        self._mean: dict[str, torch.Tensor] = {}
        self._live: list[torch.Tensor] = []
        self._aside: dict[str, torch.Tensor] = {}

    def begin(self, training: Training) -> None:
        """The mean begins as the first weights."""
        self._mean = {k: v.detach().clone() for k, v in training.weights().items() if v.is_floating_point()}

    @torch.no_grad()
    def after_step(self, training: Training) -> None:
        """Moves the mean towards the weights; begins anew where weights of before were put back."""
        if training.returned:  # the mean has seen what was thrown away
            self.steps, self._live = 0, []
            self.begin(training)
        if not training.applied:
            return
        if not self._live:
            weights = training.weights()
            self._live = [weights[name] for name in self._mean]
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        torch._foreach_lerp_(list(self._mean.values()), self._live, 1 - keep)  # type: ignore[attr-defined]

    def before_validation(self, training: Training) -> None:
        """Puts the mean in place of the weights."""
        now = training.weights()
        self._aside = {name: now[name].detach().clone() for name in self._mean}
        training.load_weights({**now, **self._mean})

    def end_of_epoch(self, training: Training, row: Row) -> None:
        """Puts the weights back; whoever keeps the best epoch has taken the mean by now."""
        if self._aside:
            training.load_weights({**training.weights(), **self._aside})
            self._aside = {}

    def finish(self, training: Training) -> None:
        """Leaves the mean in place, unless the mean of a better epoch was kept and put back."""
        if not training.best_epoch:
            training.load_weights({**training.weights(), **self._mean})

    def state(self) -> State:
        """The mean and how many steps are in it."""
        return {**{f"mean/{name}": value for name, value in self._mean.items()}, "steps": self.steps}

    def load_state(self, state: State) -> None:
        """Average on from where `state` was taken."""
        self.steps = int(state["steps"])  # type: ignore[arg-type]
        held = {name.removeprefix("mean/"): value for name, value in state.items() if name.startswith("mean/")}
        self._mean = {name: value.clone() for name, value in held.items() if isinstance(value, torch.Tensor)}
        self._live = []
