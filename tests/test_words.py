"""Counts and lists in words."""

from netwright.words import counted, listed


def test_one_is_singular_and_everything_else_plural() -> None:
    assert [counted(n, "class", "classes") for n in (0, 1, 2, 1240)] == [
        "0 classes", "1 class", "2 classes", "1,240 classes",
    ]  # fmt: skip
    assert counted(3, "row") == "3 rows"


def test_a_list_tells_the_first_and_how_many_more() -> None:
    names = [str(n) for n in range(2000)]
    assert listed(names[:3], 3) == "0, 1, 2"
    assert listed(names, 2, "; ") == "0; 1 and 1,998 more"
    assert listed([]) == ""
