"""netwright's training loop beside its peers: what all programs called ..._peers.py have in common.

Every peer runs at its documented quick start and on its documented fast path (data in memory, nothing logged at
each step, products in bfloat16 where its documentation offers them), in a process of its own, on the same bytes and for
the same number of updates as netwright beside it. Segments of the two alternate, in whole epochs; compiling and
starting is left out of them and told apart. Both sides are tried with each number of threads and in each precision, and
the fastest way is used and told. All must have learned after the same epochs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import TracebackType
from typing import Self

import mlp_loop
import numpy as np
import pairs
from peers.child import Work

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
PYTHON = REPOSITORY / ".venv-peers" / "bin" / "python"
UNFINISHED = REPOSITORY / "runs" / "benchmarks"
QUICK_START, FAST_PATH, BY_HAND = 1.5, 1.0, 0.97  # what netwright's speed over a peer's must reach
SILENT_S = 300.0  # a peer that says nothing for so long is given up
FORMS = {"quick": "quick start", "fast": "fast path", "by_hand": "by hand"}
FLOAT = "float32"
Plain = dict[str, object]


@dataclass(frozen=True)
class Peer:
    """Something that trains the same network.

    Args:
        name: As the table says it.
        script: File in benchmarks/peers.
        form: Which of its ways of training.
        limit: Least ratio of netwright's speed to its own; None where it is only told.
        own: Runs in the project's environment instead of the peers'.
        environment: What it needs beside the number of threads.
        mixed: Its documentation offers products in bfloat16.
    """

    name: str
    script: str
    form: str
    limit: float | None = None
    own: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    mixed: bool = False

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name, FORMS.get(self.form))))


AS_OURS = {"THP_MEM_ALLOC_ENABLE": "1"}  # what the command line sets where no other program computes
OURS = Peer("netwright", "ours.py", "netwright", own=True, environment=AS_OURS)  # it chooses its precision itself
HAND = Peer("torch", "ours.py", "by_hand", BY_HAND, own=True, environment=AS_OURS, mixed=True)


def both(name: str, script: str, *, asked: bool = True, mixed: bool = False, **environment: str) -> list[Peer]:
    """A peer at its quick start and on its fast path.

    Args:
        name: As the table says it.
        script: File in benchmarks/peers, without its ending.
        asked: Whether netwright must be faster.
        mixed: Its documentation offers products in bfloat16, on the fast path.
        environment: What it needs beside the number of threads.
    """
    file = f"{script}.py"
    return [
        Peer(name, file, "quick", QUICK_START if asked else None, environment=environment),
        Peer(name, file, "fast", FAST_PATH if asked else None, environment=environment, mixed=mixed),
    ]


ON_TORCH = [
    HAND,
    *both("torch DataLoader", "torch_loader", mixed=True),
    *both("Lightning", "lightning_fit", mixed=True),
    *both("skorch", "skorch_fit"),
    *both("Keras on torch", "keras_fit", mixed=True, KERAS_BACKEND="torch"),
]


@dataclass(frozen=True)
class Form:
    """How much is measured.

    Args:
        threads: Numbers of threads to try.
        pairs: Segments of each side.
        seconds: Least length of a segment of the faster side beside a quick start; it is made of whole epochs.
        close: Times as long are segments where hundredths decide.
        tries: Epochs for choosing the number of threads.
        epochs: Epochs after which everybody is examined.
        examples: Images (or what the work's examples are) of an epoch; 0 for all of the training part.
        tested: Test images to be examined on; 0 for all.
        accuracy: What everybody must reach on them.
        minutes: How long it takes on two cores, about.
        precisions: To try where a peer knows them.
    """

    threads: tuple[int, ...]
    pairs: int
    seconds: float
    close: int
    tries: int
    epochs: int
    examples: int
    tested: int
    accuracy: float
    minutes: float
    precisions: tuple[str, ...] = (FLOAT,)


@dataclass(frozen=True)
class Comparison:
    """One work, and who does it beside netwright.

    Args:
        work: What all train.
        peers: The others.
        full: How much is measured.
        quick: How much is measured to see that everybody runs.
    """

    work: Work
    peers: Sequence[Peer]
    full: Form
    quick: Form


@dataclass(frozen=True)
class Room:
    """Where and how one comparison is measured.

    Args:
        work: What all train.
        folder: Folder of the arrays.
        form: How much to measure.
        images: Of an epoch.
        limit: Images a second that the hardware allows at most.
    """

    work: Work
    folder: Path
    form: Form
    images: int
    limit: float


class PeerError(Exception):
    """A peer died, fell silent or said something else than agreed."""


class Child:
    """A peer's process, ready to train.

    Args:
        peer: Which.
        threads: How many it may use.
        precision: In which it shall multiply.
        folder: Folder of the arrays.

    Raises:
        PeerError: It did not get ready.
    """

    def __init__(self, peer: Peer, threads: int, precision: str, folder: Path) -> None:
        self.peer = peer
        self._errors = TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  (closed with the child)
        script = HERE / "peers" / peer.script
        start = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable if peer.own else str(PYTHON), str(script), peer.form, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(peer, threads) | {"PRECISION": precision},
            cwd=folder,
            text=True,
        )
        try:
            self.told = self._answer()
        except BaseException:
            self.close()
            raise
        self.cold_s = time.perf_counter() - start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def train(self, epochs: int) -> float:
        """Images a second of some epochs."""
        said = self._ask(f"train {epochs}")
        return _number(said, "images", self.peer) / _number(said, "seconds", self.peer)

    def score(self) -> Plain:
        """Share of the test images that it answers rightly, and in which precision it trained."""
        said = self._ask("score")
        return {"accuracy": _number(said, "accuracy", self.peer), "precision": said.get("precision")}

    def _ask(self, line: str) -> Plain:
        to = self._process.stdin
        try:
            if to is not None:
                to.write(line + "\n")
                to.flush()
        except BrokenPipeError:
            pass  # it died; what it said last is read below
        return self._answer()

    def _answer(self) -> Plain:
        out = self._process.stdout
        if out is None or not select.select([out], [], [], SILENT_S)[0]:
            raise PeerError(f"{self.peer}: it said nothing for {SILENT_S:g} s. {self._last_error()}")
        line = out.readline()
        if not line:
            raise PeerError(f"{self.peer}: it ended with {self._process.wait()}. {self._last_error()}")
        return parsed(line, self.peer)

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = [line.strip() for line in re.split(r"[\r\n]", self._errors.read()) if line.strip()]
        return f"Its last words: {lines[-1]}" if lines else "It left no word."


def environment(peer: Peer, threads: int) -> dict[str, str]:
    """What a peer's process is told by its environment."""
    count = str(threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), count)
    kept = {name: value for name, value in os.environ.items() if peer.own or name != "PYTHONPATH"}
    if peer.own:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    return {**kept, **limits, **peer.environment}


