"""YAML: what people mean by a word, every round trip, and nothing that is more than plain data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright import yaml12
from netwright.errors import SpecError


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-3", 0.001), ("1E5", 100000.0), (".5", 0.5), ("-2.", -2.0), ("0x1F", 31), ("0o17", 15), ("+7", 7),
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None), ("-.inf", float("-inf")),
        ("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"), ("Null ", "Null "),
    ],
)  # fmt: skip
def test_a_word_has_the_value_of_yaml_1_2(word: str, value: object) -> None:
    found = yaml12.scalar(word)
    assert found == value
    assert type(found) is type(value)


def test_an_endless_number_is_read_without_exhausting_python() -> None:
    assert yaml12.scalar("9" * 5000) == float("inf")


def test_quoted_words_stay_text_and_lines_are_kept() -> None:
    values, lines = yaml12.load('a: "1e-3"\nb:\n  c: [x,\n   2]\n', "o")
    assert values == {"a": "1e-3", "b": {"c": ["x", 2]}}
    assert (lines["a"], lines["b.c"], lines["b.c.1"]) == (1, 3, 4)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_dumped_is_loaded_again(values: object) -> None:
    assert yaml12.load(yaml12.dump(values), "o")[0] == values


@pytest.mark.parametrize(
    "name", ["NA", "None", "null", "~", "", "true", "no", "007", "1e3", "=cmd()", "a\udcffb", "é\u200b\n"]
)
def test_class_names_survive(name: str) -> None:
    assert yaml12.load(yaml12.dump({"classes": [name]}), "o")[0] == {"classes": [name]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", 'o line 3: "a" stands twice'),
        ("a: &x 1\nb: *x", r"o line 2: aliases \(\*name\) are not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "o line 1: tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("a: !!str 5", "o line 1: tag tag:yaml.org,2002:str is not allowed"),
        ("a: !own x", "o line 1: tag !own is not allowed"),
        ("x: 1\n? [a, b]\n: c", "o line 2: a list or mapping cannot be a name"),
        ("[" * 5000, "more than 50 levels of nesting"),
        ("a: 1\n---\nb: 2", "o line 2: but found another document"),
        ("a: [1, 2", "o line 1"),
        ("a\x07b", "o: not readable as YAML"),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        yaml12.load(text, "o")


def test_ten_aliases_of_ten_do_not_grow() -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(SpecError, match="aliases"):
        yaml12.load(bomb, "o")
