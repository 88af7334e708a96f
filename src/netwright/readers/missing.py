"""Cells without a value: kept as NaN, coded as the training mean, and told by a column of their own.

What to do is decided per column when a field is planned, from the whole column: a column that never missed a value
still refuses a cell without one, so that a broken table is not answered from means. How many training cells had no
value is fitted; a column that has any gets a second coded number, 1 where the value is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwright.readers.numerals import MISSING
from netwright.spec import Field, InputSpec, OutputSpec, Reason

FILL = "fill"
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
