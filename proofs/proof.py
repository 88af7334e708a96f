"""What every proof shares: seeds that survive an interruption, limits, coverage rows, and a result file.

A proof trains on real data through the command line that users have. Each finished part (a seed, a setting) is kept
at once in `results/.<name>.json`; an interrupted proof goes on from there as long as neither it nor netwright has
changed. A finished one replaces `results/<name>.json`, from which `scripts/coverage.py` makes docs/coverage.md.
The runs stay in `runs/proofs/<name>` for whoever wants to look at their reports.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from netwright import files
from netwright.studies.compare import mean_interval

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("netwright", "torch", "numpy", "pyarrow", "pillow", "scikit-learn")
Plain = dict[str, object]


@dataclass(frozen=True)
class Row:
    """A line of the coverage table.

    Args:
        id: Number of the row, e.g. "A05".
        name: What it is about.
        command: What a user types to see it.
        measured: What came out, one short sentence with its number.
        kept: Every limit of this row was reached.
    """

    id: str
    name: str
    command: str
    measured: str
    kept: bool


@dataclass(frozen=True)
class Spoken:
    """What a command printed.

    Args:
        text: Standard output.
        errors: Standard error.
        code: Exit code.
        seconds: Wall-clock time.
    """

    text: str
    errors: str
    code: int
    seconds: float


@dataclass
class _Kept:
    parts: dict[str, Plain] = field(default_factory=dict)
    limits: list[Plain] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


class Proof:
    """One proof under way.

    Args:
        path: `__file__` of the proof; its name names the result.
        about: What is proved, one sentence.
        minutes: Minutes expected of the quick form and of the full one, on two cores.
        words: Command line; that of the process when left out.
        results: Folder of result files.
    """

    def __init__(
        self,
        path: str,
        about: str,
        minutes: tuple[float, float],
        words: Sequence[str] | None = None,
        results: Path = RESULTS,
    ) -> None:
        parser = argparse.ArgumentParser(description=about)
        parser.add_argument("--full", action="store_true", help=f"the long form, about {minutes[1]:g} minutes")
        self.full = parser.parse_args(words).full
        self.name, self.about = Path(path).stem, about
        self._results, self._kept, self._started = results, _Kept(), time.monotonic()
        self._last: list[Plain] = []  # the limits of the last row
        self.folder = REPOSITORY / "runs" / "proofs" / self.name
        self._key = f"{'full' if self.full else 'quick'} {_source_digest(Path(path))}"
        print(f"{self.name}: {about}")
        print(f"expected: about {minutes[1] if self.full else minutes[0]:g} minutes", flush=True)
        self._take_up()
        self.folder.mkdir(parents=True, exist_ok=True)

    # ---- parts -------------------------------------------------------------------------------------------------------

    def part(self, name: str, make: Callable[[Path], Plain]) -> Plain:
        """What one part found, from an earlier try if that finished it.

        Args:
            name: Of the part, e.g. "seed 3".
            make: Does the work in an empty folder of its own, which exists not yet; its result must be plain JSON.
        """
        if name not in self._kept.parts:
            self._keep(name, *_made(make, self._place(name)))
        return self._kept.parts[name]

    def parts(self, makes: Mapping[str, Callable[[Path], Plain]]) -> dict[str, Plain]:
        """`part` for several that compute on one thread each, as many at once as there are cores.

        Args:
            makes: By name; each is sent to another process, so it must be a function of a module or a `partial` of one.
        """
        missing = {name: make for name, make in makes.items() if name not in self._kept.parts}
        with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
            coming = {pool.submit(_made, make, self._place(name)): name for name, make in missing.items()}
            for done in as_completed(coming):
                if done.exception() is None:  # what is done is kept, even where another one failed
                    self._keep(coming[done], *done.result())
            for done in coming:
                done.result()
        return {name: self._kept.parts[name] for name in makes}

    def lasting(self, name: str) -> Path:
        """A folder that an interrupted part finds again as it was, as long as neither proof nor netwright has changed.

        Args:
            name: Of the folder.
        """
        return self._place(f"{name}-{self._key}")

    def _place(self, name: str) -> Path:
        return self.folder / re.sub(r"[^\w.-]+", "-", name)

    def _keep(self, name: str, found: Plain, seconds: float) -> None:
        self._kept.parts[name] = found
        files.write_text(self._unfinished, json.dumps({"key": self._key, "parts": self._kept.parts}))
        print(f"  {name} ({seconds:.0f} s): {_brief(found)}", flush=True)

    def seeds(self, name: str, count: int, make: Callable[[int, Path], Plain]) -> list[Plain]:
        """`part` for the seeds 0, 1, ..."""
        return [self.part(f"{name} seed {s}", lambda place, s=s: make(s, place)) for s in range(count)]

    # ---- commands ----------------------------------------------------------------------------------------------------

    def say(self, command: str, *, code: int = 0, timeout: float = 3600, env: dict[str, str] | None = None) -> Spoken:
        """Runs a command as a user types it, `netwright ...` with `$VARIABLES`.

        Args:
            command: The line; no pipes.
            code: The exit code it must end with.
            timeout: Seconds it may take.
            env: Further environment.

        Raises:
            SystemExit: It ended with another code; what it printed is shown.
        """
        start = time.monotonic()
        ran = subprocess.run(
            arguments(command),
            cwd=REPOSITORY,
            env=environment(env),
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout,
            check=False,
        )
        spoken = Spoken(ran.stdout, ran.stderr, ran.returncode, time.monotonic() - start)
        if spoken.code != code:
            print(spoken.text, spoken.errors, sep="\n", file=sys.stderr)
            sys.exit(f"{self.name}: `{command}` ended with {spoken.code}, expected {code}")
        return spoken

    def train(self, words: str, to: Path, *, hours: float = 1) -> Plain:
        """Trains with `netwright train` and gives the facts of the run.

        Args:
            words: Everything of the command line but `--to`.
            to: Folder of the run.
            hours: It may take.
        """
        self.say(f"netwright train {words} --to {shlex.quote(str(to))}", timeout=3600 * hours)
        return facts(to)

    def trained(self, words: str, to: Path, *, hours: float = 24) -> Path:
        """Trains as `train` does, where an interrupted training goes on when the proof is started again.

        One that failed would only do so again: it is trained anew.

        Returns:
            The folder of the run.
        """
        folder = self.lasting(to.name)
        where, seconds = shlex.quote(str(folder)), 3600 * hours
        begun = folder / "run.json"
        if begun.exists() and json.loads(begun.read_text(encoding="utf-8"))["state"] == "failed":
            shutil.rmtree(folder)
        if begun.exists():
            self.say(f"netwright resume {where}", timeout=seconds)
        else:
            self.say(f"netwright train {words} --to {where}", timeout=seconds)
        return folder

    # ---- limits and rows ---------------------------------------------------------------------------------------------

    def mean(
        self,
        what: str,
        values: Sequence[float],
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        digits: int = 2,
        of: str = "seeds",
    ) -> str:
        """Prints mean and interval of a measured number beside its limits, and remembers whether they were kept.

        Returns:
            The mean with its interval in words.
        """
        centre = statistics.fmean(values)
        between = mean_interval(values)
        told = f"{centre:.{digits}f}"
        if between:
            if what.endswith("%"):
                between = max(between[0], 0.0), min(between[1], 100.0)
            told += f" (95 % interval {between[0]:.{digits}f} to {between[1]:.{digits}f}, {len(values)} {of})"
        limits = (("at least", at_least), ("at most", at_most))
        wanted = [f"{words} {limit:g}" for words, limit in limits if limit is not None]
        kept = (at_least is None or centre >= at_least) and (at_most is None or centre <= at_most)
        self._limit(f"{what}: {told}", " and ".join(wanted), kept)
        return told

    def check(self, what: str, kept: bool) -> bool:
        """Prints and remembers something that is either so or not."""
        self._limit(what, "", bool(kept))
        return bool(kept)

    def row(self, id: str, name: str, command: str, measured: str) -> None:
        """Adds a line to the coverage table; it counts as kept if all limits printed since the last line were."""
        self._last = [limit for limit in self._kept.limits if not limit["counted"]]
        for limit in self._last:
            limit["counted"] = True
        self._kept.rows.append(Row(id, name, command, measured, all(limit["kept"] for limit in self._last)))

    def again(self) -> None:
        """Lets the next line rest on the limits of the last one as well: two rows that one measurement proves."""
        for limit in self._last:
            limit["counted"] = False

    def end(self) -> int:
        """Writes the result file and says how it went: 0 when every limit was kept, 1 otherwise."""
        missed = [limit["what"] for limit in self._kept.limits if not limit["kept"]]
        limits = [{k: v for k, v in limit.items() if k != "counted"} for limit in self._kept.limits]
        result = {
            "name": self.name,
            "about": self.about,
            "form": "full" if self.full else "quick",
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "machine": f"{cpu()}, {os.cpu_count()} cores",
            "load": round(os.getloadavg()[2], 1),  # of the last 15 minutes: well above 1 means times are too long
            "versions": {name: version(name) for name in PACKAGES},
            "limits": limits,
            "rows": [asdict(row) for row in self._kept.rows],
            "parts": self._kept.parts,
        }
        written = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        files.write_text(self._results / f"{self.name}.json", _nowhere(written))
        self._unfinished.unlink(missing_ok=True)
        minutes = (time.monotonic() - self._started) / 60
        print(f"{self.name}: {'MISSED: ' + '; '.join(map(str, missed)) if missed else 'kept'} ({minutes:.1f} minutes)")
        return 1 if missed else 0

    @property
    def _unfinished(self) -> Path:
        return self._results / f".{self.name}.json"

    def _take_up(self) -> None:
        try:
            before = json.loads(self._unfinished.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if before.get("key") == self._key:
            self._kept.parts = before["parts"]
            print(f"going on after {len(self._kept.parts)} finished parts")

    def _limit(self, what: str, wanted: str, kept: bool) -> None:
        self._kept.limits.append({"what": what, "wanted": wanted, "kept": kept, "counted": False})
        print(f"  {'kept  ' if kept else 'MISSED'}  {what}{f' (must be {wanted})' if wanted else ''}", flush=True)


def _made(make: Callable[[Path], Plain], place: Path) -> tuple[Plain, float]:
    """A part in an empty place, and the seconds it took."""
    shutil.rmtree(place, ignore_errors=True)
    start = time.monotonic()
    return make(place), time.monotonic() - start


def arguments(command: str) -> list[str]:
    """The words of a command, its variables filled in, `netwright` and `python` being those of this process.

    Example:
        >>> arguments("netwright train 'a b'")[1:]
        ['-m', 'netwright', 'train', 'a b']
    """
    first, *rest = (os.path.expandvars(word) for word in shlex.split(command))
    program = {"netwright": [sys.executable, "-m", "netwright"], "python": [sys.executable]}.get(first, [first])
    return [*program, *rest]


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of commands: no colour, a wide terminal, and this repository's netwright."""
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **(more or {})}


