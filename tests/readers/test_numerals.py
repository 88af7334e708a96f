import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.errors import CellError
from netwright.readers.numerals import LARGEST, Style, read_number, read_numbers


def column(*cells: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize(
    ("cells", "values", "words"),
    [
        (("1", "-2.5", "1e3", ".5", "+4"), (1, -2.5, 1000, 0.5, 4), ""),
        ((" 7", "007 ", "3."), (7, 7, 3), ""),
        (("1,234", "12", "1,234,567.5"), (1234, 12, 1234567.5), 'thousands separated by ","'),
        (("1,5", "12", "1,234"), (1.5, 12, 1.234), "decimal comma"),
        (("0,123", "1,234"), (0.123, 1.234), "decimal comma"),
        (("1.234,5", "2"), (1234.5, 2), 'decimal comma, thousands separated by "."'),
        (("1 234.5", "2"), (1234.5, 2), 'thousands separated by " "'),
        (("1'234", "2.5"), (1234, 2.5), 'thousands separated by "\'"'),
    ],
)
def test_ways_of_writing(cells: tuple[str, ...], values: tuple[float, ...], words: str) -> None:
    numbers = read_numbers(column(*cells))
    assert numbers.values.tolist() == list(values)
    assert numbers.style.words == words


def test_a_column_that_does_not_agree_keeps_the_way_of_the_most() -> None:
    numbers = read_numbers(column("1.5", "2.5", "3,5"))
    assert numbers.values[:2].tolist() == [1.5, 2.5]
    assert numbers.unreadable.tolist() == [False, False, True]


def test_no_value_and_no_number_are_told_apart() -> None:
    numbers = read_numbers(column("1", "", "NA", "?", "abc", "inf", None))
    assert numbers.missing.tolist() == [False, True, True, True, False, False, True]
    assert numbers.unreadable.tolist() == [False, False, False, False, True, True, False]
    assert np.isnan(numbers.values[1:]).all()


def test_typed_columns() -> None:
    assert read_numbers(pa.chunked_array([[True, False]])).values.tolist() == [1, 0]
    assert read_numbers(pa.chunked_array([[1, None, 3]])).missing.tolist() == [False, True, False]
    assert read_numbers(pa.chunked_array([[1.5, float("nan"), float("inf")]])).unreadable.tolist() == [
        False,
        False,
        True,
    ]


def test_one_cell_says_why() -> None:
    assert read_number("1.234,5", Style(",", ".")) == 1234.5
    with pytest.raises(CellError, match=r'"abc" is not a finite number \(this column has decimal comma\)'):
        read_number("abc", Style(",", ""))
    with pytest.raises(CellError, match=r'says "NA" \(no value\)'):
        read_number("NA", Style())
    with pytest.raises(CellError, match="the cell is empty"):
        read_number(" ", Style())


@pytest.mark.parametrize(
    ("style", "cell", "value"),
    [
        (Style(",", ""), "1.120,5", 1120.5),
        (Style(",", ""), "1.234.567", 1234567),
        (Style(",", " "), "1.120,5", 1120.5),
        (Style(".", ""), "1,120.5", 1120.5),
    ],
)
def test_thousands_that_a_column_never_needed_are_read_where_they_have_one_reading(
    style: Style, cell: str, value: float
) -> None:
    assert read_number(cell, style) == value


@pytest.mark.parametrize(
    ("style", "cell", "cure"),
    [
        (Style(",", ""), "90.5", r"\(decimal comma\): write 90,5"),
        (Style(",", ""), "1.120", "write 1120 or 1,120"),
        (Style(".", ""), "1,120", r"\(decimal point\): write 1120 or 1.120"),
        (Style(".", ","), "1.120,5", "write 1120.5"),
        (Style(",", ""), "1 120", "write 1120"),
    ],
)
def test_a_number_written_in_another_way_says_how_to_write_it(style: Style, cell: str, cure: str) -> None:
    with pytest.raises(CellError, match=f"is written in another way than this column.*{cure}"):
        read_number(cell, style)


@pytest.mark.parametrize(
    ("decimal", "cells", "values"),
    [
        (",", ("862", "1.023"), (862, 1023)),
        (",", ("862", "1,023"), (862, 1.023)),
        (".", ("862", "1,023"), (862, 1023)),
        (".", ("862", "1.023"), (862, 1.023)),
        (",", ("0.5", "1.023"), (0.5, 1.023)),  # what the column itself shows comes first
    ],
)
def test_the_mark_of_the_table_decides_what_a_column_leaves_open(
    decimal: str, cells: tuple[str, ...], values: tuple[float, ...]
) -> None:
    numbers = read_numbers(column(*cells), decimal=decimal)
    assert numbers.values.tolist() == list(values)
    assert [read_number(cell, numbers.style) for cell in cells] == list(values)


@given(st.lists(st.floats(-LARGEST, LARGEST), min_size=1, max_size=20))
def test_every_float_comes_back_bit_for_bit(values: list[float]) -> None:
    cells = [repr(value) for value in values]
    assert read_numbers(column(*cells)).values.tolist() == values
    assert [read_number(cell, Style()) for cell in cells] == values