def parsed(line: str, peer: Peer) -> Plain:
    """One line of a peer.

    Raises:
        PeerError: It is no JSON object.
    """
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise PeerError(f"{peer}: it said {line.strip()!r}, expected a JSON object.")
    return said


def _number(said: Plain, name: str, peer: Peer) -> float:
    value = said.get(name)
    if not isinstance(value, int | float) or not value > 0:
        raise PeerError(f"{peer}: it said {said}, expected {name} above 0.")
    return float(value)


# ---- measuring -------------------------------------------------------------------------------------------------------


def examined(peer: Peer, threads: int, precision: str, room: Room) -> tuple[Child, Plain]:
    """A peer that has trained for the first epochs, and how it got there."""
    child = Child(peer, threads, precision, room.folder)
    try:
        for _ in range(room.form.epochs):
            child.train(1)
        return child, {"threads": threads, **child.score(), "cold_start_s": child.cold_s}
    except BaseException:
        child.close()
        raise


def tuned(peer: Peer, room: Room) -> tuple[Child, Plain, float]:
    """A peer with the number of threads and the precision that suit it, what was found, and its images a second."""
    with ExitStack() as started:
        tried = []
        for threads, precision in product(room.form.threads, room.form.precisions if peer.mixed else (FLOAT,)):
            child, found = examined(peer, threads, precision, room)
            started.callback(child.close)
            tried.append((child, found, []))
        for _ in range(room.form.tries):
            for child, _, rates in tried:
                rates.append(pairs.calmly(lambda child=child: child.train(1), _disturbed(room.form))[0])
        best, found, rates = max(tried, key=lambda entry: statistics.median(entry[2]))
        started.pop_all()
    for child, _, _ in tried:
        if child is not best:
            child.close()
    return best, found, statistics.median(rates)


def _disturbed(form: Form) -> float | None:
    """What others may have of the processor: where segments are short, all of it, since nothing is measured."""
    return None if form.seconds else math.inf


