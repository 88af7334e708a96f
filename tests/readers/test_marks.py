from pathlib import Path

import pyarrow as pa
import pytest

from netwright.data.fields import Plan, choose
from netwright.errors import SpecError
from netwright.readers import find, from_memory
from netwright.readers.kinds.number import Number
from netwright.readers.marks import look, marked
from netwright.spec import OutputSpec, load


def texts(*cells: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize(
    ("cells", "marks"),
    [
        (("12.5",), "."),
        (("0.125", "1.023"), "."),
        (("1.0234",), "."),
        (("1023.456",), "."),
        (("1,023.456",), "."),
        (("1,023,456",), "."),
        (("1.023e4",), "."),
        ((".125",), "."),
        (("-75,4", "", None, "k.A."), ","),
        (("1.023.456",), ","),
        (("1 023,456",), ","),
        (("1'023.456",), "."),
        (("1.5", "1,5"), ",."),
        (("862", "1.023"), ""),
        (("1,023", "862"), ""),
        (("3.", "5"), ""),
        (("at 12.5", "near 3"), ""),
        (("22.04.2018",), ""),
        ((), ""),
        (("yes", "no"), ""),
    ],
)
def test_what_shows_the_decimal_mark(cells: tuple[str | None, ...], marks: str) -> None:
    assert "".join(sorted(look(texts(*cells)).shown)) == marks


def test_a_mark_is_found_behind_the_first_cells() -> None:
    assert look(texts(*["7"] * 3000, "7,5")).shown == {",": "7,5"}
    assert look(texts(*[""] * 3000, "7,5")).shown == {",": "7,5"}
    assert look(texts(*["7"] * 3000, "1.023")).open == "1.023"


def plan(path: Path, rows: str, more: str = "") -> Plan:
    path.write_text(rows, encoding="utf-8")
    wish = load(f"{{data: {{path: {path}{more}}}, outputs: [rent]}}")
    return choose(wish, find(path), {}, {})


def test_thousands_points_are_read_where_another_column_shows_decimal_commas(tmp_path: Path) -> None:
    planned = plan(tmp_path / "t.csv", "size;rent\n75,4;862\n90,0;1.023\n80,5;931\n")
    assert planned.fields["rent"].options == {"decimal": ",", "thousands": ".", "integer": True}
    assert planned.reasons[1].model_dump() == {
        "path": "data.decimal", "value": "comma", "why": 'column "size" holds "75,4"',
    }  # fmt: skip
    assert planned.notes == ['separator ";"']
    wish = load(f"{{data: {{path: {tmp_path / 't.csv'}}}, outputs: [rent]}}")
    again = choose(wish, find(tmp_path / "t.csv"), {}, planned.fields)
    assert again.fields == planned.fields
    assert "data.decimal" not in {reason.path for reason in again.reasons}


def test_decimal_commas_of_three_digits_are_read_where_another_column_shows_them(tmp_path: Path) -> None:
    planned = plan(tmp_path / "t.csv", 'size,rent\n"75,4","1,862"\n"90,0","2,023"\n')
    assert planned.fields["rent"].options == {"decimal": ",", "thousands": "", "integer": False}


def test_points_of_three_digits_are_decimal_where_another_column_shows_points(tmp_path: Path) -> None:
    planned = plan(tmp_path / "t.csv", "size;rent\n75.4;862\n90.0;1.023\n")
    assert planned.fields["rent"].options == {"decimal": ".", "thousands": "", "integer": False}
    assert planned.notes == ['separator ";"']


@pytest.mark.parametrize("sizes", [("3", "4"), ("3,5", "4.5")])
def test_points_between_semicolons_that_nothing_decides_are_refused_with_the_cure(
    tmp_path: Path, sizes: tuple[str, str]
) -> None:
    rows = f"size;other;rent\n{sizes[0]};1;1.023\n1;{sizes[1]};862\n"
    with pytest.raises(SpecError, match=r'"1.023" is 1.023 with a decimal point and 1023 with a decimal comma; data'):
        plan(tmp_path / "t.csv", rows)
    with pytest.raises(SpecError, match=r"Say data.decimal: point or comma") as caught:
        Number().plan("rent", find(tmp_path / "t.csv").columns["rent"], OutputSpec(), find(tmp_path / "t.csv"))
    assert "can be read two ways" in caught.value.message


def test_the_user_decides_what_nothing_else_does(tmp_path: Path) -> None:
    rows = "size;rent\n" + "".join(f"3;{rent}\n" for rent in ("1.023", *range(700, 730)))
    for given, integer in (("comma", True), ("point", False)):
        planned = plan(tmp_path / "t.csv", rows, f", decimal: {given}")
        assert planned.fields["rent"].options["integer"] == integer
        assert planned.reasons[1].why == "given"


@pytest.mark.parametrize(
    ("cell", "told"), [("1.0", "read with a decimal point, data.decimal: comma"), ("1,0", "decimal point, data")]
)
def test_between_commas_an_open_column_is_read_with_a_point_and_told_with_the_cure(
    tmp_path: Path, cell: str, told: str
) -> None:
    planned = plan(tmp_path / "t.csv", "size,rent\n" + "".join(f'3,"{cell}{n}"\n' for n in range(10, 50)))
    assert told in planned.notes[0]
    assert planned.notes[0].startswith(f'rent: "{cell}10" is 1')


def test_columns_that_show_both_marks_decide_nothing() -> None:
    found = from_memory({"a": ["1,5"], "b": ["1.5"], "c": ["1.023"]})
    assert marked(found) == (found, [])


def test_typed_columns_need_no_mark() -> None:
    found = from_memory({"a": [1.5], "b": [2]})
    assert marked(found) == (found, [])
