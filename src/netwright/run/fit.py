"""Train and resume: from a spec to a run folder with its model, scores and report.

A run goes through the states preparing, training, scoring, done. Whatever kills it, `resume` goes on from the last
whole checkpoint and ends where the unbroken run ends, bit for bit on a CPU; what was decided is read, not decided
again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from netwright import files, registry, spec
from netwright.data import fingerprint, pieces
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset, prepare
from netwright.data.fingerprint import Fingerprint
from netwright.data.ledger import Ledger
from netwright.errors import DataError, DivergedError, NetwrightError, SpecError, Stopped
from netwright.field import Reason
from netwright.model_file import Model, assemble, zoo
from netwright.models.build import table
from netwright.models.layers import Layer
from netwright.progress import Counter, Display, Silent
from netwright.resolved import Hardware, Layout, Resolved, load_resolved
from netwright.run import answering, before, looking, resolve, scoring, stages
from netwright.run.continued import Base, start_from
from netwright.run.folder import RunFolder, create, find_data, places
from netwright.run.scoring import Outcome
from netwright.run.strategies import chosen
from netwright.run.way_on import way_on
from netwright.spec import Spec
from netwright.training import checkpoint, hardware, precision, stopwatch
from netwright.training.evidence import Evidence
from netwright.training.history import History
from netwright.training.loop import PENALTY, Budget, Losses, Plan, Training
from netwright.training.observers import Progress, Timing
from netwright.training.optimizers import Params, at_shares, by_layer
from netwright.training.precision import Precision, narrowed
from netwright.training.range_test import RangeTest, range_test
from netwright.training.signals import handled
from netwright.training.stages import Stages
from netwright.training.strategies.strategy import Terms
from netwright.words import listed

PROBED = 1024  # examples on which the range test measures the loss
MET = 2048  # training examples that a layer looks at before the first step


@dataclass(frozen=True)
class Options:
    """How a run treats what it meets; kept in `run.json`, so that a resume treats it the same.

    Args:
        strict: An example that cannot be used ends the run.
        accept: Go on in spite of duplicates across splits or changed data.
        examples: Keep a few real examples inside the model file.
        base: Run or model file whose weights and preprocessing to start from; "" for none.
    """

    strict: bool = False
    accept: bool = False
    examples: bool = True
    base: str = ""


def _leave(signum: int) -> None:
    """Outside the loop a signal ends the run at once; there is nothing yet, or nothing more, to save."""
    raise Stopped("stopped; what was done so far is kept.", signum=signum)


@handled(_leave)
def train(
    wanted: Spec | Resolved,
    *,
    data: object = None,
    out: Path | None = None,
    base: Path | None = None,
    strict: bool = False,
    accept: bool = False,
    examples: bool = True,
    show: Display | None = None,
) -> Outcome:
    """Train a network and leave a run folder.

    Args:
        wanted: What goes in and what comes out; a `Resolved` repeats a run with everything it decided.
        data: Examples in memory (arrays, a DataFrame, an Arrow table) instead of `wanted.data.path`.
        out: The run folder; `runs/<name>-<number>` when left out.
        base: Run or model file whose weights and preprocessing to start from.
        strict: End at the first example that cannot be used, instead of setting it aside.
        accept: Go on in spite of duplicates across splits or changed data.
        examples: Keep a few real examples inside the model file, so that it can check itself.
        show: Where progress is told.

    Raises:
        SpecError: The spec is wrong.
        DataError: The data cannot be used.
        DivergedError: The loss stayed no number.
        Stopped: A signal came; the state is saved.
    """
    options = Options(strict, accept, examples, str(zoo.find(base).absolute()) if base else "")
    asked = wanted.spec if isinstance(wanted, Resolved) else wanted
    if asked.training.restarts:
        raise SpecError("several starts are a study of several runs.", "From Python: netwright.restarts(spec).")
    if data is None and asked.data.path is None:
        raise SpecError("nothing says where the examples are.", "Set data.path, or give data=... from Python.")
    if data is None and asked.data.path is not None and not registry.comes_by_name(asked.data.path):
        full = str(Path(asked.data.path).absolute())
        asked = asked.model_copy(update={"data": asked.data.model_copy(update={"path": full})})
    if accept:
        asked = asked.model_copy(update={"data": asked.data.model_copy(update={"duplicates": "accept"})})
    folder = create(out, asked, {"options": _told(options), "headline": ""})
    decided = wanted if isinstance(wanted, Resolved) else None
    try:
        return _go(folder, asked, options, data, show or Silent(), decided)
    except (SpecError, DataError):
        if not folder.resolved.exists():  # nothing was decided: there is no run to look at or to resume
            shutil.rmtree(folder.path, ignore_errors=True)
        raise


@handled(_leave)
def resume(path: Path, *, data: object = None, accept: bool = False, show: Display | None = None) -> Outcome:
    """Go on with a run that was stopped or killed; a finished one only says again what came out.

    Args:
        path: The run folder.
        data: The examples, for a run that was trained on data in memory; or the path they moved to.
        accept: Go on although the data changed.
        show: Where progress is told.

    Raises:
        NetwrightError: See `train`.
    """
    folder = RunFolder(path)
    facts = folder.read()
    told = facts.get("options")
    told = told if isinstance(told, dict) else {}
    options = Options(bool(told.get("strict")), bool(told.get("accept")), told.get("examples") is not False)
    options = replace(options, base=str(told.get("base") or ""))
    options = replace(options, accept=options.accept or accept)
    if isinstance(data, str | Path):
        folder.update(**places(path, str(data)))
        data = None
    wanted = spec.load(folder.spec)
    if data is None:
        wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"path": find_data(folder)})})
    decided = load_resolved(folder.resolved) if folder.resolved.exists() else None
    show = show or Silent()
    if folder.state() == "killed":
        show.note(
            "the run was killed; if the system did that for want of memory, use a smaller --batch-size in a new run."
        )
    return _go(folder, wanted, options, data, show, decided)


def _told(options: Options) -> dict[str, bool | str]:
    return {k: getattr(options, k) for k in ("strict", "accept", "examples", "base")}


def _go(
    folder: RunFolder, wanted: Spec, options: Options, data: object, show: Display, decided: Resolved | None
) -> Outcome:
    with folder.locked():
        files.sweep(folder.path)  # what a killed process was writing
        try:
            facts = folder.read()
            if facts["state"] == "done" and folder.report.exists():
                return scoring.outcome(folder)
            if facts.get("diverged"):  # it would only do so again
                raise DivergedError(str(facts["problem"]), str(facts["diverged"]))
            return _stages(folder, wanted, options, data, show, decided)
        except Stopped as stopped:
            folder.update(state="stopped")
            cure = f"Go on with: netwright resume {files.printable(folder.path)}"
            raise Stopped(stopped.message, cure, max(stopped.exit_code - 128, 0)) from None
        except NetwrightError as exc:
            if folder.path.is_dir():
                folder.update(state="failed", problem=exc.message)
            raise


def _stages(
    folder: RunFolder, wanted: Spec, options: Options, data: object, show: Display, decided: Resolved | None
) -> Outcome:
    folder.update(state="preparing")
    begun = any(folder.checkpoints.glob("step-*"))  # they hold all that came from the base, which may be gone by now
    base = start_from(Path(options.base)) if options.base and not begun else None
    wanted = base.layers(wanted) if base else wanted
    dataset = prepare(
        wanted,
        data=data,
        progress=Counter(show),
        strict=options.strict,
        accept=options.accept,
        vocabulary=base.vocabulary if base else None,
        fields={**decided.inputs, **decided.outputs} if decided else (base.fields(wanted) if base else None),
    )
    for note in (*dataset.ledger.told(), *dataset.notes):
        show.note(note)
    decided = decided or _decide(wanted, dataset, base, folder)
    if folder.resolved.exists():
        _same_data(folder, dataset, options.accept)
    else:
        dataset.ledger.write(folder.ledger)
        dataset.files.write(folder.fingerprint)
        files.write_text(folder.resolved, spec.dump(decided))
    for line in told(decided.reasons):
        show.note(line)
    _known_parts(decided)
    for difference in _other_versions(decided):
        show.note(difference)
    with hardware.applied(decided.hardware) as device:
        return _computed(folder, decided, dataset, base, options, device, show)


def _computed(
    folder: RunFolder,
    decided: Resolved,
    dataset: Dataset,
    base: Base | None,
    options: Options,
    device: torch.device,
    show: Display,
) -> Outcome:
    model = assemble(decided.spec, dataset.inputs, dataset.outputs, decided.spec.training.seed)
    if base is not None:
        for line in base.give_weights(model):
            show.note(line)
    elif not any(folder.checkpoints.glob("step-*")):
        _introduce(model, dataset)
    if base is not None:
        before.keep(folder, dataset, model, base, resident=decided.hardware.resident)
    model = scoring.informed(model, dataset)
    model.network.to(device)
    looking.look(folder, decided, dataset, model, device, show, fresh=base is None)
    if decided.spec.training.freeze:
        model.network.freeze(decided.spec.training.freeze)
    folder.update(state="training")
    training = _fit(folder, decided, dataset, model, device, show)
    ended = {"best_epoch": training.best_epoch, "stopped_epoch": training.epoch, "stop_reason": training.stop_reason}
    folder.update(state="scoring", **ended)
    return scoring.finish(folder, decided, dataset, model, training, options.examples, show)


def told(reasons: Iterable[Reason]) -> list[str]:
    """Reasons in words; the kinds of many columns share a line, `netwright plan` tells each."""
    lines, kinds = [], {}
    for reason in reasons:
        if reason.path.startswith("inputs.") and reason.path.endswith(".kind"):
            kinds.setdefault(reason.value, []).append(reason.path.removeprefix("inputs.").removesuffix(".kind"))
        else:
            lines.append(f"{reason.path}: {reason.value} ({reason.why})")
    for kind, names in kinds.items():
        lines.append(f"{kind} inputs: {listed(names, 8)}")
    return lines


def _decide(wanted: Spec, dataset: Dataset, base: Base | None, folder: RunFolder) -> Resolved:
    settled, reasons = resolve.settle(wanted, dataset, fresh=base is None)
    model = assemble(settled, dataset.inputs, dataset.outputs, settled.training.seed)
    if settled.training.freeze:
        reasons.append(resolve.frozen(settled, model, fresh=base is None))
    size, _ = pieces.batch(settled, dataset)
    adds = size * sum(row.multiply_adds for row in table(model.network, size, pieces.steps(settled, dataset)))
    resident, why = dataset.resident()
    machine = hardware.decide(adds, resident, why.why, settled.training.threads, convolves=model.network.convolves)
    machine = _measured(machine, settled, dataset, model, adds)
    decisions = {"threads": machine.threads, "precision": machine.precision}
    filled = settled.model_copy(update={"training": settled.training.model_copy(update=decisions)})
    decided = resolve.resolved(filled, dataset, machine, reasons)
    if not resolve.wants_range_test(settled):
        return decided
    if base is not None:
        base.give_weights(model)
    else:
        _introduce(model, dataset)
    with hardware.applied(machine) as device:
        found = _tested(decided, dataset, model, device)
    files.write_text(folder.range_test, json.dumps(asdict(found)) + "\n")
    return resolve.with_rate(decided, found)


def _measured(machine: Hardware, settled: Spec, dataset: Dataset, model: Model, adds: int) -> Hardware:
    """How pictures lie and how finely steps multiply: as measured where training is long, else by rule and as asked."""
    wanted, stop = settled.training.precision, settled.training.stop
    machine = machine.model_copy(update={"precision": wanted or "float32"})
    size, steps = pieces.batch(settled, dataset)
    steps *= stop.epochs or 1
    if adds * min(steps, stop.steps or steps) < stopwatch.WORTH_MULTIPLY_ADDS:
        return machine
    seed, weights = settled.training.seed, dict.fromkeys(model.tasks, 1.0)
    with hardware.applied(machine) as device:
        network = model.network.to(device).train()
        before = {name: value.clone() for name, value in network.state_dict().items()}  # running means are moved
        some = Batches(dataset, "train", size, seed, shuffle=True, resident=False, device=device)
        batch = next(iter(some.in_pieces(pieces.of(dataset, "train", pieces.asked(settled))).epoch(0)))

        def laid(layout: Layout) -> Batch:
            form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
            network.to(memory_format=form)  # type: ignore[call-overload]
            lying = {name: x.contiguous(memory_format=form) if x.ndim == 4 else x for name, x in batch.inputs.items()}
            return replace(batch, inputs=lying)

        def in_best_layout(machine: Hardware) -> Hardware:
            if not network.convolves:
                return machine
            losses = weighted(model, weights, precision=machine.precision)
            found = hardware.layout_measured(lambda layout: partial(losses, laid(layout)))
            kept = tuple(reason for reason in machine.why if reason.path != found.path)
            return machine.model_copy(update={"layout": found.value, "why": (*kept, found)})

        machine = in_best_layout(machine)
        if not wanted:
            batch = laid(machine.layout)
            found = precision.measured(lambda way: weighted(model, weights, precision=way), batch)
            machine = machine.model_copy(update={"precision": found.value, "why": (*machine.why, found)})
            if machine.precision != "float32":  # the faster layout of one precision is not that of another
                machine = in_best_layout(machine)
        network.load_state_dict(before)
        network.zero_grad()
    return machine


def _introduce(model: Model, dataset: Dataset) -> None:
    """Layers that look at training examples before the first step do so, one after the other."""
    network = model.network
    for node in network.nodes:
        module = network.module(node.name) if node.inputs else None
        if isinstance(module, Layer) and module.meets:
            many = Batches(dataset, "train", MET, model.spec.training.seed, shuffle=True, resident=False)
            inputs = next(iter(many.epoch(0))).inputs
            with torch.no_grad():
                module.meet(network.eval().values(inputs, [node.inputs[0]])[node.inputs[0]])


def _tested(decided: Resolved, dataset: Dataset, model: Model, device: torch.device) -> RangeTest:
    """The learning-rate range test on the run's own batches, with a network that is spent on it."""
    model.network.to(device)
    plan = _plan(resolve.with_rate(decided, None), dataset, model, device)
    many = Batches(dataset, "train", PROBED, plan.seed, shuffle=True, resident=False, device=device)
    probe = next(iter(many.epoch(0)))
    return range_test(model.network, plan.optimizers["net"], plan.losses, plan.source, probe)