def against(peer: Peer, ours: Plain, room: Room) -> Plain:
    """One line of the table: netwright beside one peer.

    Args:
        peer: Which.
        ours: What was found about netwright.
        room: Where and how.
    """
    form, unit = room.form, room.work.unit
    child, found, rate = tuned(peer, room)
    with child, examined(OURS, int(str(ours["threads"])), FLOAT, room)[0] as own:
        seconds = form.seconds * (1 if peer.form == "quick" else form.close)
        epochs = max(1, math.ceil(seconds * max(rate, float(str(ours[f"{unit}_s"]))) / room.images))
        sides = (("netwright", lambda: own.train(epochs)), (str(peer), lambda: child.train(epochs)))
        ratio = pairs.alternate(*sides, limit=room.limit, segments=form.pairs, disturbed=_disturbed(form))
        told = child.told
    versions = told.get("versions")
    return {
        "work": room.work.name,
        "peer": peer.name,
        "version": ", ".join(map(str, versions)) if isinstance(versions, list) else "-",
        "form": FORMS.get(peer.form, peer.form),
        "ratio": ratio.ratio,
        "low": ratio.low,
        "high": ratio.high,
        "must_reach": peer.limit,
        f"netwright_{unit}_s": ratio.a_rate,
        f"peer_{unit}_s": ratio.b_rate,
        "share_of_limit": ratio.share,
        "peer_share": ratio.b_rate / room.limit,
        **found,
        "epochs_a_segment": epochs,
        "pairs": ratio.segments,
        "again": ratio.again,
        "page": told.get("page") or "-",
    }


def missed(row: Plain, form: Form) -> str:
    """What a line of the table fails to reach, in words; "" for nothing. Short segments prove no speed."""
    found = []
    must, ratio, accuracy = row.get("must_reach"), row.get("ratio"), row["accuracy"]
    if form.seconds and isinstance(must, float) and isinstance(ratio, float) and ratio < must:
        found.append(f"ratio {ratio:.3f} is below {must:g}")
    if isinstance(accuracy, float) and accuracy < form.accuracy:
        found.append(
            f"accuracy {accuracy:.3f} after {form.epochs} epochs is below {form.accuracy:g}: it learns nothing"
        )
    return "; ".join(found)


# ---- what is kept ----------------------------------------------------------------------------------------------------


