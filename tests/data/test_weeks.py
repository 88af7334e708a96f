import numpy as np
import pytest

from netwright.data import weeks

DAY = 86_400.0


def moments(start: str, count: int, hours: list[int] | None = None) -> np.ndarray:
    """So many days from a date on, at some hours of each, as seconds."""
    days = np.arange(count) + (np.datetime64(start) - np.datetime64("1970-01-01")).astype(int)
    return (days[:, None] * DAY + 3600.0 * np.array(hours or [0])).ravel()


def on(seconds: np.ndarray, *weekdays: int) -> np.ndarray:
    return seconds[np.isin((seconds // DAY + 3) % 7, weekdays)]


@pytest.mark.parametrize(
    ("weekdays", "off"),
    [
        ((0, 1, 2, 3, 4), ["Saturday", "Sunday"]),
        ((6, 0, 1, 2, 3), ["Friday", "Saturday"]),
        ((0, 1, 2, 3, 4, 5), ["Sunday"]),
        (tuple(range(7)), []),
    ],
)
def test_days_without_a_row_are_told_by_name(weekdays: tuple[int, ...], off: list[str]) -> None:
    assert weeks.days_off(on(moments("2024-01-01", 60), *weekdays), DAY) == off  # a Monday


def test_two_weeks_tell_nothing_and_neither_do_weeks_or_hours() -> None:
    assert weeks.days_off(on(moments("2024-01-01", 14), 0, 1, 2, 3, 4), DAY) == []
    assert weeks.days_off(on(moments("2024-01-01", 60), 0), 7 * DAY) == []
    assert weeks.days_off(on(moments("2024-01-01", 60, [9, 10]), 0, 1, 2, 3, 4), DAY / 24) == []


def test_a_season_of_rows_has_as_many_as_days_or_hours_have_rows() -> None:
    exception = np.append(on(moments("2024-01-01", 60), 0, 1, 2, 3, 4), moments("2024-01-06", 1))
    assert weeks.season(exception, DAY, as_rows=True) == 5
    assert weeks.season(moments("2024-01-01", 60, [9, 10, 11, 12]), DAY / 24, as_rows=True) == 4
    assert weeks.season(moments("2024-01-01", 60), 30.4 * DAY, as_rows=True) == 12
    assert weeks.season(moments("2024-01-01", 60), 2 * DAY, as_rows=True) == 0
