"""What the dates of rows say: on which days of the week there never is one, and after how many rows they are alike."""

from __future__ import annotations

import numpy as np

from netwright.readers.dates import DAY

_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAILY, _HOURLY = (0.9, 1.1), (0.04, 0.043)  # usual steps in days; an hour is 1/24
_WEEKS = 3  # below it, a day of the week without a row may be chance
_SEASONS = {12: (27, 32), 4: (85, 95), 52: (6.9, 7.1), 7: _DAILY, 24: _HOURLY}
_OFTEN = 0.5  # of the rows that the most usual day or hour has; with fewer it is an exception


def days_off(seconds: np.ndarray, usual: float) -> list[str]:
    """Days of the week on which a daily table never has a row; none where it is not daily, or too short to tell.

    Args:
        seconds: When its rows were, since 1970-01-01 00:00.
        usual: The usual step, in seconds.
    """
    daily = _DAILY[0] <= usual / DAY <= _DAILY[1]
    if not daily or np.ptp(seconds) < _WEEKS * 7 * DAY:
        return []
    return [name for name, rows in zip(_NAMES, np.bincount(_weekdays(seconds), minlength=7), strict=True) if not rows]


def season(seconds: np.ndarray, usual: float, *, as_rows: bool) -> int:
    """Steps of a season, by the distance of the dates: 12 months, 7 days, 24 hours; 0 where that is no usual one.

    Args:
        seconds: When the rows were, since 1970-01-01 00:00.
        usual: The usual step, in seconds.
        as_rows: The rows themselves are the steps, so that a week has as many as it has days with rows, a day likewise.

    Example:
        >>> days = np.arange(28) * 86400.0
        >>> season(days, 86400.0, as_rows=False), season(days[_weekdays(days) < 5], 86400.0, as_rows=True)
        (7, 5)
    """
    found = next((steps for steps, (low, high) in _SEASONS.items() if low <= usual / DAY <= high), 0)
    if not as_rows or found not in {7, 24}:
        return found
    rows = np.bincount(_weekdays(seconds) if found == 7 else np.floor(seconds % DAY / 3600).astype(np.int64))
    return int((rows >= _OFTEN * rows.max()).sum())


def _weekdays(seconds: np.ndarray) -> np.ndarray:
    """Monday is 0; 1970-01-01 was a Thursday."""
    return (np.floor(seconds / DAY).astype(np.int64) + 3) % 7