def data(*parts: str) -> Path:
    """A place below $NETWRIGHT_DATA.

    Raises:
        SystemExit: It is not there.
    """
    root = os.environ.get("NETWRIGHT_DATA", "")
    path = Path(root, *parts)
    if not root or not path.exists():
        print(f"error: {path} is not there. Set NETWRIGHT_DATA to the folder of data sets.", file=sys.stderr)
        sys.exit(3)
    return path


def facts(run: Path) -> Plain:
    """What a run's report knows."""
    return json.loads((run / "facts.json").read_text(encoding="utf-8"))


def score(run_facts: Plain, part: str, name: str) -> float:
    """A score of a run's first output."""
    outputs = run_facts["outputs"]
    return float(outputs[0]["scores"][part][name])  # type: ignore[index]


def lines_with(text: str, *words: str) -> list[str]:
    """The lines of a text that hold all of some words."""
    return [line for line in text.splitlines() if all(word in line for word in words)]


def cpu() -> str:
    """The processor's name."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")), "")


def _source_digest(proof: Path) -> str:
    """Changes whenever the proof, the frame or netwright does: results of two versions are never mixed."""
    digest = hashlib.sha256()
    source = (path for path in (REPOSITORY / "src").rglob("*") if path.suffix in {".py", ".yaml"})
    loaded = (Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None)))
    beside = {path for path in loaded if path.parent == Path(__file__).parent}  # what the proof shares with others
    for path in [proof, *sorted(beside - {proof}), *sorted(source)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _nowhere(text: str) -> str:
    """The text without the places of this machine."""
    root = os.environ.get("NETWRIGHT_DATA", "").rstrip("/")
    text = text.replace(root, "$NETWRIGHT_DATA") if root else text
    return text.replace(str(REPOSITORY), ".")


def _brief(found: Plain) -> str:
    shown: Iterable[tuple[str, object]] = ((k, v) for k, v in found.items() if isinstance(v, int | float | str | bool))
    return ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in shown)[:160]
