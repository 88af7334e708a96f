"""Rows in time: which are kept, in what order, how far apart, and which columns are numbers of a step."""

from __future__ import annotations

import datetime
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from netwright.data import steps
from netwright.data.roles import roles
from netwright.data.steps import Steps
from netwright.readers import from_memory
from netwright.readers.dates import read_moments, written
from netwright.spec_data import DataSpec

DAYS = [str(np.datetime64("2023-01-01") + k) for k in range(60)]


def read(table: dict[str, list], gaps: steps.Gaps | None = "cut", **data: str) -> Steps:
    found = from_memory({name: np.array(values) for name, values in table.items()})
    which = roles(found, DataSpec.model_validate(data), (), "series")
    return steps.read(found, which, gaps=gaps)


def test_one_date_of_a_far_future_costs_its_row_alone() -> None:
    found = read({"date": [*DAYS[:5], "2204-01-06", *DAYS[6:]], "x": list(range(60))})
    assert len(found.rows) == 59
    assert [(each.state, each.reason) for each in found.refused if each.state == "quarantined"] == [
        ("quarantined", "stands before its time: date is larger than in rows behind it.")
    ]


def test_a_table_of_two_blocks_is_put_in_order_and_loses_nothing() -> None:
    found = read({"date": [*DAYS[30:], *DAYS[:30]], "x": list(range(60))})
    assert found.rows.tolist() == [*range(30, 60), *range(30)]
    assert found.notes[-1] == "date falls 1 time: the rows are put in order by date"


def test_the_longest_rising_part_is_that_of_a_plain_search() -> None:
    chance = np.random.default_rng(0)
    for _ in range(60):
        times = chance.integers(0, 6, 8).astype(float)
        kept = steps._rising(times)
        assert (np.diff(kept) > 0).all()
        assert (np.diff(times[kept]) >= 0).all()
        subsets = ([k for k in range(8) if mask >> k & 1] for mask in range(256))
        assert len(kept) == max(len(each) for each in subsets if (np.diff(times[each]) >= 0).all())


def test_a_column_of_remarks_with_a_number_is_left_out_and_told() -> None:
    found = read({"date": DAYS, "kg": list(range(60)), "remark": ["", "holiday", "12", *[""] * 57]})
    assert found.values.shape == (60, 1)
    assert "left out: remark (1 number in 60 rows)" in found.notes


def test_each_series_has_a_usual_step_of_its_own() -> None:
    weeks = [str(np.datetime64("2023-01-01") + 7 * k) for k in range(60)]
    shops = ["daily"] * 60 + ["weekly"] * 60
    found = read({"date": [*DAYS, *weeks], "shop": shops, "x": list(range(120))}, group="shop")
    assert (found.torn, found.refused) == (False, [])


@pytest.mark.parametrize(
    ("numbers", "first", "dated"),
    [
        ([20230131, 20230228, 20240101], "2023-01-31", True),
        ([202301, 202302, 202401], "2023-01-01", True),
        ([20230131, 20230229, 20240101], "20230131", False),  # no such day
        ([202301, 202302, 202303], "202301", False),  # of one year: as well a counter
        ([202301, 202302, 202413], "202301", False),
    ],
)
def test_dates_packed_into_a_number_are_dates(numbers: list[int], first: str, *, dated: bool) -> None:
    found = read({"date": numbers, "x": [1, 2, 3]})
    assert (found.dated, found.when(0)) == (dated, first)


def test_names_that_end_in_a_zero_stay_apart_and_whole_numbers_do_not() -> None:
    table = {"date": DAYS[:2] * 2, "x": [1, 2, 3, 4]}
    assert read({**table, "pump": ["v2", "v2", "v2.0", "v2.0"]}, group="pump").names == ["v2", "v2.0"]
    assert read({**table, "pump": ["2", "2", "3.0", "3.0"]}, group="pump").names == ["2", "3"]


def test_hours_of_a_zone_without_minutes_are_read() -> None:
    zoned = [f"2023-01-01 0{k}:00:00+02" for k in range(3)]
    assert read({"ts": zoned, "x": [1, 2, 3]}).when(0) == "2022-12-31 22:00"


def test_days_of_a_zone_are_its_days_and_none_is_longer_where_clocks_are_changed() -> None:
    working = [day for k in range(60) if (day := datetime.date(2024, 3, 4) + datetime.timedelta(k)).weekday() < 5]
    midnights = [datetime.datetime.combine(day, datetime.time(), ZoneInfo("Europe/Berlin")) for day in working]
    assert steps_of(pa.array(midnights, pa.timestamp("us", "Europe/Berlin"))) == [str(day) for day in working]
    table = {"ts": [each.isoformat(sep=" ") for each in midnights], "x": list(range(len(working)))}
    found = read(table, gaps=None)
    assert [found.when(k) for k in range(len(working))] == [str(day) for day in working]
    assert "Saturday" in found.why
    assert "Sunday" in found.why


def test_hours_of_a_zone_are_as_far_apart_as_they_were_where_clocks_are_changed() -> None:
    hours = [datetime.datetime(2024, 3, 31, k, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin")) for k in range(4)]
    assert len(np.unique(read({"ts": [each.isoformat() for each in hours], "x": list(range(4))}).pieces)) == 1


def steps_of(values: pa.Array) -> list[str]:
    return [written(moment) for moment in read_moments(pa.chunked_array([values])).steps]