def _same_data(folder: RunFolder, dataset: Dataset, accept: bool) -> None:
    """The data is what it was when the run began, split the same way."""
    changes = fingerprint.changes(Fingerprint.read(folder.fingerprint), dataset.files)
    columns = ["id", "state", "split"]
    before, now = (ledger.table.select(columns) for ledger in (Ledger.read(folder.ledger), dataset.ledger))
    if not changes and not before.cast(now.schema).equals(now):
        changes = ["the examples are divided differently"]
    if changes and not accept:
        raise DataError(
            f"the data changed since the run {files.printable(folder.path)} began: {'; '.join(changes)}.",
            "Bring the old data back, start a new run, or go on with --accept (the result then differs).",
        )


def _other_versions(decided: Resolved) -> list[str]:
    """What was another version when the run was decided; it goes on, but the last bits may differ, and that is said."""
    pairs = (("netwright", decided.netwright, version("netwright")), ("torch", decided.torch, torch.__version__))
    return [
        f"the run began with {name} {before}, this is {now}: the result may differ in its last bits"
        for name, before, now in pairs
        if before != now
    ]


def _known_parts(decided: Resolved) -> None:
    missing = []
    for where, digest in decided.own_parts.items():
        room, _, name = where.partition("/")
        own = {part.name: part for part in registry.own_parts([(room, name)])}
        if name not in own:
            missing.append(f"{room} {name} (an own part that is not loaded)")
        elif own[name].source_sha256 != digest:
            missing.append(f"{room} {name} (its source changed since the run began)")
    if missing:
        raise SpecError(f"the run names {', '.join(missing)}.", "Give the file it came from with --use.")


