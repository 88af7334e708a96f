"""What a report needs, gathered once at the end of a run: numbers, words and the few pictures that are shown."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import PIL
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from netwright import files, metrics
from netwright.data import pieces
from netwright.data.dataset import Dataset
from netwright.doctor import convergence, fit
from netwright.doctor.finding import Finding
from netwright.figures.marks import clip, number
from netwright.model_file import Model
from netwright.models.build import Row, table
from netwright.readers.kinds import track
from netwright.readers.kinds.tags import NO_TAG
from netwright.report import facts as report
from netwright.report import sentences
from netwright.report.facts import Facts
from netwright.report.values import png_text
from netwright.resolved import Resolved
from netwright.run import going, inside, looking, portrait, sheet, stages
from netwright.run.answering import Answered
from netwright.run.confused import confused
from netwright.run.folder import RunFolder, data_name, now_utc
from netwright.seeds import numpy_generator
from netwright.tasks.category import Category
from netwright.tasks.identity import Identity
from netwright.tasks.per_step import PerStep
from netwright.tasks.tags import Tags
from netwright.tasks.task import Baseline, Task
from netwright.tasks.tokens import Texts
from netwright.tasks.transcript import Transcript
from netwright.training import history
from netwright.words import counted, listed

GRID = 24
_QUOTED = 200  # characters of a text
NOTHING = "(nothing)"  # a text without a character
_SCATTER = 1000
_NEAR = 8  # examples drawn by chance, and mistakes, that are shown with those nearest to them
_NEAREST = 6
_SPOILS = ("leaks", "near-twins", "twin classes")  # notes of the doctor that bear on what a score is worth


@dataclass(frozen=True)
class Collected:
    """What a finished training knows.

    Args:
        resolved: What was decided.
        dataset: The data.
        model: The trained model with its scores.
        answered: By part: positions, answers, targets .
        baselines: By output.
        rows: The history.
        temperatures: By output, what its scores were divided by where they were calibrated.
    """

    resolved: Resolved
    dataset: Dataset
    model: Model
    answered: dict[str, Answered]
    baselines: dict[str, list[Baseline]]
    rows: list[history.Row]
    temperatures: dict[str, float]


def facts(folder: RunFolder, found: Collected, shown: str, seconds: float) -> Facts:
    """Everything the report of a run shows.

    Args:
        folder: The run.
        found: What was collected.
        shown: The held-out part whose examples are shown.
        seconds: Time spent training.
    """
    state = folder.read()
    points = curves(found.rows)
    verdict = _verdict(points, found)
    wanted, dataset = found.resolved.spec, found.dataset
    rows = table(found.model.network, pieces.batch(wanted, dataset)[0], pieces.steps(wanted, dataset))
    outputs = [_output(found, name, shown) for name in found.model.tasks]
    return Facts(
        title=f"{data_name(found.resolved.spec)}: {', '.join(found.model.outputs)}",
        created_utc=now_utc(),
        netwright_version=found.resolved.netwright,
        command=f"netwright train {files.printable(folder.resolved)}",
        verdict=verdict,
        ending=_ending(points, found, over_fitting=verdict is not None and verdict.label == "over-fitting"),
        clipped=inside.clipped(found.rows, found.resolved.spec.training.clip),
        inside=inside.layers(folder, found.model),
        changed=sheet.changed(found.resolved.spec, found.dataset, found.model),
        idle_inputs=inside.idle_inputs(found.model),
        coefficients=inside.coefficients(found.model),
        plane=inside.plane(found.model, found.dataset),
        range_test=inside.range_test(folder),
        marks=inside.marks(found.rows),
        stages=stages.facts(folder, found.dataset),
        findings=[report.FindingFacts.model_validate(each.words) for each in looking.kept(folder)],
        best_epoch=folder.whole("best_epoch") or None,
        stopped_epoch=folder.whole("stopped_epoch") or None,
        stop_reason=str(state.get("stop_reason") or ""),
        curves=points,
        ledger=_ledger(found),
        twins=_twins(found),
        layers=[_layer(row) for row in rows],
        parameters=sum(row.parameters for row in rows),
        graph=_graph(found.model),
        settings=[report.SettingFacts(path=r.path, value=r.value, why=r.why) for r in found.resolved.reasons],
        versions=_versions(found.resolved),
        hardware=_hardware(found.resolved),
        seconds=seconds,
        test_reads=folder.reads().get("test", 0),
        outputs=outputs,
        templates=portrait.templates(found.model),
        small_net=portrait.small_net(found.model),
        notes=[*found.dataset.notes, *inside.warnings(folder)],
        noun="images" if any(f.kind == "image" for f in found.model.inputs.values()) else "examples",
    )


def curves(rows: list[history.Row]) -> list[report.CurvePoint]:
    """One point per epoch of a history."""
    points = []
    for row in rows:
        if row.get("kind") != "epoch":
            continue
        sides: dict[str, dict[str, float | None]] = {"train": {}, "validation": {}}
        for key, value in row.items():
            side, _, score = key.partition("/")
            if side in sides and (value is None or isinstance(value, int | float)):
                sides[side][score] = value
        rate = row.get("lr")
        points.append(
            report.CurvePoint(epoch=int(row["epoch"] or 0), lr=rate if isinstance(rate, float) else None, **sides)
        )
    return points


def _verdict(points: list[report.CurvePoint], found: Collected) -> report.VerdictFacts | None:
    train = [point.train.get("loss") for point in points]
    held_out = [point.validation.get("loss") for point in points]
    if not any(value is not None for value in held_out):
        return None
    verdict = fit.judge([p.epoch for p in points], train, held_out, chance=_chance(found))
    return report.VerdictFacts(
        label=verdict.label, since_epoch=verdict.since_epoch, sentence=verdict.sentence, evidence=list(verdict.evidence)
    )


def _ending(points: list[report.CurvePoint], found: Collected, *, over_fitting: bool) -> report.EndingFacts | None:
    if not points:
        return None
    losses = [point.train.get("loss") for point in points]
    ending = convergence.judge(losses, chance=_chance(found), over_fitting=over_fitting)
    return report.EndingFacts(label=ending.label, sentence=ending.sentence, evidence=ending.evidence)


def _chance(found: Collected) -> float | None:
    """Loss of the best answer that ignores the inputs."""
    if len(found.model.tasks) != 1:
        return None
    name, task = next(iter(found.model.tasks.items()))
    return task.chance(found.answered["train"].targets[name])


def _ledger(found: Collected) -> report.LedgerFacts:
    ledger = found.dataset.ledger
    reasons = [
        report.LedgerReason(state=group.state, reason=group.reason, count=group.rows, where=list(group.where))
        for group in ledger.reasons()
    ]
    policy = next((r for r in found.resolved.reasons if r.path == "data.split.by"), None)
    counts = ledger.counts()
    return report.LedgerFacts(
        counts={state: counts[state] for state in ("used", "refused", "quarantined")},
        reasons=reasons,
        splits={part: len(positions) for part, positions in found.dataset.parts.items()},
        policy=f"{policy.value}: {policy.why}" if policy else "",
    )


def _twins(found: Collected) -> list[report.Twins]:
    pairs = found.dataset.twins[:GRID]
    place = {one: pc.index(found.dataset.ids, one).as_py() for pair in pairs for one in pair[:2]}
    part = {int(i): name for name, positions in found.dataset.parts.items() for i in positions} if pairs else {}
    return [
        report.Twins(
            first=files.printable(first),
            second=files.printable(second),
            parts=(part.get(place[first], ""), part.get(place[second], "")),
            similarity=alike,
            pictures=_two_pictures(found.dataset, place[first], place[second]),
        )
        for first, second, alike in pairs
    ]


def _two_pictures(dataset: Dataset, first: int, second: int) -> tuple[str, str] | None:
    one, two = _picture(dataset, first), _picture(dataset, second)
    return (one, two) if one and two else None


def _layer(row: Row) -> report.LayerFacts:
    return report.LayerFacts(
        layer=row.layer,
        text=row.text,
        shape=row.shape,
        parameters=row.parameters,
        multiply_adds=row.multiply_adds,
        receptive_field=max(row.receptive_field) if row.receptive_field else None,
        memory_mb=row.memory_mb,
        frozen=row.frozen,
    )


def _graph(model: Model) -> report.GraphFacts:
    nodes = model.network.nodes
    return report.GraphFacts(
        nodes=[report.GraphNodeFacts(name=n.name, text=n.text, shape=n.shape, parameters=n.parameters) for n in nodes],
        edges=[(source, node.name) for node in nodes for source in node.inputs],
    )


def _versions(resolved: Resolved) -> dict[str, str]:
    return {
        "netwright": resolved.netwright,
        "python": platform.python_version(),
        "torch": resolved.torch,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "pillow": PIL.__version__,
    }


def _hardware(resolved: Resolved) -> dict[str, str]:
    machine = resolved.hardware
    name = torch.cuda.get_device_name(0) if machine.device == "cuda" else platform.processor() or platform.machine()
    return {"device": f"{machine.device} ({name})", "threads": str(machine.threads), "precision": machine.precision}


# ---- outputs ---------------------------------------------------------------------------------------------------------


def _output(found: Collected, name: str, shown: str) -> report.OutputFacts:
    task, field, answered = found.model.tasks[name], found.model.outputs[name], found.answered[shown]
    answers, targets = answered.answers[name], answered.targets[name]
    common = {
        "name": name,
        "kind": field.kind,
        "unit": task.unit,
        "headline": task.headline,
        "measure": track.unit(field),
        "quick": _quick(found, task),
        "drawn": _drawn(found, task),
        "temperature": found.temperatures.get(name),
        "scores": found.model.scores[name],
        "intervals": task.interval(answers, targets, answered.groups),
        "remarks": [
            *task.remarks(answers, targets),
            *([f"calibrated: {sentences.divided(of)}"] if (of := found.temperatures.get(name)) else []),
            *sentences.gap(answered.scores(found.model)[name]),
        ],
        "baselines": [
            report.Baseline(name=b.name, scores={**b.scores}, interval={**b.interval}, seconds=b.seconds, note=b.note)
            for b in found.baselines[name]
        ],
        **_of_steps(task, answers, targets),
    }
    order = numpy_generator(found.resolved.spec.training.seed, "report").permutation(len(targets))
    some = order[:GRID]
    grid = _texts(found, name, shown, some)
    if not (task.each_step or task.writes or task.goes_on):
        grid = [_shown(found, name, shown, int(i)) for i in some]
    if isinstance(task, Tags):
        per_class = [report.ClassFacts(**asdict(each)) for each in task.by_class(answers, targets)]
        mistakes = [_shown(found, name, shown, row) for row in task.surest_mistakes(answers, targets, GRID)]
        return report.OutputFacts(**common, per_class=per_class, mistakes=mistakes, grid=grid)
    if isinstance(task, Identity):
        spread = task.apart(answers, targets)
        apart = report.ApartFacts(**asdict(spread), threshold=task.threshold) if spread else None
        return report.OutputFacts(**common, apart=apart, near=_near(found, name, shown, some), grid=grid)
    if not field.vocabulary or task.each_step or task.writes:
        if answers.ndim > 1:
            drawn = going.drawn(task, found.dataset, answered, order.tolist())
            return report.OutputFacts(**common, grid=grid, tracks=drawn)
        pairs = list(zip(targets.tolist(), answers.tolist(), strict=True))[:_SCATTER]
        return report.OutputFacts(**common, grid=grid, scatter=pairs)
    if not isinstance(task, Category):  # pragma: no cover - the only other task with classes
        return report.OutputFacts(**common, grid=grid)
    bins = metrics.calibration(*_calibrated(task, answers, targets))
    return report.OutputFacts(
        **common,
        classes=list(field.vocabulary),
        confusion=task.confusion(answers, targets).tolist(),
        confused=confused(task, answers, targets, lambda row: _picture(found.dataset, int(answered.positions[row]))),
        mistakes=[_shown(found, name, shown, row) for row in task.surest_mistakes(answers, targets, GRID)],
        grid=grid,
        sought=_sought(task, answers, targets),
        calibration=bins,
        calibration_error=metrics.calibration_error(bins),
    )


def _quick(found: Collected, task: Task) -> bool:
    """Whether texts of the training part were scored without the beam with which those of the others were."""
    decoder = found.model.spec.model.decoder
    beams = isinstance(task, Transcript) or (task.writes and decoder is not None and decoder.beam > 1)
    return beams and found.answered["train"].quick


def _drawn(found: Collected, task: Task) -> int:
    """Texts of the training part that were scored, where these were not all."""
    scored = len(found.answered["train"].positions)
    return scored if task.writes and scored < len(found.dataset.parts["train"]) else 0


def _of_steps(task: Task, answers: Tensor, targets: Tensor) -> dict[str, object]:
    """How many steps were answered and which classes were taken for which, where there is an answer at every step."""
    if not isinstance(task, PerStep):
        return {}
    counts = task.confusion(answers, targets)
    matrix = {} if counts is None else {"classes": list(task.field.vocabulary), "confusion": counts.tolist()}
    return {"steps": len(task.steps(answers)[0]), **matrix}


def _near(found: Collected, name: str, part: str, order: np.ndarray) -> list[report.NearFacts]:
    """Some examples drawn by chance and some mistakes, each with those nearest to it."""
    task, answered = found.model.tasks[name], found.answered[part]
    if not isinstance(task, Identity):  # pragma: no cover - asked for by its caller
        return []
    answers, targets = answered.answers[name], answered.targets[name]
    drawn = order[:_NEAR].tolist()
    mistakes = [row for row in task.surest_mistakes(answers, targets, 2 * _NEAR) if row not in drawn][:_NEAR]
    rows = []
    for row in [*drawn, *mistakes]:
        beside = [
            _shown(found, name, part, other).model_copy(
                update={"right": bool(targets[other] == targets[row]), "answer": f"{distance:.2f}"}
            )
            for other, distance in task.nearest(answers, row, _NEAREST)
        ]
        rows.append(report.NearFacts(shown=_shown(found, name, part, row), nearest=beside))
    return rows


def _sought(task: Category, answers: Tensor, targets: Tensor) -> report.SoughtFacts | None:
    if task.sought is None:
        return None
    alarms = [report.AlarmFacts(**asdict(alarm)) for alarm in task.sought.alarms(answers, targets)]
    code, cost = task.sought.code, task.sought.cost
    return report.SoughtFacts(
        positive=task.classes[code],
        count=int((targets == code).sum()),
        alarms=alarms,
        curve=task.sought.curve(answers, targets),
        costs=(cost.missed, cost.false_alarm) if task.sought.priced else None,
        rule=task.sought.said(task.classes[code]),
        bill=task.sought.bill(answers, targets),
    )


def _calibrated(task: Category, answers: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities and whether they came true: of the sought or second class of two, else of the likeliest."""
    if len(task.classes) == 2:
        code = task.sought.code if task.sought else 1
        return answers[:, code], (targets == code).double()
    confidence, chosen = answers.max(dim=1)
    return confidence, (chosen == targets).double()


