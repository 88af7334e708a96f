"""From what a page sends to what a model answers, as plain values for JSON."""

from __future__ import annotations

import base64
import math
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from netwright import model_file
from netwright.data.ahead import asked
from netwright.data.fields import kind_of
from netwright.errors import CellError, DataError, NetwrightError, SpecError
from netwright.field import Field
from netwright.figures.marks import clean, visible
from netwright.files import printable
from netwright.model_file import Model
from netwright.model_file.model import Cell
from netwright.models.decoding import Sampling
from netwright.readers.kinds.tags import NO_TAG
from netwright.readers.pictures import png
from netwright.run.outside import outside
from netwright.run.sample import written_by
from netwright.tasks.next import Next
from netwright.words import begun

TOP = 5  # likeliest classes that are shown
EXAMPLES = 6  # real ones that the page offers
_CHOICES = 200  # classes of an input that a page lists
_DEEP = 4  # lists in lists
_FILES = {"image", "audio"}
_THIS = "what was given"
_TEMPERATURE, _LENGTH = 0.8, 400  # of a text that is written; its characters


def check(model: Model) -> None:
    """Whether one example at a time can be answered.

    Raises:
        SpecError: It goes on from rows in time: says which command does.
    """
    if asked(model.spec):
        raise SpecError("this model goes on from a table's last rows.", "Use netwright predict.")


def facts(model: Model, title: str, examples: Sequence[Mapping[str, Cell]]) -> dict[str, object]:
    """What a page needs to know of a model.

    Args:
        model: The model.
        title: What it is called.
        examples: Cells of real examples, by input.
    """
    return {
        "title": title,
        "inputs": [_input(field) for field in model.inputs.values()],
        "outputs": [{"name": name, "kind": field.kind} for name, field in model.outputs.items()],
        "examples": [{name: _sent(cell, model.inputs[name]) for name, cell in each.items()} for each in examples],
        "notes": [begun(note) for note in model.notes],
    }


def kept(path: Path, model: Model) -> list[dict[str, Cell]]:
    """Cells of real examples that a model file keeps."""
    return [dict(each.cells) for each in model_file.examples(path, model)[:EXAMPLES]]


def answer(model: Model, sent: object) -> dict[str, object]:
    """What a model says of one example; a language model goes on with it, each time otherwise.

    Args:
        model: The model.
        sent: By input, or by column: a text, a number, a list of them, or `{"base64": ...}` with the bytes of a file.

    Raises:
        DataError: It is no example, or not one that the model reads.
    """
    cells = _cells(sent, model)
    if following := next((name for name, task in model.tasks.items() if isinstance(task, Next)), None):
        return _written(model, following, cells)
    try:
        raw = model.read([cells])
        reached = model.answers(model.code(raw))
    except NetwrightError:
        raise
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as exc:  # whatever a stranger may send
        told = f"this example cannot be answered ({exc})."
        raise DataError(told, "Send what each input reads: netwright plan shows it.") from exc
    far = outside(model.inputs, raw, [_THIS], np.ones(1, dtype=bool))
    found = {name: _told(answers[0]) for name, answers in model.top(reached, TOP).items()}
    return {"outputs": found, "notes": [begun(said) for said in far]}


def _written(model: Model, name: str, cells: Mapping[str, Cell]) -> dict[str, object]:
    """What stands there, and how a language model goes on with it."""
    of = model.inputs[str(model.outputs[name].options["of"])]
    given = cells.get(of.name, cells.get(str(of.source)))
    if not isinstance(given, str):
        raise DataError("the beginning of a text was expected.", "Send a text.")
    try:
        found = written_by(model, given or None, Sampling(_TEMPERATURE), secrets.randbits(32))
    except SpecError as exc:
        raise DataError(exc.message.removeprefix("--prompt: "), exc.cure) from exc
    length = _LENGTH if model.outputs[name].options["tokens"] == "characters" else _LENGTH // 4
    text = "".join(islice(found.pieces, length))
    told = {"words": visible(found.prompt), "written": visible(text)}
    return {"outputs": {name: told}, "notes": [begun(said) for said in found.notes]}


