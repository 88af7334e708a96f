"""The one training loop: named networks, named optimizers, a source of batches, strategies and observers.

What it guarantees: the same spec, data and hardware record give the same weights bit for bit on a CPU; a run that is
killed anywhere and resumed ends with the same weights, optimizer state and history as one that was not; a signal
saves and leaves; nothing but a strategy changes what is computed.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from netwright.data.batches import Batch
from netwright.errors import Stopped
from netwright.seeds import derive
from netwright.training.history import History, Row
from netwright.training.observers import Observer
from netwright.training.signals import handled, next_one_ends
from netwright.training.strategies.strategy import State, Strategy, Terms, defined
from netwright.words import counted

Losses = Callable[[Batch], Terms]
PENALTY = "penalty/"  # terms of this name are minimised too, but are no loss of the data and are reported apart
Scores = Callable[[], dict[str, float]]


@runtime_checkable
class Source(Protocol):
    """Where batches come from; the cached data set is one source, an agent would be another."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        ...

    def epoch(self, number: int, start_step: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, from a step on: a pure function of the seed and these numbers."""
        ...

    def describe(self, index: Tensor) -> list[str]:
        """Names of examples, for messages."""
        ...


@dataclass
class Budget:
    """When training ends at the latest.

    Args:
        epochs: Most epochs.
        steps: Most steps; 0 for no limit.
        minutes: Most minutes of training, over all resumes; 0 for no limit.
    """

    epochs: int
    steps: int = 0
    minutes: float = 0.0


@dataclass
class Plan:
    """What a training is made of.

    Args:
        nets: The networks by name; one step trains them all.
        optimizers: The optimizers by name.
        losses: Weighted loss per output of a batch, as scalars.
        source: Where batches come from.
        budget: When it ends at the latest.
        seed: Seed of whatever the networks draw themselves.
        validate: Scores on the validation part, called after every epoch.
        schedule: Factor on the learning rate from (steps done, steps in all).
        device: Where to compute.
    """

    nets: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    losses: Losses
    source: Source
    budget: Budget
    seed: int
    validate: Scores | None = None
    schedule: Callable[[int, int], float] | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


Saver = Callable[["Training"], None]


class Training:
    """A training under way; strategies and observers are given this object.

    Attributes:
        step: Updates tried so far.
        epoch: Complete epochs so far.
        lr_scale: Factor on the scheduled learning rate, moved by strategies.
        rate: Factor on the optimizers' own learning rates in the last step: schedule times `lr_scale`.
        best_epoch: Epoch whose weights the networks hold, once training has ended; 0 for the last.
        applied: Whether the last step moved the weights.
        returned: Whether weights of before were put back in the last step.
        stop_reason: Why it ended.
    """

    def __init__(self, plan: Plan, strategies: list[Strategy], observers: list[Observer], history: History) -> None:
        self.plan, self.strategies, self.observers, self.history = plan, strategies, observers, history
        self.source = plan.source
        self.batch: Batch | None = None
        self.step = self.epoch = self.step_in_epoch = self.best_epoch = 0
        self.lr_scale = self.rate = 1.0
        self.stop_reason, self.save_soon, self.applied = "", False, True
        self.returned = False
        self.notes: list[str] = []
        self._sums: dict[str, float | Tensor] = {}
        self._seen = 0
        self._leave: int | None = None
        self._elapsed, self._since = 0.0, time.monotonic()
        self._over = False
        self._base_lr = {name: [g["lr"] for g in o.param_groups] for name, o in plan.optimizers.items()}
        self._last_save = time.monotonic()
        self._updates = [update_of(optimizer) for optimizer in plan.optimizers.values()]
        self._every = max(1, plan.source.steps // 8)
        self.total = plan.budget.epochs * plan.source.steps
        if plan.budget.steps:
            self.total = min(self.total, plan.budget.steps)

    # ---- what strategies may ask for ---------------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """End training after this epoch (or step), for a reason that the report gives."""
        self.stop_reason = self.stop_reason or reason

    def leave(self, signum: int) -> None:
        """Save and leave after this step; the run is not finished and can be resumed."""
        self._leave = signum

    def act(self, by: str, what: str, **facts: float | int | str) -> None:
        """Record that something changed training at this step."""
        self.history.add({"kind": "action", "step": self.step, "by": by, "what": what, **facts})

    def note(self, text: str) -> None:
        """Say one sentence to whoever watches."""
        if text not in self.notes:
            self.notes.append(text)

    def elapsed(self) -> float:
        """Seconds of training, over all resumes; they stand still when it has ended by itself."""
        return self._elapsed if self._over else self._elapsed + time.monotonic() - self._since

    def weights(self) -> dict[str, Tensor]:
        """Weights and buffers of all networks under `net/name`."""
        return {f"{n}/{k}": v for n, net in self.plan.nets.items() for k, v in net.state_dict().items()}

    def load_weights(self, weights: dict[str, Tensor]) -> None:
        """Put weights into the networks."""
        for name, net in self.plan.nets.items():
            mark = f"{name}/"
            net.load_state_dict({k.removeprefix(mark): v for k, v in weights.items() if k.startswith(mark)})

    def snapshot(self) -> dict[str, Tensor]:
        """Weights and optimizer tensors, as they are (not copied)."""
        tensors = {f"weights/{key}": value for key, value in self.weights().items()}
        for name, optimizer in self.plan.optimizers.items():
            for number, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer/{name}/{number}/{k}": v for k, v in state.items() if isinstance(v, Tensor)}
        return tensors

    def load_snapshot(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `snapshot` gave."""
        self.load_weights({k.removeprefix("weights/"): v for k, v in tensors.items() if k.startswith("weights/")})
        for name, optimizer in self.plan.optimizers.items():
            state: dict[int, dict[str, Tensor]] = {}
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            for key, value in tensors.items():
                if key.startswith(f"optimizer/{name}/"):
                    _, _, number, slot = key.split("/", 3)
                    state.setdefault(int(number), {})[slot] = _laid_like(value, weights[int(number)])
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})

    @property
    def learning_rate(self) -> float:
        """The largest that any optimizer was made with; `rate` is the factor on it."""
        return max(lr for rates in self._base_lr.values() for lr in rates)

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters of all networks that are learned."""
        return [weight for net in self.plan.nets.values() for weight in net.parameters() if weight.requires_grad]

    @cached_property
    def matrices(self) -> list[nn.Parameter]:
        """The weights of sums that are learned, one row per unit or token: no biases, centres or widths."""
        named = [pair for net in self.plan.nets.values() for pair in net.named_parameters()]
        of_sums = [weight for name, weight in named if _of_sums(name) and weight.ndim > 1]
        return [weight for weight in of_sums if weight.requires_grad]

    # ---- state for checkpoints ---------------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], dict[str, object]]:
        """Everything a resume needs: tensors, and plain values for JSON."""
        tensors, facts = self.snapshot(), {}
        tensors["generator/cpu"] = torch.get_rng_state()
        if self.plan.device.type == "cuda":  # pragma: no cover - needs a CUDA device
            tensors["generator/cuda"] = torch.cuda.get_rng_state()
        for strategy in self.strategies:
            for key, value in strategy.state().items():
                where = f"strategy/{strategy.name}/{key}"
                (tensors if isinstance(value, Tensor) else facts)[where] = value  # type: ignore[index]
        facts |= {f"sum/{key}": float(value) for key, value in self._sums.items()}
        names = ("step", "epoch", "step_in_epoch", "lr_scale", "rate", "stop_reason")
        facts |= {name: getattr(self, name) for name in names}
        return tensors, {**facts, "seen": self._seen, "elapsed": self.elapsed()}

    def load_state(self, tensors: dict[str, Tensor], facts: dict[str, object]) -> None:
        """Stand again where `state` was taken."""
        self.load_snapshot(tensors)
        torch.set_rng_state(tensors["generator/cpu"])
        if "generator/cuda" in tensors and self.plan.device.type == "cuda":  # pragma: no cover - needs a CUDA device
            torch.cuda.set_rng_state(tensors["generator/cuda"])
        for strategy in self.strategies:
            mark = f"strategy/{strategy.name}/"
            own: State = {k.removeprefix(mark): v for k, v in {**tensors, **facts}.items() if k.startswith(mark)}  # type: ignore[misc]
            if own:
                strategy.load_state(own)
        self._sums = {k.removeprefix("sum/"): float(v) for k, v in facts.items() if k.startswith("sum/")}  # type: ignore[arg-type]
        for name in ("step", "epoch", "step_in_epoch", "lr_scale", "rate", "stop_reason"):
            setattr(self, name, facts[name])
        self._seen, self._elapsed = int(facts["seen"]), float(facts["elapsed"])  # type: ignore[arg-type]
        self._since = time.monotonic()

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def run(self, save: Saver | None = None, save_every: float = 30.0) -> None:
        """Train to the end.

        Args:
            save: Called to write a checkpoint: every `save_every` seconds, before leaving, and at the end.
            save_every: Seconds between checkpoints.

        Raises:
            Stopped: A signal or the inbox asked to leave; the state is saved.
            DivergedError: The loss stayed no number.
        """
        with handled(self._signalled):
            if self.step == 0 and self.epoch == 0:
                self._begin()
            while not self._ended():
                self._epoch(save, save_every)
                if self._leave is not None:  # the signal came while validating
                    self._save(save)
            self._save(save)
            self._elapsed, self._over = self.elapsed(), True  # scores and reports that follow are no training
        for strategy in defined(self.strategies, "finish"):
            strategy.finish(self)
        for observer in self.observers:
            observer.finish(self)

    def _begin(self) -> None:
        torch.manual_seed(derive(self.plan.seed, "layers"))
        for strategy in defined(self.strategies, "begin"):
            strategy.begin(self)
        for observer in self.observers:
            observer.begin(self)

    def _signalled(self, signum: int) -> None:
        """The first signal finishes the step, saves and leaves; a second one ends at once."""
        self.leave(signum)
        next_one_ends()

    def _ended(self) -> bool:
        budget = self.plan.budget
        if self.stop_reason and self.step_in_epoch:  # resumed between the last step and the end of its epoch
            self._end_epoch()
        if self.epoch >= budget.epochs:
            self.stop(f"{_all_of(budget.epochs, 'epoch')} done")
        return bool(self.stop_reason)

    def _epoch(self, save: Saver | None, save_every: float) -> None:
        """One epoch, or what is left of it."""
        for net in self.plan.nets.values():
            net.train()
        hooks = _Hooks(self.strategies)
        for batch in self.source.epoch(self.epoch, self.step_in_epoch):
            self._step(batch, hooks, sampled=self.step % self._every == 0)
            for observer in self.observers:
                observer.step(self)
            over = self._over_budget()
            if self._leave is not None or self.save_soon or time.monotonic() - self._last_save > save_every:
                self._save(save)
            if over:
                break
        if self.step_in_epoch >= self.source.steps or self.stop_reason:
            self._end_epoch()

    def _over_budget(self) -> bool:
        budget = self.plan.budget
        if budget.steps and self.step >= budget.steps:
            self.stop(f"{_all_of(budget.steps, 'step')} done")
        elif budget.minutes and self.elapsed() >= budget.minutes * 60:
            self.act("budget", f"{budget.minutes:g} minutes are over")
            self.stop(f"{budget.minutes:g} minutes are over")
        return bool(self.stop_reason)

    def _step(self, batch: Batch, hooks: _Hooks, sampled: bool) -> None:
        for strategy in hooks.batch:
            batch = strategy.batch(self, batch)
        self.batch, self.returned = batch, False
        terms = hooks.step[0].step(self, batch) if hooks.step else self._update(batch, hooks)
        self.step += 1
        self.step_in_epoch += 1
        self.applied = terms is not None
        if terms is not None:
            count = len(batch.index)
            self._seen += count
            for name, value in terms.items():
                self._sums[name] = self._sums.get(name, 0.0) + self._number(value) * count
            if sampled:
                self._sample(batch, terms)
        for strategy in hooks.after_step:
            strategy.after_step(self)

    def _update(self, batch: Batch, hooks: _Hooks) -> Terms | None:
        """Forward, backward, update; None when a strategy refused the step."""
        self.rate = self.lr_scale
        if self.plan.schedule is not None:
            self.rate *= self.plan.schedule(self.step, self.total)
        for name, optimizer in self.plan.optimizers.items():
            for group, base in zip(optimizer.param_groups, self._base_lr[name], strict=True):
                group["lr"] = base * self.rate
        terms = self.plan.losses(batch)
        for strategy in hooks.terms:
            terms = strategy.terms(self, terms)
        loss = sum(terms.values()) if len(terms) > 1 else next(iter(terms.values()))
        if not self._accepted(loss, hooks):  # type: ignore[arg-type]
            return None
        self._forget_gradients()
        loss.backward()  # type: ignore[union-attr]
        for strategy in hooks.gradients:
            strategy.gradients(self)
        for update in self._updates:
            update()
        return {name: term.detach() for name, term in terms.items()}

    def _forget_gradients(self) -> None:
        """What `zero_grad` does, without its entry for the profiler, which is 2 % of a small net's step."""
        for optimizer in self.plan.optimizers.values():
            for group in optimizer.param_groups:
                for weight in group["params"]:
                    weight.grad = None

    def _accepted(self, loss: Tensor, hooks: _Hooks) -> bool:
        """Whether every strategy lets the step be applied.

        Reading a loss from a CUDA device would stall it, so there the update kernel itself skips a loss that is no
        number, and strategies are asked on sampled steps only.
        """
        if self.plan.device.type == "cuda":  # pragma: no cover - needs a CUDA device
            for optimizer in self.plan.optimizers.values():
                optimizer.grad_scale, optimizer.found_inf = None, (~torch.isfinite(loss.detach())).float()  # type: ignore[attr-defined]
            if self.step % self._every:
                return True
        value = loss.item()
        return all(strategy.accept(self, value) for strategy in hooks.accept)

    def _number(self, value: Tensor) -> float | Tensor:
        return value.item() if self.plan.device.type == "cpu" else value.double()

    def _sample(self, batch: Batch, terms: Terms) -> None:
        row: Row = {"kind": "step", "step": self.step, "epoch": self.epoch}
        row |= {f"loss/{name}": float(value) for name, value in terms.items()}
        self.history.add(row)

    def _end_epoch(self) -> None:
        row: Row = {"kind": "epoch", "epoch": self.epoch + 1, "step": self.step}
        means = {name: float(total) / self._seen for name, total in self._sums.items()}
        losses = {name: mean for name, mean in means.items() if not name.startswith(PENALTY)}
        row["train/loss"] = sum(losses.values()) if losses else math.nan  # every step of the epoch was refused
        row |= {f"train/{name}": mean for name, mean in means.items() if name.startswith(PENALTY)}
        if len(losses) > 1:
            row |= {f"train/{name}/loss": value for name, value in losses.items()}
        if self.plan.validate is not None:
            for strategy in defined(self.strategies, "before_validation"):
                strategy.before_validation(self)
            row |= {f"validation/{name}": value for name, value in self.plan.validate().items()}
        row["lr"] = next((max(base) * self.rate for base in self._base_lr.values()), None)
        for strategy in defined(self.strategies, "end_of_epoch"):
            strategy.end_of_epoch(self, row)
        self.history.add(row)
        self._sums, self._seen = {}, 0
        self.epoch += 1
        self.step_in_epoch = 0
        for observer in self.observers:
            observer.epoch(self, row)

    def _save(self, save: Saver | None) -> None:
        if save is not None:
            save(self)
        self._last_save, self.save_soon = time.monotonic(), False
        if self._leave is not None:  # asked before or while the state was written
            raise Stopped(
                f"stopped at step {self.step}, epoch {self.epoch + 1}; the state is saved.", signum=self._leave
            )