def _shown(found: Collected, name: str, part: str, row: int) -> report.Shown:
    answered, field = found.answered[part], found.model.outputs[name]
    answers, target = answered.answers[name][row], answered.targets[name][row]
    common = _content(found.dataset, int(answered.positions[row]))
    task = found.model.tasks[name]
    if isinstance(task, Tags):
        truth = task.words(target[None])[0] or NO_TAG
        given = (
            ", ".join(f"{label} {100 * share:.0f}\u00a0%" for label, share in task.decode(answers[None])[0]) or NO_TAG
        )
        right = bool((task.chosen(answers[None])[0] == (target > 0)).all())
        return report.Shown(**common, truth=truth, right=right, answer=given)
    if isinstance(task, Identity):
        (answer,), truth = task.decode(answers[None]), field.vocabulary[int(target)]
        nearest = task.columns(answers[None]).get("", [None])[0]
        return report.Shown(**common, truth=truth, right=nearest == truth, answer=str(answer))
    if not field.vocabulary:
        told = ", ".join(number(float(v), 4) for v in np.atleast_1d(answers.numpy()))
        truth = ", ".join(number(float(v), 4) for v in np.atleast_1d(target.numpy()))
        return report.Shown(**common, truth=truth, right=None, answer=told)
    bars: list[tuple[str, report.Number]] = [*task.decode(answers[None])[0]]  # type: ignore[misc]
    truth = field.vocabulary[int(target)]
    return report.Shown(**common, truth=truth, bars=bars, right=bars[0][0] == truth, confidence=bars[0][1])


