"""Looks into a run: one step of gradient descent on two weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from netwright import files
from netwright.data.batches import Batches
from netwright.errors import SpecError
from netwright.lens import step as lens
from netwright.model_file import Model
from netwright.progress import Silent
from netwright.registry import nearest
from netwright.report.step import StepView, step_page
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder
from netwright.run.prediction import run_data
from netwright.training import hardware

_EXAMPLES = 512
_WEIGHT = re.compile(r"(?P<name>.+)\[(?P<place>\d+(,\s*\d+)*)\]")


@dataclass(frozen=True)
class Step:
    """A step on two weights, in numbers and in words.

    Args:
        view: The numbers.
        names: The two weights.
        page: Where the picture lies.
        text: In words, line by line.
    """

    view: lens.StepView
    names: tuple[str, str]
    page: Path
    text: list[str]


def step_view(run: Path, *, weights: Sequence[str] = (), lr: float | None = None) -> Step:
    """One step of gradient descent on two weights of a run, all others standing still.

    Args:
        run: The run folder.
        weights: Two weights, e.g. "dense1.weight[0,3]"; the two with the steepest slopes when left out.
        lr: Learning rate; the run's own when left out.

    Raises:
        SpecError: No such weights.
        DataError: The run's data is gone or changed.
    """
    folder = RunFolder(run)
    dataset, decided = run_data(folder, Silent())
    model = load_model(run)
    chosen = decided.spec.training.optimizer
    rate = lr if lr is not None else float(chosen.options.get("lr", 0.1)) if chosen else 0.1
    batch = next(
        iter(Batches(dataset, "train", _EXAMPLES, decided.spec.training.seed, shuffle=True, resident=False).epoch(0))
    )
    model.network.eval()

    def loss() -> Tensor:
        outputs = model.network(batch.inputs)
        terms = [task.weight * task.terms(outputs[n], batch.targets[n]).mean() for n, task in model.tasks.items()]
        return torch.stack(terms).sum()

    named = {_short(model, name): parameter for name, parameter in model.network.named_parameters()}
    with hardware.applied(decided.hardware):
        picked = [_weight(word, named) for word in weights] if weights else _steepest(loss, named)
    if len(picked) != 2:
        raise SpecError(f"{len(picked)} weights were named.", 'Name two, e.g. --weights "dense1.weight[0,3]".')
    with hardware.applied(decided.hardware):
        view = lens.step_view(loss, (named[picked[0][0]], picked[0][1]), (named[picked[1][0]], picked[1][1]), rate)
    names = (_told(*picked[0], named), _told(*picked[1], named))
    page = folder.path / "step.html"
    files.write_text(
        page,
        step_page(
            StepView(
                names=names,
                values=view.weights,
                gradients=view.slopes,
                lr=rate,
                loss_before=view.loss_before,
                loss_after=view.loss_after,
                x=tuple(view.first.tolist()),
                y=tuple(view.second.tolist()),
                losses=tuple(tuple(row) for row in view.surface.T.tolist()),
                note=f"Loss of {len(batch.index)} training examples of {folder.path.name}.",
            )
        ),
    )
    return Step(view, names, page, _text(view, names, rate, len(batch.index), page))


def _text(view: lens.StepView, names: tuple[str, str], rate: float, examples: int, page: Path) -> list[str]:
    lines = [f"one step on {examples} training examples, learning rate {rate:g}:"]
    for name, value, slope, step in zip(names, view.weights, view.slopes, view.step, strict=True):
        lines.append(f"  {name}: {value:+.5f}, slope {slope:+.5g}, step {step:+.5g} -> {value + step:+.5f}")
    lines.append(f"  direction ({view.direction[0]:+.3f}, {view.direction[1]:+.3f}), size {view.size:.5g}")
    lines.append(f"  loss before {view.loss_before:.6f}, after {view.loss_after:.6f}")
    return [*lines, f"picture: {files.printable(page)}"]


def _short(model: Model, name: str) -> str:
    """`dense1.weight` for `parts.dense1.linear.weight`; the output's name for its head."""
    places = {where: node.name for node in model.network.nodes if node.inputs for where in [_where(model, node.name)]}
    owner = next(where for where in sorted(places, key=len, reverse=True) if name.startswith(f"{where}."))
    return f"{places[owner]}.{name.rpartition('.')[2]}"


def _where(model: Model, node: str) -> str:
    module = model.network.module(node)
    return next(name for name, inner in model.network.named_modules() if inner is module)


def _weight(word: str, named: Mapping[str, Tensor]) -> tuple[str, int]:
    found = _WEIGHT.fullmatch(word.strip())
    if not found or found["name"] not in named:
        name = found["name"] if found else word
        known = ", ".join(f"{key}{list(value.shape)}" for key, value in named.items())
        raise SpecError(f'"{word}" is no weight{nearest(name, named)}.', f"Known, with their shapes: {known}.")
    shape = named[found["name"]].shape
    place = [int(number) for number in found["place"].split(",")]
    if len(place) != len(shape) or any(at >= size for at, size in zip(place, shape, strict=True)):
        raise SpecError(f'"{word}": {found["name"]} has shape {list(shape)}.', "Count every place from 0.")
    flat = 0
    for at, size in zip(place, shape, strict=True):
        flat = flat * size + at
    return found["name"], flat


def _steepest(loss: Callable[[], Tensor], named: Mapping[str, Tensor]) -> list[tuple[str, int]]:
    """The two weights along which the loss falls fastest."""
    gradients = torch.autograd.grad(loss(), list(named.values()), allow_unused=True, materialize_grads=True)
    sizes = torch.cat([gradient.abs().flatten() for gradient in gradients])
    owners = [(name, place) for name, value in named.items() for place in range(value.numel())]
    return [owners[int(i)] for i in sizes.topk(min(2, len(sizes))).indices]


def _told(name: str, flat: int, named: Mapping[str, Tensor]) -> str:
    place = []
    for size in reversed(named[name].shape):
        place.append(flat % size)
        flat //= size
    return f"{name}[{','.join(str(at) for at in reversed(place))}]"
