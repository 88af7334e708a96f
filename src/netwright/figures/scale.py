"""From values to places on the paper, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from netwright.figures.marks import Real, number


@dataclass(frozen=True)
class Scale:
    """A map from values to pixels, linear or logarithmic.

    Args:
        low: Value at `start`; > 0 when logarithmic.
        high: Value at `stop`; not equal to low.
        start: Pixel of the low end.
        stop: Pixel of the high end; smaller than start for an upward axis.
        log: Equal distances are equal ratios.
    """

    low: Real
    high: Real
    start: Real
    stop: Real
    log: bool = False

    def __call__(self, value: Real) -> Real:
        """The pixel of a value; values beyond the ends lie beyond the paper."""
        if self.log:
            share = math.log(max(value, self.low * 1e-9) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self, count: int = 5) -> tuple[Real, ...]:
        """About `count` round values from low to high."""
        if not self.log:
            return round_ticks(self.low, self.high, count)
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        if last - first < 1:
            return round_ticks(self.low, self.high, count)
        step = max(1, math.ceil((last - first + 1) / count))
        return tuple(10.0**power for power in range(first, last + 1, step))


def _round_step(span: Real, count: int) -> Real:
    rough = span / max(count, 1)
    size = 10.0 ** math.floor(math.log10(rough))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * (1 - 1e-9))


def round_ticks(low: Real, high: Real, count: int = 5) -> tuple[Real, ...]:
    """Round values between two ends, about `count` of them.

    Example:
        >>> round_ticks(0, 1), round_ticks(0.93, 0.99, 3)
        ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.94, 0.96, 0.98))
    """
    step = _round_step(high - low, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{k * step:.10g}") for k in range(first, last + 1))


def fit(
    values: Iterable[Real | None], *, log: bool = False, zero: bool = False, bounds: tuple[Real, Real] | None = None
) -> tuple[Real, Real]:
    """The ends of an axis that shows all values with a little room, never of no length.

    Args:
        values: What is to be shown; None, NaN and infinite values are passed over.
        log: For a logarithmic axis: values <= 0 are passed over too.
        zero: The axis starts at zero when no value lies below it; it always does where all are zero.
        bounds: The axis never leaves this interval, e.g. (0, 1) for shares.

    Example:
        >>> fit([2.0, 4.0], zero=True), fit([0.5], bounds=(0, 1)), fit([0.0, 0.0])
        ((0.0, 4.2), (0.475, 0.525), (0.0, 1.0))
    """
    seen = [v for v in values if v is not None and math.isfinite(v) and (v > 0 or not log)]
    if not seen:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = min(seen), max(seen)
    if log:
        return (low / 1.15, high * 1.15)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    if low >= 0 and (zero or not high):
        return (0.0, (high + 0.05 * high) or 1.0)
    low, high = low - room, high + room
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def tick_texts(ticks: tuple[Real, ...], *, share: bool = False) -> tuple[str, ...]:
    r"""Labels of ticks, all with the same number of decimals.

    Args:
        ticks: The values.
        share: Write shares of one as per cent.

    Example:
        >>> tick_texts((0.0, 0.5, 1.0)), tick_texts((0.0, 0.5), share=True), tick_texts((0.001, 10.0))
        (('0', '0.5', '1'), ('0\xa0%', '50\xa0%'), ('0.001', '10'))
    """
    if share:
        near = len(ticks) > 1 and abs(ticks[1] - ticks[0]) < 0.00999
        return tuple(f"{100 * tick:.{1 if near else 0}f}\u00a0%".replace("-", "−") for tick in ticks)
    return tuple(_short(tick) for tick in ticks)


def _short(value: Real) -> str:
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return number(value / (1e3 if sign == "k" else size), 4) + sign
    return number(value, 4)