def _texts(found: Collected, name: str, part: str, rows: np.ndarray) -> list[report.Shown]:
    """Some examples with the texts that are their answers, given again: only scores of them were kept."""
    task, answered = found.model.tasks[name], found.answered[part]
    if not isinstance(task, Texts) or not len(rows):
        return []
    positions = answered.positions[rows]
    coded = found.model.code({each: found.dataset.arrays[each][positions] for each in found.dataset.inputs})
    known = task.decode(answered.targets[name][torch.from_numpy(rows)])
    texts = zip(task.decode(found.model.answers(coded)[name]), known, strict=True)
    return [
        report.Shown(
            **_content(found.dataset, int(position)),
            truth=_quoted(str(found.dataset.preview(name, int(position)))),
            answer=_quoted(answer),
            right=None if task.writes else answer == same,  # of what is written, many texts are right
        )
        for position, (answer, same) in zip(positions, texts, strict=True)
    ]


def _quoted(text: str) -> str:
    """A text on one line, its end left out where it is long."""
    return files.printable(clip(" ".join(text.split()), _QUOTED)) or NOTHING


def _content(dataset: Dataset, position: int) -> dict[str, Any]:
    """What is shown of an example beside its answer: fields of `Shown`."""
    return {
        "id": files.printable(str(dataset.ids[position])),
        "picture": _picture(dataset, position),
        "text": describe(dataset, position),
    }