# ---- training --------------------------------------------------------------------------------------------------------


def _fit(
    folder: RunFolder, decided: Resolved, dataset: Dataset, model: Model, device: torch.device, show: Display
) -> Training:
    plan = _plan(decided, dataset, model, device)
    found = checkpoint.latest(folder.checkpoints) if folder.checkpoints.exists() else None
    history = History(folder.history)
    replayed = history.cut(int(found.facts["history_bytes"]) if found else 0)  # type: ignore[arg-type]
    stop = decided.spec.training.stop
    strategies = chosen(decided.spec, dataset, model, folder.control, replayed)
    training = Training(plan, strategies, [], history)
    based = any(task.goes_on for task in model.tasks.values())  # their first loss is that of a base and falls little
    training.observers += [
        Evidence(folder.evidence, judges=not based),
        Progress(show, training.total, stop.minutes or 0.0),
    ]
    training.observers.append(Timing(folder.timing))
    if (language := stages.language(dataset, model)) is not None:
        training.observers.append(Stages(folder.stages, language))
    if found is not None:
        for problem in found.refused:
            show.note(f"checkpoint {problem}: passed over, going on from {found.path.name}")
        training.load_state(found.tensors, found.facts)
        show.note(f"going on from step {training.step}, epoch {training.epoch + 1}")
    save = _saver(folder, show)
    try:
        training.run(save)
    except DivergedError as exc:
        history.write()  # what led there
        if exc.good_epoch:
            save(training)
        cure = f"{exc.cure} {way_on(folder, training, good=exc.good_epoch > 0)}"
        folder.update(diverged=cure)
        raise DivergedError(exc.message, cure) from None
    return training


