"""What goes on inside the networks while they train: activations, weights and gradients of every layer, now and then.

An observer: it answers a batch in evaluation mode without gradients and reads what is there, so that training is the
same bit for bit with and without it. It looks before the first step, after steps 1, 2, 4, 8, ... and then at regular
distances, at most `MOST` times, which keeps its cost below 3 % of a small net's training. Each look is one JSON line in
a file of its own; a resumed run may write a step twice, and whoever reads takes the last.
"""

from __future__ import annotations

import inspect
import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from netwright import files
from netwright.errors import NetwrightError
from netwright.models.layers import Layer
from netwright.readers import padding
from netwright.registry import parts
from netwright.training.history import Row
from netwright.training.observers import Observer
from netwright.training.optimizers import own_rates

if TYPE_CHECKING:
    from netwright.data.batches import Batch
    from netwright.training.loop import Training

EVERY, MOST = 256, 200  # steps between two looks at least; looks at most
ROWS = 256  # examples looked at
BINS = 24  # of a histogram
NEAR = 0.001  # of a layer's largest weight: what is smaller counts as nothing
_LARGEST = 20_000_000  # numbers whose movement in one step is measured; a copy of them costs memory
_COUNTED = 250_000  # values of a layer at most that are averaged and counted
_RATES = 1_000_000  # single rates of one matrix looked at
_FULL_RATE = 0.5  # share of the learning rate below which a schedule is still warming up
_SMALL_MOVE, _LARGE_MOVE = 0.0005, 0.06  # shares of the weights' size
_LITTLE, _LOST = 0.35, 1.5  # of the first loss
_AT_LIMIT = 0.01  # of the way between the limits of an activation: nearer it counts as saturated

Measured = dict[str, float | int | list[float] | list[int]]
Look = dict[str, float | int | str | dict[str, Measured]]


class Evidence(Observer):
    """Writes a look at every layer.

    Args:
        path: The file, e.g. `runs/digits-1/evidence.jsonl`.
    """

    def __init__(self, path: Path, *, judges: bool = True) -> None:
        self._path, self._judges = path, judges
        self._before: list[Tensor] = []
        self._warned = False
        self._every = EVERY
        self._first_loss, self._moved = 0.0, list[float]()
        self._empty: set[str] = set()  # layers that began at 0: of nothing, every step is a large share

    def begin(self, training: Training) -> None:
        """The untrained networks, with histograms."""
        self._empty = {name for name, some in _matrices(training).items() if not _rms(_flat(some))}
        batch = next(iter(training.source.epoch(0)), None)
        if batch is not None:
            self._look(training, batch, histograms=True)

    def step(self, training: Training) -> None:
        """A look, when it is time for one; the step after it tells how far the weights moved."""
        if self._before:
            moved = _moved(training, self._before)
            self._moved += [share for name, share in moved.items() if name not in self._empty]
            self._write(training, {"step": training.step, "moved": moved})
            self._before = []
        step = training.step
        self._every = max(EVERY, training.total // MOST)
        if step % self._every and (step & (step - 1) or step >= EVERY):
            return
        if training.batch is not None:
            self._look(training, training.batch)
        if sum(weight.numel() for weight in training.parameters) <= _LARGEST:
            self._before = [weight.detach().clone() for weight in training.matrices]

    def epoch(self, training: Training, row: Row) -> None:
        """After the first epoch, a word when the learning rate seems wrong."""
        loss, rate = row.get("train/loss"), row.get("lr")
        if (
            not self._judges
            or training.epoch != 1
            or not self._moved
            or not self._first_loss
            or training.rate < _FULL_RATE
        ):
            return
        if isinstance(loss, float) and isinstance(rate, float):
            words = judged_rate(rate, statistics.median(self._moved), self._first_loss, loss)
            if words:
                training.note(words)
                self._write(training, {"step": training.step, "place": "warning", "text": words})

    def finish(self, training: Training) -> None:
        """The networks as they are kept, with histograms, and units that no example of the training part wakes."""
        batch = _many(training)
        if batch is not None:
            self._look(training, batch, histograms=True, last=True)

    def _look(self, training: Training, batch: Batch, *, histograms: bool = False, last: bool = False) -> None:
        layers, loss = _activations(training, batch if last else _cut(batch, ROWS), histograms)
        weights = {name: _weights(some, histograms) for name, some in _matrices(training).items()}
        if last:
            for name, some in _matrices(training).items():
                weights[name] |= _rates(training, some)
        place = "last" if last else "first" if not training.step else "step"
        self._write(
            training,
            {"step": training.step, "epoch": training.epoch, "place": place, "loss": loss}
            | {"layers": layers, "weights": weights},
        )
        if not training.step:
            self._first_loss = loss

    def _write(self, training: Training, look: Look | dict[str, object]) -> None:
        try:
            files.append(self._path, json.dumps(_short(look), separators=(",", ":")) + "\n", durable=False)
        except NetwrightError as exc:  # a log is never worth a training
            if not self._warned:
                training.note(f"{exc.message} What goes on inside is not written any more.")
            self._warned = True


def judged_rate(rate: float, moved: float, before: float, after: float) -> str:
    """What is wrong with a learning rate, as far as one epoch tells; nothing when it seems right.

    The bounds were found by trying rates from 1e-6 to 3 with sgd and adam on four data sets (docs/log.md).

    Args:
        rate: The learning rate.
        moved: Share of their size that weights moved in a step.
        before: Loss before the first step.
        after: Mean training loss of the first epoch.

    Example:
        >>> judged_rate(0.01, 0.02, 2.3, 0.5)
        ''
    """
    told = f"a step moved the weights by {100 * moved:.2g} % of their size (0.1 % to 5 % is usual)"
    losses = f"the loss went from {before:.3g} to {after:.3g} in the first epoch"
    if after > _LOST * before or (moved > _LARGE_MOVE and after > _LITTLE * before):
        return f"learning rate {rate:.2g} looks too high: {told}, and {losses}. Try {rate / 10:.1g}, or lr: auto."
    if moved < _SMALL_MOVE and after > _LITTLE * before:
        return f"learning rate {rate:.2g} looks too low: {told}, and {losses}. Try {rate * 10:.1g}, or lr: auto."
    return ""


def _short(value: object) -> object:
    """The same with six digits to a number, and null for what is no number."""
    match value:
        case dict():
            return {key: _short(each) for key, each in value.items()}
        case list():
            return [_short(each) for each in value]
        case float():
            return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def read(path: Path) -> list[dict]:
    """The looks of a run, one a step, oldest first; nothing when there are none or the file is damaged."""
    found: dict[tuple[int, str], dict] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            look = json.loads(line)
        except ValueError:
            continue  # a line half written by a killed process
        key = (look["step"], str(look.get("place", "moved")))
        found.pop(key, None)
        found[key] = look
    return sorted(found.values(), key=lambda look: (look["step"], look.get("place") == "last"))


# ---- activations -----------------------------------------------------------------------------------------------------


def _activations(training: Training, batch: Batch, histograms: bool) -> tuple[dict[str, Measured], float]:
    """Mean, spread and zeros of every layer's values, for functions with limits how many lie at them; and the loss."""
    found: dict[str, Measured] = {}

    def keep(name: str, module: nn.Module) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_: nn.Module, __: object, value: Tensor) -> None:
            found[name] = _measure(value.detach(), _limits(module), histograms)

        return hook

    with ExitStack() as stack, torch.no_grad():
        for net in training.plan.nets.values():
            stack.enter_context(watched(net, keep))
        terms = training.plan.losses(batch)
    return found, sum(float(term) for term in terms.values())