def _of_sums(name: str) -> bool:
    """Whether a parameter is the weights of sums by its name: torch's, those of recurrent layers, tokens' own."""
    last = name.rpartition(".")[2]
    return last.endswith("weight") or last.startswith("weight_") or last in {"recurrent", "embedding"}


def update_of(optimizer: torch.optim.Optimizer) -> Callable[[], object]:
    """The optimizer's own step, without what torch wraps around it.

    An entry for the profiler is 5 % of a small net's step, and the first call of another wrapper imports the compiler,
    which takes two seconds. What the wrappers are needed for, that no gradient is recorded, is done here.
    """
    step = inspect.unwrap(type(optimizer).step)

    def update() -> None:
        with torch.no_grad():
            step(optimizer)

    return update


def _laid_like(value: Tensor, weight: Tensor) -> Tensor:
    """A copy that lies in memory as its weight does, for updates go through both number by number."""
    if value.shape != weight.shape:
        return value.clone()
    return torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)


class _Hooks:
    """The strategies that define each hook, looked up once an epoch."""

    def __init__(self, strategies: list[Strategy]) -> None:
        self.batch, self.step = defined(strategies, "batch"), defined(strategies, "step")
        self.terms, self.accept = defined(strategies, "terms"), defined(strategies, "accept")
        self.gradients, self.after_step = defined(strategies, "gradients"), defined(strategies, "after_step")


def _all_of(count: int, one: str) -> str:
    return f"{'all ' * (count > 1)}{counted(count, one)}"
