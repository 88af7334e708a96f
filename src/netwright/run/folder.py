"""A run's folder: what lies where, its state, its lock, and how often its test part was read.

Everything in it is named relative to it, so that a run may be moved. The data is remembered by its full path, by its
path as seen from the run and by its place below `$NETWRIGHT_DATA`, whichever is there when the run goes on.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from netwright import files, registry, spec
from netwright.errors import DataError, NetwrightError, SpecError

VERSION = 1
Plain = str | int | float | bool | None | Mapping[str, "Plain"]


def now_utc() -> str:
    """The time in UTC, whatever the machine's zone, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(frozen=True)
class RunFolder:
    """The places inside one run.

    Args:
        path: The folder, e.g. `runs/digits-1`.
    """

    path: Path

    @property
    def spec(self) -> Path:
        """What the user asked for."""
        return self.path / "spec.yaml"

    @property
    def resolved(self) -> Path:
        """What was decided; a resume decides nothing again."""
        return self.path / "resolved.yaml"

    @property
    def ledger(self) -> Path:
        """One row per file or table row: used, refused or quarantined, and in which part."""
        return self.path / "ledger.parquet"

    @property
    def fingerprint(self) -> Path:
        """What the files of the data looked like."""
        return self.path / "fingerprint.parquet"

    @property
    def findings(self) -> Path:
        """What the doctor said before the first update."""
        return self.path / "findings.json"

    @property
    def history(self) -> Path:
        """Steps, epochs and actions."""
        return self.path / "history.jsonl"

    @property
    def timing(self) -> Path:
        """When epochs ended."""
        return self.path / "timing.jsonl"

    @property
    def range_test(self) -> Path:
        """Learning rates tried before training, and their losses."""
        return self.path / "range_test.json"

    @property
    def evidence(self) -> Path:
        """Looks at activations, weights and gradients."""
        return self.path / "evidence.jsonl"

    @property
    def stages(self) -> Path:
        """What a language model wrote at moments of its training."""
        return self.path / "stages.jsonl"

    @property
    def checkpoints(self) -> Path:
        """State to resume from."""
        return self.path / "checkpoints"

    @property
    def control(self) -> Path:
        """Inbox for acts on the running training."""
        return self.path / "control"

    @property
    def before(self) -> Path:
        """Scores of the model that the run starts from."""
        return self.path / "before.json"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model.netwright"

    @property
    def facts(self) -> Path:
        """What the report draws."""
        return self.path / "facts.json"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def predictions(self) -> Path:
        """Answers for every held-out example."""
        return self.path / "predictions.parquet"

    # ---- state -------------------------------------------------------------------------------------------------------

    def read(self) -> dict[str, Plain]:
        """`run.json`.

        Raises:
            SpecError: Not the folder of a run, or one of an unknown version.
        """
        try:
            facts = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise SpecError(
                f"{files.printable(self.path)} is not the folder of a run (no readable run.json).",
                "`netwright runs` lists the runs below this folder.",
            ) from exc
        if facts.get("version") != VERSION:
            raise SpecError(
                f"{files.printable(self.path)}: run format {facts.get('version')}, this netwright reads {VERSION}.",
                f"Use netwright {facts.get('netwright', 'of that time')}.",
            )
        return facts

    def whole(self, name: str) -> int:
        """A whole number of `run.json`; 0 when it is not there."""
        value = self.read().get(name)
        return value if isinstance(value, int) else 0

    def update(self, **facts: Plain) -> None:
        """Change some of `run.json`, atomically."""
        files.write_text(self.path / "run.json", json.dumps({**self.read(), **facts}, indent=1, sort_keys=True) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run; a second process is refused.

        Raises:
            NetwrightError: Another process holds it.
        """
        with files.lock(self.path / "lock", f"the run {files.printable(self.path)}"):
            yield

    def state(self) -> str:
        """preparing, training, scoring, done, stopped, failed, or killed: begun, and no process is at it any more.

        Raises:
            SpecError: See `read`.
        """
        state = str(self.read()["state"])
        if state in {"preparing", "training", "scoring"}:
            with suppress(NetwrightError), self.locked():
                return "killed"
        return state

    def count_read(self, part: str) -> int:
        """Count one more reading of a held-out part, before it is read.

        Returns:
            How often it was read, this time included.
        """
        counts = self.reads()
        counts[part] = counts.get(part, 0) + 1
        files.write_text(self.path / "reads.json", json.dumps(counts, sort_keys=True) + "\n")
        return counts[part]

    def reads(self) -> dict[str, int]:
        """How often each held-out part was read for scoring."""
        path = self.path / "reads.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def size_mb(self) -> float:
        """Disk space used."""
        return sum(p.stat().st_size for p in self.path.rglob("*") if p.is_file()) / 1e6


def create(out: Path | None, wanted: spec.Spec, facts: dict[str, Plain]) -> RunFolder:
    """A new run folder with its spec and state.

    Args:
        out: Where; `runs/<name of the data>-<number>` when left out.
        wanted: The spec, its data path absolute.
        facts: Further entries of `run.json`.

    Raises:
        NetwrightError: The folder exists and is not empty, or cannot be written.
    """
    path = out or _numbered(Path("runs"), data_name(wanted))
    with files.explained(path):
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise NetwrightError(
                f"{files.printable(path)} is not empty.",
                f"Name another folder, or go on with that run: netwright resume {files.printable(path)}",
            )
    base = {"version": VERSION, "netwright": version("netwright"), "created_utc": now_utc(), "state": "preparing"}
    where = places(path, wanted.data.path) if wanted.data.path is not None else {}
    told = json.dumps({**base, **where, **facts}, indent=1, sort_keys=True)
    with files.making_folder(path) as building:  # a run that can be seen can be resumed
        (building / "spec.yaml").write_text(spec.dump(wanted), encoding="utf-8", errors="surrogateescape")
        (building / "run.json").write_text(f"{told}\n", encoding="utf-8")
    return RunFolder(path)


def data_name(wanted: spec.Spec) -> str:
    """A short name for what a spec trains on.

    Example:
        >>> data_name(spec.load("data: {path: 'sklearn:digits'}")), data_name(spec.load("data: {path: a/cats.csv}"))
        ('digits', 'cats')
    """
    if wanted.data.path is None:
        return "memory"
    name = Path(registry.without_prefix(wanted.data.path)).name
    return files.safe_name(name.split(".")[0] or "run", 40)


def _numbered(root: Path, name: str) -> Path:
    with files.explained(root):
        root.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = root / f"{name}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return path


def places(folder: Path, path: str) -> dict[str, Plain]:
    """The three ways a run remembers where its data lies."""
    if registry.comes_by_name(path):
        return {"data_path": path, "data_relative": path, "data_below_root": ""}
    full = Path(path).absolute()
    root = os.environ.get("NETWRIGHT_DATA", "")
    below = full.relative_to(Path(root).absolute()) if root and full.is_relative_to(Path(root).absolute()) else ""
    relative = os.path.relpath(full, folder.absolute())
    return {"data_path": str(full), "data_relative": relative, "data_below_root": str(below)}


def find_data(folder: RunFolder) -> str:
    """Where a run's data lies now.

    Raises:
        DataError: At none of the places it may be.
    """
    facts = folder.read()
    path, relative, below = (str(facts.get(k) or "") for k in ("data_path", "data_relative", "data_below_root"))
    if registry.comes_by_name(path):
        return path
    if not path:
        raise DataError(
            f"{files.printable(folder.path)} was trained on data in memory, which is gone.",
            'Give the data again: netwright.resume("RUN", data=...).',
        )
    root = os.environ.get("NETWRIGHT_DATA", "")
    candidates = [Path(path), folder.path / relative, *([Path(root) / below] if root and below else [])]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate.resolve())
    raise DataError(
        f"the data of {files.printable(folder.path)} is not at {files.printable(path)} any more.",
        f"Bring it back, or say where it is: netwright resume {files.printable(folder.path)} --data PATH",
    )


@dataclass(frozen=True)
class RunFacts:
    """One line of a list of runs."""

    name: str
    state: str
    size_mb: float
    headline: str
    created: str


def runs(root: Path) -> list[RunFacts]:
    """All runs below a folder, oldest first; folders that are no runs are passed over."""
    found = []
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if not (path / "run.json").is_file():
            continue
        folder = RunFolder(path)
        try:
            facts = folder.read()
        except SpecError as exc:
            found.append(RunFacts(path.name, "unreadable", folder.size_mb(), exc.message, ""))
            continue
        found.append(
            RunFacts(
                name=path.name,
                state=folder.state(),
                size_mb=folder.size_mb(),
                headline=str(facts.get("headline") or ""),
                created=str(facts["created_utc"]),
            )
        )
    return sorted(found, key=lambda facts: facts.created)


@dataclass(frozen=True)
class Removable:
    """Something a clean-up removes."""

    path: Path
    size_mb: float


def clean(root: Path, *, remove: bool) -> list[Removable]:
    """Checkpoints of finished runs and leftovers of killed writers; models, reports and histories stay.

    A run that is in use, or of an unknown version, is passed over.

    Args:
        root: A folder of runs, or one run.
        remove: Really remove; otherwise only list.
    """
    folders = [root] if (root / "run.json").is_file() else [p.parent for p in sorted(root.glob("*/run.json"))]
    found: list[Removable] = []
    for folder in map(RunFolder, folders):
        with suppress(NetwrightError), folder.locked():
            found += _cleared(folder, remove)
    return found


def _cleared(folder: RunFolder, remove: bool) -> list[Removable]:
    found, doomed = [], list(folder.path.rglob(".tmp-*"))
    if folder.read()["state"] == "done" and folder.checkpoints.exists():
        doomed.append(folder.checkpoints)
    for place in doomed:
        members = [place, *place.rglob("*")]
        found.append(Removable(place, sum(p.stat().st_size for p in members if p.is_file()) / 1e6))
        if remove:
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    return found
