from pathlib import Path

import pytest

from netwright.errors import DataError, SpecError
from netwright.readers import find


def test_a_missing_path_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r'no such file or folder \(did you mean "photos"\?\)'):
        find(tmp_path / "fotos")


def test_what_fits_no_layout_is_described(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(DataError, match=r"holds 1 \.doc files, which fits no layout"):
        find(tmp_path)
    (tmp_path / "model.csv").write_bytes(b"\x80\x04\x95")
    with pytest.raises(DataError, match="a file of kind pickle, which fits no layout"):
        find(tmp_path / "model.csv")


def test_an_unknown_layout_is_a_mistake_of_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match='unknown layout "cvs"'):
        find(tmp_path, "cvs")


def test_a_device_is_refused() -> None:
    with pytest.raises(DataError, match="neither a folder nor a regular file"):
        find("/dev/null")


def test_bundled_sets() -> None:
    digits = find("sklearn:digits")
    assert len(digits) == 1797
    assert list(digits.columns) == ["image", "category"]
    iris = find("sklearn:iris")
    assert list(iris.columns)[-1] == "category"
    assert find("sklearn:diabetes").columns.keys() >= {"bmi", "target"}
    with pytest.raises(DataError, match=r'no data set "irys".*did you mean "iris"'):
        find("sklearn:irys")
