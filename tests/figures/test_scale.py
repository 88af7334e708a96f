import math

from hypothesis import given
from hypothesis import strategies as st

from netwright.figures.scale import Scale, fit, round_ticks, tick_texts

numbers = st.floats(-1e9, 1e9)


def test_a_scale_maps_its_ends_to_the_ends_of_the_paper() -> None:
    scale = Scale(10, 20, 0, 100)
    assert (scale(10), scale(15), scale(20)) == (0, 50, 100)
    upward = Scale(0, 1, 200, 0)
    assert upward(0.25) == 150


def test_equal_ratios_are_equal_distances_on_a_logarithmic_scale() -> None:
    scale = Scale(0.01, 100, 0, 400, log=True)
    assert math.isclose(scale(1), 200)
    assert math.isclose(scale(10) - scale(1), scale(1) - scale(0.1))
    assert scale.ticks() == (0.01, 0.1, 1.0, 10.0, 100.0)


@given(st.lists(numbers | st.none() | st.just(math.nan) | st.just(math.inf)), st.booleans())
def test_an_axis_always_has_length_and_holds_every_value(values: list[float | None], zero: bool) -> None:
    low, high = fit(values, zero=zero)
    assert low < high
    assert all(low <= v <= high for v in values if v is not None and math.isfinite(v))


@given(numbers, st.floats(1e-6, 1e6))
def test_ticks_lie_inside_and_are_few(low: float, span: float) -> None:
    high = low + span
    if high <= low or span < 1e-9 * abs(low):
        return
    ticks = round_ticks(low, high)
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert len(ticks) <= 12
    assert all(low - slack <= tick <= high + slack for tick in ticks)


def test_ticks_of_shares_get_decimals_only_when_they_need_them() -> None:
    assert tick_texts((0.98, 0.985, 0.99), share=True) == ("98.0\u00a0%", "98.5\u00a0%", "99.0\u00a0%")
    assert tick_texts((20000.0, 1.5e6)) == ("20k", "1.5M")
