"""G2: a broken optional package. G3: no hidden network. G4: what keeps people from reading the wrong number."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from netwright import run
from netwright.doctor import installation

if TYPE_CHECKING:
    from tests.faults.conftest import Start

Netwright = Callable[..., subprocess.CompletedProcess[str]]


def _broken(folder: Path, *names: str) -> dict[str, str]:
    """Packages that raise what packages made for another torch or numpy raise: no ImportError."""
    for name in names:
        (folder / "broken" / name).mkdir(parents=True)
        code = f"raise RuntimeError('operator {name}::nms does not exist')\n"
        (folder / "broken" / name / "__init__.py").write_text(code)
    return {"PYTHONPATH": str(folder / "broken")}


@pytest.mark.parametrize("names", [("torchvision", "torchaudio"), ("pandas",)], ids=str)
def test_g2_broken_optional_packages_do_not_break_training(
    netwright: Netwright, words: tuple[str, ...], tmp_path: Path, names: tuple[str, ...]
) -> None:
    done = netwright(*words, "--to", "run", env=_broken(tmp_path, *names), timeout=120)
    assert done.returncode == 0, done.stderr


def test_g2_the_doctor_names_what_is_broken_what_it_costs_and_the_cure(netwright: Netwright, tmp_path: Path) -> None:
    names = [package.modules[0] for package in installation.OPTIONAL]
    said = " ".join(netwright("doctor", env=_broken(tmp_path, *names), timeout=120).stdout.split())
    for package in installation.OPTIONAL:
        assert re.search(
            rf"{re.escape(package.package)} is installed but broken .*operator {package.modules[0]}::nms", said
        )
        assert package.feature in said
    assert "verything else works" in said
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
    start(
        code=ask,
        strace=("-e", "trace=connect", "-e", "inject=connect:error=ENETUNREACH", "-o", str(tmp_path / "calls.txt")),
    ).ends()
    assert "AF_INET" in (tmp_path / "calls.txt").read_text()


def test_g4_the_report_shows_intervals_baselines_and_every_reading_of_the_test_part(
    unbroken: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(unbroken, tmp_path / "run"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "95" in page
    assert "interval" in page
    assert "linear" in page
    assert "was read 2 times" not in page
    run.evaluate(folder)
    assert "was read 2 times" in (folder / "report.html").read_text(encoding="utf-8")
    run.evaluate(folder)
    assert "was read 3 times" in run.report(folder).read_text(encoding="utf-8")
