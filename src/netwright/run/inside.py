"""What went on inside a net, from the looks that were taken while it trained, as a report shows it."""

from __future__ import annotations

import json
import statistics

import numpy as np
import torch

from netwright.data.batches import TABLE, coded_width, groups
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.figures.marks import number, percent
from netwright.model_file import Model
from netwright.models.layers import Dense, Rbf
from netwright.report.facts import Coefficient, LayerInside, Mark, PlaneFacts, RateTest
from netwright.run.folder import RunFolder
from netwright.spec import ClipSpec
from netwright.tasks.category import Category
from netwright.training import evidence, history

_GRID, _POINTS = 32, 600  # cells a side of the plane; examples drawn on it
_IDLE = 0.01  # of the largest of all inputs' weights: an input with less counts for nothing


def layers(folder: RunFolder, model: Model) -> list[LayerInside]:
    """Each layer with what was seen of it, in the order of the network; nothing for a run without looks."""
    looks = evidence.read(folder.evidence)
    first, last = (evidence.placed(looks, place) for place in ("first", "last"))
    if not last:
        return []
    names = [(node.name, model.network.key(node.name)) for node in model.network.nodes if node.inputs]
    return [_layer(name, key, looks, first, last) for name, key in names if key in last["layers"]]


def _layer(name: str, key: str, looks: list[dict], first: dict, last: dict) -> LayerInside:
    began, ended = first.get("layers", {}).get(key, {}), last["layers"][key]
    weights = last["weights"].get(key, {})
    slopes = [(look["step"], look["weights"][key].get("gradient")) for look in looks if key in look.get("weights", {})]
    moved = [look["moved"][key] for look in looks if key in look.get("moved", {})]
    before, after = (first.get("weights", {}).get(key), weights) if weights else (began, ended)
    return LayerInside(
        layer=name,
        std_first=began.get("std"),
        std_last=ended["std"],
        zeros=ended["zeros"],
        saturated=ended.get("saturated"),
        units=ended.get("units"),
        dead=ended.get("dead"),
        gradients=[pair for pair in slopes if pair[1] is not None],
        moved=statistics.median(moved) if moved else None,
        small=weights.get("zeros"),
        rates=weights.get("rates"),
        first=_spread(before),
        last=_spread(after),
    )


def _spread(seen: dict | None) -> tuple[float, float, list[int]] | None:
    return (seen["low"], seen["high"], seen["counts"]) if seen and "counts" in seen else None


def idle_inputs(model: Model) -> list[str]:
    """Columns of a table to which the first layer gives no weight to speak of, as an l1 penalty makes them."""
    table = groups(model.inputs).get(TABLE, ())
    reading = [node for node in model.network.nodes if node.inputs == ("input:table",)]
    modules = [model.network.module(node.name) for node in reading]
    if len(modules) != 1 or not isinstance(modules[0], Dense):
        return []
    sizes = modules[0].weight.detach().abs().amax(dim=0).split([coded_width(field) for field in table])
    largest = max(float(size.max()) for size in sizes)
    return [field.name for field, size in zip(table, sizes, strict=True) if float(size.max()) <= _IDLE * largest]


def coefficients(model: Model) -> list[Coefficient]:
    """What each column adds to the answer of a linear model: a table, one unit, and nothing in between."""
    dense = [node for node in model.network.nodes if node.parameters]
    if len(dense) != 1 or dense[0].inputs != (f"input:{TABLE}",) or dense[0].shape != (1,):
        return []
    module, output = model.network.module(dense[0].name), next(iter(model.outputs.values()))
    if not isinstance(module, Dense):  # pragma: no cover - heads are dense
        return []
    answer = output.std[0] if output.kind == "number" and output.std else 0.0
    weights, found = module.weight.detach()[0].tolist(), []
    for field in groups(model.inputs)[TABLE]:
        names = kind_of(field).names(field)
        known = field.std if field.kind in {"number", "vector"} else ()
        spreads = [*known, *[0.0] * (len(names) - len(known))]  # columns that say "missing" have none
        for name, spread in zip(names, spreads, strict=True):
            weight = weights[len(found)]
            own = weight * answer / spread if answer and spread else None
            found.append(Coefficient(name=name, weight=weight, own=own))
    found.sort(key=lambda each: -abs(each.weight))
    return [*found, Coefficient(name="intercept", weight=float(module.bias.detach()[0]))]


