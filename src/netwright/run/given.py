"""What is given to a trained model, found and laid out as the data that it learned from were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from netwright import readers
from netwright.data import ahead, grouped
from netwright.errors import DataError, SpecError
from netwright.field import Field
from netwright.model_file import Model
from netwright.readers import missing, spreadsheet
from netwright.readers.columns import Blobs, Cells, Column, Found
from netwright.readers.layouts import parallel_texts
from netwright.readers.layouts.labelled_lines import LabelledLines
from netwright.spec import Spec

_TABLES = {".csv", ".tsv", ".tab", ".parquet", ".gz", ".xz"}
_AS_TEXTS = {"text": ("text",), "ink": ("ink", "text")}  # kinds of input that lie in files, and their columns


def found_in(path: Path, model: Model) -> Found:
    """A table as it is, or rows in time; otherwise pictures, sounds, inks or texts, wherever they lie."""
    if ahead.asked(model.spec) and path.exists():
        return readers.find(path, "timed_tables")
    first = next(iter(model.inputs.values()))
    if len(model.inputs) == 1 and first.kind in _AS_TEXTS and path.exists():
        return _table_or_texts(path, first, model)
    files_go_in = any(field.kind in {"image", "audio"} for field in model.inputs.values())
    loose = files_go_in and path.exists() and path.suffix.casefold() not in _TABLES
    return readers.find(path, "loose_files" if loose else None)


def _table_or_texts(path: Path, field: Field, model: Model) -> Found:
    """A table, the lines of a file in the input's language, or else text files, each of which is an example.

    A single file that could be a table or a text is what fits.

    Raises:
        DataError: Neither.
    """
    if path.is_file() and field.kind == "text" and parallel_texts.language(path) == field.source:
        return readers.find(path, parallel_texts.ParallelTexts.name)
    table = path.suffix.casefold() in _TABLES and not (field.kind == "ink" and path.suffix.casefold() == ".csv")
    try:
        found = readers.find(path)
    except DataError:
        if table:
            raise
        return readers.find(path, "text_files")
    files = any(isinstance(column, Blobs) for column in found.columns.values())
    wrong = path.is_file() and not table and (column_in(found, field) is None or _torn(found, model))
    if not files and not (wrong and (field.kind == "text" or {"x", "y"} <= found.columns.keys())):
        return found
    texts = readers.find(path, "text_files")
    if not wrong:
        return texts
    by_line = field.kind == "text" and parallel_texts.language(Path(f"NAME.{field.source}"))
    more = f"; a file named NAME.{by_line} is read line by line" if by_line else ""
    return replace(texts, notes=(*texts.notes, f"{path.name} was read as one text{more}"))


def _torn(found: Found, model: Model) -> bool:
    """Whether lines were read as a class and a text, and these are no classes that the model knows."""
    column = found.columns.get("category")
    if found.layout != LabelledLines.name or not isinstance(column, Cells):
        return False
    known = {label for field in model.outputs.values() if field.kind == "category" for label in field.vocabulary}
    return not known.issuperset(column.values.unique().to_pylist())


def arranged(found: Found, model: Model) -> tuple[Found, Spec | None]:
    """What was found as the model's own data were: empty cells emptied, rows made sequences or the ends of tracks.

    Args:
        found: From `found_in`, or data in memory.
        model: What it is read for.

    Returns:
        The examples, and where steps to come are asked for, how tracks are read.
    """
    found = missing.emptied(found, model.spec.data.empty)
    if not ahead.asked(model.spec):
        return _grouped(found, model), None
    onward = ahead.known(model.spec, model.inputs, found)
    return ahead.latest(found, onward), onward


def _grouped(found: Found, model: Model) -> Found:
    """The rows of a table as sequences, where the model was trained on such; one without their column is one."""
    data = model.spec.data
    if data.group is None:
        return found
    orders = (
        each.options["day_first"] for each in model.inputs.values() if each.ragged and "day_first" in each.options
    )
    data = data.model_copy(
        update={"day_first": next(orders, data.day_first)}
    )  # one new date alone may be read two ways
    stepped = {name: field.ragged for name, field in model.inputs.items()}
    columns = {
        name: (field.source,) if isinstance(field.source, str) else field.source for name, field in model.inputs.items()
    }
    steps = frozenset(source for name, of in columns.items() if stepped[name] for source in of)
    whole = {source: f"inputs.{name}" for name, of in columns.items() if not stepped[name] for source in of}
    if data.group in found.columns:
        return grouped.grouped(found, data, grouped.Wanted(steps, whole))
    return grouped.one_sequence(found, data, grouped.Wanted(steps, whole), Path(found.origin).stem or "sequence")


def column_for(found: Found, name: str, model: Model) -> Column:
    """The column an input is read from.

    Raises:
        DataError: It is not there.
    """
    field = model.inputs[name]
    try:
        return column_in(found, field) or found.column(field.source)
    except SpecError as exc:
        needed = sources(model)
        listed = f"column{'s' if len(needed) > 1 else ''} {', '.join(needed)}"
        below = spreadsheet.header_below(found, needed)
        raise DataError(exc.message, below or f"The model needs the {listed}.") from exc


def column_in(found: Found, field: Field) -> Column | None:
    """The column of an input's name; else that of files, if they are pictures, sounds or texts as the input is.

    Args:
        found: What was found.
        field: Of the input.
    """
    wanted = (field.source,) if isinstance(field.source, str) else field.source
    if all(source in found.columns for source in wanted):
        return found.column(field.source)
    names = {"image": ("image",), "audio": ("audio",), **_AS_TEXTS}.get(field.kind, ())
    there = (found.columns[each] for each in names if each in found.columns)
    return next((column for column in there if field.kind not in _AS_TEXTS or isinstance(column, Blobs)), None)


def sources(model: Model) -> list[str]:
    """The columns that go in.

    Args:
        model: Whose.
    """
    named: list[str] = []
    for field in model.inputs.values():
        named += [field.source] if isinstance(field.source, str) else list(field.source)
    return named
