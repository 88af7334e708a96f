import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.figures.marks import clean, clip, element, number, percent, svg, text


def test_text_from_data_never_becomes_markup() -> None:
    assert text(0, 0, '<b>&"') == '<text x="0" y="0" class="label">&lt;b&gt;&amp;&#34;</text>'
    assert 'a="&#34; onload=&#34;x"' in element("g", {"a": '" onload="x'})


@given(st.text(st.characters(codec=None)))
def test_any_text_gives_markup_that_can_be_written_and_holds_no_tag(content: str) -> None:
    written = str(text(0, 0, content)).encode("utf-8").decode()
    assert written.count("<") == 2
    assert all(mark not in written for mark in "\x00\u202e\u2066\ufeff")


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("cat", "cat"),
        ("a\tb\nc", "a b c"),
        ("x\u202ey", r"x\u202ey"),
        ("\udcff", r"\udcff"),
        ("👩‍🔬", "👩‍🔬"),
        ("קוד", "קוד"),
    ],
)
def test_clean_shows_what_is_invisible_and_leaves_words_of_all_scripts(given_text: str, shown: str) -> None:
    assert clean(given_text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1234567.0, "1,234,567"),
        (1234.567, "1,235"),
        (0.05, "0.05"),
        (0.000123456, "0.000123"),
        (2e-7, "2e−7"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (None, "–"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_percent_keeps_its_sign_on_the_same_line() -> None:
    assert percent(0.5) == "50.0\u00a0%"
    assert percent(float("nan")) == "–"


def test_clip_never_exceeds_the_width() -> None:
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"
    assert clip("abcd", 0) == "a…"


def test_a_figure_says_what_it_shows_and_scales() -> None:
    figure = svg(100, 50, "two < three")
    assert 'role="img" aria-label="two &lt; three"' in figure
    assert 'viewBox="0 0 100 50"' in figure
