"""Rows of a table that are the steps of sequences, e.g. the frames of clips: one example for each sequence.

`data.group` names the column that says which rows belong together, `data.order` the one that orders them. A column
whose cells differ within a sequence becomes a cell for each step; one that is the same throughout stays one cell, so
that a sequence can have a class, a person or a part of its own. Every row is in a sequence or among the refusals.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.errors import DataError, SpecError
from netwright.files import printable
from netwright.readers.columns import Arrays, Cells, Found, Refusal, Steps
from netwright.readers.dates import read_ordered
from netwright.readers.kinds.category import labels_of
from netwright.readers.numerals import read_numbers
from netwright.spec import InputSpec, OutputSpec, Spec
from netwright.spec_data import DataSpec
from netwright.words import counted, listed

SIGNAL = "signal"  # the kind, and the name of an input of all number columns where none is named
_MOSTLY = 0.95  # share of an order's cells that must be numbers, or else dates


@dataclass(frozen=True)
class Wanted:
    """Which columns must have a cell for each step, and which one for each sequence.

    Args:
        steps: Names of columns.
        whole: Names of columns, and for messages what asks for them.
    """

    steps: frozenset[str]
    whole: dict[str, str]


def wanted(spec: Spec) -> Wanted:
    """What a spec asks for, by column."""
    steps: set[str] = set()
    whole: dict[str, str] = {}
    for name, wish in {**spec.inputs, **spec.outputs}.items():
        stepped = wish.per is not None if isinstance(wish, OutputSpec) else wish.kind == SIGNAL
        path = f"{'inputs' if isinstance(wish, InputSpec) else 'outputs'}.{name}"
        if stepped:
            steps.update(_sources(name, wish))
        elif isinstance(wish, OutputSpec) or wish.kind is not None:
            whole |= dict.fromkeys(_sources(name, wish), path)
    if spec.data.split.column:
        whole.setdefault(spec.data.split.column, "data.split.column")
    return Wanted(frozenset(steps), whole)


def grouped(found: Found, data: DataSpec, wish: Wanted) -> Found:
    """The rows as sequences; as they are where nothing groups them.

    Args:
        found: One step to a row.
        data: Names the columns.
        wish: Which columns are to have a cell for each step.

    Raises:
        SpecError: No such column, or one that is wanted once for each sequence differs within one.
        DataError: No row belongs to a sequence.
    """
    if data.group is None:
        return found
    names, why = _groups(found, data.group)
    return _joined(found, data, wish, names, why)


def one_sequence(found: Found, data: DataSpec, wish: Wanted, name: str) -> Found:
    """All rows as one sequence, where new ones are not told apart by a column.

    Args:
        found: One step to a row.
        data: Names the columns; that of the order may be missing.
        wish: As for `grouped`.
        name: What the sequence is called.
    """
    known = data if data.order in found.columns else data.model_copy(update={"order": None})
    return _joined(found, known, wish, np.full(len(found), name, dtype=object), {})


def _joined(found: Found, data: DataSpec, wish: Wanted, names: np.ndarray, why: dict[int, str]) -> Found:
    places, more, day_first = _places(found, data.order, data.day_first)
    why = {**more, **why}
    kept = np.setdiff1d(np.arange(len(found)), np.fromiter(why, dtype=np.int64))
    if not len(kept):
        told = next(iter(why.values()), "the table has no rows")
        raise DataError(f"{printable(found.origin)}: no row belongs to a sequence ({told}).", "Look at data.group.")
    ids, first, codes = np.unique(names[kept].astype(str), return_index=True, return_inverse=True)
    turn = np.argsort(np.argsort(first, kind="stable"), kind="stable")  # sequences in the order in which they begin
    ids, codes = ids[np.argsort(first, kind="stable")], turn[codes]
    order = np.lexsort((kept, places[kept], codes))
    rows, codes = kept[order], codes[order]
    ends = np.cumsum(np.bincount(codes, minlength=len(ids)))
    starts = np.concatenate([[0], ends[:-1]])
    columns: dict[str, Cells | Steps] = {}
    for name, column in found.columns.items():
        cells = _cells(column)
        if cells is None:
            continue
        ordered = replace(cells, values=pa.chunked_array([cells.values.take(pa.array(rows)).combine_chunks()]))
        alike = _alike(ordered.values, starts)
        if name in wish.whole and not alike.all():
            raise _differs(name, wish.whole[name], ordered.values, ids, (starts, ends), alike)
        whole = alike.all() and name not in wish.steps
        first_rows = replace(ordered, values=ordered.values.take(pa.array(starts))) if whole else None
        columns[name] = Steps(ordered, ends, day_first) if first_rows is None else first_rows
    refused = [Refusal(str(found.ids[row]), found.where(row), "quarantined", said) for row, said in sorted(why.items())]
    return replace(
        found,
        ids=pa.array(ids.tolist(), pa.string()),
        columns=columns,
        official=found.official.take(pa.array(rows[starts])) if found.official is not None else None,
        refused=(*found.refused, *refused),
        notes=(*found.notes, *_notes(data, np.diff(ends, prepend=0), places[rows], codes)),
        lines=None,
    )


def _groups(found: Found, group: str) -> tuple[np.ndarray, dict[int, str]]:
    """The sequence that each row belongs to, and rows that say none."""
    cells = _cells(found.column(group))
    labels = labels_of(cells) if cells is not None else None
    if labels is None:
        raise SpecError(f'data.group: column "{group}" holds no names.', "Name a column of texts or whole numbers.")
    names = np.array(["" if name is None else name for name in labels.to_pylist()], dtype=object)
    return names, {
        int(row): f"its {group} is empty, so that it belongs nowhere." for row in np.flatnonzero(names == "")
    }


def _places(found: Found, order: str | None, day_first: bool | None) -> tuple[np.ndarray, dict[int, str], bool | None]:
    """Where each row stands among those of its sequence, rows that do not say, and whether days stand before months."""
    if order is None:
        return np.arange(len(found)), {}, None
    cells = _cells(found.column(order))
    if cells is None:
        raise SpecError(
            f'data.order: column "{order}" holds nothing to order by.', "Name a column of numbers or dates."
        )
    places = read_numbers(cells.values, decimal=cells.decimal, comma=cells.comma).values
    if np.isfinite(places).mean() < _MOSTLY:
        moments = read_ordered(cells.values, day_first)
        if moments.readings:
            raise SpecError(
                f'data.order: column "{order}" holds dates that can be read two ways: {moments.readings}.',
                "Say which: --set data.day_first=true or false; or write them as 2024-01-31.",
            )
        places, day_first = moments.values, {"day": True, "month": False}.get(moments.first)
    bad = np.flatnonzero(~np.isfinite(places))
    if len(bad) > (1 - _MOSTLY) * len(places):
        raise SpecError(
            f'data.order: column "{order}" holds {cells.values[int(bad[0])].as_py()!r}, neither a number nor a date.',
            "Name a column of numbers or dates, or leave it out where the rows stand in their order.",
        )
    return places, {int(row): f"its {order} is neither a number nor a date." for row in bad}, day_first


def _cells(column: object) -> Cells | None:
    """A column with one value to a row; None for files and arrays."""
    if isinstance(column, Arrays) and column.values.ndim == 1:
        return Cells(pa.chunked_array([pa.array(column.values)]))
    return column if isinstance(column, Cells) and not pa.types.is_nested(column.values.type) else None


def _alike(values: pa.ChunkedArray, starts: np.ndarray) -> np.ndarray:
    """For each sequence whether all its cells are the same."""
    known = values.combine_chunks().dictionary_encode(null_encoding="encode")
    codes = known.indices.to_numpy(zero_copy_only=False)
    return np.minimum.reduceat(codes, starts) == np.maximum.reduceat(codes, starts)


def _differs(
    name: str,
    path: str,
    values: pa.ChunkedArray,
    ids: np.ndarray,
    spans: tuple[np.ndarray, np.ndarray],
    alike: np.ndarray,
) -> SpecError:
    one = int(np.flatnonzero(~alike)[0])
    held = pc.unique(values.slice(int(spans[0][one]), int(spans[1][one] - spans[0][one]))).to_pylist()
    shown = listed([printable(str(each)) for each in held], 3)
    cure = "Give a column that is the same in all rows of a sequence."
    if path.startswith("outputs."):
        cure = f"For an answer at every step say {path}.per: NAME OF THE INPUT; else give one value for each sequence."
    elif path.startswith("inputs."):
        cure = f"For a value at every step say {path}.kind: {SIGNAL}."
    return SpecError(f'{path}: column "{name}" differs within the sequence {printable(str(ids[one]))} ({shown}).', cure)


def _notes(data: DataSpec, lengths: np.ndarray, places: np.ndarray, codes: np.ndarray) -> list[str]:
    by = f"by {data.group}" if data.group else "in one table"
    steps = f"{lengths.min():,}" if lengths.min() == lengths.max() else f"{lengths.min():,} to {lengths.max():,}"
    said = [f"{int(lengths.sum()):,} rows are {counted(len(lengths), 'sequence')} {by}, of {steps} steps"]
    again = int(((np.diff(places) == 0) & (np.diff(codes) == 0)).sum())
    if again:
        said.append(f"{data.order}: {counted(again, 'row')} with the value of the row before, kept behind it")
    return said


def _sources(name: str, wish: InputSpec | OutputSpec) -> Collection[str]:
    if wish.source is None:
        return (name,)
    return (wish.source,) if isinstance(wish.source, str) else tuple(wish.source)
