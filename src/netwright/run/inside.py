"""What went on inside a net, from the looks that were taken while it trained, as a report shows it."""

from __future__ import annotations

import json
import statistics

from netwright.data.batches import TABLE, coded_width, groups
from netwright.data.fields import kind_of
from netwright.model_file import Model
from netwright.models.layers import Dense
from netwright.report.facts import Coefficient, LayerInside, Mark, RateTest
from netwright.run.folder import RunFolder
from netwright.training import evidence, history

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


def range_test(folder: RunFolder) -> RateTest | None:
    """The learning rates that were tried before training, where they were."""
    if not folder.range_test.exists():
        return None
    return RateTest.model_validate(json.loads(folder.range_test.read_text(encoding="utf-8")))


def warnings(folder: RunFolder) -> list[str]:
    """What was noticed while it trained."""
    return [str(look["text"]) for look in evidence.read(folder.evidence) if look.get("place") == "warning"]


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
