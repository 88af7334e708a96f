"""Real things to damage: a model file, a small run, and processes to stop, kill and fail at chosen system calls.

Processes come from a fork server that has imported torch once: each is a process of its own with its own signals and
exit code, but starts in a tenth of a second instead of five.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = ("sepal length", "sepal width", "petal length", "petal width")


class Edit(Protocol):
    def __call__(
        self,
        path: Path,
        header: Callable[[dict], None] = ...,
        tensors: Callable[[dict[str, Tensor]], None] = ...,
    ) -> Path: ...


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A fresh classifier of iris flowers with eight examples inside."""
    from sklearn.datasets import load_iris  # imported here: most fault tests need none of this

    from netwright.field import Field
    from netwright.model_file import Example, assemble, write
    from netwright.spec import load

    flowers, names = load_iris(return_X_y=True)[0], ("setosa", "versicolor", "virginica")
    mean, std = tuple(flowers.mean(axis=0).tolist()), tuple(flowers.std(axis=0).tolist())
    shape = Field(name="shape", kind="vector", source=COLUMNS, shape=(4,), dtype="float64", mean=mean, std=std)
    species = Field(name="species", kind="category", source="species", dtype="int32", vocabulary=names)
    text = "{inputs: {shape: vector}, outputs: {species: category}, model: {layers: 'dense 6, relu'}}"
    model = assemble(load(text), {"shape": shape}, {"species": species}, seed=3)
    cells = [{"shape": row.tolist()} for row in flowers[::19]]
    answers = {name: found.numpy() for name, found in model.predict(cells).items()}
    examples = [
        Example(cell, {name: found[at] for name, found in answers.items()}, f"row {at + 1}")
        for at, cell in enumerate(cells)
    ]
    path = tmp_path / "iris.netwright"
    write(path, model, examples)
    return path


@pytest.fixture
def edit() -> Edit:
    """Changes the header or the tensors of a model file; its checksums are made right again."""

    def change(
        path: Path,
        header: Callable[[dict], None] = lambda values: None,
        tensors: Callable[[dict[str, Tensor]], None] = lambda values: None,
    ) -> Path:
        from safetensors import safe_open
        from safetensors.torch import save_file

        from netwright.model_file.file import _digest
        from netwright.model_file.header import checksum

        with safe_open(path, "pt") as handle:
            stored = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
            values = json.loads(handle.metadata()["netwright"])
        values.pop("sha256")
        tensors(stored)
        values["tensors_sha256"] = _digest(stored)
        header(values)
        values["sha256"] = checksum(values)
        save_file(stored, path, {"netwright": json.dumps(values)})
        return path

    return change


# ---- processes -------------------------------------------------------------------------------------------------------

_FORKS = multiprocessing.get_context("forkserver")
_BOOT = """
import os, subprocess, sys, time
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(out, 1), os.dup2(out, 2)
os.chdir(folder)
os.environ.update(environment)
if "TZ" in environment:
    time.tzset()
if strace:
    subprocess.Popen(["strace", "-f", "-qq", *strace, "-p", str(os.getpid())])
    while "TracerPid:\\t0\\n" in open("/proc/self/status").read():
        time.sleep(0.005)
sys.argv = ["netwright", *words]
exec(compile(code, "<test>", "exec"), {"__name__": "__main__"})
"""
_NETWRIGHT = "import sys; from netwright.cli import main; sys.exit(main(sys.argv[1:]))"


