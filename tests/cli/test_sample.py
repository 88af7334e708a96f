"""`netwright sample`: a text, closed where that is wanted, and as one document with its judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netwright.cli import main

LEARNED = r"\begin{proof} Let $x$ be \emph{one}. \end{proof}" + "\n"


def test_a_text_is_closed_and_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.tex").write_text(LEARNED * 60, encoding="utf-8")
    folder = tmp_path / "run"
    words = ["--layers", "gru 4", "--epochs", "1", "--to", str(folder), "--quiet"]
    assert main(["train", "chars", "--data", str(tmp_path / "a.tex"), *words]) == 0
    capsys.readouterr()
    asked = ["sample", str(folder), "--prompt", r"\begin{proof} \emph{", "--length", "30", "--quiet"]
    assert main([*asked, "--json", "--close"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [form["name"] for form in told["forms"]] == ["braces closed", "environments ended"]
    assert 0 < told["copied"] <= 30
    assert told["notes"] == []
    assert told["closed"].startswith(r"\begin{proof} \emph{")
    assert told["closed"].endswith("\n\\end{proof}")
    assert main([*asked, "--close"]) == 0
    assert capsys.readouterr().out == told["closed"] + "\n"
    assert main(["sample", str(folder), "--prompt", r"x\n\\ne \emph", "--length", "1", "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == "x\n\\ne \\emph"
    assert main([*asked, "--seed", "-1"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == "error: the seed is -1, expected 0 or more."
    assert main(["sample", str(folder), "--prompt", "", "--length", "3", "--quiet"]) == 0
    assert capsys.readouterr().out  # as if it were left out
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {name: value for name, value in told.items() if name != "closed"}