def _cells(sent: object, model: Model) -> dict[str, Cell]:
    if not isinstance(sent, dict):
        raise DataError("an example is an object with a value for each input.", 'Send {"input": value}.')
    cells = {str(name): _cell(str(name), value) for name, value in sent.items()}
    for field in model.inputs.values():
        for name in {field.name, field.source} & cells.keys() if field.kind in _FILES else ():
            if not isinstance(cells[name], bytes):  # a text would be the path of a file of this machine
                raise DataError(f"{printable(name)}: is no file.", 'Send its bytes as {"base64": "..."}.')
    return cells


def _cell(name: str, value: object) -> Cell:
    if isinstance(value, dict):
        coded = value.get("base64")
        if set(value) != {"base64"} or not isinstance(coded, str):
            raise DataError(f"{printable(name)}: no value that can be read.", 'Send a file as {"base64": "..."}.')
        try:
            return base64.b64decode(coded, validate=True)
        except ValueError as exc:
            raise DataError(f"{printable(name)}: is no base64 ({exc}).", "Send the bytes of a file.") from exc
    if isinstance(value, list) and not _flat(value, _DEEP):
        raise DataError(f"{printable(name)}: holds more than texts and numbers.", "Send a list of them.")
    return cast("Cell", value)


def _flat(values: list[object], deep: int) -> bool:
    return deep > 0 and all(
        _flat(each, deep - 1) if isinstance(each, list) else not isinstance(each, dict) for each in values
    )


def _input(field: Field) -> dict[str, object]:
    columns = [field.source] if isinstance(field.source, str) else list(field.source)
    listed = (field.ragged and field.kind not in {"text", "ink", "audio"}) or (
        field.kind == "vector" and len(columns) == 1
    )
    few = field.kind == "category" and len(field.vocabulary) <= _CHOICES
    return {
        "name": field.name,
        "kind": field.kind,
        "columns": [field.name] if len(columns) == 1 or listed or field.kind == "ink" else columns,
        "file": field.kind in _FILES,
        "list": listed,
        "timed": field.kind == "ink" and field.shape[-1] > 3,
        "missing": "missing" in field.options,
        "choices": list(field.vocabulary) if few else [],
    }


def _sent(cell: Cell, field: Field) -> object:
    """A cell as a page would send it: strokes of ink, the file of a picture, whatever form they have in the data."""
    kind = kind_of(field)
    if field.kind == "ink":
        given = np.array(cell, dtype=object) if isinstance(cell, list) else cell
        points = kind.one(given, field)  # type: ignore[arg-type]
        begins = np.flatnonzero(points[1:, 2] == 1) + 1
        return [stroke[:, [0, 1, *range(3, stroke.shape[1])]].tolist() for stroke in np.split(points, begins)]
    if field.kind == "image" and isinstance(cell, np.ndarray):
        cell = png(kind.one(cell, field))
    if field.kind == "category":
        with suppress(CellError):  # else it is shown as it is, and the model says what it makes of it
            return field.vocabulary[int(kind.one(cell, field))]  # type: ignore[arg-type]
    if field.kind == "tags" and isinstance(cell, list):
        return str(field.options["separator"]).join(map(str, cell))
    if isinstance(cell, bytes):
        return {"base64": base64.b64encode(cell).decode("ascii")}
    return _finite(cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell)


def _told(found: object) -> dict[str, object]:
    """One output's answer: words, and where classes are chosen their probabilities."""
    if isinstance(found, str):
        return {"words": clean(found)}
    if isinstance(found, list) and all(isinstance(each, tuple) for each in found):
        shares = [[clean(label), _finite(share)] for label, share in found]
        return {"words": shares[0][0] if shares else NO_TAG, "shares": shares}
    values = found if isinstance(found, list) else [found]
    return {"words": ", ".join(f"{value:.6g}" for value in values), "values": _finite(values)}


def _finite(value: object) -> object:
    """None for what JSON cannot say."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
