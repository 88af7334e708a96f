"""Text cells to numbers: the way a column writes its numbers is found once and must fit the whole column.

Guarantees: a decimal comma or a thousands separator is read as such only if no cell speaks against it, and none of the
table's other columns (`readers/marks.py`); one cell alone gives the same number as the same cell in its column.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.errors import CellError
from netwright.readers import units
from netwright.readers.columns import is_text
from netwright.readers.marks import NAMES, OPEN, OTHER

_NO_VALUE = ("na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nil", "missing", "unknown", "not available")
_IN_GERMAN = ("k.a.", "k. a.", "keine angabe", "unbekannt", "fehlt", "n.v.", "#nv")
MISSING = ("", *_NO_VALUE, *_IN_GERMAN, "-", "--", "\u2013", "\u2014", "?", ".")
LARGEST = 1e150  # beyond it the mean of squares, and so the spread of a column, is no number any more
_SHOWN_CHARACTERS = 40
_EXPONENT = r"([eE][+-]?\d+)?"


@dataclass(frozen=True)
class Style:
    """How a column writes its numbers.

    Args:
        decimal: "." or ",".
        thousands: Separator of groups of three digits, or "".
        unit: What stands behind or before a number, see `readers/units.py`, or "".
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    @property
    def pattern(self) -> str:
        """Regular expression of a whole cell of a column that shows this style."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(\d+|[1-9]\d{{0,2}}([{self.thousands}]\d{{3}})+)"
        point = rf"[{self.decimal}]"
        return rf"^[+-]?({whole}{point}?|{whole}?{point}\d+){_EXPONENT}$"

    @property
    def reads(self) -> str:
        """Regular expression of a cell that has this one reading: also thousands that its column never needed."""
        group = rf"[1-9]\d{{0,2}}([{OTHER[self.decimal]}]\d{{3}})"
        return rf"{self.pattern}|^[+-]?({group}+[{self.decimal}]\d*|{group}{{2,}})$"

    @property
    def words(self) -> str:
        """The style in words; nothing for plain numbers."""
        told = []
        if self.decimal == ",":
            told.append("decimal comma")
        if self.thousands:
            told.append(f'thousands separated by "{self.thousands}"')
        if self.unit:
            told.append(f"unit {self.unit}")
        return ", ".join(told)


PLAIN = Style()
# In the order tried: "1,234" in every cell is thousands, "1,5" in any of them is a decimal comma.
STYLES = (
    PLAIN,
    Style(".", ","),
    Style(",", ""),
    Style(",", "."),
    Style(".", " "),
    Style(",", " "),
    Style(".", "'"),
    Style(".", "\u00a0"),
    Style(",", "\u00a0"),
    Style(".", "\u202f"),
    Style(",", "\u202f"),
)


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Args:
        values: float64, NaN where there is none.
        missing: Cells that say "no value", e.g. empty or NA.
        unreadable: Cells that hold something else.
        style: How the others are written.
    """

    values: np.ndarray
    missing: np.ndarray
    unreadable: np.ndarray
    style: Style

    @property
    def words(self) -> str:
        """The style in words; nothing where whole numbers show none of it."""
        good = self.values[np.isfinite(self.values)]
        return self.style.words if self.style.thousands or self.style.unit or (good != np.rint(good)).any() else ""


def read_numbers(
    values: pa.ChunkedArray, style: Style | None = None, *, decimal: str = "", comma: bool = False
) -> Numbers:
    """Every cell of a column as a number.

    Args:
        values: Text or numbers; dates and truth values count as numbers too.
        style: The column's way of writing; found from the cells when left out.
        decimal: The decimal mark of the whole table; "" where it shows none.
        comma: The file speaks for a decimal comma, so that "1,234" in every cell is 1.234 and not 1234.
    """
    if not is_text(values.type):
        return _typed(values, style or PLAIN)
    if style == PLAIN or (style is None and decimal != ","):
        try:
            numbers = pc.cast(values, pa.float64())
        except pa.ArrowInvalid:
            pass  # not all plain numbers: look closer
        else:
            return _finite(numbers.to_numpy(), np.zeros(len(values), bool), PLAIN)
    text = pc.utf8_trim_whitespace(pc.fill_null(values, ""))
    missing = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING)).to_numpy()
    chosen = style or _style(text.filter(pa.array(~missing)), decimal, comma)
    text = units.stripped(text, chosen.unit)
    fits = pc.match_substring_regex(text, chosen.reads).to_numpy() & ~missing
    numbers = np.full(len(text), np.nan)
    numbers[fits] = _parsed(text.filter(pa.array(fits)), chosen)
    found = _finite(numbers, missing, chosen)
    return Numbers(found.values, missing, ~missing & ~np.isfinite(found.values), chosen)


