"""What every test can ask for: the folder of real data, a cache of its own, and means that not every machine grants.

A test whose means are missing is skipped aloud. With NETWRIGHT_REQUIRE_DATA=1 (continuous integration) it fails
instead, so that a skip is never counted as a pass.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _missing(reason: str) -> NoReturn:
    """Skip, or fail where everything is required."""
    if os.environ.get("NETWRIGHT_REQUIRE_DATA") == "1":
        pytest.fail(f"{reason} (required because NETWRIGHT_REQUIRE_DATA=1)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def data_dir() -> Path:
    folder = os.environ.get("NETWRIGHT_DATA", "")
    if not folder or not Path(folder).is_dir():
        _missing(f"NETWRIGHT_DATA={folder!r} is not a folder of real data")
    return Path(folder)


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache for fixtures that live longer than one test; the user's own cache is never touched."""
    folder = tmp_path_factory.mktemp("session-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETWRIGHT_CACHE", str(folder))
        patch.delenv("NETWRIGHT_MIRROR", raising=False)
        yield folder


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own, also for the processes it starts."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NETWRIGHT_CACHE", str(folder))
    return folder


@pytest.fixture
def netwright(tmp_path: Path, cache_home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line as a process of its own, in this test's folder."""

    def run(*words: str, env: dict[str, str] | None = None, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        return subprocess.run(
            [sys.executable, "-m", "netwright", *words],
            cwd=tmp_path,
            env={**clean, "COLUMNS": "80", "NETWRIGHT_CACHE": str(cache_home), **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


@functools.cache
def _lacks(mark: str) -> str:
    """Why this machine cannot run tests with a mark; empty when it can. Each is tried, not guessed."""
    if mark == "root":
        return "" if os.geteuid() == 0 else "needs root"
    if mark == "strace":
        if not shutil.which("strace"):
            return "needs strace, which is not installed"
        return "" if _succeeds("strace", "-f", "-o", os.devnull, "true") else "needs the right to trace processes"
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() != 0 or not _succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder):
            return "needs the right to mount"
        subprocess.run(["umount", folder], check=True, timeout=20)
    return ""


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in ("root", "strace", "mount"):
        if item.get_closest_marker(mark) and (reason := _lacks(mark)):
            _missing(reason)
