"""Classifiers of pictures judged as they are published: top-1 and top-5 error by crops and by how many nets answer.

Probabilities are averaged over the crops of a picture (`data/views.py` says which) and over the networks of an
ensemble. One crop is the picture as training saw it, so that this line agrees with `evaluate` without crops; the crops
of 10 and 144 are cut from pictures that are read from their files once more, larger than the network's input. Every
network reads the examples itself, at its own size and with its own preprocessing, and is asked about the same ones.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from netwright import metrics
from netwright.data import views
from netwright.data.dataset import Dataset
from netwright.data.fields import column_of
from netwright.errors import CellError, DataError, SpecError
from netwright.field import Field
from netwright.figures.marks import clip
from netwright.files import printable
from netwright.model_file import Model
from netwright.progress import Display, Silent
from netwright.readers.kinds.image import Image
from netwright.report.sentences import interval_text
from netwright.run.continued import load_model
from netwright.run.folder import RunFolder, find_data
from netwright.run.prediction import HeldOut, count_reading, held_out, learned_from, other_data
from netwright.tasks.category import Category
from netwright.tasks.task import Task
from netwright.training import hardware
from netwright.words import counted, listed

_ROWS = 1024  # examples answered at a time
_TOP = 5
_NAME = 16  # characters of a model's name in the table
_TOGETHER = "ensemble"

Interval = tuple[float, float]


@dataclass(frozen=True)
class CropRow:
    """One line of the table.

    Args:
        output: The category that is answered.
        model: Name of the run or model file, or "ensemble".
        resolution: Height and width of what the network takes.
        crops: Views of each picture.
        models: Networks whose answers are averaged.
        top1_error: Share of examples whose class is not the one answered.
        top1_interval: Its 95 % interval.
        top5_error: Share whose class is not among the five likeliest; None for five classes or fewer.
        top5_interval: Its 95 % interval.
    """

    output: str
    model: str
    resolution: str
    crops: int
    models: int
    top1_error: float
    top1_interval: Interval
    top5_error: float | None = None
    top5_interval: Interval | None = None


@dataclass(frozen=True)
class CropTable:
    """Errors by crops and by models.

    Args:
        part: Which examples.
        examples: How many.
        reads: How often the test part was read so far, this time included; 0 for other examples.
        rows: The lines.
        text: The same in words, line by line.
    """

    part: str
    examples: int
    reads: int
    rows: list[CropRow]
    text: list[str]


@dataclass(frozen=True)
class _Member:
    """One network and the examples as it reads them.

    Args:
        path: Of its run or file.
        model: The network.
        dataset: The examples as it reads them.
        positions: Of those asked about, in the first network's order.
        classes: By output: its code of each class of the first network.
        source: The data set of the first network, by which pictures are read again.
        places: Of the examples asked about in that source.
    """

    path: Path
    model: Model
    dataset: Dataset
    positions: np.ndarray
    classes: dict[str, list[int]]
    source: Dataset
    places: np.ndarray

    @property
    def name(self) -> str:
        return clip(printable(self.path.name.removesuffix(".netwright")), _NAME)

    @property
    def picture(self) -> Field | None:
        pictures = [field for field in self.model.inputs.values() if field.kind == "image"]
        return pictures[0] if pictures else None


def evaluate_crops(
    run_or_model: Path,
    *,
    crops: Sequence[int] = (1,),
    ensemble: Sequence[Path] = (),
    data: object = None,
    part: str | None = None,
    show: Display | None = None,
) -> CropTable:
    """Top-1 and top-5 error by the number of crops, of one network and of several together.

    Args:
        run_or_model: Folder of a run, or a `.netwright` file together with `data`.
        crops: Views of each picture: 1, 2 (with its mirror image), 10 or 144; see `netwright.data.views`.
        ensemble: Further runs or model files whose probabilities are averaged with the first.
        data: Other examples, all of which are scored: a path, or data in memory.
        part: Part of the first run's own data, when no other data is given.
        show: Where progress is told.

    Raises:
        SpecError: An unknown number of crops, crops of something that is no picture, no category, or other classes.
        DataError: The data cannot be used, or a network of the ensemble has learned from the test examples.
    """
    show, started, crops = show or Silent(), time.monotonic(), list(dict.fromkeys(crops))
    paths = [run_or_model, *ensemble]
    models = [load_model(path) for path in paths]
    outputs = _outputs(paths[0], models[0])
    _check_crops(crops, paths, models)
    order = [_order(paths, models, place, outputs) for place in range(len(models))]
    asked = held_out(run_or_model, models[0], data, part, show)
    positions = asked.dataset.positions(asked.part)
    places = asked.dataset.rows[positions]
    members = [_Member(run_or_model, models[0], asked.dataset, positions, order[0], asked.dataset, places)]
    for path, model, classes in zip(paths[1:], models[1:], order[1:], strict=True):
        members.append(_joined(members[0], path, model, classes, data, show))
    remarks = [*asked.remarks, *_independent(members, asked, data)]
    reads = [count_reading(member.path, asked.part) for member in members if member.path.is_dir()]
    with ExitStack() as stack:
        if asked.machine is not None:
            stack.enter_context(hardware.applied(asked.machine))
        answers = {many: [_answers(member, many, show) for member in members] for many in crops}
    rows = [row for name in outputs for row in _rows(name, members, asked, answers)]
    seconds = time.monotonic() - started
    text = [f"{asked.part}: {counted(len(positions), 'example')} in {seconds:.1f} s", *_table(rows), ""]
    text += [f"{counted(many, 'crop')}: {views.TOLD[many]}{_source(members, many)}" for many in crops]
    if any(len(models[0].outputs[name].vocabulary) <= _TOP for name in outputs):
        text.append(f"no top-{_TOP} error for {_TOP} classes or fewer")
    if reads and reads[0] > 1:
        text.append(f"the test part was now read {reads[0]} times: the more often, the less these numbers prove")
    text += [*remarks, *(f"{member.name}: {note}" for member in members for note in member.model.notes)]
    return CropTable(asked.part, len(positions), reads[0] if reads else 0, rows, text)


# ---- what is asked for -----------------------------------------------------------------------------------------------


def _outputs(path: Path, model: Model) -> list[str]:
    """The categories that a model answers."""
    found = [name for name, task in model.tasks.items() if isinstance(task, Category)]
    if not found:
        kinds = ", ".join(f"{name} ({field.kind})" for name, field in model.outputs.items())
        raise SpecError(
            f"{printable(path)} answers {kinds}; top-1 error needs one of several classes.",
            "Leave --crops and --ensemble out.",
        )
    return found


def _check_crops(crops: Sequence[int], paths: Sequence[Path], models: Sequence[Model]) -> None:
    unknown = [str(many) for many in crops if many not in views.SCHEMES]
    if unknown or not crops:
        known = "; ".join(f"{many}: {told}" for many, told in views.TOLD.items())
        what = f"{unknown[0]} crops are not known" if unknown else "no number of crops is given"
        raise SpecError(f"--crops: {what}.", f"Known are {known}.")
    for path, model in zip(paths, models, strict=True):
        kinds = [field.kind for field in model.inputs.values()]
        if any(many > 1 for many in crops) and kinds.count("image") != 1:
            into = listed([f"{name} ({field.kind})" for name, field in model.inputs.items()])
            raise SpecError(
                f"--crops: into {printable(path)} goes {into}; crops are cut from just one picture.",
                "Leave --crops out.",
            )


def _order(paths: Sequence[Path], models: Sequence[Model], place: int, outputs: Sequence[str]) -> dict[str, list[int]]:
    """Where a model has each class of the first one, by output.

    Raises:
        SpecError: It answers something else, or among other classes; says which.
    """
    found = {}
    for name in outputs:
        first, other = models[0].outputs[name].vocabulary, models[place].outputs.get(name)
        if other is None or not isinstance(models[place].tasks.get(name), Category):
            raise SpecError(
                f'{printable(paths[place])} has no category "{name}"; it answers {", ".join(models[place].outputs)}.',
                "An ensemble answers one question: give runs with the same outputs.",
            )
        lacks = [label for label in first if label not in other.vocabulary]
        more = [label for label in other.vocabulary if label not in first]
        if lacks or more:
            told = [f"lacks {listed(lacks)}"] * bool(lacks) + [f"has {listed(more)} besides"] * bool(more)
            raise SpecError(
                f"{printable(paths[place])} answers among other classes than {printable(paths[0])}: it "
                f"{' and '.join(told)}.",
                "Give runs that were trained on the same classes.",
            )
        found[name] = [other.vocabulary.index(label) for label in first]
    return found


def _joined(
    first: _Member, path: Path, model: Model, classes: dict[str, list[int]], data: object, show: Display
) -> _Member:
    """A further network with the first one's examples as it reads them itself."""
    source = find_data(RunFolder(first.path)) if data is None else data
    dataset = other_data(model, source, show)
    ids = first.dataset.ids.take(pa.array(first.positions))
    places = pc.index_in(ids, value_set=dataset.ids)
    if places.null_count:
        lost = ids.filter(pc.is_null(places))
        raise DataError(
            f"{printable(path)} cannot read {len(lost):,} of {len(ids):,} examples, e.g. {printable(str(lost[0]))}.",
            "Leave them out of the data, or leave this network out of the ensemble.",
        )
    positions = places.to_numpy(zero_copy_only=False).astype(np.int64)
    return _Member(path, model, dataset, positions, classes, first.source, first.places)


