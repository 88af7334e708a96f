"""kill -9 at a random millisecond of a real run, then `netwright resume`: nothing differs from the unbroken run.

Delays are drawn uniformly over the whole duration of the unbroken run, from the start of the process to its end, so
that reading, caching, training, saving and evaluating are hit as often as they last. Saving lasts milliseconds, so
further kills wait for it: they come while a checkpoint or a cache entry is being written.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
from proof import REPOSITORY, Plain, Proof, arguments, data, environment
from stopping import same_weights

from netwright.training.checkpoint import latest, same

TRAIN = (
    "netwright train $NETWRIGHT_DATA/hymenoptera_256 --in image --out category --set inputs.image.size_px=[64,64] "
    "--set data.split.by=stratified --layers 'conv 16x5 pad 2, relu, pool 2, conv 16x5 pad 2, relu, pool 2' "
    "--epochs 12 --patience 0 --set training.threads=1"
)
KILLER = "import os, sys, time; time.sleep(float(sys.argv[2])); os.kill(int(sys.argv[1]), 9)"


def main() -> int:
    """One unbroken run, then kills by another process at random moments."""
    proof = Proof(__file__, "SIGKILL at random milliseconds, then resume: bit-equal on the CPU", (5, 30))
    data("hymenoptera_256")
    whole = proof.part("unbroken", lambda place: _unbroken(place))
    unbroken, duration = proof.folder / "unbroken" / "run", float(whole["duration"])  # type: ignore[arg-type]
    kills = 20 if proof.full else 4
    draws = random.Random(f"{proof.name} {kills}")
    moments = [draws.uniform(0, duration) for _ in range(kills)]
    trials = [
        proof.part(f"kill {n:02} at {1000 * at:.0f} ms", lambda place, at=at: _killed(place, unbroken, at))
        for n, at in enumerate(moments)
    ]
    while_saving = [
        proof.part(f"kill while {what} {n}", lambda place, w=what: _killed(place, unbroken, w))
        for what in ("saving", "caching")
        for n in range(3 if proof.full else 1)
    ]
    every = [*trials, *while_saving]
    equal = sum(not t["differences"] for t in trials)
    phases = ", ".join(f"{count} {phase}" for phase, count in Counter(str(t["phase"]) for t in every).most_common())
    proof.check(f"{equal} of {kills} bit-equal after a kill at a random moment", equal == kills)
    aimed = sum(not t["differences"] for t in while_saving)
    proof.check(f"{aimed} of {len(while_saving)} bit-equal after an aimed kill", aimed == len(while_saving))
    proof.check(f"phases hit: {phases}", len({t["phase"] for t in every}) >= 3)
    measured = f"{equal} of {kills} random kills and {aimed} of {len(while_saving)} aimed ones bit-equal; hit: {phases}"
    proof.row("K09", "Long trainings", f"python proofs/resume.py{' --full' * proof.full}", f"{measured} (CPU)")
    return proof.end()


def _unbroken(place: Path) -> Plain:
    start = time.monotonic()
    done = _start(place)
    if done.wait() != 0:
        sys.exit("resume: the unbroken run failed")
    return {"duration": time.monotonic() - start}


def _start(place: Path) -> subprocess.Popen[bytes]:
    """The run as a process of its own, with a cache of its own, so that reading and caching are part of it."""
    place.mkdir(parents=True)
    words = [*arguments(TRAIN), "--to", str(place / "run"), "--quiet"]
    return subprocess.Popen(words, cwd=REPOSITORY, env=_environment(place), stdout=subprocess.DEVNULL)


def _environment(place: Path) -> dict[str, str]:
    return environment({"NETWRIGHT_CACHE": str(place / "cache")})


def _killed(place: Path, unbroken: Path, when: float | str) -> Plain:
    """Kills one run, by a delay or while it writes, and lets it go on to its end."""
    process = _start(place)
    if isinstance(when, str):
        _kill_while(process, place, when)
    else:
        subprocess.run([sys.executable, "-c", KILLER, str(process.pid), str(when)], check=False, capture_output=True)
    process.wait()
    phase = "finished" if process.returncode == 0 else _phase(place)
    command = f"netwright resume '{place / 'run'}'" if (place / "run" / "run.json").exists() else None
    words = arguments(command) if command else [*arguments(TRAIN), "--to", str(place / "run"), "--quiet"]
    again = subprocess.run(words, cwd=REPOSITORY, env=_environment(place), capture_output=True, text=True, check=False)
    different = [f"exit code {again.returncode}: {again.stderr[-300:]}"] if again.returncode else []
    different = different or differences(unbroken, place / "run")
    found: Plain = {"phase": phase, "differences": different, "equal": not different}
    if not different:
        shutil.rmtree(place)
    return found


def _kill_while(process: subprocess.Popen[bytes], place: Path, what: str) -> None:
    """Waits until something is being written under a temporary name, and kills at that moment."""
    folder = place / "run" / "checkpoints" if what == "saving" else place / "cache"
    while process.poll() is None:
        if folder.is_dir() and any(entry.name.startswith(".tmp-") for entry in os.scandir(folder)):
            os.kill(process.pid, signal.SIGKILL)
            return


def _phase(place: Path) -> str:
    """What the process was doing, from what it left behind."""
    run = place / "run"
    if not (run / "run.json").exists():
        return "starting"
    if (run / "checkpoints").is_dir() and any((run / "checkpoints").glob(".tmp-*")):
        return "saving"
    state = str(json.loads((run / "run.json").read_text(encoding="utf-8"))["state"])
    if state == "preparing":
        built = (place / "cache").is_dir() and any(True for _ in (place / "cache").rglob(".tmp-*"))
        return "caching" if built else "preparing"
    return {"scoring": "evaluating"}.get(state, state)


def differences(one: Path, other: Path) -> list[str]:
    """In what two runs differ: weights, state of the optimizer and all else in the checkpoint, history, splits."""
    found = []
    if not same_weights(one / "model.netwright", other / "model.netwright"):
        found.append("weights of the model file")
    a, b = latest(one / "checkpoints"), latest(other / "checkpoints")
    if a is None or b is None:
        return [*found, "no checkpoint"]
    found += [f"checkpoint: {name}" for name in same(a, b)]
    if (one / "history.jsonl").read_bytes() != (other / "history.jsonl").read_bytes():
        found.append("history.jsonl")
    columns = ["id", "state", "split"]
    if not pq.read_table(one / "ledger.parquet", columns=columns).equals(
        pq.read_table(other / "ledger.parquet", columns=columns)
    ):
        found.append("ids of the splits")
    if not pq.read_table(one / "predictions.parquet").equals(pq.read_table(other / "predictions.parquet")):
        found.append("predictions")
    return found


if __name__ == "__main__":
    sys.exit(main())