def _cut(batch: Batch, most: int) -> Batch:
    inputs, targets, others = (
        {k: v[:most] for k, v in of.items()} for of in (batch.inputs, batch.targets, batch.others or {})
    )
    return replace(batch, inputs=inputs, targets=targets, index=batch.index[:most], others=others or None)


@contextmanager
def watched(
    net: nn.Module, hook: Callable[[str, nn.Module], Callable[[nn.Module, object, Tensor], None]]
) -> Iterator[None]:
    """A network in evaluation mode with a hook on each of its layers, and afterwards as it was.

    Args:
        net: The network.
        hook: Gives the function that sees a layer's outputs, from the layer's name and module.
    """
    training = net.training
    net.eval()
    handles = [module.register_forward_hook(hook(name.removeprefix("parts."), module)) for name, module in _layers(net)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        net.train(training)


def _layers(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """A network's layers by name; what a layer is made of is its own affair."""
    within: list[str] = []
    for name, module in net.named_modules():
        inside = any(name.startswith(outer) for outer in within)
        if not inside and (isinstance(module, Layer) or not list(module.children())):
            within.append(f"{name}.")
            yield name, module


def _measure(value: Tensor, limits: tuple[float, float] | None, histogram: bool) -> Measured:
    flat = value.float()
    some = _some(flat, _COUNTED)
    spread, mean = torch.std_mean(some, correction=0)
    found: Measured = {"mean": float(mean), "std": float(spread), "zeros": float((some == 0).float().mean())}
    if limits and limits[0] == 0 and limits[1] == float("inf"):
        idle = (flat == 0).flatten(2).all(dim=2).all(dim=0) if flat.ndim > 2 else (flat == 0).all(dim=0)
        found |= {"units": len(idle), "dead": idle.nonzero().flatten().tolist()}
    elif limits:
        low, high = limits
        near = _AT_LIMIT * (high - low if math.isfinite(high - low) else abs(low))
        found["saturated"] = float(((some <= low + near) | (some >= high - near)).float().mean())
    return {**found, **_histogram(flat)} if histogram and limits else found  # others are told by their weights


def _limits(module: nn.Module) -> tuple[float, float] | None:
    """Between which values an activation lies, as the registry says; None for other layers."""
    part = parts("activation").get(getattr(module, "name", ""))
    if part is None or "limits" not in part.facts:
        return None
    low, high = (_limit(word, module) for word in part.facts["limits"].split())
    return low, high


def _limit(word: str, module: nn.Module) -> float:
    """A limit as the catalogue says it: a number, or an option of the function, as in `-alpha`."""
    name, function = word.removeprefix("-"), getattr(module, "function", None)
    known = inspect.signature(function.func).parameters if isinstance(function, partial) else {}
    if name not in known or not isinstance(function, partial):
        return float(word)
    value = float(function.keywords.get(name, known[name].default))
    return -value if word.startswith("-") else value


def _many(training: Training, most: int = 5000) -> Batch | None:
    """Some thousand examples of the training part in one batch."""
    found: list[Batch] = []
    for batch in training.source.epoch(0):
        found.append(batch)
        if sum(len(each.index) for each in found) >= most:
            break
    if not found:
        return None
    inputs, targets = (
        {name: _joined([values[name] for values in several]) for name in several[0]}
        for several in ([batch.inputs for batch in found], [batch.targets for batch in found])
    )
    index = torch.cat([batch.index for batch in found])
    return _cut(replace(found[0], inputs=inputs, targets=targets, index=index), most)


def _joined(tensors: list[Tensor]) -> Tensor:
    return torch.cat(tensors) if len({tensor.shape[1:] for tensor in tensors}) == 1 else padding.joined(tensors)


# ---- weights ---------------------------------------------------------------------------------------------------------


def _matrices(training: Training) -> dict[str, list[nn.Parameter]]:
    """The weights of sums by the name of their layer; a recurrent layer has several matrices."""
    kept = {id(weight) for weight in training.matrices}
    found: dict[str, list[nn.Parameter]] = {}
    for name, weight in [pair for net in training.plan.nets.values() for pair in net.named_parameters()]:
        if id(weight) in kept:
            found.setdefault(name.removeprefix("parts.").partition(".")[0], []).append(weight)
    return found


def _flat(weights: Sequence[Tensor]) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in weights])


