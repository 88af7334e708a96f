"""What a spreadsheet does to a file, and how it is told."""

import zipfile
from pathlib import Path

import pytest

from netwright import readers, spec
from netwright.data.dataset import prepare
from netwright.errors import DataError, SpecError


@pytest.mark.parametrize("member", ["xl/workbook.xml", "[Content_Types].xml"])
def test_a_workbook_is_told_whatever_its_name(tmp_path: Path, member: str) -> None:
    path = tmp_path / "book.csv"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(member, "<x/>")
    with pytest.raises(DataError, match=r"book\.csv: looks like an Excel workbook.*Save the sheet as CSV"):
        readers.find(path)


def test_another_archive_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a.txt", "x")
    with pytest.raises(DataError, match="a file of kind zip, which fits no layout"):
        readers.find(tmp_path / "a.zip")


def _titled(folder: Path) -> Path:
    rows = [f"{n};{n % 5};{n * 7}" for n in range(40)]
    (folder / "sales.csv").write_text("\n".join(["Sales 2024;;", ";;", 'qm;"rooms";price', *rows]) + "\n")
    return folder / "sales.csv"


def test_the_line_that_looks_like_the_header_is_named(tmp_path: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {_titled(tmp_path)}}}, inputs: [qm, rooms], outputs: [price]}}")
    with pytest.raises(SpecError, match=r"no column .*Line 3 looks like the header: remove the lines above it"):
        prepare(wanted)


def test_no_line_is_named_when_none_holds_the_columns(tmp_path: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {_titled(tmp_path)}}}, outputs: [prize]}}")
    with pytest.raises(SpecError, match="Its columns are: Sales 2024"):
        prepare(wanted)