def _independent(members: Sequence[_Member], asked: HeldOut, data: object) -> list[str]:
    """Refuses networks that learned from the first one's test examples.

    Returns:
        What is to be said where examples were given.
    """
    remarks = []
    for member in members[1:]:
        learned, count = learned_from(member.path, member.dataset, member.positions), len(member.positions)
        if learned and data is None and asked.part == "test":
            seed = members[0].model.spec.split_seed
            raise DataError(
                f"{printable(member.path)} learned from {learned:,} of the {count:,} test examples of "
                f"{printable(members[0].path)}: together they would look better than they are.",
                f"Train it on the same parts (--set data.split.seed={seed}), or score all on others: --data PATH",
            )
        if learned and data is not None:
            remarks.append(f"{member.name}: {learned:,} of {count:,} examples were learned from")
    return remarks


# ---- answers ---------------------------------------------------------------------------------------------------------


def _answers(member: _Member, crops: int, show: Display) -> dict[str, Tensor]:
    """Probabilities by output, averaged over the crops, the classes in the first network's order."""
    scheme = views.SCHEMES[crops]
    total = sum(len(reading.crops) * reading.weight for reading in scheme)
    field, count = member.picture, len(member.positions)
    sums = {name: torch.zeros(count, len(order), dtype=torch.float64) for name, order in member.classes.items()}
    show.stage(f"{member.name}, {counted(crops, 'crop')}", count)
    done = 0
    for rows, pictures in _pictures(member, scheme):
        others = {
            name: np.asarray(member.dataset.arrays[name][member.positions[rows]])
            for name in member.model.inputs
            if field is None or name != field.name
        }
        before: dict[int, tuple[np.ndarray, dict[str, Tensor]]] = {}
        for reading, pixels in zip(scheme, pictures, strict=True):
            known = before.get(reading.sevenths)
            if known is None or not np.array_equal(known[0], pixels):  # the same where proportions leave one square
                known = before[reading.sevenths] = (pixels, _summed(member.model, field, reading, pixels, others))
            for name, order in member.classes.items():
                sums[name][rows] += reading.weight / total * known[1][name][:, order]
        done += len(rows)
        show.advance(done)
    return sums


