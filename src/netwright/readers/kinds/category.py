"""Categories: one of a fixed set of classes; every text is a class of its own, also `NA`, `null` and the empty text.

White space around a name is no part of it, in the column as in one cell; capitals are.
In an input a cell without a value (null) is the empty text, so that a CSV file and a typed table agree.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason, Scalar
from netwright.readers import missing
from netwright.readers.columns import Arrays, Cells, Column, Found, is_text, twins
from netwright.readers.kinds.kind import Cell, Kind, path_of, source_of
from netwright.readers.kinds.number import is_all
from netwright.registry import nearest
from netwright.spec import InputSpec, OutputSpec

MOST_COLUMNS = 20  # classes of an input up to which each has a column of its own


class Category(Kind):
    """The class of an example, cached as its place in the sorted vocabulary."""

    name: ClassVar[str] = "category"
    settings: ClassVar[tuple[str, ...]] = ("missing", "embed")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Collects the classes of the whole column.

        Raises:
            SpecError: The column holds no classes.
        """
        labels = labels_of(column)
        if labels is None:
            raise SpecError(
                f'{path_of(name, spec)}: column "{source_of(name, spec)}" holds no classes.',
                "Choose a column of texts or whole numbers.",
            )
        labels, filled = _as_wished(labels, spec)
        vocabulary = in_order([label for label in pc.unique(labels).to_pylist() if label is not None])
        field = Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(),
            dtype="int32",
            vocabulary=vocabulary,
            options={**({"missing": missing.FILL} if filled else {}), **_embedding(len(vocabulary), spec)},
        )
        path = path_of(name, spec)
        why = "they stay classes of their own; join them in the data"
        reasons = [Reason(path=path, value=twin, why=why) for twin in twins(vocabulary)]
        if spaced := _spaced(column):
            why = "spaces around the name of a class are cut"
            reasons.append(Reason(path=path, value=f"{spaced:,} cells with outer spaces", why=why))
        empty = int(pc.sum(pc.equal(labels, "")).as_py() or 0)
        if filled:
            value = f"{empty:,} of {len(labels):,} cells are empty"
            reasons.append(Reason(path=f"{path}.missing", value=value, why='they are a class of their own, ""'))
        elif empty:
            why = "a class may be called anything; take those rows out of the data if theirs is unknown"
            reasons.append(Reason(path=path, value=f'{empty:,} empty cells are the class ""', why=why))
        if field.options.get("embed") and isinstance(spec, InputSpec) and spec.embed is None:
            why = f"{len(vocabulary):,} classes; more than {MOST_COLUMNS} columns teach little each. 0 makes columns"
            reasons.append(Reason(path=f"{path}.embed", value=str(field.options["embed"]), why=why))
        if labels.null_count:
            value = f"{labels.null_count:,} rows set aside"
            reasons.append(Reason(path=path, value=value, why="their cell has no value"))
        return field, reasons

    def read(
        self, column: Column, field: Field, index: np.ndarray, sink: np.ndarray, progress: Callable[[int], None]
    ) -> dict[int, str]:
        """Fills the sink with codes; a class outside the vocabulary comes back with the nearest one named."""
        labels = labels_of(column)
        if labels is None:
            raise SpecError(f"{field.name}: the data no longer holds classes.", "Give data of the same form.")
        chosen = labels if is_all(index, len(labels)) else labels.take(pa.array(index))
        chosen = pc.fill_null(chosen, "") if missing.fills(field) else chosen
        known = pa.array(field.vocabulary, pa.string())
        codes = pc.fill_null(pc.index_in(chosen, value_set=known, skip_nulls=True), -1).to_numpy()
        bad = codes < 0
        sink[:] = np.where(bad, 0, codes)
        progress(len(index))
        rows = np.flatnonzero(bad)
        told = {label: _unknown(label, field) for label in pc.unique(chosen.filter(pa.array(bad))).to_pylist()}
        return {int(k): told[chosen[int(k)].as_py()] for k in rows}

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """The code of one class.

        Raises:
            CellError: Not among the classes; names the nearest.
        """
        label = _label(raw)
        label = "" if label is None and missing.fills(field) else label
        if label is None or label not in field.vocabulary:
            raise CellError(_unknown(label, field))
        return np.asarray(field.vocabulary.index(label), np.int32)

    def width(self, field: Field) -> int:
        """One for each class."""
        return len(field.vocabulary)

    def names(self, field: Field) -> list[str]:
        """Each class."""
        return [f"{field.name} = {label}" for label in field.vocabulary]

    def code(self, values: np.ndarray | torch.Tensor, field: Field) -> torch.Tensor:
        """(batch, classes): 1 in the place of the class, else 0."""
        codes = torch.as_tensor(values).to(torch.int64).reshape(-1)
        places = torch.arange(len(field.vocabulary), device=codes.device)
        return (codes[:, None] == places).to(torch.float32)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """The name of the class."""
        return field.vocabulary[int(value)]


