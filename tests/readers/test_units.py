import numpy as np
import pyarrow as pa
import pytest

from netwright.errors import CellError
from netwright.readers import Cells, from_memory, infer
from netwright.readers.kinds.number import Number
from netwright.readers.kinds.vector import Vector
from netwright.readers.marks import look
from netwright.readers.numerals import PLAIN, Style, read_number, read_numbers
from netwright.readers.units import common, different
from netwright.spec import InputSpec


def texts(*cells: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize(
    ("cells", "unit", "values"),
    [
        (("427.090,40 €", "1,5 €"), "€", (427090.4, 1.5)),
        (("427.090,40\u00a0€", "1,5€"), "€", (427090.4, 1.5)),
        (("$1,023", "-$5", "$ 862.5"), "$", (1023, -5, 862.5)),
        (("12.3 %", "99 %"), "%", (12.3, 99)),
        (("75 m²", "80m²"), "m²", (75, 80)),
        (("3 km/h", "1e3 km/h"), "km/h", (3, 1000)),
        (("CHF 1'000", "CHF 5"), "CHF", (1000, 5)),
        (("1 234,5 EUR", "5 EUR"), "EUR", (1234.5, 5)),
    ],
)
def test_a_unit_is_cut_off_and_stored_and_one_cell_reads_the_same(
    cells: tuple[str, ...], unit: str, values: tuple[float, ...]
) -> None:
    numbers = read_numbers(texts(*cells))
    assert numbers.style.unit == unit
    assert numbers.values.tolist() == list(values)
    assert f"unit {unit}" in numbers.words
    assert [read_number(cell, numbers.style) for cell in cells] == list(values)
    assert read_number("7", numbers.style) == read_number(f"7 {unit}", numbers.style) == 7


@pytest.mark.parametrize(
    "cells",
    [
        ("R03", "R04"),
        ("0012A", "0013A"),
        ("10:30", "11:30"),
        ("12/31", "11/30"),
        ("5-10", "10-20"),
        ("18+", "65+"),
        ("H-001", "H-002"),
        ("2020Q1", "2020Q2"),
        ("4;5", "6;7"),
        ("3 km", "5"),
        ("5 of 20", "6 of 20"),
        ("5 km", "abc", "def", "ghi"),
        ("5 a\x1b[31m", "6 a\x1b[31m"),
    ],
)
def test_codes_times_ranges_and_sentences_have_no_unit(cells: tuple[str, ...]) -> None:
    assert common(texts(*cells)) == ""


def test_different_units_are_named_and_set_aside() -> None:
    column = Cells(texts("12 km", "500 m", "7 km"))
    assert infer(column, "input") == (
        "category",
        "3 different texts, numbers with different units (km, m): give all in one to have a number",
    )
    assert different(texts("75 %", "80 %", "0.5")) == "%, none"
    assert different(texts("12 km", "7 km")) == different(texts("a", "b")) == ""
    field = Number().plan("x", Cells(texts("12 km", "7 km")), InputSpec(), from_memory({"x": [0] * 2}))[0]
    sink = np.zeros(3)
    failed = Number().read(column, field, np.arange(3), sink, lambda _: None)
    assert failed == {1: '"500 m" has the unit m, this column has km: give it in km.'}
    assert sink.tolist() == [12, 0, 7]


@pytest.mark.parametrize(("style", "cure"), [(PLAIN, "write 80.5"), (Style(",", ""), "write 80,5")])
def test_a_unit_in_a_column_without_one_is_told_with_the_cure(style: Style, cure: str) -> None:
    with pytest.raises(CellError, match=f'"80.5 m²" has the unit m², this column has none: {cure}'):
        read_number("80.5 m²", style)


def test_a_mark_is_shown_also_beside_a_unit() -> None:
    assert look(texts("1.023 €", "75,4 €")).shown == {",": "75,4"}
    assert look(texts("1.023 €", "862 €")).open == "1.023"


def test_each_column_of_a_vector_has_its_unit() -> None:
    found = from_memory({"a": ["1,5 €", "2 €"], "b": ["1.5", "2.5"], "c": ["3 km", "4 km"]})
    wish = InputSpec.model_validate({"from": ["a", "b", "c"]})
    column = found.column(["a", "b", "c"])
    field, _ = Vector().plan("x", column, wish, found)
    assert field.options["unit"] == "€||km"
    sink = np.zeros((2, 3))
    assert not Vector().read(column, field, np.arange(2), sink, lambda _: None)
    assert sink.tolist() == [[1.5, 1.5, 3], [2, 2.5, 4]]
    assert Vector().one("1,5 €\t1.5\t3", field).tolist() == sink[0].tolist()