def _picture(dataset: Dataset, position: int) -> str | None:
    """The example's first picture as PNG text."""
    for name, field in dataset.inputs.items():
        if field.kind == "image":
            seen = dataset.preview(name, position)
            return png_text(seen) if isinstance(seen, bytes) else None
    return None


def describe(dataset: Dataset, position: int, most: int = 6) -> str:
    """An example's values in words, for examples that are no pictures."""
    told = []
    for name, field in dataset.inputs.items():
        if field.kind != "image":
            seen = dataset.preview(name, position)
            told.append(f'"{clip(str(seen), _QUOTED)}"' if field.kind == "text" else f"{name} {seen}")
    return files.printable(listed(told, most))


# ---- words -----------------------------------------------------------------------------------------------------------


def headline(found: Facts) -> str:
    """The result in one sentence; of several outputs that of the first, with its name."""
    return f"{_named(found, found.outputs[0])}{sentences.result(found, found.outputs[0])}"


def _named(found: Facts, output: report.OutputFacts) -> str:
    """What stands before a sentence about one output where there are several."""
    return f"{output.name}: " if len(found.outputs) > 1 else ""


def told(found: Facts, folder: RunFolder) -> list[str]:
    """What a finished run says on the command line, line by line."""
    lines = []
    for output in found.outputs:
        said = [sentences.result(found, output), sentences.against_baselines(output)]
        lines += [f"{_named(found, output)}{each}" for each in [*said, *output.remarks] if each]
    lines += warnings(found, folder)
    if found.verdict:
        lines.append(f"{found.verdict.label}: {found.verdict.sentence}")
    if found.ending and found.ending.evidence:
        lines.append(f"{found.ending.label}: {found.ending.sentence} ({found.ending.evidence})")
    lines += [each for each in (found.clipped, sentences.training_end(found)) if each]
    lines += [f"no weight to speak of on: {', '.join(found.idle_inputs)}"] if found.idle_inputs else []
    lines += _few(found)
    where = files.printable(folder.path)
    kept = f"{files.printable(folder.model)} (read back: {folder.read().get('checked') or 'not checked'})"
    return [
        *lines,
        f"report: {files.printable(folder.report)}",
        f"model:  {kept}",
        f"next:   netwright {f'sample {where}' if found.stages else f'predict {where} FILE'}",
    ]


