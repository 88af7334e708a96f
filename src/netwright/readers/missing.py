"""Cells without a value: kept as NaN, coded as the training mean, and told by a column of their own.

What to do is decided per column when a field is planned, from the whole column: a column that never missed a value
still refuses a cell without one, so that a broken table is not answered from means. How many training cells had no
value is fitted; a column that has any gets a second coded number, 1 where the value is missing.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.field import Field, Reason
from netwright.readers.columns import Arrays, Cells, Column, Found
from netwright.readers.numerals import MISSING
from netwright.spec import InputSpec, OutputSpec
from netwright.words import counted

FILL = "fill"
T = TypeVar("T")
Mark = str | int | float  # what stands in a cell without a value
_NAMED = 5


def may_fill(spec: InputSpec | OutputSpec) -> bool:
    """Whether cells without a value keep their row: those of inputs do, unless the spec sets them aside."""
    return isinstance(spec, InputSpec) and spec.missing != "set_aside"


def option(found: Sequence[bool]) -> str:
    """The option that `fills` reads: "fill" for columns of which cells are missing, joined as styles are.

    Example:
        >>> option([True, False])
        'fill|'
    """
    return "|".join(FILL if some else "" for some in found)


def fills(field: Field, place: int = 0) -> bool:
    """Whether a cell without a value keeps its row, in a field's column (one of them, for a vector)."""
    told = str(field.options.get("missing", "")).split("|")
    return told[place if len(told) > 1 else 0] == FILL


def is_missing(cell: object) -> bool:
    """Whether a cell says that it has no value: nothing, NaN, or a text such as NA."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    return cell is None or (isinstance(cell, float | np.floating) and bool(np.isnan(cell)))


def emptied(found: Found, marks: Sequence[Mark]) -> Found:
    """The same examples, the cells that hold one of the marks without a value; a note says how many they are.

    Args:
        found: What the readers found.
        marks: What stands in a cell without a value; among texts as it is written, among numbers as a number.
    """
    if not marks:
        return found
    columns, count = {}, 0
    for name, column in found.columns.items():
        columns[name], some = _emptied(column, marks)
        count += some
    told = ", ".join(f'"{mark}"' for mark in marks)
    note = f"data.empty: {counted(count, 'cell')} with {told} {'has' if count == 1 else 'have'} no value"
    return replace(found, columns=columns, notes=(*found.notes, note))


def unmarked(cell: T, marks: Sequence[Mark]) -> T | None:
    """A cell as it is, or nothing where it holds one of the marks."""
    if isinstance(cell, str):
        return None if cell.strip() in map(str, marks) else cell
    known = isinstance(cell, int | float | np.number) and float(cell) in _numbers(marks)
    return None if known else cell


def _emptied(column: Column, marks: Sequence[Mark]) -> tuple[Column, int]:
    if isinstance(column, Arrays):
        if column.values.ndim > 2 or column.values.dtype.kind not in "iuf":
            return column, 0
        held = np.isin(column.values, _numbers(marks))
        return (Arrays(np.where(held, np.nan, column.values)), int(held.sum())) if held.any() else (column, 0)
    if not isinstance(column, Cells):
        return column, 0
    values, kind = column.values, column.values.type
    if column.is_text:
        held = pc.is_in(pc.utf8_trim_whitespace(values), value_set=pa.array([str(mark) for mark in marks], kind))
        empty = pa.scalar("", kind)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        held = pc.is_in(values.cast(pa.float64()), value_set=pa.array(_numbers(marks), pa.float64()))
        empty = pa.scalar(None, kind)
    else:
        return column, 0
    count = pc.sum(held).as_py() or 0
    return (replace(column, values=pc.if_else(held, empty, values)), count) if count else (column, 0)


def _numbers(marks: Sequence[Mark]) -> list[float]:
    """Those marks that are numbers."""
    found = []
    for mark in marks:
        try:
            found.append(float(mark))
        except ValueError:
            continue
    return found


def columns_told(field: Field) -> list[int]:
    """The columns of a fitted field of which a coded number says "missing"."""
    return [place for place, count in enumerate(field.missing) if count]


def reason(values: np.ndarray, field: Field, names: Sequence[str], filled: Sequence[str]) -> list[Reason]:
    """What became of the cells without a value, for a person to read.

    Args:
        values: (examples, columns) cached cells of all used examples, NaN where there is no value.
        field: The fitted field.
        names: Of the columns.
        filled: What stands for a missing value of each column, in words.
    """
    counts = np.isnan(values).sum(axis=0)
    some = [place for place in np.argsort(-counts, kind="stable").tolist() if counts[place]]
    if not some:
        return []
    path, told = f"inputs.{field.name}.missing", set(columns_told(field))
    if len(names) == 1:
        says = "a column says so" if told else "no column says so, for no training cell is empty"
        value = f"{counts[0]:,} of {len(values):,} cells are empty"
        return [Reason(path=path, value=value, why=f"filled with {filled[0]}, and {says}")]
    shown = ", ".join(f"{names[place]} {counts[place]:,}" for place in some[:_NAMED])
    more = f" and {len(some) - _NAMED} more columns" if len(some) > _NAMED else ""
    says = "a column for each says so" if told >= set(some) else f"a column says so for {len(told)} of them"
    value = f"of {len(values):,} cells are empty: {shown}{more}"
    return [Reason(path=path, value=value, why=f"filled with the mean of each column in training, and {says}")]