def _saver(folder: RunFolder, show: Display) -> Callable[[Training], None]:
    """Writes checkpoints; a full disk is told and training goes on with the older ones."""
    warned = False

    def save(training: Training) -> None:
        nonlocal warned
        size = training.history.write()
        if size < 0 and folder.path.is_dir():  # no checkpoint then: it must not run ahead of its history
            if not warned:
                show.note(training.history.warning)
            warned = True
            return
        warned = False
        tensors, facts = training.state()
        try:
            checkpoint.save(folder.checkpoints, training.step, tensors, {**facts, "history_bytes": size})
        except NetwrightError as exc:
            if not folder.path.is_dir():
                raise
            show.note(f"no checkpoint at step {training.step}: {exc.message} The older ones are whole; trying again.")

    return save


def weighted(
    model: Model, weights: dict[str, float], smoothing: float = 0.0, precision: Precision = "float32"
) -> Losses:
    """What a step differentiates: each output's mean loss times its weight.

    Args:
        model: The network and its tasks.
        weights: By output.
        smoothing: Share of each true class's probability that is given to all classes alike; a penalty of its own.
        precision: How finely the network multiplies.
    """
    tasks = model.tasks
    network = model.network if precision == "float32" else narrowed(model.network)
    special = any(task.each_step or task.writes for task in tasks.values())  # others are spared two arguments a step
    smoothed = {name: task for name, task in tasks.items() if smoothing and task.smooths}
    scales = weights | {f"{PENALTY}smoothing {name}": weights[name] for name in smoothed}
    scales |= {f"{PENALTY}{each.node}": each.share * weights[each.output] for each in model.network.auxiliary}

    def asked(outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> Terms:
        terms = {name: task.loss(outputs[name], targets[name]) for name, task in tasks.items()}
        for name, task in smoothed.items():
            terms[f"{PENALTY}smoothing {name}"] = smoothing * task.certainty(outputs[name], targets[name])
        for each in (each for each in model.network.auxiliary if each.node in outputs):  # while it learns
            terms[f"{PENALTY}{each.node}"] = tasks[each.output].loss(outputs[each.node], targets[each.output])
        return terms

    def losses(batch: Batch) -> Terms:
        outputs = network(batch.inputs, batch.carried, batch.targets) if special else network(batch.inputs)
        terms = asked(outputs, batch.targets)
        if batch.others is not None:
            terms = {
                name: torch.lerp(other, terms[name], batch.share)
                for name, other in asked(outputs, batch.others).items()
            }
        return {key: term if (scale := scales[key]) == 1 else scale * term for key, term in terms.items()}

    return losses


def _plan(decided: Resolved, dataset: Dataset, model: Model, device: torch.device) -> Plan:
    wanted, seed = decided.spec.training, decided.spec.training.seed
    resident = decided.hardware.resident
    size, _ = pieces.batch(decided.spec, dataset)
    last = decided.hardware.layout == "channels_last"
    source = Batches(dataset, "train", size, seed, shuffle=True, resident=resident, channels_last=last, device=device)
    source.in_pieces(pieces.of(dataset, "train", pieces.asked(decided.spec)))
    if last:
        model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = {name: decided.spec.outputs[name].weight if name in decided.spec.outputs else 1.0 for name in model.tasks}

    held_out = len(dataset.parts["validation"]) > 0
    optimizer, schedule = wanted.optimizer, wanted.schedule
    if optimizer is None or schedule is None:  # pragma: no cover - `settle` filled them in
        raise SpecError("the resolved spec names no optimizer or no schedule.", "Start the run again.")
    shape = registry.resolve("schedule", schedule.name)
    make = registry.resolve("optimizer", optimizer.name)
    options, flat = dict(schedule.options), schedule.name == "constant" and not schedule.options
    flat = flat or "strategy" in registry.part("schedule", schedule.name).facts
    return Plan(
        nets={"net": model.network},
        optimizers={"net": at_shares(make(_learned(model, wanted.layer_rates), **optimizer.options))},
        losses=weighted(model, weights, wanted.regularize.label_smoothing or 0.0, decided.hardware.precision),
        source=source,
        budget=Budget(wanted.stop.epochs or 1, wanted.stop.steps or 0, wanted.stop.minutes or 0.0),
        seed=seed,
        validate=(lambda: answering.validation(model, dataset, weights, resident)) if held_out else None,
        schedule=None if flat else lambda step, total: shape(step, total, **options),
        device=device,
    )


def _learned(model: Model, first: float | None) -> Params:
    """The weights that training moves; by layer, where early ones are to learn slowly."""
    network = model.network
    if first is None:
        return [weight for weight in network.parameters() if weight.requires_grad]
    layers: list[tuple[str, list[Tensor]]] = [
        (node.name, [weight for weight in network.module(node.name).parameters() if weight.requires_grad])
        for node in network.nodes
        if node.parameters
    ]
    return by_layer([(name, weights) for name, weights in layers if weights], (*network.heads, *network.aside), first)
