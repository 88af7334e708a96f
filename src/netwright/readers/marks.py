"""Which decimal mark a table shows: what one column leaves open, another decides.

"1.023" is 1.023 with a decimal point and 1,023 with a decimal comma. A cell such as "0.125", "12.5" or "1,023.5" can be
read in one way only and so shows the mark; where any column shows one and none the other, it holds for the whole table.
"""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from netwright.field import Reason
from netwright.readers import units
from netwright.readers.columns import Cells, Column, Found, Steps

NAMES = {".": "point", ",": "comma"}
MARKS = {name: mark for mark, name in NAMES.items()}
OTHER = {".": ",", ",": "."}
LOOKED_AT = (
    1000  # cells that say whether a column holds numbers; whole columns are searched only where these decide nothing
)
_MOSTLY = 0.95  # of the cells with a digit must look like numbers for a column to have a say
OPEN = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"
_SHOWN = (  # {d} is then the decimal mark, {o} the other one
    r"\d+[{d}](\d{{1,2}}|\d{{4,}})",  # not three digits behind it
    r"[{d}]\d+",
    r"(0\d*|\d{{4,}})[{d}]\d{{3}}",  # not one to three digits before it, or a leading zero
    r"[1-9]\d{{0,2}}([{o}' \x{{a0}}\x{{202f}}]\d{{3}})+[{d}]\d*",  # groups before it
    r"[1-9]\d{{0,2}}([{o}]\d{{3}}){{2,}}",  # several groups
    r"\d+[{d}]\d*[eE][+-]?\d+",
)
_SHOWS = {d: rf"^[+-]?({'|'.join(_SHOWN).format(d=d, o=o)})$" for d, o in OTHER.items()}


@dataclass(frozen=True)
class Marks:
    """What a column says about the decimal mark.

    Args:
        shown: By mark, a cell that can be read with this decimal mark only.
        open: A cell that can be read with either; "" where the column shows a mark or has no such cell.
    """

    shown: dict[str, str] = field(default_factory=dict)
    open: str = ""


def look(text: pa.ChunkedArray) -> Marks:
    """The marks of a column of texts; nothing for one that holds no numbers.

    Example:
        >>> look(pa.chunked_array([["1.023", "862", "75,4"]])).shown, look(pa.chunked_array([["1.023", "862"]])).open
        ({',': '75,4'}, '1.023')
    """
    head = _with_digits(text.slice(0, LOOKED_AT))
    head = head if len(head) else _with_digits(text).slice(0, LOOKED_AT)
    numbers = units.split(head)[0].drop_null()
    if not len(numbers) or len(numbers) < _MOSTLY * len(head):
        return Marks()
    shown = _shown(numbers)
    if shown:
        return Marks(shown)
    rest = pc.utf8_trim_whitespace(text.filter(pc.match_substring_regex(text, "[.,]")))
    plain = pc.match_substring_regex(rest, OPEN)
    others = units.split(rest.filter(pc.invert(plain)))[0]  # slow: only for cells that need it
    shown = _shown(others)
    return Marks(shown, "" if shown else _first(rest, OPEN) or _first(others, OPEN))


def readings(cell: str) -> str:
    """Both readings of an open cell in words.

    Example:
        >>> readings("1.023")
        '"1.023" is 1.023 with a decimal point and 1023 with a decimal comma'
    """
    grouped = cell.replace(".", "").replace(",", "")
    point, comma = (cell, grouped) if "." in cell else (grouped, cell.replace(",", "."))
    return f'"{cell}" is {point} with a decimal point and {comma} with a decimal comma'


def marked(found: Found, given: str = "") -> tuple[Found, list[Reason]]:
    """The same examples, every column of texts told the decimal mark of the whole table.

    Args:
        found: What the readers found.
        given: The mark, where the user says it.

    Returns:
        The examples, and what shows the mark, where a column would be open without it.
    """
    flat = {name: column.cells if isinstance(column, Steps) else column for name, column in found.columns.items()}
    texts = {name: column for name, column in flat.items() if isinstance(column, Cells) and column.is_text}
    looks = {name: look(column.values) for name, column in texts.items()}
    shows = {mark: (name, cell) for name, said in looks.items() for mark, cell in said.shown.items()}
    mark = given or (next(iter(shows)) if len(shows) == 1 else "")
    if not mark:
        return found, []
    told: dict[str, Column] = {name: replace(column, decimal=mark) for name, column in texts.items()}
    for name, column in found.columns.items():
        if isinstance(column, Steps) and isinstance(cells := told.get(name), Cells):
            told[name] = replace(column, cells=cells)
    needed = any(said.open for said in looks.values())
    why = "given" if given else 'column "{}" holds "{}"'.format(*shows[mark])
    reasons = [Reason(path="data.decimal", value=NAMES[mark], why=why)] if needed or given else []
    return replace(found, columns={**found.columns, **told}), reasons


def open_cell(column: Cells) -> str:
    """A cell of a column that can be read two ways, where nothing in its table decides; else nothing."""
    return look(column.values).open if column.is_text and not column.decimal else ""


def undecided(column: Cells) -> str:
    """Both readings, where the open cells of a column cannot be read: points in a table separated by ";"."""
    cell = open_cell(column)
    return readings(cell) if column.comma and "." in cell else ""


def _with_digits(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(text.filter(pc.match_substring_regex(text, r"\d")))


def _shown(text: pa.ChunkedArray) -> dict[str, str]:
    cells = {mark: _first(text, pattern) for mark, pattern in _SHOWS.items()}
    return {mark: cell for mark, cell in cells.items() if cell}


def _first(text: pa.ChunkedArray, pattern: str) -> str:
    found = text.filter(pc.match_substring_regex(text, pattern))
    return str(found[0].as_py()) if len(found) else ""
