"""The frame of the proofs: parts are kept and taken up again, limits are told, missed ones end with 1."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROOFS = Path(__file__).resolve().parents[1] / "proofs"


def frame() -> ModuleType:
    spec = importlib.util.spec_from_file_location("proof", PROOFS / "proof.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["proof"] = module
    spec.loader.exec_module(module)
    return module


proof = frame()
Begin = Callable[..., Any]  # gives a `proof.Proof`, which only the loaded module knows


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    monkeypatch.setattr(proof, "REPOSITORY", tmp_path)
    path = tmp_path / "tiny.py"
    path.write_text("", encoding="utf-8")
    return lambda *words: proof.Proof(str(path), "tiny", (1, 2), list(words), tmp_path)


def result(folder: Path) -> dict:
    return json.loads((folder / "tiny.json").read_text(encoding="utf-8"))


def test_interrupted_proof_goes_on_after_its_finished_parts(begin: Begin, tmp_path: Path) -> None:
    calls: list[int] = []

    def one(seed: int, place: Path) -> dict:
        calls.append(seed)
        if seed == 1 and len(calls) == 2:
            raise KeyboardInterrupt("Ctrl-C")
        return {"score": float(seed)}

    with pytest.raises(KeyboardInterrupt, match="Ctrl-C"):
        begin().seeds("s", 3, one)
    again = begin()
    assert [found["score"] for found in again.seeds("s", 3, one)] == [0.0, 1.0, 2.0]
    assert calls == [0, 1, 1, 2]
    again.mean("score", [0.0, 1.0, 2.0], at_least=0.5)
    again.row("A05", "Linear classifier", "netwright train digits", "1.00")
    assert again.end() == 0
    assert result(tmp_path)["rows"][0]["kept"] is True
    assert not (tmp_path / ".tiny.json").exists()


def test_the_long_form_does_not_take_up_the_quick_one(begin: Begin) -> None:
    begin().part("a", lambda place: {"n": 1})
    assert begin("--full").part("a", lambda place: {"n": 2}) == {"n": 2}


def test_a_missed_limit_ends_with_1_and_marks_its_row_alone(
    begin: Begin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = begin()
    made.mean("error, %", [2.0, 2.6], at_most=2.2)
    made.row("A01", "first", "netwright runs", "2.3")
    made.check("something else", True)
    made.row("A02", "second", "netwright runs", "yes")
    assert made.end() == 1
    assert (
        "MISSED  error, %: 2.30 (95 % interval 0.00 to 6.11, 2 seeds) (must be at most 2.2)" in capsys.readouterr().out
    )
    assert [row["kept"] for row in result(tmp_path)["rows"]] == [False, True]


def test_every_proof_says_what_it_does_and_how_long() -> None:
    names = sorted(path.stem for path in PROOFS.glob("*.py") if path.stem != "proof")
    assert len(names) >= 14
    for name in names:
        text = (PROOFS / f"{name}.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), name
        assert "Proof(" in text, name


def test_variables_and_programs_of_a_command_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWRIGHT_DATA", "/data")
    assert proof.arguments("netwright train $NETWRIGHT_DATA/x --layers 'dense 8, relu'") == [
        sys.executable,
        *("-m", "netwright", "train", "/data/x", "--layers", "dense 8, relu"),
    ]


SEVERAL = """
import sys
from functools import partial
from pathlib import Path

import proof

proof.REPOSITORY = Path(__file__).parent


def one(number, place):
    return {"number": number, "there": place.exists()}


if __name__ == "__main__":
    tiny = proof.Proof(__file__, "tiny", (1, 2), results=proof.REPOSITORY)
    found = tiny.parts({f"part {number}": partial(one, number) for number in range(3)})
    assert [each["number"] for each in found.values()] == [0, 1, 2], found
    assert not any(each["there"] for each in found.values()), found
    sys.exit(tiny.end())
"""


def test_parts_computed_side_by_side_come_in_their_order_and_are_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(SEVERAL, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "tiny.py")]
    ran = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(PROOFS)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert result(tmp_path)["parts"]["part 2"] == {"number": 2, "there": False}


def test_a_lasting_folder_outlives_an_interruption_and_not_a_change(begin: Begin, tmp_path: Path) -> None:
    folder = begin().lasting("depth 20")
    folder.mkdir(parents=True)
    (folder / "kept").write_text("", encoding="utf-8")
    again = begin()
    again.part("depth 20", lambda place: {"n": 1})
    assert (again.lasting("depth 20") / "kept").exists()
    assert begin("--full").lasting("depth 20") != folder
    (tmp_path / "tiny.py").write_text("changed = True\n", encoding="utf-8")
    assert begin().lasting("depth 20") != folder


def test_a_training_goes_on_but_one_that_failed_begins_anew(begin: Begin, cache_home: Path) -> None:
    made = begin()
    folder = made.lasting("flowers")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"state": "failed", "diverged": "a loss that is no number"}', encoding="utf-8")
    assert made.trained("iris --epochs 2", made.folder / "flowers") == folder
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["state"] == "done"
    report = (folder / "report.html").stat().st_mtime_ns
    made.trained("iris --epochs 2", made.folder / "flowers")
    assert (folder / "report.html").stat().st_mtime_ns == report


def test_c_that_the_learned_text_does_not_keep_is_no_fault(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROOFS))
    chars = importlib.import_module("chars")
    assert not chars._rises([])
    assert not chars._rises([None, None])
    assert not chars._rises([0.5, None])
    assert chars._rises([None, 0.5])


def test_the_same_limits_count_again_and_no_earlier_ones(begin: Begin, tmp_path: Path) -> None:
    proof = begin()
    proof.check("missed", kept=False)
    proof.row("A01", "first", "netwright", "")
    proof.check("kept", kept=True)
    proof.row("A02", "second", "netwright", "")
    proof.again()
    proof.row("A03", "third", "netwright", "")
    proof.end()
    assert [row["kept"] for row in result(tmp_path)["rows"]] == [False, True, True]
