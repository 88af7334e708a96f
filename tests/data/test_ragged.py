from pathlib import Path

import numpy as np
import pytest

from netwright.data.ragged import Growing, Ragged
from netwright.field import Field

INK = Field(name="ink", kind="ink", source="ink", shape=(2,), dtype="float32", ragged=True)
ROWS = [np.arange(6, dtype=np.float32).reshape(3, 2), np.zeros((0, 2), np.float32), np.ones((1, 2), np.float32)]


def grown(path: Path | None) -> Ragged:
    growing = Growing(INK, len(ROWS) + 1, path)
    for place in (2, 0, 1):  # as a packed archive gives them; the last row is never written
        growing.put(place, ROWS[place])
    return growing.finished()


@pytest.mark.parametrize("on_disk", [False, True])
def test_rows_come_back_in_their_places(tmp_path: Path, on_disk: bool) -> None:
    rows = grown(tmp_path / "0.steps" if on_disk else None)
    assert len(rows) == 4
    assert rows.shape == (4, 1, 2)
    for place, row in enumerate(ROWS):
        np.testing.assert_array_equal(rows[place], row)
    assert rows[3].shape == (0, 2)
    some = rows[np.array([2, 0])]
    assert some.dtype == object
    np.testing.assert_array_equal(some[1], ROWS[0])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    kept = grown(tmp_path / "0.steps").only(np.array([0, 2]))
    kept.save(tmp_path, "0")
    loaded = Ragged.load(tmp_path, "0", INK)
    assert len(loaded) == 2
    np.testing.assert_array_equal(loaded[1], ROWS[2])


def test_equal_rows_have_equal_hashes(tmp_path: Path) -> None:
    growing = Growing(INK, 3, tmp_path / "0.steps")
    for place, row in enumerate((ROWS[0], ROWS[2], ROWS[0])):
        growing.put(place, row)
    first, second, third = growing.finished().hashes(slice(None))
    assert first.tolist() == third.tolist() != second.tolist()


def test_no_row_at_all(tmp_path: Path) -> None:
    assert len(Growing(INK, 2, tmp_path / "0.steps").finished()[0]) == 0
