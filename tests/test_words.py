"""Counts in words."""

from netwright.words import counted


def test_one_is_singular_and_everything_else_plural() -> None:
    assert [counted(n, "class", "classes") for n in (0, 1, 2, 1240)] == [
        "0 classes", "1 class", "2 classes", "1,240 classes",
    ]  # fmt: skip
    assert counted(3, "row") == "3 rows"
