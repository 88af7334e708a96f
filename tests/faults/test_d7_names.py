"""D7: names that come from files never become paths of their own choosing."""

from pathlib import Path

import pytest

from netwright import files

EVIL = [
    "../../x", "..", ".", "", "/etc/passwd", "C:\\Windows\\x", "a\0b", "con", "CON.txt", "nul", "lpt1", "x" * 5000,
    "~root", "$HOME", "`id`", "-rf", ".hidden", "a/b", "a\\b", "a:b", "name ", "name.", "\u202egpj.exe", "\ud800",
    "日本", "e\u0301", "\u200b",
]  # fmt: skip


@pytest.mark.parametrize("name", EVIL, ids=range(len(EVIL)))
def test_d7_hostile_name_stays_below_its_folder(name: str, tmp_path: Path) -> None:
    target = tmp_path / files.safe_name(name)
    assert target.resolve().parent == tmp_path.resolve()
    files.write_text(target, "ok")
    assert [entry.name for entry in tmp_path.iterdir()] == [target.name]


def test_d7_different_names_do_not_meet() -> None:
    assert len({files.safe_name(name) for name in EVIL}) == len(EVIL)
