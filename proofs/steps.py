"""Skeletons: at every frame what is being done, for people never seen; step by step the same as all at once.

UTKinect: ten people do ten actions twice, filmed whole; twenty joints a frame, most frames show no action. The frames
become a table with a row for each, which is what a user gives. Joints are taken from the hips and turned so that the
hips lie along one axis, frame by frame, so that nothing of later frames goes in.
"""

from __future__ import annotations

import csv
import math
import re
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
from proof import Plain, Proof, arguments, data, environment, score

JOINTS = 20
HIPS = (12, 16)  # left and right, counted from 0
NONE = "none"
SPEC = """version: 1
data: {path: "TABLE", group: sequence, order: frame, split: {by: group, column: subject, parts: [0.8, 0, 0.2]}}
outputs: {action: {per: signal}}
model: {causal: true, layers: "dropout 0.3, conv1d 64x9, relu, dropout 0.5, lstm 48, dropout 0.5"}
training:
  batch_size: 2
  threads: 1
  optimizer: {name: adam, lr: 0.003}
  regularize: {l2: 0.0001, noise: 0.3}
  average: 0.98
  stop: {epochs: 25}
"""  # eight people are few to choose by: nothing is, the mean of the last weights is kept
NEAR = 1e-5
MOST_MB = 5.0


def main() -> int:
    """Lays out the table, trains on several divisions of the people, and answers step by step beside all at once."""
    proof = Proof(__file__, "actions at every frame of skeletons by held-out people, online as in one go", (4, 10))
    source = data("utkinect", "joints")
    table = proof.folder / "frames.csv"
    counts = proof.part("table", partial(_laid_out, source, table))
    spec = proof.folder / "skeletons.yaml"
    spec.write_text(SPEC.replace("TABLE", str(table)), encoding="utf-8")
    train = f"netwright train '{spec}'"

    def one(seed: int, place: Path) -> Plain:
        words = f"'{spec}' --set data.split.seed={seed} --seed {seed}"
        found = proof.train(words, place)
        output = found["outputs"][0]  # type: ignore[index]
        beside = {each["name"]: each["scores"] for each in output["baselines"]}
        future = next(each["message"] for each in found["findings"] if each["name"] == "future")  # type: ignore[union-attr,index]
        return {
            "place": str(place),
            "right": score(found, "test", "accuracy"),
            "balanced": score(found, "test", "balanced_accuracy"),
            "majority": beside["majority"]["accuracy"],
            "majority balanced": beside["majority"]["balanced_accuracy"],
            "linear": beside["linear"]["accuracy"],
            "linear balanced": beside["linear"]["balanced_accuracy"],
            "interval": output["intervals"]["accuracy"],
            "steps": output["steps"],
            "future": future,
            "seconds": found["seconds"],
        }

    found = proof.seeds("people", 5 if proof.full else 3, one)
    numbers = {name: [100 * float(each[name]) for each in found] for name in _SHARES}  # type: ignore[arg-type]
    told = proof.mean("frames of unseen people told right, %", numbers["right"], digits=1)
    proof.mean("always no action, %", numbers["majority"], digits=1)
    proof.mean("a linear model of the single frame, %", numbers["linear"], digits=1)
    more = [a - b for a, b in zip(numbers["right"], numbers["majority"], strict=True)]
    than = [a - b for a, b in zip(numbers["right"], numbers["linear"], strict=True)]
    proof.mean("points more than always no action", more, at_least=2, digits=1)
    proof.mean("points more than a linear model of the single frame", than, at_least=1, digits=1)
    balanced = proof.mean("balanced accuracy, %", numbers["balanced"], at_least=30, digits=1)
    proof.mean("balanced accuracy of the linear model, %", numbers["linear balanced"], digits=1)
    for each in found:
        proof.check(f"future: {each['future']}", str(each["future"]).endswith("to within 0"))
    proof.row(
        "H08",
        "Synced many-to-many",
        train,
        f"{counts['frames']:,} frames of {counts['sequences']} skeletons, 11 answers, {len(found)} divisions of the "
        f"people: {told} % of frames right, always none {_mean(numbers['majority'])} %, linear on the frame "
        f"{_mean(numbers['linear'])} %; balanced {balanced} %, linear {_mean(numbers['linear balanced'])} %; "
        "changed futures moved no answer of before",
    )
    _online(proof, str(found[0]["place"]), table)
    return proof.end()


_SHARES = ("right", "balanced", "majority", "linear", "linear balanced")


