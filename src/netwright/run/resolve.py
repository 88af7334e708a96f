"""From a spec to a resolved one: every setting left open gets a value and a reason, once.

The rules are few and stated, because they are printed: a user who disagrees knows which setting to change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Literal

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from netwright import registry, spec
from netwright.data import augment, pieces
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.data.grouped import SIGNAL
from netwright.errors import SpecError
from netwright.field import Reason
from netwright.model_file import Model, group_shapes
from netwright.models.defaults import default_layers
from netwright.models.layers import BatchNorm
from netwright.models.text import parse, steps, with_dropout
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.kinds.signal import PER
from netwright.resolved import Hardware, Resolved
from netwright.spec import DecoderSpec, ModelSpec, OutputSpec, PartSpec, RegularizeSpec, Spec, StopSpec, TrainingSpec
from netwright.tasks.task import task_name
from netwright.training.range_test import RangeTest
from netwright.words import counted, listed

_RARE = 0.1  # share of the rarer of two classes below which it is what is sought
AUTO = "auto"  # a learning rate that is measured
_GIVEN = ("step", "total", "watch", "better")  # what a schedule is told by the loop
_IDENTITIES_WANTED = 64  # examples of a batch at least, where each is compared with all others
_MOST_COMPARED = 4096  # at most: their distances take 64 MB, a dozen times in a step
_LONG, _PIECE = 1000, 250  # steps of a sequence that are better learned from in pieces, and of such a piece
_STEPS_WANTED = 6000  # enough for small nets to settle; early stopping ends sooner what has settled


def batch_size(examples: int) -> int:
    """A power of two giving about 50 steps an epoch, between 16 and 128.

    Example:
        >>> batch_size(105), batch_size(1257), batch_size(51000)
        (16, 16, 128)
    """
    return int(2 ** min(7, max(4, math.floor(math.log2(max(examples, 1) / 50)))))


def _refuse_uncalibrated(wanted: Spec, data: Dataset) -> None:
    asked = [name for name, output in wanted.outputs.items() if output.calibrate]
    if asked and not len(data.parts["validation"]):
        raise SpecError(
            f"outputs.{asked[0]}.calibrate: a temperature is chosen on a validation part, and there is none.",
            "Leave it out, or give data.split.parts a second share.",
        )


def settle(wanted: Spec, data: Dataset, *, fresh: bool = True) -> tuple[Spec, list[Reason]]:
    """The spec with model and training filled in, and why.

    Args:
        wanted: What the user asked for.
        data: The prepared data.
        fresh: Training begins with first weights, not with those of a trained model.

    Raises:
        SpecError: Unknown parts, or options they do not take: all of them at once.
    """
    _refuse_uncalibrated(wanted, data)
    pieces.require_steps(pieces.asked(wanted), data.inputs, data.outputs)
    reasons: list[Reason] = []
    training = wanted.training
    model = _layers(wanted.model, training.regularize.dropout or 0.0, data, reasons)
    cut = pieces.of(data, "train", pieces.asked(wanted))
    examples, one = (len(data.parts["train"]), "example") if cut is None else (len(cut), "piece")

    size = training.batch_size
    if size is None:
        size = batch_size(examples)
        why = f"{counted(math.ceil(examples / size), 'step')} an epoch with {counted(examples, one)}"
        reasons.append(_reason("training.batch_size", size, f"{why}; 16 to 128, for about 50 where it can be"))
    size = _compared(size, wanted, data, reasons)
    steps = math.ceil(examples / (examples if size == "all" else min(int(size), examples)))
    reasons += _of_pieces(cut, data)
    optimizer, layer_rates = training.optimizer, training.layer_rates
    if optimizer is None:
        optimizer = PartSpec(name="adam", options={"lr": 0.002 if fresh else 0.001})
        why = "works without tuning on most small nets" if fresh else "half of a fresh net's: much is learned already"
        reasons.append(_reason("training.optimizer", f"adam, lr {optimizer.options['lr']:g}", why))
        if not fresh and layer_rates is None and not training.freeze:
            layer_rates = 0.1
            why = "early layers serve most pictures as they are; later ones change more (docs/log.md)"
            reasons.append(_reason("training.layer_rates", layer_rates, why))
    schedule = training.schedule
    if schedule is None:
        timed = training.stop.minutes and not (training.stop.epochs or training.stop.steps)
        schedule = PartSpec(name="constant" if timed else "cosine")
        why = "nobody knows the last step of a budget in minutes" if timed else "ends with small steps, which settle"
        reasons.append(_reason("training.schedule", schedule.name, why))
    for name, wish in wanted.inputs.items():
        if wish.augment and name in data.inputs:
            reasons.append(augmented(f"inputs.{name}.augment", name, wanted, data))
    _refuse_blends(training.regularize, data)
    if training.regularize.cutmix and any(field.kind != "image" for field in data.inputs.values()):
        raise SpecError(
            "training.regularize.cutmix: it pastes a part of a picture, and not all inputs are pictures.",
            "Leave it out, or blend whole examples: mixup.",
        )
    stop, why = _stop(training.stop, steps, list(data.outputs))
    reasons += why
    _check_parts(optimizer, schedule, model.initialiser)
    _check_end(schedule, training)
    known = {"batch_size": size, "optimizer": optimizer, "layer_rates": layer_rates, "schedule": schedule, "stop": stop}
    filled = training.model_copy(update=known)
    outputs = {
        name: _sought(name, _weighed(name, wanted.outputs.get(name) or OutputSpec(), data, reasons), data, reasons)
        for name in data.outputs
    }
    outputs = {name: out for name, out in outputs.items() if name in wanted.outputs or out != OutputSpec()}
    return wanted.model_copy(update={"model": model, "training": filled, "outputs": outputs}), reasons


def _of_pieces(cut: pieces.Pieces | None, data: Dataset) -> list[Reason]:
    """Whether long sequences with an answer at every step are learned from in pieces, or might be."""
    if cut is not None:
        of = f"{counted(len(cut), 'piece')} of {counted(len(data.parts['train']), 'sequence')}"
        return [_reason("data.window", cut.past, f"{of}; a net that reads forwards alone goes on from one to the next")]
    signals = all(field.kind == SIGNAL for field in data.inputs.values() if field.ragged)
    if data.mean_steps < _LONG or not signals or not all(PER in field.options for field in data.outputs.values()):
        return []
    often = data.mean_steps // _PIECE
    why = f"each sequence is learned from whole; data.window: {_PIECE} learns from pieces, {often} times as often"
    return [_reason("data.window", "none", why)]


def _refuse_blends(wish: RegularizeSpec, data: Dataset) -> None:
    """What means nothing for answers at every step, for tracks, or for outputs that choose nothing.

    Raises:
        SpecError: It was asked for.
    """
    whole = next((name for name, field in data.inputs.items() if field.ragged), "")
    if wish.mixup and whole:
        raise SpecError(
            f"training.regularize.mixup: {whole} is a sequence, and two of them do not add up.", "Leave it out."
        )
    stepped = next((name for name, field in data.outputs.items() if field.options.get("per")), "")
    for name in ("mixup", "label_smoothing"):
        if stepped and getattr(wish, name):
            raise SpecError(f"training.regularize.{name}: {stepped} is answered at every step.", "Leave it out.")
    fields = data.outputs.values()
    chosen = any(each.kind == "category" or (each.kind == "text" and "align" not in each.options) for each in fields)
    if wish.label_smoothing and not chosen:
        names = ", ".join(data.outputs)
        raise SpecError(
            f"training.regularize.label_smoothing: {names} is no class and no text that is written, which it softens.",
            "Leave it out.",
        )
    if wish.noise and any(field.kind == "track" for field in data.inputs.values()):
        raise SpecError(
            "training.regularize.noise: a track is measured in its own unit, which noise would take for spreads.",
            "Shake tracks with augment: [{name: grain, spread: 0.2}].",
        )


def _compared(size: int | Literal["all"], wanted: Spec, data: Dataset, reasons: list[Reason]) -> int | Literal["all"]:
    """A batch size in which the examples of an identity meet each other, and others.

    Raises:
        SpecError: The batch is so large that its distances do not fit, or examples are to be blended.
    """
    names = [name for name, field in data.outputs.items() if field.kind == "identity"]
    if not names:
        return size
    examples, regularize = len(data.parts["train"]), wanted.training.regularize
    whole = examples if size == "all" else min(size, examples)
    if whole > _MOST_COMPARED:
        raise SpecError(
            f"training.batch_size: {names[0]} compares each of {whole:,} examples of a batch with all others.",
            f"Give {_MOST_COMPARED:,} or fewer, e.g. 128.",
        )
    blend = next((name for name in ("mixup", "cutmix") if getattr(regularize, name)), "")
    if blend:
        raise SpecError(
            f"training.regularize.{blend}: a blend of two examples of {names[0]} is neither identity.", "Leave it out."
        )
    if wanted.training.batch_size is not None or size == "all" or size >= _IDENTITIES_WANTED:
        return size
    reasons[-1] = _reason(
        "training.batch_size", _IDENTITIES_WANTED, f"each is compared with all others, so that {names[0]} needs many"
    )
    return _IDENTITIES_WANTED


def _weighed(name: str, out: OutputSpec, data: Dataset, reasons: list[Reason]) -> OutputSpec:
    """An output with the weights that make its classes count alike, where that was asked for.

    Raises:
        SpecError: The output has no classes.
    """
    if out.class_weights is None:
        return out
    classes, path = data.outputs[name].vocabulary, f"outputs.{name}.class_weights"
    if data.outputs[name].kind not in {"category", "labels"}:
        kind = data.outputs[name].kind
        why = {"tags": "weighs none of its tags", "identity": "is an identity and compares pairs"}.get(kind)
        why = why or f"is a {kind} and has no classes"
        raise SpecError(f"{path}: {name} {why}.", "Leave it out.")
    if out.class_weights != "balanced":
        return out
    codes = data.arrays[name][data.parts["train"]]
    counts = np.bincount(np.concatenate(codes) if data.outputs[name].ragged else codes, minlength=len(classes))
    present = counts > 0
    weights = np.where(present, counts.sum() / (present.sum() * np.maximum(counts, 1)), 1.0)
    given = {label: round(float(weight), 6) for label, weight in zip(classes, weights, strict=True)}
    shown = listed([f"{label} {weight:.3g}" for label, weight in given.items()])
    reasons.append(_reason(path, shown, "so that every class counts as much as every other"))
    return out.model_copy(update={"class_weights": given})


def _sought(name: str, out: OutputSpec, data: Dataset, reasons: list[Reason]) -> OutputSpec:
    """An output with the class that is sought and the rule of its threshold, where one is wanted or very rare.

    Raises:
        SpecError: A threshold or a cost where there are not two classes.
    """
    classes, path = data.outputs[name].vocabulary, f"outputs.{name}"
    asked = [key for key in ("positive", "threshold", "cost") if getattr(out, key) is not None]
    if data.outputs[name].kind != "category" or len(classes) != 2:
        if asked:
            steps = data.outputs[name].kind == "labels"
            why = "is answered at every step, where none" if steps else "has not two classes, of which one"
            raise SpecError(f"{path}.{asked[0]}: {name} {why} is sought.", "Leave it out.")
        return out
    counts = np.bincount(data.arrays[name][data.parts["train"]], minlength=2)
    rare = int(counts[0] < counts[1]) ^ 1
    share = counts[rare] / max(counts.sum(), 1)
    if not asked and share >= _RARE:
        return out
    positive = classes[rare] if out.positive is None else out.positive
    if out.positive is None:
        why = f"the rarer class, {100 * share:.2g} % of training: scores are about finding it"
        reasons.append(_reason(f"{path}.positive", positive, why))
    threshold = out.threshold
    if threshold is None:
        threshold = "cost" if out.cost else "f1" if len(data.parts["validation"]) else "likeliest"
        why = {
            "cost": "misses and false alarms have a cost",
            "f1": "balances misses and false alarms; give threshold or cost to decide otherwise",
            "likeliest": "nothing is held out to choose another on",
        }[threshold]
        reasons.append(_reason(f"{path}.threshold", threshold, why))
    return out.model_copy(update={"positive": positive, "threshold": threshold})


def augmented(path: str, name: str, wanted: Spec, data: Dataset) -> Reason:
    """How many pictures the transforms of an input make of those there are.

    Args:
        path: Of the setting, for messages.
        name: Of the input.
        wanted: The spec.
        data: Its data.

    Raises:
        SpecError: Unknown transforms or options; pictures that are too small; a mirrored picture whose answer has a
            sign, and nothing says what becomes of it.
    """
    wish = wanted.inputs[name]
    named = wish.augment or ()
    problems = [said for each in named for said in registry.check_options("transform", each.name, each.options)]
    field = data.inputs[name]
    track, picture = field.kind == "track", field.kind == "image"
    transforms = []
    try:
        transforms = [] if problems else augment.made(wish)
        problems += [f"{of} leaves {field.kind} as it is" for of, each in transforms if not each.changes(field.kind)]
        problems += [said for _, each in transforms if picture and (said := each.fits(field.shape))]
    except ValueError as exc:
        problems.append(str(exc))
    if problems:
        raise SpecError("\n".join(f"{path}: {problem}." for problem in problems), "Correct these.")
    if any(each.turns_sides for _, each in transforms) and picture:
        _refuse_unsaid(path, wanted, data)
    views, examples = math.prod(each.views() for _, each in transforms), len(data.parts["train"])
    of = counted(examples, f"training {'picture' if picture else 'track' if track else 'sequence'}")
    why = f"{views:,.0f} views of each of {of}: {views * examples:,.0f} in all"
    if math.isinf(views):
        why = f"each of {of} is seen otherwise in every epoch, without end"
    return _reason(path, ", ".join(each.name for each in named), f"{why}; validation and test stay as they are")


def _refuse_unsaid(path: str, wanted: Spec, data: Dataset) -> None:
    """A number with a sign may be a direction, which a mirror turns."""
    for name, field in data.outputs.items():
        said = (wanted.outputs.get(name) or OutputSpec()).when_mirrored
        known = np.asarray(data.arrays[name])[data.parts["train"]] if field.kind in {"number", "vector"} else np.ones(1)
        if not said and known.min() < 0 < known.max():
            raise SpecError(
                f"{path}: mirror: {name} has both signs: is it a direction, which turns with the picture?",
                f"Say it: outputs.{name}.when_mirrored: negate, or keep.",
            )


def _layers(model: ModelSpec, dropout: float, data: Dataset, reasons: list[Reason]) -> ModelSpec:
    """The model with its layers written out, dropout among them."""
    tasks = {task_name(field) for field in data.outputs.values()}
    if "next" in tasks and not model.causal:
        model = _onwards(model, reasons)
    if model.causal:
        _refuse_unordered(data)
    if model.layers is None:
        layers, why = default_layers(
            model,
            group_shapes(data.inputs),
            onwards="next" in tasks,
            whole=bool(tasks & {"text", "transcript", "per_step"}),
            ahead=any(field.options.get("onward") for field in data.outputs.values()),
        )
        reasons += why
        model = ModelSpec(layers=layers, decoder=model.decoder, causal=model.causal, initialiser=model.initialiser)
    written = any(task_name(field) == "text" for field in data.outputs.values())
    if model.decoder is not None and not written:
        raise SpecError("model.decoder: no output is written by a decoder.", "Leave it out.")
    if model.decoder is None and written:
        decoder = DecoderSpec()
        model = model.model_copy(update={"decoder": decoder})
        said = f"{decoder.attention} attention, {decoder.dim} numbers, a beam of {decoder.beam}"
        why = "the new state asks which steps of the input matter for the next token"
        reasons.append(_reason("model.decoder", said, why))
    if dropout:
        model = _left_out(model, dropout, reasons)
    for name in dict.fromkeys(step.part for step in steps(parse(model.layers or "")) if step.room == "activation"):
        if told := registry.part("activation", name).facts.get("derivative"):
            reasons.append(_reason(f"model.layers: {name}", "stand-in derivative", told))
    return model


def _left_out(model: ModelSpec, share: float, reasons: list[Reason]) -> ModelSpec:
    """A model with the dropout asked for in its layers.

    Raises:
        SpecError: No layer of it is one behind which it stands, or the text has other dropout of its own.
    """
    text = with_dropout(model.layers or "", share)
    found = list(steps(parse(text)))
    own = dict.fromkeys(f"{dict(step.options)['share']:g}" for step in found if step.part == "dropout")
    path = f"training.regularize.dropout: {share:g}"
    if not own:
        raise SpecError(
            f"{path}: no layer is recurrent and none is dense with an activation behind it, where it would stand.",
            "Leave it out, or write it into model.layers where it should be.",
        )
    if f"{share:g}" not in own:
        raise SpecError(
            f"{path}: the layers have dropout of their own ({', '.join(own)}), and no other is put in.",
            "Leave it out, or write its share into model.layers.",
        )
    if text == model.layers:
        return model
    recurrent = [step.part for step in found if step.room == "layer" and registry.resolve("layer", step.part).recurs]
    activated = text.count("dropout") > len(recurrent)
    where = ["the activation of every dense layer"] * activated + ["every recurrent layer"] * bool(recurrent)
    reasons.append(_reason("model.layers", text, f"dropout {share:g} behind {' and '.join(where)}"))
    return model.model_copy(update={"layers": text})


def _onwards(model: ModelSpec, reasons: list[Reason]) -> ModelSpec:
    """A model that may not look ahead, since what comes is asked.

    Raises:
        SpecError: It was told to look ahead.
    """
    if model.causal is False:
        raise SpecError(
            "model.causal: false: what comes next is asked, and a net that sees it learns nothing else.",
            "Leave it out.",
        )
    reasons.append(_reason("model.causal", "true", "what comes next is asked, so that no layer may see it"))
    return model.model_copy(update={"causal": True})


def _refuse_unordered(data: Dataset) -> None:
    """A causal model reads a sequence whose steps say nothing of later ones.

    Raises:
        SpecError: No sequence goes in, or what is made of its steps depends on all of it.
    """
    kinds = {name: kind_of(field) for name, field in data.inputs.items() if field.ragged}
    if not kinds:
        raise SpecError("model.causal: no sequence goes in, so that nothing comes later.", "Leave it out.")
    for name, kind in kinds.items():
        if isinstance(kind, Sequence) and kind.foresees:
            raise SpecError(
                f"model.causal: inputs.{name}: {kind.foresees}.",
                "Give it as kind: signal, whose steps stay as they are.",
            )


def _reason(path: str, value: object, why: str) -> Reason:
    return Reason(path=path, value=str(value), why=why)


def _stop(stop: StopSpec, steps_per_epoch: int, outputs: list[str]) -> tuple[StopSpec, list[Reason]]:
    reasons = []
    epochs = stop.epochs
    if epochs is None:
        if stop.steps or stop.minutes:
            epochs = 1_000_000 if not stop.steps else math.ceil(stop.steps / steps_per_epoch)
            why = "the budget in steps or minutes ends it"
        else:
            epochs = min(200, max(20, math.ceil(_STEPS_WANTED / steps_per_epoch)))
            steps = epochs * steps_per_epoch
            why = f"{steps:,} steps at {steps_per_epoch:,} an epoch; 20 to 200 epochs, for {_STEPS_WANTED:,} steps"
        reasons.append(_reason("training.stop.epochs", epochs, why))
    patience = stop.patience
    if patience is None:
        patience = max(10, min(epochs // 3, 60))
        why = "a third of the epochs, 10 to 60: a falling learning rate still helps late; 0 never stops early"
        reasons.append(_reason("training.stop.patience", patience, why))
    watch = stop.watch
    if watch is None:
        watch = outputs[0] if len(outputs) == 1 else "loss"
        why = "its validation score is what counts; ties go to the smaller loss" if len(outputs) == 1 else "it sums all"
        reasons.append(_reason("training.stop.watch", watch, why))
    return stop.model_copy(update={"epochs": epochs, "patience": patience, "watch": watch}), reasons


def _check_end(schedule: PartSpec, training: TrainingSpec) -> None:
    """Most schedules need to know the last step, which a budget in minutes alone does not tell."""
    stop = training.stop
    if not stop.minutes or stop.epochs or stop.steps:
        return
    if training.scheduled_sampling:
        raise SpecError(
            "training.scheduled_sampling must know the last step, and a budget of minutes alone does not tell it.",
            "Give training.stop.epochs or steps too.",
        )
    if "end" in registry.part("schedule", schedule.name).facts:
        return
    free = [name for name, part in registry.parts("schedule").items() if "end" in part.facts]
    raise SpecError(
        f"training.schedule: {schedule.name} must know the last step, and a budget of minutes alone does not tell it.",
        f"Give training.stop.epochs or steps too, or choose {' or '.join(free)}.",
    )


def _check_parts(optimizer: PartSpec, schedule: PartSpec, initialiser: PartSpec | None) -> None:
    problems, rate = [], optimizer.options.get("lr")
    if rate == AUTO:
        optimizer = PartSpec(name=optimizer.name, options={k: v for k, v in optimizer.options.items() if k != "lr"})
    if initialiser:
        drawn = ("weight", "inputs", "outputs", "generator")
        told = registry.check_options("initialiser", initialiser.name, initialiser.options, given=drawn)
        problems += [f"model.initialiser: {p}" for p in told]
    for room, chosen, given in (("optimizer", optimizer, ("params",)), ("schedule", schedule, _GIVEN)):
        problems += [
            f"training.{room}: {p}" for p in registry.check_options(room, chosen.name, chosen.options, given=given)
        ]
    if isinstance(rate, int | float) and not rate > 0:
        problems.append(f"training.optimizer.lr is {rate}, expected a number above 0")
    if not problems:  # the parts know their ranges best
        weight = torch.zeros(1, requires_grad=True)
        problems += _refused("training.optimizer", lambda: _made("optimizer", optimizer)([weight]))
        if "strategy" in registry.part("schedule", schedule.name).facts:
            problems += _refused("training.schedule", _made("schedule", schedule))
    if problems:
        raise SpecError("\n".join(f"{problem}." for problem in problems), "Correct these.")


def _made(room: str, chosen: PartSpec) -> Callable[..., object]:
    return partial(registry.resolve(room, chosen.name), **chosen.options)


def _refused(path: str, make: Callable[[], object]) -> list[str]:
    """Why a part cannot be made, in its own words; empty when it can."""
    try:
        make()
    except ValueError as exc:
        return [f"{path}: {exc}"]
    return []


def frozen(wanted: Spec, model: Model, *, fresh: bool) -> Reason:
    """Freezes the layers that keep their weights, and says which.

    Raises:
        SpecError: No such layer; or the weights would be fresh ones, from which nothing was learned.
    """
    upto = wanted.training.freeze or "all"
    if fresh:
        raise SpecError(
            f"training.freeze: {upto}: these layers would keep first weights, which know nothing.",
            "Start from a trained model: --from RUN",
        )
    names = model.network.freeze(upto)
    inside = [module for name in names for module in model.network.module(name).modules()]
    norms = any(isinstance(module, BatchNorm | _BatchNorm) for module in inside)
    why = "these layers keep weights" + " and the running means of their batch_norm" * norms + ", as they were"
    return _reason("training.freeze", listed(names, 6), why)


def wants_range_test(wanted: Spec) -> bool:
    """Whether the learning rate is to be measured before training."""
    return wanted.training.optimizer is not None and wanted.training.optimizer.options.get("lr") == AUTO


def with_rate(decided: Resolved, found: RangeTest | None) -> Resolved:
    """With the rate that a range test chose in the place of `auto`, and why; with any rate when there is none yet."""
    optimizer = decided.spec.training.optimizer
    if optimizer is None:  # pragma: no cover - `settle` filled it in
        return decided
    rate = found.chosen if found else 1.0
    given = optimizer.model_copy(update={"options": {**optimizer.options, "lr": rate}})
    training = decided.spec.training.model_copy(update={"optimizer": given})
    reasons = decided.reasons
    if found:
        why = f"range test of {len(found.rates)} steps: the loss was lowest at {found.lowest:.2g}; a third of that"
        reasons = (*reasons, _reason("training.optimizer.lr", rate, why))
    return decided.model_copy(
        update={"spec": decided.spec.model_copy(update={"training": training}), "reasons": reasons}
    )


def resolved(wanted: Spec, data: Dataset, hardware: Hardware, reasons: list[Reason]) -> Resolved:
    """The record of everything decided, as written to `resolved.yaml`."""
    layers = [(step.room, step.part) for step in steps(parse(wanted.model.layers or ""))]
    own = registry.own_parts([*spec.parts_named(wanted), *layers])
    return Resolved(
        netwright=version("netwright"),
        torch=torch.__version__,
        spec=wanted,
        inputs=data.inputs,
        outputs=data.outputs,
        hardware=hardware,
        reasons=(*data.reasons, *reasons, *hardware.why),
        own_parts={f"{part.room}/{part.name}": part.source_sha256 for part in own},
        fingerprint=data.fingerprint,
    )