@torch.no_grad()
def _weights(weights: Sequence[nn.Parameter], histogram: bool) -> Measured:
    size = _flat(weights).abs()
    found: Measured = {"rms": _rms(size), "zeros": float((size <= NEAR * size.max()).float().mean())}
    slopes = [weight.grad for weight in weights if weight.grad is not None]
    if slopes:
        found["gradient"] = _rms(_flat(slopes))
    return {**found, **_histogram(_flat(weights))} if histogram else found


@torch.no_grad()
def _rates(training: Training, weights: Sequence[nn.Parameter]) -> Measured:
    """Rates that the optimizer gives single weights: that of 1 % of them, the middle one, that of 99 %."""
    for optimizer in training.plan.optimizers.values():
        known = [rates for weight in weights if (rates := own_rates(optimizer, weight)) is not None]
        if known and sum(map(torch.numel, known)):
            some = _some(_flat(known), _RATES).double()
            return {"rates": torch.quantile(some, some.new_tensor([0.01, 0.5, 0.99])).tolist()}
    return {}


def _some(values: Tensor, most: int) -> Tensor:
    """All values, flat; of very many every n-th."""
    return values.flatten()[:: max(1, -(-values.numel() // most))]


def _rms(values: Tensor) -> float:
    return float(values.detach().norm()) / values.numel() ** 0.5


def _histogram(values: Tensor) -> Measured:
    """Counts in equal bins between the smallest and the largest value; values that are no numbers are left out."""
    some = _some(values, _COUNTED)
    finite = some[torch.isfinite(some)].float()
    if not finite.numel():
        return {}
    low, high = float(finite.min()), float(finite.max())
    counts = torch.histc(finite, BINS, low, high) if high > low else torch.tensor([float(finite.numel())])
    return {"low": low, "high": high, "counts": counts.long().tolist()}


@torch.no_grad()
def _moved(training: Training, before: list[Tensor]) -> dict[str, float]:
    """How far each layer's weights moved in one step, as a share of their size."""
    known = {id(weight): old for weight, old in zip(training.matrices, before, strict=True)}
    found = {}
    for name, weights in _matrices(training).items():
        old = _flat([known[id(weight)] for weight in weights])
        if size := float(old.norm()):
            found[name] = float((_flat(weights) - old).norm()) / size
    return found


def placed(looks: list[dict], place: str) -> dict:
    """The look before the first step ("first") or at the end ("last"); empty when there is none."""
    return next((look for look in reversed(looks) if look.get("place") == place), {})