def _summed(
    model: Model, field: Field | None, reading: views.Reading, pixels: np.ndarray, others: dict[str, np.ndarray]
) -> dict[str, Tensor]:
    """Probabilities by output, summed over the crops of one reading."""
    if field is None:
        return {name: answers.double() for name, answers in model.answers(model.code(others)).items()}
    sums: dict[str, Tensor] = {}
    for crop in reading.crops:
        seen = np.ascontiguousarray(views.cut(pixels, crop, *field.shape[:2]))
        for name, answers in model.answers(model.code({**others, field.name: seen})).items():
            sums[name] = sums.get(name, torch.zeros(())) + answers.double()
    return sums


def _pictures(member: _Member, scheme: Sequence[views.Reading]) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """Blocks of examples: their places among those asked, and their pictures in each reading."""
    field, dataset = member.picture, member.dataset
    if field is None or not any(reading.enlarges for reading in scheme):
        for start in range(0, len(member.positions), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(member.positions)))
            kept = np.zeros((len(rows), 0)) if field is None else dataset.arrays[field.name][member.positions[rows]]
            yield rows, [np.asarray(kept)] * len(scheme)
        return
    frames = [reading.frame(field.shape) for reading in scheme]
    column = column_of(member.source.found, field)
    try:
        yield from Image().in_frames(column, field, member.places, frames)
    except CellError as exc:
        raise DataError(f"a picture cannot be read any more: {exc.message}", "Bring the files back.") from exc


