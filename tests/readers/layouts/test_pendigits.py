import json
from pathlib import Path

import pytest

from netwright.errors import DataError
from netwright.readers import Cells, Found, find

ROW = [str(number) for number in range(16)]
HEADER = ",".join(['""', *(f'"c{k}"' for k in range(1, 17)), '"class"'])


def cells(found: Found, name: str) -> list[str]:
    column = found.columns[name]
    assert isinstance(column, Cells)
    return column.values.to_pylist()


def test_the_two_files_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pendigits.tra").write_text("\n".join([", ".join([*ROW, " 8"])] * 3) + "\n")
    (tmp_path / "pendigits.tes").write_text(
        ",".join([*ROW, "1"]) + "\n" + ",".join(ROW) + "\nx" + ",".join([*ROW, "1"])
    )
    found = find(tmp_path)
    assert found.layout == "pendigits"
    assert cells(found, "category") == ["8", "8", "8", "1"]
    assert json.loads(cells(found, "ink")[0]) == [[2 * k, 2 * k + 1] for k in range(8)]
    assert found.official is not None
    assert found.official.to_pylist() == ["train"] * 3 + ["test"]
    assert [each.where for each in found.refused] == ["pendigits.tes row 2", "pendigits.tes row 3"]


@pytest.mark.parametrize("whole", [True, False])
def test_the_table_of_both(tmp_path: Path, whole: bool) -> None:
    rows = [f'"{number}",{",".join(ROW)},3' for number in range(1, 10_993 if whole else 7_600)]
    (tmp_path / "pendigits.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    found = find(tmp_path / "pendigits.csv")
    assert found.layout == "pendigits"
    assert set(cells(found, "category")) == {"3"}
    if whole:
        assert found.official is not None
        assert found.official.to_pylist() == ["train"] * 7_494 + ["test"] * 3_498
    else:
        assert found.official is None
        assert "not the published 10,992 rows" in found.notes[0]


def test_other_tables_stay_tables(tmp_path: Path) -> None:
    (tmp_path / "pendigits.csv").write_text("a,b\n1,2\n3,4\n")
    assert find(tmp_path / "pendigits.csv").layout == "csv"
    with pytest.raises(DataError, match="no digit of 16 numbers"):
        find(tmp_path / "pendigits.csv", "pendigits")
