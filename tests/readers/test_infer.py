from datetime import datetime, time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from netwright.readers import Arrays, Blobs, Cells, Several, find, infer


def cells(values: list, root: Path | None = None) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]), root)


@pytest.mark.parametrize(
    ("values", "role", "kind", "why"),
    [
        (["1.5", "2.5", "3"], "input", "number", "every cell parses as a number, 3 distinct"),
        (["1,5", "2,5"], "output", "number", "decimal comma"),
        (["01", "12", "07"], "input", "category", "leading zeros"),
        ([f"{n:06d}" for n in range(2000)], "input", "", "an identifier"),
        (["0", "1"] * 10, "output", "category", "only 2 distinct"),
        (["0", "1"] * 10, "input", "number", "2 distinct"),
        ([str(n) for n in range(40)], "output", "number", "40 distinct"),
        (["a", "b", "a"], "input", "category", "2 different texts"),
        (["NA", "None", "null", "nan", "true", ""], "output", "category", "6 different texts"),
        ([f"person {n}" for n in range(100)], "input", "", "an identifier or free text"),
        ([True, False], "input", "category", "true or false"),
        (["[[0.5, 1], [2, -3]]", "[[[1, 2, 0]]]", ' {"x": [1], "y": [2]}'], "input", "ink", "every cell holds points"),
        (["<ink><trace>1 2</trace></ink>"] * 2, "input", "ink", "every cell holds points"),
        (['[{"x": 1, "y": 2, "t": 3}]', '{"t": [3], "X": [1], "Y": [2]}'], "input", "ink", "every cell holds points"),
        (["[[0.5, 1]]", "none of it"], "input", "category", "2 different texts"),
        ([None, None], "input", "", "no cell has a value"),
        (["", " ", ""], "input", "", "every cell is empty"),
        (["NA", "-", ""], "input", "", "no cell has a value"),
        ([1, 2, None], "input", "number", "2 of 3 cells"),
        ([*["1", "2"] * 4, "k.A.", "unbekannt"], "input", "number", "8 of 10 cells"),
        ([0.5, 2, None, None, None], "input", "", "numbers, but only in 2 of 5 cells"),
        ([0.5, 2, None, None, None], "output", "number", "2 of 5 cells"),
        ([datetime(2026, 1, 31), None], "input", "date", "cells of type timestamp"),
        ([time(10, 30), None], "input", "", "cells of type time"),
        (["2026-11-21", "2026-11-22 10:00"], "input", "date", "every cell is a date, the year stands first"),
        (["31/11/2026", *["13/04/2026"] * 30], "output", "date", "30 of 31 cells are dates, the day stands first"),
        (["1949-01", "1949-02"], "input", "date", "every cell is a date"),
        (["03/04/2026", "05/06/2026"], "input", "", '"03/04/2026" is 2026-04-03 day first and 2026-03-04 month first'),
        (["2026-11-21", "", "", "NA"], "input", "", "dates, but only in 1 of 4 cells"),
        (
            ["a;b", "a", "b;c", "c;a", "b", "a;b;c", "a", "", "b"],
            "output",
            "tags",
            "7 different texts are made of 3 words",
        ),
        (["a|b", "a", "b|c", "c|a", "b", "a|b|c", "a", "", "b"], "input", "tags", '"|" stands in 4 of 8'),
        ([["a", "b"], [], ["c"]], "output", "tags", "lists of texts"),
        (["yes, sure", "no, never", "maybe"] * 9, "output", "category", "3 different texts"),
        (["a;b", *["a", "b", "c"] * 9], "output", "category", "4 different texts"),  # 1 of 28: below 5 %
        ([f"I came {n}, I saw {n}" for n in range(50)], "input", "", "free text"),
        (["21 Nov", "22 Dec"], "input", "category", "2 different texts"),
        ([b"\x89PNG", b"\x89PNG"], "input", "image", "bytes of files"),
        ([[1, 2], [3]], "input", "signal", "cells are lists of numbers"),
    ],
)
def test_cells(values: list, role: str, kind: str, why: str) -> None:
    found, reason = infer(cells(values), "input" if role == "input" else "output")
    assert found == kind
    assert why in reason


def test_other_columns(tmp_path: Path) -> None:
    assert infer(Blobs(tmp_path, ("a.jpg",)), "input")[0] == "image"
    assert infer(Arrays(np.zeros((2, 4, 4), np.uint8)), "input")[0] == "image"
    assert infer(Arrays(np.zeros((2, 4))), "input")[0] == "vector"
    assert infer(Arrays(np.zeros(2)), "input")[0] == "number"
    assert infer(Several(("a",), (cells(["1"]),)), "input")[0] == "vector"
    assert infer(cells(["a/1.jpg", "a/2.PNG"], tmp_path), "input")[0] == "image"


def test_three_digits_after_a_comma_are_decimals_where_semicolons_separate(tmp_path: Path) -> None:
    for separator, words in ((";", "decimal comma"), ("|", "thousands")):
        file = tmp_path / f"prices-{ord(separator)}.csv"
        file.write_text(separator.join(("size", "price")) + "".join(f"\n{n}{separator}{n},{n}00" for n in range(1, 10)))
        column = find(file).columns["price"]
        assert words in infer(column, "input")[1]