# ---- what came out ---------------------------------------------------------------------------------------------------


def _rows(
    name: str, members: Sequence[_Member], asked: HeldOut, answers: dict[int, list[dict[str, Tensor]]]
) -> Iterator[CropRow]:
    """Every network by itself, then all together, each by the number of crops."""
    first = members[0]
    task, kept = first.model.tasks[name], asked.dataset.arrays[name][first.positions]
    codes = torch.from_numpy(np.asarray(kept).astype(np.int64))
    for place, member in enumerate(members):
        for crops, found in answers.items():
            yield _row(task, (name, member.name, _size(member), crops, 1), found[place][name], codes)
    sizes = list(dict.fromkeys(map(_size, members)))
    size = sizes[0] if len(sizes) == 1 else "several"
    for crops, found in answers.items() if len(members) > 1 else ():
        mean = torch.stack([of[name] for of in found]).mean(dim=0)
        yield _row(task, (name, _TOGETHER, size, crops, len(members)), mean, codes)


def _row(task: Task, about: tuple[str, str, str, int, int], answers: Tensor, codes: Tensor) -> CropRow:
    first = _mistaken(float(task.score(answers, codes)["accuracy"]), len(codes))
    if answers.shape[1] <= _TOP:
        return CropRow(*about, *first)
    return CropRow(*about, *first, *_mistaken(metrics.accuracy(answers, codes, _TOP), len(codes)))


def _mistaken(right: float, count: int) -> tuple[float, Interval]:
    """The share of mistakes and its interval, from the share of right answers."""
    low, high = metrics.wilson(right * count, count)
    return 1 - right, (1 - high, 1 - low)


def _size(member: _Member) -> str:
    return f"{member.picture.shape[0]} x {member.picture.shape[1]}" if member.picture else "-"


def _source(members: Sequence[_Member], crops: int) -> str:
    """How large the pictures are that crops are cut from, and whether the files are that large."""
    told = {}
    for field in filter(None, (member.picture for member in members)):
        frames = [reading.frame(field.shape) for reading in views.SCHEMES[crops] if reading.enlarges]
        sizes = sorted({(frame.height, frame.width) for frame in frames})
        if not sizes:
            continue
        span = " to ".join(f"{height} x {width}" for height, width in dict.fromkeys([sizes[0], sizes[-1]]))
        headers = Image().headers(column_of(members[0].dataset.found, field))
        less = sum(each.height < sizes[-1][0] or each.width < sizes[-1][1] for each in headers)
        small = f" ({less:,} of {len(headers):,} files looked at are smaller: enlarged)" if less else ""
        told[span] = f"; cut from pictures read at {span}{small}"
    return "".join(told.values())


def _table(rows: Sequence[CropRow]) -> list[str]:
    """The rows as lines, under their headings; of several outputs each under its name."""
    head = ("model", "resolution", "crops", "models", "top-1 error, %", f"top-{_TOP} error, %")
    lines = []
    for name in dict.fromkeys(row.output for row in rows):
        cells: list[tuple[str, ...]] = [head]
        for row in rows:
            if row.output == name:
                errors = (_error(row.top1_error, row.top1_interval), _error(row.top5_error, row.top5_interval))
                cells.append((row.model, row.resolution, str(row.crops), str(row.models), *errors))
        widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
        lines += [f"{name}:"] if len({row.output for row in rows}) > 1 else []
        lines += [_line(line, widths) for line in cells]
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells beside each other, whole numbers and their headings flush right."""
    counts = {2, 3}
    beside = [
        cell.rjust(wide) if place in counts else cell.ljust(wide)
        for place, (cell, wide) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(beside).rstrip()


def _error(error: float | None, interval: Interval | None) -> str:
    return "-" if error is None else f"{100 * error:.2f} ({interval_text('accuracy', interval)})"
