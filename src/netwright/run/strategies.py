"""Which strategies a run trains under: those that guard every run, and those that its spec asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from netwright import registry
from netwright.data import augment, pieces
from netwright.data.batches import coded_width, follows, groups
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.field import Field
from netwright.model_file import Model
from netwright.models.decoders import Decoder
from netwright.models.recurrent import Recurrent
from netwright.readers.kinds import track
from netwright.readers.kinds.sequence import Sequence
from netwright.spec import PartSpec, Spec
from netwright.training.history import Row
from netwright.training.strategies.augment import Augment
from netwright.training.strategies.averaging import Averaging
from netwright.training.strategies.carry import Carry
from netwright.training.strategies.clipping import Clipping
from netwright.training.strategies.controls import Controls
from netwright.training.strategies.early_stopping import EarlyStopping
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.max_norm import MaxNorm
from netwright.training.strategies.mix import Mix
from netwright.training.strategies.noise import Noise
from netwright.training.strategies.penalty import Penalty
from netwright.training.strategies.scheduled_sampling import ScheduledSampling
from netwright.training.strategies.strategy import Strategy


def chosen(wanted: Spec, dataset: Dataset, model: Model, inbox: Path, replayed: list[Row]) -> list[Strategy]:
    """The strategies of a run, in the order in which their hooks are called.

    Penalties change gradients before they are cut; whoever keeps the best epoch takes the averaged weights before the
    plain ones are put back.

    Args:
        wanted: The spec, nothing left open.
        dataset: Says which inputs are quantities.
        model: Says what can be watched.
        inbox: Folder where a person's acts arrive.
        replayed: Acts that a resume does again.

    Raises:
        SpecError: What is to be watched is no output; tokens are to be fed back where none are.
    """
    training = wanted.training
    regularize, clip = training.regularize, training.clip
    watch, better = _watched(training.stop.watch or "loss", model)
    if training.scheduled_sampling and not any(task.writes for task in model.tasks.values()):
        raise SpecError(
            "training.scheduled_sampling: no decoder writes here, so nothing is fed back.", "Leave the setting out."
        )
    recurs = any(isinstance(module, Recurrent | Decoder) for module in model.network.modules())
    goes_on = follows(dataset.outputs) or (pieces.asked(wanted) and not model.network.foresees)
    found: list[Strategy] = [Finite(measures=recurs), *([Carry()] if goes_on else [])]
    found += changing(wanted, dataset)
    if regularize.l1 or regularize.l2:
        found.append(Penalty(regularize.l1 or 0.0, regularize.l2 or 0.0))
    if training.scheduled_sampling:
        found.append(ScheduledSampling(training.scheduled_sampling, training.seed))
    if clip:
        found.append(Clipping(clip.norm or 0.0, clip.value or 0.0))
    if regularize.max_norm:
        found.append(MaxNorm(regularize.max_norm))
    found.append(EarlyStopping(watch, training.stop.patience or 0, better))
    found += _of_schedule(training.schedule, watch, better)
    if training.average:
        found.append(Averaging(training.average))
    return [*found, Controls(inbox, replayed)]


def changing(wanted: Spec, dataset: Dataset) -> list[Augment | Mix | Noise]:
    """Those that change what a step sees of its examples."""
    regularize, seed = wanted.training.regularize, wanted.training.seed
    transforms = {name: augment.made(wish) for name, wish in wanted.inputs.items() if wish.augment}
    turned = [name for name, out in wanted.outputs.items() if out.when_mirrored == "negate"]
    tracks = {
        name: (
            track.pairs(field),
            float(field.options["step"]),
            [out for out, facts in dataset.outputs.items() if facts.options.get("onward") == name],
        )
        for name, field in dataset.inputs.items()
        if field.kind == "track"
    } | {name: (1, 0.0, []) for name, field in dataset.inputs.items() if field.kind == "ink"}
    timed = [name for name, field in dataset.inputs.items() if field.kind in {"audio", "signal"}]
    found: list[Augment | Mix | Noise] = [Augment(transforms, turned, seed, tracks, timed)] if transforms else []
    if regularize.mixup or regularize.cutmix:
        found.append(Mix(regularize.mixup or 0.0, regularize.cutmix or 0.0, seed))
    return [*found, Noise(regularize.noise, _quantities(dataset))] if regularize.noise else found


def _of_schedule(schedule: PartSpec | None, watch: str, better: Literal["min", "max"]) -> list[Strategy]:
    """The strategy that moves the learning rate, where that is more than a function of the step."""
    name = registry.part("schedule", schedule.name).facts.get("strategy") if schedule else None
    return [registry.resolve("strategy", name)(watch, better, **schedule.options)] if name and schedule else []


def _watched(watch: str, model: Model) -> tuple[str, Literal["min", "max"]]:
    if watch == "loss":
        return "validation/loss", "min"
    if watch not in model.tasks:
        known = ", ".join(["loss", *model.tasks])
        raise SpecError(f'training.stop.watch is "{watch}", which is no output.', f"Known here: {known}.")
    score, better = model.tasks[watch].watch
    return (f"validation/{watch}/{score}" if len(model.tasks) > 1 else f"validation/{score}"), better


def _quantities(dataset: Dataset) -> dict[str, torch.Tensor]:
    """By input group of flat rows, 1 for columns that are quantities, 0 for those of classes and of what is missing."""

    def of(field: Field) -> torch.Tensor:
        kind = kind_of(field)
        width = kind.dim(field) if isinstance(kind, Sequence) and not field.vocabulary else coded_width(field)
        marks = sum(count > 0 for count in field.missing)
        quantities = 0 if field.vocabulary else width - marks
        return (torch.arange(width) < quantities).float()

    return {
        group: torch.cat([of(field) for field in fields])
        for group, fields in groups(dataset.inputs).items()
        if any(field.vocabulary or any(field.missing) for field in fields)
    }