def read_number(cell: str, style: Style) -> float:
    """One text cell as a number, the same as in its column.

    Raises:
        CellError: It is none; says what stands there.
    """
    numbers = read_numbers(pa.chunked_array([pa.array([cell], pa.string())]), style)
    if not np.isfinite(numbers.values[0]):
        raise CellError(why(cell, style))
    return float(numbers.values[0])


def why(cell: object, style: Style) -> str:
    """Why a cell is no number, in words."""
    if cell is None:
        return "the cell is empty, expected a number."
    text = str(cell)
    if text.strip().lower() in MISSING:
        return f'the cell says "{text}" (no value), expected a number.' if text.strip() else why(None, style)
    seen = text[:_SHOWN_CHARACTERS] + ("..." if len(text) > _SHOWN_CHARACTERS else "")
    number, unit = (part[0].as_py() for part in units.split(pa.chunked_array([[text.strip()]])))
    if unit and unit != style.unit:
        cure = f"give it in {style.unit}" if style.unit else f"write {_as_the_column(number, style) or number}"
        return f'"{seen}" has the unit {unit}, this column has {style.unit or "none"}: {cure}.'
    if _too_large(number or text):
        return f'"{seen}" is too large, expected a number of at most {LARGEST:g}.'
    if (cure := _as_the_column(number or text.strip(), style)) and len(cure) <= 2 * _SHOWN_CHARACTERS:
        return f'"{seen}" is written in another way than this column ({style.words or "decimal point"}): write {cure}.'
    rest = f" (this column has {style.words})" if style.words else ""
    return f'"{seen}" is not a finite number{rest}.'


def _too_large(text: str) -> bool:
    try:
        value = abs(float(text))
    except ValueError:
        return False
    return value > LARGEST and "inf" not in text.casefold()


def _typed(values: pa.ChunkedArray, style: Style) -> Numbers:
    kind = values.type
    if pa.types.is_boolean(kind):
        values = values.cast(pa.int8())
    elif pa.types.is_temporal(kind):
        values = values.cast(pa.timestamp("us") if pa.types.is_date(kind) else kind).cast(pa.int64())
    try:
        numbers = pc.cast(values, pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        nothing = np.zeros(len(values), bool)
        return Numbers(np.full(len(values), np.nan), nothing, ~nothing, style)
    missing = values.is_null().to_numpy()
    if pa.types.is_floating(kind):
        missing = missing | pc.fill_null(pc.is_nan(values), True).to_numpy()
    return _finite(pc.fill_null(numbers, np.nan).to_numpy(), missing, style)


def _finite(values: np.ndarray, missing: np.ndarray, style: Style) -> Numbers:
    """Infinity and NaN written out are no numbers to train on, and what is too large is none either."""
    missing = missing | np.isnan(values)
    unreadable = np.abs(values) > LARGEST
    if unreadable.any():
        values = np.where(unreadable, np.nan, values)
    return Numbers(values, missing, unreadable, style)


def _style(text: pa.ChunkedArray, decimal: str, comma: bool) -> Style:
    """The style that fits the most cells, without their unit where they have one."""
    style, fitting = _best(text, decimal, comma)
    unit = units.common(text) if fitting < len(text) else ""
    return replace(_best(units.stripped(text, unit), decimal, comma)[0], unit=unit) if unit else style


def _best(text: pa.ChunkedArray, decimal: str, comma: bool) -> tuple[Style, int]:
    """The first style that fits the most cells, those of the table's decimal mark first, and how many it fits."""
    order: tuple[Style, ...] | list[Style] = STYLES
    if decimal:
        order = sorted(STYLES, key=lambda one: one.decimal != decimal)
    elif comma:
        order = sorted(STYLES, key=lambda one: one != PLAIN and one.decimal != ",")
    best, most = order[0], -1
    for style in order:
        count = int(pc.sum(pc.match_substring_regex(text, style.pattern)).as_py() or 0)
        if count > most:
            best, most = style, count
        if most == len(text):
            break
    return best, most


def _as_the_column(text: str, style: Style) -> str:
    """A number written in another way, as its column would have it; both ways where it has two readings."""
    if re.match(OPEN, text):
        mark = next(mark for mark in NAMES if mark in text)
        return f"{text.replace(mark, '')} or {text.replace(mark, style.decimal)}"
    for other in STYLES:
        if re.match(other.pattern, text):
            return text.replace(other.thousands, "").replace(other.decimal, style.decimal)
    return ""


def _parsed(text: pa.ChunkedArray, style: Style) -> np.ndarray:
    for apart in {style.thousands, OTHER[style.decimal]} - {""}:
        text = pc.replace_substring(text, apart, "")
    if style.decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    text = pc.replace_substring_regex(text, r"^\+", "")
    return pc.cast(text, pa.float64()).to_numpy()
