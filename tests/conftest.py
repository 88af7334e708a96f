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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest
from hypothesis import settings

from netwright.doctor.installation import find_browser

if TYPE_CHECKING:
    from torch import Tensor, nn

    from netwright.data.batches import Batch
    from netwright.training.loop import Budget, Training
    from netwright.training.observers import Observer
    from netwright.training.strategies.strategy import Strategy

REPOSITORY = Path(__file__).resolve().parents[1]
settings.register_profile("any machine", deadline=None)  # a busy one takes longer for the first example
settings.load_profile("any machine")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # several test processes share the cores; read when torch is imported


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


class Points:
    """Twenty points on a plane in five batches, as a source of batches for the training loop."""

    steps = 5

    def __init__(self) -> None:
        import torch

        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(20, 3, generator=generator)
        self.y = self.x @ torch.tensor([1.0, -2.0, 0.5]) + 1

    def epoch(self, number: int, start_step: int = 0) -> Iterator[Batch]:
        from torch import from_numpy

        from netwright.data.batches import Batch, order

        for pick in from_numpy(order(0, number, 20)).split(4)[start_step:]:
            yield Batch({"table": self.x[pick]}, {"y": self.y[pick]}, pick)

    def describe(self, index: Tensor) -> list[str]:
        return [f"row {int(place)}" for place in index]


class Little(Protocol):
    """Makes a small training; the nine keywords replace what it would have by itself."""

    def __call__(
        self,
        *,
        strategies: Sequence[Strategy] = (),
        observers: Sequence[Observer] = (),
        history: Path | None = None,
        optimizer: str = "adam",
        options: dict[str, float] | None = None,
        budget: Budget | None = None,
        source: Points | None = None,
        net: nn.Module | None = None,
        validate: Callable[[], dict[str, float]] | None = None,
        schedule: Callable[[int, int], float] | None = None,
    ) -> Training: ...


@pytest.fixture
def shades(tmp_path: Path) -> Callable[[int], Path]:
    """Two classes of pictures so wide and high: dark ones and bright ones, no two alike."""

    def made(side: int) -> Path:
        import numpy as np
        from PIL import Image

        draw = np.random.default_rng(0)
        for name, level in (("bright", 160), ("dark", 20)):
            (tmp_path / "pictures" / name).mkdir(parents=True)
            for number in range(12):
                pixels = draw.integers(level, level + 60, (side, side, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
        return tmp_path / "pictures"

    return made


@pytest.fixture
def little() -> Little:
    """A training of a small net with dropout, so that a generator put back wrongly would show."""
    import torch
    from torch import nn

    from netwright import registry
    from netwright.training.history import History
    from netwright.training.loop import Budget, Plan, Training

    def make(**given: Any) -> Training:  # noqa: ANN401  (typed by the protocol)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            net = given.get("net") or nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))
        source = given.get("source") or Points()

        def losses(batch: Batch) -> dict[str, Tensor]:
            return {"y": (net(batch.inputs["table"])[:, 0] - batch.targets["y"]).square().mean()}

        def held_out() -> dict[str, float]:
            net.eval()
            with torch.no_grad():
                loss = (net(source.x)[:, 0] - source.y).square().mean().item()
            net.train()
            return {"loss": loss}

        make_optimizer = registry.resolve("optimizer", given.get("optimizer", "adam"))
        plan = Plan(
            nets={"net": net},
            optimizers={"net": make_optimizer(net.parameters(), **(given.get("options") or {}))},
            losses=losses,
            source=source,
            budget=given.get("budget") or Budget(epochs=3),
            seed=0,
            validate=given.get("validate") or held_out,
            schedule=given.get("schedule"),
        )
        return Training(
            plan, list(given.get("strategies", ())), list(given.get("observers", ())), History(given.get("history"))
        )

    return make


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


@functools.cache
def _lacks(mark: str) -> str:
    """Why this machine cannot run tests with a mark; empty when it can. Each is tried, not guessed."""
    if mark == "root":
        return "" if os.geteuid() == 0 else "needs root"
    if mark == "browser":
        return "" if find_browser() else "needs Chromium, Chrome or Edge"
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
    for mark in ("browser", "root", "strace", "mount"):
        if item.get_closest_marker(mark) and (reason := _lacks(mark)):
            _missing(reason)
