"""How training would see pictures: every transform by itself on the user's own examples, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from netwright import files, registry
from netwright.data import augment
from netwright.data.augment import Transform
from netwright.data.batches import Batch
from netwright.data.dataset import Dataset
from netwright.data.fields import kind_of
from netwright.errors import SpecError
from netwright.figures.columns import Column, Picture, picture_columns
from netwright.figures.marks import number
from netwright.report.look import Look, look_page
from netwright.report.pictures import page_picture
from netwright.run.resolve import augmented
from netwright.seeds import numpy_generator
from netwright.spec import InputSpec, PartSpec, Spec
from netwright.training.strategies.augment import Augment
from netwright.words import counted

_SHOWN = 8  # pictures
_MOST_PX = 160  # longest side of a picture in the page


@dataclass(frozen=True)
class View:
    """What one way of seeing pictures makes of them.

    Args:
        name: Of the transform, or "all of them".
        settings: Its options with their values, in words.
        views: How many different pictures it makes of one; infinite where there is no end.
        changed: How many of the pictures shown are different.
    """

    name: str
    settings: str
    views: float
    changed: int


@dataclass(frozen=True)
class Views:
    """The page of views, and what is on it.

    Args:
        page: Where it lies.
        ids: The pictures.
        views: A column each.
        text: In words, line by line.
    """

    page: Path
    ids: tuple[str, ...]
    views: tuple[View, ...]
    text: list[str]


def views(wanted: Spec, dataset: Dataset, out: Path) -> Views:
    """Training pictures as the first epoch of a training would see them, a column for each transform.

    Args:
        wanted: The spec; the transforms that it names are shown, or every one there is where it names none.
        dataset: Its data.
        out: Where the page is written.

    Raises:
        SpecError: No picture goes in; the page is no .html; a transform or an option that cannot be.
    """
    if out.suffix != ".html":
        raise SpecError(f"--views {files.printable(out)}: views are a page.", "Give it a name that ends in .html.")
    name = next((name for name, field in dataset.inputs.items() if field.kind == "image"), "")
    if not name:
        raise SpecError("no picture goes in, so no transform changes anything.", "Name data with pictures.")
    seed, field, train = wanted.training.seed, dataset.inputs[name], dataset.parts["train"]
    positions = train[np.sort(numpy_generator(seed, "sheet").permutation(len(train))[:_SHOWN])]
    batch = Batch(
        {name: kind_of(field).code(dataset.arrays[name][positions], field)}, {}, torch.from_numpy(np.array(positions))
    )
    ids = [files.printable(str(dataset.ids[int(position)])) for position in positions]
    ways, notes = _ways(wanted, dataset, name)
    columns, found = [_column("as it is", batch, batch, dataset, name, ids)], []
    for label, transforms, settings in ways:
        changing = Augment({name: transforms}, (), seed)
        # Of two epochs the one that changes more: a mirror turns each picture in one of them.
        seen = max((changing.changed(batch, epoch) for epoch in (0, 1)), key=lambda view: _different(view, batch, name))
        columns.append(_column(label, seen, batch, dataset, name, ids))
        different = _different(seen, batch, name)
        found.append(View(label, settings, math.prod(each.views() for _, each in transforms), different))
    files.write_text(out, _page(columns, found, notes, name))
    rows = [f"  {view.name}{f' ({view.settings})' if view.settings else ''}: {_many(view)}" for view in found]
    return Views(out, tuple(ids), tuple(found), [*rows, *notes, f"page: {files.printable(out)}"])


def _different(view: Batch, batch: Batch, name: str) -> int:
    """How many pictures are not as they were."""
    return sum(not torch.equal(one, other) for one, other in zip(view.inputs[name], batch.inputs[name], strict=True))


_Way = tuple[str, list[tuple[str, Transform]], str]


def _ways(wanted: Spec, dataset: Dataset, name: str) -> tuple[list[_Way], list[str]]:
    """The transforms, each with its settings; and what is to be known about them."""
    wish = wanted.inputs.get(name) or InputSpec()
    if wish.augment:
        reason = augmented(f"inputs.{name}.augment", name, wanted, dataset)
        made = augment.made(wish)
        ways = [(each.name, [one], _settings(each)) for each, one in zip(wish.augment, made, strict=True)]
        together = [("all of them", made, "")] if len(made) > 1 else []
        return [*ways, *together], [f"{reason.value}: {reason.why}"]
    parts = [PartSpec(name=each) for each in registry.parts("transform")]
    every = list(zip(parts, augment.made(wish.model_copy(update={"augment": tuple(parts)})), strict=True))
    small = {part.name: said for part, (_, one) in every if (said := one.fits(dataset.inputs[name].shape))}
    notes = ["no transform is set, so every one is shown with its usual settings; training uses none of them"]
    notes += [f"{left} is left out: {said}" for left, said in small.items()]
    return [(part.name, [one], _settings(part)) for part, one in every if part.name not in small], notes


def _settings(part: PartSpec) -> str:
    options = registry.options("transform", part.name)
    values = {name: part.options.get(name, option.default) for name, option in options.items()}
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _column(label: str, seen: Batch, plain: Batch, dataset: Dataset, name: str, ids: Sequence[str]) -> Column:
    field = dataset.inputs[name]
    pictures = []
    for coded, id in zip(seen.inputs[name], ids, strict=True):
        data, size = page_picture(np.asarray(kind_of(field).uncode(coded, field)), _MOST_PX)
        pictures.append(Picture(data, size, id if seen is plain else f"{id}: {label}"))
    return Column(label, (), pictures)


def _many(view: View) -> str:
    return "views without end" if math.isinf(view.views) else f"{counted(int(view.views), 'view')} of each picture"


def _page(columns: Sequence[Column], found: Sequence[View], notes: Sequence[str], name: str) -> str:
    names = ", ".join(column.name for column in columns)
    pictures = counted(len(columns[0].pictures), "training picture")
    return look_page(
        Look(
            overline="views before training",
            title="How training would see your pictures",
            heading="Each transform by itself",
            says="In the first column lie training pictures as they are, beside them what a step of the first epoch "
            "would see of them. The next epoch sees them otherwise; validation and test are never changed.",
            figure=picture_columns(f"{pictures} of {name} in columns: {names}.", columns, width=800),
            columns=["transform", "settings", "views of one picture"],
            rows=[
                [view.name, view.settings or "–", "without end" if math.isinf(view.views) else number(view.views)]
                for view in found
            ],
            notes=notes,
        )
    )