def warnings(found: Facts, folder: RunFolder) -> list[str]:
    """What makes a result worth less than it looks, and so belongs to it: examples left out, and what may spoil it."""
    counts, reasons, lines = found.ledger.counts, found.ledger.reasons, []
    left_out = sum(count for state, count in counts.items() if state != "used")
    if left_out:
        more = f", {counted(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        why = f"{reasons[0].count:,} x {reasons[0].reason.rstrip('.')}{more}; " if reasons else ""
        total, ledger = sum(counts.values()), files.printable(folder.ledger)
        lines.append(f"{left_out:,} of {counted(total, found.noun[:-1])} set aside ({why}see {ledger})")
    for each in found.findings:
        if each.state == "bad" or (each.state == "note" and each.name in _SPOILS):
            lines.append(looking.told(Finding(each.name, each.state, each.message, each.cure)))
    return lines


def _few(found: Facts) -> list[str]:
    """Answers for a few held-out examples, of all outputs."""
    lines = []
    outputs = [output for output in found.outputs if output.grid]
    for together in list(zip(*(output.grid for output in outputs), strict=False))[:4]:
        name = together[0].id if len(together[0].id) < 30 else f"…{together[0].id[-29:]}"
        told = [f" (is {shown.truth}): {_answered(shown)}" for shown in together]
        if len(told) == 1:
            lines.append(f"  {name}{told[0]}")
        else:
            lines += [f"  {name}", *(f"    {o.name}{each}" for o, each in zip(outputs, told, strict=True))]
    return [f"held-out {found.noun} and the likeliest answers:", *lines] if lines else []


def _answered(shown: report.Shown) -> str:
    return ", ".join(f"{label} {100 * (share or 0):.1f} %" for label, share in shown.bars) or shown.answer