def _online(proof: Proof, run: str, table: Path) -> None:
    """All frames at once, and line by line through a pipe; ten times as many lines in the same memory."""

    def at_once(place: Path) -> Plain:
        place.mkdir(parents=True)
        proof.say(f"netwright predict '{run}' '{table}' --save '{place / 'all.csv'}'")
        text = table.read_text(encoding="utf-8")
        answers, grown, seconds = _piped(run, text)
        with (place / "all.csv").open(newline="", encoding="utf-8") as file:
            wanted = list(csv.DictReader(file))
        apart = [_apart(one, other) for one, other in zip(wanted, answers, strict=True)]
        return {"frames": len(apart), "apart": max(apart), "grown MB": grown, "ms a frame": 1000 * seconds / len(apart)}

    found = proof.part("online", at_once)
    apart, grown = float(found["apart"]), float(found["grown MB"])  # type: ignore[arg-type]
    what = f"of {found['frames']:,} frames the largest difference of a probability is {apart:.1e}"
    proof.check(f"{what} (at most {NEAR:g})", apart <= NEAR)
    proof.check(f"memory after the last frame, over that after a tenth: {grown:+.1f} MB", grown < MOST_MB)
    proof.row(
        "H09",
        "Online vs batch processing",
        "netwright predict RUN --stream < frames.csv",
        f"{what} between a line at a time and all at once; {grown:+.1f} MB from the first tenth to the last frame; "
        f"{float(found['ms a frame']):.1f} ms a frame",  # type: ignore[arg-type]
    )


def _piped(run: str, text: str) -> tuple[list[dict[str, str]], float, float]:
    """Answers of a child process that is fed lines, the memory it grew by after a tenth of them, and seconds."""
    process = subprocess.Popen(
        arguments(f"netwright predict '{run}' --stream"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"OMP_NUM_THREADS": "1"}),
    )
    if process.stdin is None or process.stdout is None:  # pragma: no cover - both were asked for
        sys.exit("steps: no pipes")
    feeding = threading.Thread(target=lambda into: (into.write(text), into.close()), args=(process.stdin,), daemon=True)
    feeding.start()
    memory, lines, tenth = psutil.Process(process.pid).memory_info, [], text.count("\n") // 10
    early, late, since = 0, 0, 0.0
    for line in process.stdout:
        lines.append(line)
        if len(lines) == 2:
            since = time.monotonic()
        if len(lines) == tenth:
            early = memory().rss
        if len(lines) % 100 == 0:
            late = memory().rss if process.poll() is None else late
    seconds = time.monotonic() - since
    if process.wait(60) != 0:
        sys.exit(f"steps: streaming ended with {process.returncode}")
    return list(csv.DictReader(lines)), (late - early) / 1e6, seconds


def _apart(one: dict[str, str], other: dict[str, str]) -> float:
    shares = [name for name in one if name.startswith("action:")]
    same = all(one[name] == other[name] for name in ("id", "step", "frame"))
    return max(abs(float(one[name]) - float(other[name])) for name in shares) if same else math.inf


def _laid_out(source: Path, table: Path, place: Path) -> Plain:
    """A row for each frame: whose it is, its number, its joints, and what is being done."""
    del place
    actions = _actions(source / "actionLabel_modified.txt")
    frames, counts = 0, dict.fromkeys([NONE], 0)
    files = sorted(source.glob("joints_s*.txt"))
    with table.open("w", newline="", encoding="utf-8") as sink:
        write = csv.writer(sink)
        joints = [f"joint{joint}_{axis}" for joint in range(1, JOINTS + 1) for axis in "xyz"]
        write.writerow(["sequence", "subject", "frame", *joints, "action"])
        for file in files:
            name = file.stem.removeprefix("joints_")
            for line in file.read_text(encoding="utf-8").splitlines():
                frame, *values = line.split()
                done = next((a for a, first, last in actions[name] if first <= int(frame) <= last), NONE)
                write.writerow([name, name[:3], frame, *(f"{each:.5f}" for each in _turned(values)), done])
                counts[done] = counts.get(done, 0) + 1
                frames += 1
    return {"frames": frames, "sequences": len(files), "none": counts[NONE] / frames, "actions": counts}


def _actions(path: Path) -> dict[str, list[tuple[str, int, int]]]:
    """By sequence what is done from which frame to which; one of an action that was not filmed says NaN."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"s\d\d_e\d\d", line.strip()):
            name = line.strip()
            found[name] = []
        elif told := re.fullmatch(r"(\w+):\s+(\d+)\s+(\d+)\s*", line):
            found[name].append((told[1], int(told[2]), int(told[3])))
    return found


def _turned(values: list[str]) -> list[float]:
    """The place of the hips, and the other joints from there, turned about the vertical until the hips lie along x."""
    joints = [[float(values[3 * joint + axis]) for axis in range(3)] for joint in range(JOINTS)]
    centre, (left, right) = joints[0], (joints[hip] for hip in HIPS)
    angle = math.atan2(right[2] - left[2], right[0] - left[0])
    cosine, sine = math.cos(angle), math.sin(angle)
    found = [*centre]
    for joint in joints[1:]:
        x, y, z = (each - at for each, at in zip(joint, centre, strict=True))
        found += [cosine * x + sine * z, y, cosine * z - sine * x]
    return found


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.1f}"


if __name__ == "__main__":
    sys.exit(main())