def plane(model: Model, dataset: Dataset) -> PlaneFacts | None:
    """Answers on a grid over two number inputs, for a net of just these and a category; None for others."""
    fields = list(model.inputs.values())
    if len(fields) != 2 or any(field.kind != "number" or field.missing for field in fields) or len(model.outputs) != 1:
        return None
    (name, task), train = next(iter(model.tasks.items())), dataset.parts["train"][:_POINTS]
    if not isinstance(task, Category):
        return None
    x, y = (np.asarray(dataset.arrays[field.name][train], dtype=np.float64) for field in fields)
    ends = [_widened(float(values.min()), float(values.max())) for values in (x, y)]
    grid = [np.linspace(low + (high - low) / 2 / _GRID, high - (high - low) / 2 / _GRID, _GRID) for low, high in ends]
    across, up = np.meshgrid(*grid)
    answers = model.answers(model.code({fields[0].name: across.ravel(), fields[1].name: up.ravel()}))[name]
    chosen = task.chosen(answers)
    sure = (answers.gather(1, chosen[:, None])[:, 0] - 1 / len(task.classes)) * len(task.classes)
    sure = (sure / (len(task.classes) - 1)).clamp(0, 1)
    cells = [(code, round(share, 2)) for code, share in zip(chosen.tolist(), sure.tolist(), strict=True)]
    codes = np.asarray(dataset.arrays[name][train]).tolist()
    return PlaneFacts(
        inputs=(fields[0].name, fields[1].name),
        x=ends[0],
        y=ends[1],
        answers=[cells[row * _GRID : (row + 1) * _GRID] for row in range(_GRID)],
        points=list(zip(x.tolist(), y.tolist(), codes, strict=True)),
        centres=_centres(model),
        classes=list(task.classes),
    )


def _widened(low: float, high: float) -> tuple[float, float]:
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _centres(model: Model) -> list[tuple[float, float, float, float]]:
    """Centres of radial units that look at the two inputs themselves, in the inputs' own units, and their reach."""
    mean, std = (torch.tensor([getattr(field, of)[0] for field in model.inputs.values()]) for of in ("mean", "std"))
    found: list[tuple[float, float, float, float]] = []
    for node in model.network.nodes:
        module = model.network.module(node.name) if node.inputs == (f"input:{TABLE}",) else None
        if isinstance(module, Rbf):
            places = module.centres.detach() * std + mean
            reach = module.log_width.detach().exp()[:, None] * std
            found += [(*place, *wide) for place, wide in zip(places.tolist(), reach.tolist(), strict=True)]
    return found


def range_test(folder: RunFolder) -> RateTest | None:
    """The learning rates that were tried before training, where they were."""
    if not folder.range_test.exists():
        return None
    return RateTest.model_validate(json.loads(folder.range_test.read_text(encoding="utf-8")))


def warnings(folder: RunFolder) -> list[str]:
    """What was noticed while it trained."""
    return [str(look["text"]) for look in evidence.read(folder.evidence) if look.get("place") == "warning"]


def clipped(rows: list[history.Row], clip: ClipSpec | None) -> str:
    """How many steps of the last epoch had their gradients cut, and how large these were; nothing without a bound.

    Args:
        rows: The history.
        clip: The bound.
    """
    row = next((row for row in reversed(rows) if "train/clipped" in row), None)
    if clip is None or row is None:
        return ""
    share, size = row["train/clipped"], row["train/largest_gradient"]
    many = "no step was" if not share else f"{percent(float(share))} of the steps were"
    largest = number(size if isinstance(size, int | float) else None)  # none where it was no number
    if clip.value:
        return (
            f"in the last epoch {many} cut to numbers of at most {clip.value:g}; the largest number of a gradient was "
            f"{largest}"
        )
    return f"in the last epoch {many} cut to length {clip.norm:g}; the longest gradient had length {largest}"


def marks(rows: list[history.Row]) -> list[Mark]:
    """Drops of the learning rate and acts of a person, by epoch."""
    found, epoch = [], 1
    for row in rows:
        if row.get("kind") == "epoch":
            epoch = int(row["epoch"] or 0) + 1
        elif row.get("kind") == "action" and row.get("by") == "plateau":
            found.append(Mark(epoch=int(row["epoch"] or epoch), text=f"rate {row['old']:.2g} to {row['new']:.2g}"))
        elif row.get("kind") == "action" and row.get("act") == "lr":
            found.append(Mark(epoch=epoch, text=f"rate x {row['factor']:g} by hand"))
    return found
