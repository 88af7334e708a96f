"""What results look like in a pipe, on a terminal and as JSON."""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from netwright.cli.screen import Output, as_json, plain, printable, say_error
from netwright.field import Reason


@dataclass(frozen=True)
class Result:
    loss: float
    file: Path
    why: tuple[Reason, ...]


def test_json_is_one_valid_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).document(Result(math.nan, Path("a") / "b", (Reason(path="p", value="v", why="w"),)))
    shown = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert shown == {"loss": None, "file": "a/b", "why": [{"path": "p", "value": "v", "why": "w"}]}


def test_json_says_what_the_text_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a\tb\u00a0c \U0001f468\u200d\U0001f469 \x1b[31m\x9b \u202e \U000e0001 Ü\n"
    Output(json=True).document({"text": text, text: 1})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"text": text, text: 1}
    assert shown.replace("\n", "").isprintable()
    assert "Ü" in shown
    assert json.loads(as_json("half \udcff")) == "half \\udcff"  # which no UTF-8 can say


def test_json_for_a_narrow_pipe_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert as_json("ł Ü") == '"\\u0142 \\u00dc"'


def test_tables_of_other_libraries_become_lists() -> None:
    import numpy as np
    import pyarrow as pa

    assert plain(pa.table({"a": [1, 2]})) == [{"a": 1}, {"a": 2}]
    assert plain({"x": np.float32(0.5), "y": np.arange(3)}) == {"x": 0.5, "y": [0, 1, 2]}


def test_a_pipe_gets_whole_lines_and_whole_cells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Output().lines(["word " * 40])
    Output().table(("name", "value"), [("n" * 70, 0.25), ("short", 12345)], numbers=("value",))
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == ("word " * 40).rstrip()
    assert "n" * 70 in shown[3]
    assert shown[3].endswith("  0.25")
    assert shown[4].endswith("12,345")
    assert all(line == line.rstrip() for line in shown)


def test_markup_and_control_characters_are_shown_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    say_error("class [red]\x1b[31m[/red] \udcff", "look")
    shown = capsys.readouterr().err
    assert shown == "error: class [red]\\x1b[31m[/red] \\udcff\ntry: look\n"


def test_printable_keeps_what_people_read() -> None:
    assert printable("Ünïcode 図 🙂\n") == "Ünïcode 図 🙂\n"
