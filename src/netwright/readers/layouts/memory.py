"""Data already in memory: a dict of columns, a DataFrame, an Arrow table or a plain array."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.errors import DataError
from netwright.readers.columns import Arrays, Cells, Column, Found, is_text

_TEXT_BYTES = 2**30  # of one piece of a column; Arrow's text type holds twice as many


@runtime_checkable
class _Frame(Protocol):
    """Looks like a DataFrame."""

    columns: object
    iloc: object


@runtime_checkable
class _Series(Protocol):
    """Looks like a column of a DataFrame."""

    def to_numpy(self) -> np.ndarray: ...


@runtime_checkable
class _Tensor(Protocol):
    """Looks like a torch tensor."""

    def detach(self) -> _Tensor: ...
    def cpu(self) -> _Tensor: ...
    def numpy(self) -> np.ndarray: ...


def from_memory(data: object) -> Found:
    """Examples from an object in memory.

    Args:
        data: A dict of columns (lists, arrays, tensors; pictures as (n, height, width[, channel]) uint8 or float in
            0..1), a DataFrame, a pyarrow Table, a 2-d array (columns `column_1`, ...) or a pair (array, names).

    Raises:
        DataError: No such form, no rows, or columns of different length.
    """
    columns, notes = _columns(data)
    lengths = {name: len(column) for name, column in columns.items()}
    if not lengths or not max(lengths.values()):
        raise DataError("the data in memory has no rows.", "Give at least one column with cells.")
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise DataError(f"the columns in memory differ in length: {told}.", "Give every column one cell per example.")
    return Found("memory", "data in memory", row_ids(next(iter(lengths.values()))), columns, notes=tuple(notes))


def row_ids(count: int) -> pa.Array:
    """The ids "row 1" to "row n"."""
    return pc.binary_join_element_wise("row", pc.cast(pa.array(np.arange(1, count + 1)), pa.string()), " ")


def columns_of(table: pa.Table, root: Path | None = None) -> tuple[dict[str, Column], list[str]]:
    """The columns of an Arrow table; lists of equal length become vectors, wrapped files become their bytes."""
    columns: dict[str, Column] = {}
    notes: list[str] = []
    for name, values in zip(unique_names(table.column_names, notes), table.columns, strict=True):
        if pa.types.is_struct(values.type) and values.type.get_field_index("bytes") >= 0:
            values = pc.struct_field(values, "bytes")
        vector = _vectors(values)
        columns[name] = Cells(_plain(values), root) if vector is None else Arrays(vector)
    return columns, notes


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without dictionaries, and every text as the one type that all functions of Arrow know together."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not is_text(values.type) or pa.types.is_string(values.type):
        return values
    pieces, waiting = [], list(values.chunks)
    while waiting:
        piece = waiting.pop(0)
        if piece.nbytes > _TEXT_BYTES and len(piece) > 1:
            half = len(piece) // 2
            waiting[:0] = [piece[:half], piece[half:]]
        else:
            pieces.append(piece.cast(pa.string()))
    return pa.chunked_array(pieces, pa.string())


def _vectors(values: pa.ChunkedArray) -> np.ndarray | None:
    """A column of equally long lists of numbers as a 2-d array, or None."""
    kind = values.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return None
    inner = kind.value_type
    if not (pa.types.is_integer(inner) or pa.types.is_floating(inner)) or values.null_count or not len(values):
        return None
    lengths = pc.unique(pc.list_value_length(values)).to_pylist()
    flat = pc.list_flatten(values)
    if len(lengths) != 1 or not lengths[0] or flat.null_count:
        return None
    return flat.to_numpy().reshape(len(values), lengths[0])


def unique_names(names: Sequence[object], notes: list[str]) -> list[str]:
    """Names as text, made unique by a number; what was changed is added to the notes."""
    found: list[str] = []
    for name in map(str, names):
        unique, again = name, 1
        while unique in found:
            again += 1
            unique = f"{name}_{again}"
        if unique != name:
            notes.append(f'second column "{name}" renamed "{unique}"')
        found.append(unique)
    return found


def _columns(data: object) -> tuple[dict[str, Column], list[str]]:
    if isinstance(data, pa.Table):
        return columns_of(data)
    if isinstance(data, Mapping):
        notes: list[str] = []
        return {str(name): _column(str(name), values, notes) for name, values in data.items()}, notes
    if isinstance(data, _Frame):
        return _frame(data)
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], np.ndarray):
        return _matrix(data[0], data[1])
    if isinstance(data, np.ndarray):
        return _matrix(data, None)
    raise DataError(
        f"data in memory of type {type(data).__name__} is not understood.",
        "Give a dict of columns, a DataFrame, a pyarrow Table or a 2-d array.",
    )


def _frame(data: _Frame) -> tuple[dict[str, Column], list[str]]:
    notes: list[str] = []
    names = unique_names(list(data.columns), notes)  # type: ignore[call-overload]
    renamed = data.set_axis(names, axis=1) if notes or list(data.columns) != names else data  # type: ignore[attr-defined]
    try:
        table = pa.Table.from_pandas(renamed, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as exc:
        raise DataError(f"the DataFrame holds mixed values: {exc}.", "Give every column one type of values.") from exc
    columns, more = columns_of(table)
    return columns, notes + more


def _matrix(values: np.ndarray, names: Sequence[object] | None) -> tuple[dict[str, Column], list[str]]:
    if values.ndim != 2:
        raise DataError(
            f"an array of {values.ndim} dimensions has no columns, expected 2.",
            'Name it: {"image": array} for pictures, {"x": array, "y": array} for columns.',
        )
    notes: list[str] = []
    if names is None:
        names = [f"column_{number}" for number in range(1, values.shape[1] + 1)]
        notes.append(f"columns named {names[0]} ... {names[-1]}")
    if len(names) != values.shape[1]:
        raise DataError(f"{len(names)} names for {values.shape[1]} columns.", "Give one name per column.")
    found = unique_names(names, notes)
    return {name: _column(name, values[:, place], notes) for place, name in enumerate(found)}, notes


def _column(name: str, values: object, notes: list[str]) -> Column:
    if isinstance(values, (Cells, Arrays)):
        return values
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return columns_of(pa.table({name: values}))[0][name]
    if isinstance(values, _Tensor) and not isinstance(values, np.ndarray):
        values = values.detach().cpu().numpy()
    elif not isinstance(values, np.ndarray) and isinstance(values, _Series):
        values = values.to_numpy()
    if isinstance(values, Sequence) and len(values) and isinstance(values[0], (np.ndarray, Sequence)):
        values = _stacked(name, values)
    if isinstance(values, np.ndarray) and values.dtype != object and values.ndim > 1:
        return _array(name, values, notes)
    try:
        cells = pa.array(values, from_pandas=isinstance(values, np.ndarray) and values.dtype == object)
    except (pa.ArrowException, TypeError, ValueError) as exc:
        raise DataError(f'column "{name}" in memory cannot be read: {exc}.', "Give cells of one type.") from exc
    return Cells(pa.chunked_array([cells]))


def _stacked(name: str, values: Sequence[object]) -> object:
    """A list of arrays or lists of numbers as one array; a list of texts stays a list."""
    if isinstance(values[0], (str, bytes)) or all(_texts(value) for value in values):
        return values
    shapes = sorted({np.shape(value) for value in values})  # type: ignore[type-var]
    if len(shapes) > 1 and len({shape[1:] for shape in shapes}) == 1 and len(shapes[0]) in {1, 2}:
        return [np.asarray(value).tolist() for value in values]  # series of different lengths
    if len(shapes) > 1:
        raise DataError(
            f'column "{name}" in memory holds arrays of different shapes: {shapes[:3]}.', "Bring them to one shape."
        )
    return np.array(values)


def _texts(value: object) -> bool:
    return value is None or (isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value))


def _array(name: str, values: np.ndarray, notes: list[str]) -> Arrays:
    """An array per example: (n, d) numbers, or pictures (n, height, width[, channel])."""
    if values.ndim == 2:
        return Arrays(values)
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4) and values.shape[1] in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)
        notes.append(f"{name}: channels come first in the array; moved last")
    if values.ndim > 4 or (values.ndim == 4 and values.shape[3] not in (1, 3, 4)):
        raise DataError(
            f'column "{name}" in memory has shape {values.shape}, expected (n, height, width[, 1, 3 or 4]).',
            "Put examples first and channels last.",
        )
    if values.dtype == np.uint8:
        return Arrays(values)
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if np.issubdtype(values.dtype, np.floating) and low >= 0 and high <= 1:
        notes.append(f"{name}: float pictures in 0..1, kept as whole numbers 0..255")
        return Arrays(np.rint(values * 255).astype(np.uint8))
    if (
        low >= 0
        and high <= 255
        and (np.issubdtype(values.dtype, np.integer) or bool((values == np.rint(values)).all()))
    ):
        notes.append(f"{name}: {values.dtype} pictures in 0..255, kept as 8 bits")
        return Arrays(values.astype(np.uint8))
    raise DataError(
        f'column "{name}" in memory holds pictures of {values.dtype} from {low} to {high}.',
        "Scale them to 0..255 (uint8) or 0..1 (float).",
    )