class Parts:
    """Finished parts, kept in a file, so that an interrupted measurement goes on.

    Args:
        path: The file; None keeps nothing.
        key: Parts measured under another key are not taken up.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        self._path, self._key, self._found = path, key, dict[str, Plain]()
        try:
            before = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError):
            return
        if before.get("key") == key:
            self._found = before["parts"]
            print(f"going on after {len(self._found)} finished parts")

    def part(self, name: str, make: Callable[[], Plain]) -> Plain:
        """What one part found, now or before the interruption."""
        if name not in self._found:
            self._found[name] = make()
            if self._path:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                beside = self._path.with_suffix(".part")
                beside.write_text(json.dumps({"key": self._key, "parts": self._found}), encoding="utf-8")
                beside.replace(self._path)
        return self._found[name]

    def forget(self) -> None:
        """Removes the file: all is finished."""
        if self._path:
            self._path.unlink(missing_ok=True)


def digest(name: str) -> str:
    """Changes whenever netwright, the peers or this benchmark do: results of two versions are never mixed.

    Args:
        name: Of the program, e.g. `mlp_peers`.
    """
    found = hashlib.sha256()
    own = [Path(__file__), *(HERE / f"{part}.py" for part in (name, "pairs", "mlp_loop")), HERE / "conv_peers.py"]
    own.append(HERE / "peers" / "requirements.txt")
    for path in [*own, *sorted((HERE / "peers").glob("*.py")), *sorted((REPOSITORY / "src").rglob("*.py"))]:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def export(work: Work, data: Path, folder: Path, form: Form) -> int:
    """Writes what all train on, as netwright codes it; gives how many images an epoch has.

    Args:
        work: What all train.
        data: Where its data set lies.
        folder: Where the arrays go.
        form: How many images.
    """
    work.write(folder)
    _, dataset = mlp_loop.load(data, work.spec)
    counts = {}
    for part, count in (("train", form.examples), ("test", form.tested)):
        x, y = mlp_loop.coded(mlp_loop.some(dataset, part, count), part)
        np.save(folder / f"{part}_x.npy", x.reshape(-1, *work.shape).numpy())
        np.save(folder / f"{part}_y.npy", y.numpy())
        counts[part] = len(y)
    return counts["train"]


def told(row: Plain, name: str, room: Room) -> str:
    """A line of the table as the terminal shows it."""
    unit = room.work.unit
    how = f"{row['threads']} thread(s), {row['precision']}"
    text = f"{name} ({how}, accuracy {row['accuracy']:.3f}, cold start {row['cold_start_s']:.1f} s)"
    if "ratio" in row:
        text += f": netwright {row[f'netwright_{unit}_s']:,.0f}/s, peer {row[f'peer_{unit}_s']:,.0f}/s, "
        text += f"ratio {row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f}, {row['pairs']} pairs)"
    wrong = missed(row, room.form)
    return f"  {'MISSED' if wrong else '      '}  {text}{f' -- {wrong}' if wrong else ''}"


def measured(chosen: Sequence[Peer], parts: Parts, room: Room) -> list[Plain] | None:
    """All lines of one work, netwright's own first; None when a peer failed.

    Args:
        chosen: The peers.
        parts: What is finished already.
        room: Where and how.
    """
    whole, name, unit = True, room.work.name, room.work.unit
    print(name, flush=True)

    def alone() -> Plain:
        child, found, rate = tuned(OURS, room)
        child.close()
        share = rate / room.limit
        return {"work": name, "what": "netwright", **found, f"{unit}_s": rate, "share_of_limit": share}

    ours = parts.part(f"{name}: netwright", alone)
    print(told(ours, "netwright", room), flush=True)
    rows: list[Plain] = [ours]
    for peer in chosen:
        try:
            row = parts.part(f"{name}: {peer}", lambda p=peer: against(p, ours, room))
        except PeerError as exc:
            print(f"error: {exc}", file=sys.stderr)
            whole = False
            continue
        rows.append(row)
        print(told(row, str(peer), room), flush=True)
    return rows if whole else None


def compare(name: str, description: str | None, comparisons: Sequence[Comparison]) -> int:
    """What a program does: measures, keeps and prints.

    Args:
        name: Of the program and of its results.
        description: Its docstring.
        comparisons: What it compares, in this order.

    Returns:
        Exit code 1 for a missed limit or a failed peer, 3 when something is not there.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two short segments of each, to see that all peers run")
    parser.add_argument("--only", metavar="NAME", help="works and peers with this in their name; keeps nothing")
    options = parser.parse_args()
    places = [mlp_loop.place(comparison.work.data) for comparison in comparisons]
    if None in places:
        return 3
    if not PYTHON.exists():
        print(f"error: the peers are not installed: {PYTHON.parent} is not there.\ntry: make peers", file=sys.stderr)
        return 3
    forms = [comparison.quick if options.quick else comparison.full for comparison in comparisons]
    print(f"expected: about {sum(form.minutes for form in forms):g} minutes", flush=True)
    keeping = not options.quick and not options.only
    parts = Parts(UNFINISHED / f"{name}.json" if keeping else None, digest(name))
    rows: list[Plain] = []
    whole, wrong = True, 0
    for comparison, data, form in zip(comparisons, places, forms, strict=True):
        chosen = [peer for peer in comparison.peers if _named(options.only, comparison.work, peer)]
        if chosen and data is not None:
            found = _compared(comparison.work, chosen, parts, data, form)
            whole &= found is not None
            rows += found or []
            wrong += sum(bool(missed(row, form)) for row in found or [])
    if not whole:
        return 1
    if keeping:
        pairs.keep(name, rows, _limits(comparisons))
        parts.forget()
    print(f"{wrong} of {len(rows)} lines miss a limit" if wrong else "limits kept")
    return 1 if wrong else 0


def _named(wanted: str | None, work: Work, peer: Peer) -> bool:
    return (wanted or "").lower() in f"{work.name}: {peer}".lower()


def _compared(work: Work, chosen: Sequence[Peer], parts: Parts, data: Path, form: Form) -> list[Plain] | None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        images = export(work, data, folder, form)
        threads = max(form.threads)
        most = parts.part(f"limit of {threads}", lambda: {"multiply_adds_s": pairs.matmul_limit(threads)})
        limit = float(str(most["multiply_adds_s"])) / work.multiply_adds
        return measured(chosen, parts, Room(work, folder, form, images, limit))


def _limits(comparisons: Sequence[Comparison]) -> str:
    """What must be reached, in words."""
    learned = [
        f"an accuracy of {comparison.full.accuracy:g} after {comparison.full.epochs} epochs of {comparison.work.name}"
        for comparison in comparisons
    ]
    ratios = f"a ratio of {QUICK_START:g} at quick starts, {FAST_PATH:g} on fast paths, {BY_HAND:g} by hand"
    return ", ".join([ratios, *learned])