class Started:
    """A process under way."""

    def __init__(self, process: ForkServerProcess, log: Path) -> None:
        self._process, self._log = process, log

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self, signum: int = signal.SIGKILL) -> None:
        os.kill(self.pid, signum)

    def ends(self, seconds: float = 90) -> int:
        """The exit code; negative for a signal that ended it."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"still running after {seconds} s:\n{self.says()}")
        return self._process.exitcode

    def says(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def until(self, what: Callable[[], object], seconds: float = 60) -> None:
        """Wait for something to become true while the process runs."""
        end = time.monotonic() + seconds
        while not what():
            assert self._process.exitcode is None, f"it ended first:\n{self.says()}"
            assert time.monotonic() < end, f"it never came:\n{self.says()}"
            time.sleep(0.005)


class Start(Protocol):
    """Starts `netwright` with some words, or Python code that finds them in `sys.argv`."""

    def __call__(
        self, *words: object, code: str = ..., strace: tuple[str, ...] = ..., env: dict[str, str] | None = ...
    ) -> Started: ...


@pytest.fixture(scope="session")
def fork_server() -> None:
    from netwright import registry

    modules = {part.target.partition(":")[0] for room in registry.rooms() for part in registry.parts(room).values()}
    _FORKS.set_forkserver_preload(
        ["netwright.cli", "netwright.run", "sklearn.linear_model", "netwright.cli.display", *sorted(modules)]
    )


@pytest.fixture
def start(fork_server: None, tmp_path: Path, cache_home: Path) -> Iterator[Start]:
    begun: list[Started] = []

    def go(
        *words: object, code: str = _NETWRIGHT, strace: tuple[str, ...] = (), env: dict[str, str] | None = None
    ) -> Started:
        log = tmp_path / f"said-{len(begun)}.txt"
        given = {
            "log": str(log), "folder": str(tmp_path), "code": code, "strace": strace, "words": [str(w) for w in words],
            "environment": {"NETWRIGHT_CACHE": str(cache_home), "COLUMNS": "80", **(env or {})},
        }  # fmt: skip
        process = _FORKS.Process(target=exec, args=(_BOOT, given))
        process.start()
        begun.append(Started(process, log))
        return begun[-1]

    yield go
    for one in begun:
        one._process.kill()
        one._process.join()


# ---- a small run -----------------------------------------------------------------------------------------------------

SETTINGS = ("--layers", "dense 8, relu, dense 8, relu", "--batch-size", "16", "--lr", "0.01", "--patience", "0")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with two numbers, a category and two classes."""
    path = tmp_path_factory.mktemp("table") / "flowers.csv"
    rows = [
        f"{0.1 * i:.1f},{i * i % 17},{'red' if i % 3 else 'blue'},{'tall' if i + i * i % 17 > 160 else 'small'}"
        for i in range(300)
    ]
    path.write_text("\n".join(["size,age,colour,class", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def words(table: Path) -> tuple[str, ...]:
    """The words that train on the table, without a folder."""
    return ("train", str(table), "--out", "class", *SETTINGS, "--epochs", "12")


@pytest.fixture(scope="session")
def unbroken(fork_server: None, words: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run nothing happened to; beside it `renames.txt`, the renames it made, where strace is installed."""
    folder = tmp_path_factory.mktemp("unbroken")
    given = {
        "log": str(folder / "said.txt"), "folder": str(folder), "code": _NETWRIGHT,
        "strace": ("-e", "trace=rename", "-o", str(folder / "renames.txt")) if shutil.which("strace") else (),
        "words": [*words, "--to", str(folder / "run")], "environment": {"NETWRIGHT_CACHE": str(folder / "cache")},
    }  # fmt: skip
    process = _FORKS.Process(target=exec, args=(_BOOT, given))
    process.start()
    process.join()
    assert process.exitcode == 0, (folder / "said.txt").read_text()
    return folder / "run"


@pytest.fixture
def differences() -> Callable[[Path, Path], list[str]]:
    """In what two runs differ, of all that must be equal bit for bit; nothing when they are the same."""

    def compare(one: Path, other: Path) -> list[str]:
        import pyarrow.parquet as pq
        import torch
        from safetensors.torch import load_file

        from netwright.training import checkpoint

        first, second = (checkpoint.latest(path / "checkpoints") for path in (one, other))
        assert first is not None
        assert second is not None
        found = [f"checkpoint {name}" for name in checkpoint.same(first, second)]
        if (one / "history.jsonl").read_bytes() != (other / "history.jsonl").read_bytes():
            found.append("history")
        columns = ["id", "state", "split"]
        if not pq.read_table(one / "ledger.parquet", columns=columns).equals(
            pq.read_table(other / "ledger.parquet", columns=columns)
        ):
            found.append("split")
        weights, others = (load_file(path / "model.netwright") for path in (one, other))
        found += [name for name in weights if name not in others or not torch.equal(weights[name], others[name])]
        if not pq.read_table(one / "predictions.parquet").equals(pq.read_table(other / "predictions.parquet")):
            found.append("predictions")
        return found

    return compare


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=True, timeout=20)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=20)


def fill(folder: Path, leave_bytes: int) -> Path:
    """A file that takes all of a disk but some bytes."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        file.write(b"x" * max(0, shutil.disk_usage(folder).free - leave_bytes))
    return filler


@pytest.fixture(name="fill")
def _fill() -> Callable[[Path, int], Path]:
    return fill
