"""Numbers written with a unit or sign, such as "427.090,40 €", "$1,023", "12.3 %" or "75 m²".

A unit stands behind the number, or before it where it is money; it is cut off and the number stays as it is: 12.3 % is
12.3. Nothing is converted, so a column has one unit.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

_MOSTLY = 0.95  # of the numbers carry the unit of the column
_NAMED = 4  # units that a message names
_LOOKED_AT = 1000  # cells that say which units a column may have
_GAP = r"[\s\x{a0}\x{202f}]*"
_MONEY = r"(?:EUR|USD|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|[A-Z]{0,3}\p{Sc})"
_BODY = r"[+-]?[\d.,][\d.,' \x{a0}\x{202f}]*?(?:[eE][+-]?\d+)?"
_UNIT = r"[\p{L}\p{Sc}%‰°][^\s;|\p{C}]{0,11}"
_WRITTEN = rf"^(?P<sign>[+-]?){_GAP}(?P<before>{_MONEY})?{_GAP}(?P<body>{_BODY}){_GAP}(?P<after>{_UNIT})?$"


def split(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Numbers and units of cells, as texts; both null for a cell that is neither a number nor one with a unit.

    Example:
        >>> numbers, units = split(pa.chunked_array([["-5 km", "$1,023", "7", "R03"]]))
        >>> numbers.to_pylist(), units.to_pylist()
        (['-5', '1,023', '7', None], ['km', '$', '', None])
    """
    found = pc.extract_regex(text, _WRITTEN)
    sign, before, body, after = (pc.struct_field(found, name) for name in ("sign", "before", "body", "after"))
    return pc.binary_join_element_wise(sign, body, ""), pc.binary_join_element_wise(before, after, "")


def common(text: pa.ChunkedArray) -> str:
    """The unit that nearly all numbers of a column carry; "" where there is none, or the cells are codes (0012A)."""
    counts = _counts(text)
    unit = max(counts, key=lambda one: counts[one], default="")
    if not unit or counts[unit] < _MOSTLY * sum(counts.values()):
        return ""
    digits = text.filter(pc.match_substring_regex(text, r"\d"))
    carried = int(pc.sum(pc.match_substring(digits, unit)).as_py() or 0)
    codes = pc.any(pc.match_substring_regex(stripped(text, unit), r"^[+-]?0\d")).as_py()
    return "" if codes or carried < _MOSTLY * len(digits) else unit


def different(text: pa.ChunkedArray) -> str:
    """The units of a column of numbers that has several, or one now and then, in words; "" for other columns."""
    counts = _counts(text)
    several = sorted(counts, key=lambda one: -counts[one])
    return ", ".join(one or "none" for one in several) if 1 < len(several) <= _NAMED else ""


def stripped(text: pa.ChunkedArray, unit: str) -> pa.ChunkedArray:
    """Cells without the unit of their column; those that carry another one, or none, stay as they are."""
    if not unit:
        return text
    text = pc.replace_substring_regex(text, rf"{_GAP}{re.escape(unit)}$", "")
    return pc.replace_substring_regex(text, rf"^([+-]?){_GAP}{re.escape(unit)}{_GAP}", r"\1")


def _counts(text: pa.ChunkedArray) -> dict[str, int]:
    """How many of the first cells carry each unit; nothing where half of them or more are no numbers."""
    head = pc.utf8_trim_whitespace(text.slice(0, _LOOKED_AT))
    units = split(head)[1].drop_null()
    if 2 * len(units) <= len(head):
        return {}
    return {str(row["values"]): int(row["counts"]) for row in units.value_counts().to_pylist()}
