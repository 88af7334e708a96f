"""G2: a broken optional package. G3: no hidden network. G4: what keeps people from reading the wrong number."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netwright import run

if TYPE_CHECKING:
    from tests.faults.conftest import Start

INSERT = "import os, sys; sys.path.insert(0, os.environ['PYTHONPATH'])\n"
MAIN = "from netwright.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A torchvision that does not fit its torch, as a wrong wheel gives it."""
    (tmp_path / "broken" / "torchvision").mkdir(parents=True)
    code = "raise RuntimeError('operator torchvision::nms does not exist')\n"
    (tmp_path / "broken" / "torchvision" / "__init__.py").write_text(code)
    return tmp_path / "broken"


def test_g2_a_broken_torchvision_costs_its_feature_only(start: Start, words: tuple[str, ...], broken: Path) -> None:
    env = {"PYTHONPATH": str(broken)}
    process = start(*words, "--to", "run", code=INSERT + MAIN, env=env)
    doctor = start("doctor", code=INSERT + MAIN, env=env)
    assert process.ends() == 0, process.says()
    assert doctor.ends() in {0, 1}, doctor.says()
    said = " ".join(doctor.says().split())
    assert "torchvision is installed but broken" in said
    assert "operator torchvision::nms does not exist" in said
    assert re.search(r"without it: no .*Everything else works", said)
    assert "-m pip install" in said


@pytest.mark.strace
def test_g3_training_asks_nobody_in_the_network(start: Start, words: tuple[str, ...], tmp_path: Path) -> None:
    calls = "connect,sendto,sendmsg"
    refuse = ("-e", f"trace={calls}", "-e", "inject=connect:error=ENETUNREACH", "-o", str(tmp_path / "calls.txt"))
    process = start(*words, "--to", "run", strace=refuse)
    assert process.ends() == 0, process.says()
    assert re.findall(r".*AF_INET.*", (tmp_path / "calls.txt").read_text()) == []


@pytest.mark.strace
def test_g3_the_test_above_would_notice(start: Start, tmp_path: Path) -> None:
    ask = "import socket; socket.socket().connect_ex(('192.0.2.1', 80))"
    start(code=ask, strace=("-e", "trace=connect", "-e", "inject=connect:error=ENETUNREACH", "-o", str(tmp_path / "calls.txt"))).ends()
    assert "AF_INET" in (tmp_path / "calls.txt").read_text()


def test_g4_the_report_shows_intervals_baselines_and_every_reading_of_the_test_part(unbroken: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(unbroken, tmp_path / "run"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "95" in page
    assert "interval" in page
    assert "linear" in page
    assert "was read 1 time" not in page or "once" in page
    assert "was read 2 times" not in page
    run.evaluate(folder)
    assert "was read 2 times" in (folder / "report.html").read_text(encoding="utf-8")
    run.evaluate(folder)
    assert "was read 3 times" in run.report(folder).read_text(encoding="utf-8")
