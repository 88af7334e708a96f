from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.readers.dates import UNDECIDED, Moments, exact, read_moments, written


def moments(*cells: str | None, first: str = "") -> Moments:
    return read_moments(pa.chunked_array([pa.array(cells, pa.string())]), first)


def days(*cells: str, first: str = "") -> list[str]:
    return [written(value) for value in moments(*cells, first=first).values]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-21", "2026-11-21"),
        ("2026/1/5", "2026-01-05"),
        ("2026.11.21", "2026-11-21"),
        ("1949-01", "1949-01-01"),
        (" 2026-11-21T10:00 ", "2026-11-21 10:00"),
        ("2026-11-21 10:00:01", "2026-11-21 10:00:01"),
        ("2026-11-21T10:00:00.5Z", "2026-11-21 10:00:00.500000"),
        ("2026-11-21T10:00+02:00", "2026-11-21 08:00"),
        ("2026-11-21 22:00 -0330", "2026-11-22 01:30"),
        ("0001-01-01", "0001-01-01"),
        ("13/04/2026", "2026-04-13"),
        ("04/13/2026", "2026-04-13"),
        ("21.11.2026 7:30", "2026-11-21 07:30"),
        ("29-02-2024", "2024-02-29"),
    ],
)
def test_ways_to_write_a_date(cell: str, expected: str) -> None:
    assert days(cell) == [expected]


@pytest.mark.parametrize(
    "cell", ["2026-13-01", "2026-02-29", "2026-11-31", "31/11/2026", "2026-11-21 24:00", "2026", "21/11/26", "soon"]
)
def test_what_is_no_date(cell: str) -> None:
    found = moments(cell, "2026-01-01")
    assert found.unreadable.tolist() == [True, False]
    assert np.isnan(found.values).tolist() == [True, False]


def test_empty_cells_are_missing_and_others_unreadable() -> None:
    found = moments(None, "", "NA", "?", "x", "2026-01-01")
    assert found.missing.tolist() == [True] * 4 + [False] * 2
    assert found.unreadable.tolist() == [False] * 4 + [True, False]


def test_one_cell_decides_the_order_of_a_column() -> None:
    assert days("03/04/2026", "13/04/2026") == ["2026-04-03", "2026-04-13"]
    assert days("03/04/2026", "04/13/2026") == ["2026-03-04", "2026-04-13"]
    assert days("03/03/2026", "05/05/2026") == ["2026-03-03", "2026-05-05"]
    assert days("03/04/2026", first="month") == ["2026-03-04"]
    found = moments("05/05/2026", "03/04/2026")
    assert found.first == UNDECIDED
    assert found.readings == '"03/04/2026" is 2026-04-03 day first and 2026-03-04 month first'
    assert np.isnan(found.values).all()


@given(st.lists(st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1)), min_size=1, max_size=20))
def test_typed_cells_and_their_texts_are_the_same_moments(given_moments: list[datetime]) -> None:
    typed = pa.chunked_array([pa.array(given_moments, pa.timestamp("us"))])
    found = read_moments(typed)
    seconds = [(moment - datetime(1970, 1, 1)) / timedelta(seconds=1) for moment in given_moments]
    assert found.values == pytest.approx(seconds, abs=4e-6)  # a float64 holds 9e9 seconds that exactly
    assert moments(*(moment.isoformat() for moment in given_moments)).values.tolist() == found.values.tolist()
    assert moments(*(exact(typed.slice(k, 1)) for k in range(len(typed)))).values.tolist() == found.values.tolist()


def test_times_with_a_zone_are_brought_to_utc() -> None:
    zoned = pa.array([datetime(2026, 11, 21, 10, tzinfo=UTC)], pa.timestamp("ns", "Europe/Berlin"))
    assert read_moments(pa.chunked_array([zoned])).values == moments("2026-11-21T11:00+01:00").values