def _embedding(classes: int, spec: InputSpec | OutputSpec) -> dict[str, Scalar]:
    """As how many learned numbers an input's class goes in; nothing for a column per class.

    Left open, the rule of thumb of fastai's tabular models: 1.6 times the 0.56th power of the number of classes.
    """
    if not isinstance(spec, InputSpec):
        return {}
    dim = spec.embed
    if dim is None:
        dim = min(50, round(1.6 * classes**0.56)) if classes > MOST_COLUMNS else 0
    return {"embed": dim} if dim else {}


def labels_of(column: Column) -> pa.ChunkedArray | None:
    """The cells of a column as class names in one normal form; None when it can hold none."""
    if isinstance(column, Arrays) and column.values.ndim == 1:
        column = Cells(pa.chunked_array([pa.array(column.values)]))
    if not isinstance(column, Cells):
        return None
    values = column.values
    if pa.types.is_boolean(values.type):  # written as pandas writes them to CSV
        values = pc.if_else(values, "True", "False")
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        if not pc.any(pc.not_equal(values, pc.round(values))).as_py():
            values = values.cast(pa.int64())  # 1.0 is class "1": whole numbers become floats beside an empty cell
    try:
        text = values if is_text(values.type) else values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return pc.utf8_trim_whitespace(pc.utf8_normalize(text.cast(pa.string()), form="NFC"))


def _spaced(column: Column) -> int:
    """How many cells have white space around their text."""
    if not isinstance(column, Cells) or not column.is_text:
        return 0
    return int(pc.sum(pc.not_equal(column.values, pc.utf8_trim_whitespace(column.values))).as_py() or 0)


def _as_wished(labels: pa.ChunkedArray, spec: InputSpec | OutputSpec) -> tuple[pa.ChunkedArray, bool]:
    """The labels with empty cells as the spec wants them, and whether there are any that keep their row as a class."""
    if not isinstance(spec, InputSpec):
        return labels, False
    if missing.may_fill(spec):
        labels = pc.fill_null(labels, "")
        return labels, bool(pc.any(pc.equal(labels, "")).as_py())
    return pc.if_else(pc.equal(labels, ""), pa.scalar(None, pa.string()), labels), False


def in_order(labels: list[str]) -> tuple[str, ...]:
    """Class names sorted, whole numbers by their size.

    Example:
        >>> in_order(["10", "9", "1"]), in_order(["b", "a", "10"])
        (('1', '9', '10'), ('10', 'a', 'b'))
    """
    if labels and all(label.lstrip("-").isascii() and label.lstrip("-").isdigit() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _label(raw: Cell) -> str | None:
    """One cell as a class name, the same as in its column."""
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "replace")
    if raw is None or (isinstance(raw, np.ndarray) and raw.size != 1):
        return None
    value = raw.reshape(()).item() if isinstance(raw, np.ndarray | np.generic) else raw
    labels = labels_of(Cells(pa.chunked_array([pa.array([value])])))
    return None if labels is None else labels[0].as_py()


def _unknown(label: str | None, field: Field) -> str:
    if not label:
        return "the cell has no value, expected a class."
    count = len(field.vocabulary)
    return f'class "{label}" is not among the {count} known classes{nearest(label, field.vocabulary)}.'
