from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.data import ledger
from netwright.readers.columns import Refusal

LEFT_OUT = (
    Refusal("broken.jpg", "cats/broken.jpg", "refused", "the picture is cut"),
    Refusal("empty.jpg", "cats/empty.jpg", "refused", "empty file (0 bytes)"),
    Refusal("b2.jpg", "cats/b2.jpg", "refused", "the picture is cut"),
    Refusal("row 7", "t.csv line 8", "quarantined", "price: no value"),
)


def example() -> ledger.Ledger:
    content = np.array([[1, 2], [3, 4], [2**64 - 1, 0]], dtype=np.uint64)
    return ledger.build(pa.array(["a", "b", "c"]), content, LEFT_OUT).with_split(np.array([0, 2, 1], dtype=np.int8))


def test_counts_account_for_everything_found() -> None:
    counts = example().counts()
    assert counts == {"found": 7, "used": 3, "refused": 3, "quarantined": 1, "train": 1, "validation": 1, "test": 1}
    assert counts["found"] == counts["used"] + counts["refused"] + counts["quarantined"]


def test_reasons_are_grouped_with_the_frequent_ones_first() -> None:
    assert example().reasons() == [
        ("refused", "the picture is cut", 2, ("cats/broken.jpg", "cats/b2.jpg")),
        ("refused", "empty file (0 bytes)", 1, ("cats/empty.jpg",)),
        ("quarantined", "price: no value", 1, ("t.csv line 8",)),
    ]


def test_rows_say_id_split_and_content() -> None:
    rows = example().table.to_pylist()
    assert [row["split"] for row in rows] == ["train", "test", "validation", "", "", "", ""]
    assert rows[0]["content"] == "0000000000000001" + "0000000000000002"
    assert rows[2]["content"] == "f" * 16 + "0" * 16
    assert rows[3]["content"] == ""
    assert [row["id"] for row in rows] == ["a", "b", "c", "broken.jpg", "empty.jpg", "b2.jpg", "row 7"]


def test_written_ledger_reads_back(tmp_path: Path) -> None:
    example().write(tmp_path / "ledger.parquet")
    again = ledger.Ledger.read(tmp_path / "ledger.parquet")
    assert again.table.to_pylist() == example().table.to_pylist()
    assert again.counts() == example().counts()


def test_ledger_of_nothing_left_out_has_no_reasons() -> None:
    whole = ledger.build(pa.array(["a"]), np.zeros((1, 2), dtype=np.uint64), ())
    assert whole.reasons() == []
    assert whole.counts()["train"] == 0
