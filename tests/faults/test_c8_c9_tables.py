"""C8 tables in every shape people save them, C9 classes called NA: every row is accounted for, no cell is changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.data.dataset import prepare
from netwright.errors import DataError
from netwright.readers import Cells, Found, find
from netwright.readers.kinds.category import Category
from netwright.readers.kinds.number import Number
from netwright.spec import InputSpec, OutputSpec, load


def table(folder: Path, content: str | bytes, name: str = "t.csv") -> Found:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return find(path)


def column(found: Found, name: str) -> list[str]:
    cells = found.columns[name]
    assert isinstance(cells, Cells)
    return cells.values.to_pylist()


def places(found: Found) -> list[str]:
    return [found.where(place) for place in range(len(found))]


def test_c8_ragged_rows_are_refused_with_their_line(tmp_path: Path) -> None:
    found = table(tmp_path, 'a,b\n1,2\n3\n"x\ny",4\n5,6,7\n\n8,9\n')
    assert column(found, "a") == ["1", "x\ny", "8"]
    assert places(found) == ["t.csv line 2", "t.csv line 4", "t.csv line 8"]
    assert found.ids.to_pylist() == ["row 1", "row 3", "row 5"]
    assert [(item.id, item.where, item.reason) for item in found.refused] == [
        ("row 2", "t.csv line 3", "1 cells instead of 2: '3'"),
        ("row 4", "t.csv line 6", "3 cells instead of 2: '5,6,7'"),
    ]
    assert found.notes == ("1 blank lines passed over",)


def test_c8_many_ragged_rows_across_blocks_keep_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.layouts.csv_table._BLOCK", 2_000)
    monkeypatch.setattr("netwright.readers.layouts.text_table._BLOCK", 777)
    rows = [f'"{n}\n",x' if n % 7 == 0 else str(n) if n % 11 == 0 else f"{n},y" for n in range(3_000)]
    found = table(tmp_path, "n,v\n" + "\n".join(rows))
    bad = [n for n in range(3_000) if n % 11 == 0 and n % 7]
    assert len(found) + len(found.refused) == 3_000
    assert [item.id for item in found.refused] == [f"row {n + 1}" for n in bad]
    lines = np.cumsum([2, *[2 if n % 7 == 0 else 1 for n in range(2_999)]])
    assert found.refused[-1].where == f"t.csv line {lines[bad[-1]]}"
    assert found.where(len(found) - 1) == f"t.csv line {lines[2_999]}"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("name,age\nZoé,7\n".encode(), ""),
        ("name,age\nZoé,7\n".encode("utf-8-sig"), ""),
        ("name,age\nZoé,7\n".encode("utf-16"), "encoding utf-16-le"),
        ("name,age\nZoé,7\n".encode("utf-16-be"), "encoding utf-16-be (no byte-order mark)"),
        ("name,age\nZoé,7\n".encode("cp1252"), "encoding cp1252 (line 2 is not UTF-8)"),
        ("name;age\nZoé;7\n".encode(), 'separator ";"'),
        ("name\tage\nZoé\t7\n".encode(), "separator tab"),
        ("name|age\nZoé|7\n".encode(), 'separator "|"'),
        ("name,age\r\nZoé,7\r\n".encode(), ""),
        ("name,age\rZoé,7\r".encode(), ""),
        ('"name","age"\n"Zoé","7"'.encode(), ""),
        (gzip.compress("name,age\nZoé,7\n".encode(), mtime=0), "unpacked (gzip)"),
    ],
)
def test_c8_every_usual_encoding_separator_and_line_end(tmp_path: Path, content: bytes, note: str) -> None:
    found = table(tmp_path, content)
    assert list(found.columns) == ["name", "age"]
    assert column(found, "name") == ["Zoé"]
    assert column(found, "age") == ["7"]
    assert found.notes == ((note,) if note else ())
    assert places(found) == ["t.csv line 2"]


def test_c8_nul_bytes_refuse_their_row(tmp_path: Path) -> None:
    found = table(tmp_path, b"a,b\n1,2\n\x003,4\n5\n6,7\n")
    assert column(found, "a") == ["1", "6"]
    assert [item.where for item in found.refused] == ["t.csv line 3", "t.csv line 4"]
    assert "NUL byte" in found.refused[0].reason


def test_c8_duplicate_and_empty_names(tmp_path: Path) -> None:
    found = table(tmp_path, "a,a,,b\n1,2,3,4\n")
    assert list(found.columns) == ["a", "a_2", "column_3", "b"]
    assert found.notes == ('columns renamed: 2 is "a_2" (header was again \'a\'); 3 is "column_3" (header was empty)',)


@pytest.mark.parametrize("content", ["5.1,3.5,setosa\n4.9,3.0,setosa\n6,2,virginica\n", "1,2\n3,4\n"])
def test_c8_missing_header_loses_no_row(tmp_path: Path, content: str) -> None:
    found = table(tmp_path, content)
    assert len(found) == content.count("\n")
    assert next(iter(found.columns)) == "column_1"
    assert places(found)[0] == "t.csv line 1"
    assert "no header" in found.notes[0]


def test_c8_years_in_a_header_are_names(tmp_path: Path) -> None:
    assert list(table(tmp_path, "country,2019,2020\nPeru,1,2\nChile,3,4\n").columns) == ["country", "2019", "2020"]


def test_c8_a_hundred_thousand_ids_with_leading_zeros_stay_text(tmp_path: Path) -> None:
    found = table(tmp_path, "id,v\n" + "".join(f"{n:07d},{n}\n" for n in range(100_000)))
    ids = column(found, "id")
    assert ids[7] == "0000007"
    assert len(set(ids)) == 100_000
    assert found.where(99_999) == "t.csv line 100001"


def test_c8_thousands_separators_and_decimal_comma(tmp_path: Path) -> None:
    found = table(tmp_path, 'price;weight\n1.234,50;"2,5"\n99,00;3\n')
    for name, values in (("price", [1234.5, 99]), ("weight", [2.5, 3])):
        field, reasons = Number().plan(name, found.columns[name], InputSpec.model_validate({}), found)
        sink = np.zeros(2)
        assert not Number().read(found.columns[name], field, np.arange(2), sink, lambda _: None)
        assert sink.tolist() == values
        assert "decimal comma" in reasons[0].value


def test_c8_thousands_points_are_no_decimal_points_beside_a_decimal_comma(tmp_path: Path) -> None:
    rows = "".join(f"{20 + n},5;{'1.023' if n % 3 else '862'};250.000\n" for n in range(60))
    path = table(tmp_path, f"size;rent;price\n{rows}").origin
    data = prepare(load(f"{{data: {{path: {path}}}, inputs: [size, price], outputs: {{rent: number}}}}"))
    assert set(np.unique(data.arrays["rent"])) == {862, 1023}
    assert np.unique(data.arrays["price"]) == 250_000
    assert data.arrays["size"][0] == 20.5


def test_c8_quotes_inside_cells_keep_the_lines_true(tmp_path: Path) -> None:
    found = table(tmp_path, 'pipe,price\n5" steel,1\n6 x 7" x 8",2\n"a ""b""\nc",3\n9,4\n')
    assert column(found, "price") == ["1", "2", "3", "4"]
    assert column(found, "pipe")[2] == 'a "b"\nc'
    assert places(found)[-1] == "t.csv line 6"


def test_c8_a_quote_never_closed_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv line 3: a quote opened here is never closed"):
        table(tmp_path, 'a,b\n1,2\n"3,4\n5,6\n')


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"a,b\n", "no usable row under the header, 0 refused"),
        (b"a,b\n1\n2\n", r"no usable row under the header, 2 refused \(t.csv line 2"),
    ],
)
def test_c8_nothing_usable_says_so(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, content)


def test_c8_a_row_longer_than_a_block_is_read(tmp_path: Path) -> None:
    found = table(tmp_path, "a,b\n1," + "x" * 9_000_000 + "\n2,y\n")
    assert [len(cell) for cell in column(found, "b")] == [9_000_000, 1]


_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELL, _CELL, st.booleans()), min_size=1, max_size=30), end=st.sampled_from(["\n", "\r\n"])
)
def test_c8_read_is_used_plus_refused_and_every_cell_comes_back(
    rows: list[tuple[str, str, bool]], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Well-quoted rows of any text, some of them with a cell too many."""

    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [",".join([quoted(a), quoted(b), *(['"more"'] if long else [])]) for a, b, long in rows]
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    path.write_bytes(end.join(["first,second", "fixed,row", *lines]).encode())
    found = find(path)
    good = [("fixed", "row"), *((a, b) for a, b, long in rows if not long)]
    assert list(zip(column(found, "first"), column(found, "second"), strict=True)) == good
    assert len(found) + len(found.refused) == len(rows) + 1


def test_c9_classes_called_na_stay_classes(tmp_path: Path) -> None:
    names = ["NA", "None", "null", "nan", "true", "", "NaN", "N/A", "cat"]
    found = table(tmp_path, "n,label\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names)))
    field, _ = Category().plan("label", found.columns["label"], OutputSpec.model_validate({}), found)
    assert field.vocabulary == tuple(sorted(names))
    sink = np.zeros(len(names), np.int32)
    assert not Category().read(found.columns["label"], field, np.arange(len(names)), sink, lambda _: None)
    assert [field.vocabulary[code] for code in sink] == names
