"""When training ends: best epoch kept, verdict on over-fitting, budgets in epochs, steps and minutes, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from proof import REPOSITORY, Plain, Proof, arguments, environment, facts, score
from safetensors import safe_open

# Few examples and many weights: a net that is made to over-fit.
MADE = (
    "sklearn:diabetes --out target --layers 'dense 256, relu, dense 256, relu' --schedule constant --lr 0.001 "
    "--set data.split.parts=[0.5,0.25,0.25]"
)
STOPS = f"netwright train {MADE} --epochs 200 --patience 15"


def main() -> int:
    """Over-fits with several seeds, then spends budgets and presses Ctrl-C."""
    proof = Proof(__file__, "early stopping, the over-fitting verdict, budgets and Ctrl-C", (4, 10))
    seeds = 10 if proof.full else 3
    runs = proof.seeds("made to over-fit", seeds, lambda seed, place: _stopped(proof, seed, place))
    first = runs[0]
    proof.check(f"told: {first['told']}", all(r["said"] for r in runs))
    proof.check("each run stopped before its 200 epochs", all(int(r["stopped"]) < 200 for r in runs))  # type: ignore[call-overload]
    proof.check(
        "the saved weights are those of a run that trained to the best epoch only", all(r["same weights"] for r in runs)
    )
    proof.check("the score in the report is that of the best epoch", all(r["same score"] for r in runs))
    proof.row(
        "E15",
        "Early stopping",
        STOPS,
        f"{first['told']}; weights and score of the best epoch, {seeds} of {seeds} seeds",
    )
    proof.check("the curves of both parts are in the report, the best epoch marked", all(r["curve"] for r in runs))
    measured = f"training and validation loss by epoch, best epoch {first['best']} marked"
    proof.row("J06", "Early-stopping / over-training curves", STOPS, measured)
    proof.check(f"verdicts: {', '.join(str(r['verdict']) for r in runs)}", all(r["over-fitting"] for r in runs))
    healthy = proof.part("healthy", lambda place: _healthy(proof, place))
    proof.check(f"the digits recipe is judged: {healthy['label']}", healthy["label"] == "fitting")
    measured = f'made to over-fit: "{first["verdict"]}"; the digits recipe: {healthy["label"]}; gap in every report'
    proof.row("E32", "Generalisation and overfitting", STOPS, measured)
    budgets = proof.part("budgets", lambda place: _budgets(proof, place))
    for name in ("epochs", "steps", "minutes", "left"):
        proof.check(f"{name}: {budgets[f'{name} told']}", bool(budgets[name]))
    broken = proof.part("Ctrl-C", lambda place: _interrupted(place))
    proof.check(
        f"Ctrl-C: exit code {broken['code']}, {broken['told']}", broken["code"] == 130 and not broken["traceback"]
    )
    proof.check("resumed to the end: weights as in the unbroken run", bool(broken["same"]))
    measured = (
        f"{budgets['minutes told']}; {budgets['steps told']}; Ctrl-C: {broken['told']}, resumed to the same weights"
    )
    proof.row("E33", "Epochs and stopping budget", "netwright train digits --minutes 0.1", measured)
    return proof.end()


def _stopped(proof: Proof, seed: int, place: Path) -> Plain:
    whole, shorter = place / "whole", place / "to-the-best-epoch"
    text = proof.say(f"{STOPS} --seed {seed} --to '{whole}'").text
    told = re.search(r"best epoch (\d+), stopped at (\d+)", text)
    found = facts(whole)
    best, stopped = int(found["best_epoch"]), int(found["stopped_epoch"])  # type: ignore[call-overload]
    proof.say(f"netwright train {MADE} --epochs {best} --patience 0 --seed {seed} --to '{shorter}'")
    curves = found["curves"]
    at_best = curves[best - 1]["validation"]["loss"]  # type: ignore[index]
    page = (whole / "report.html").read_text(encoding="utf-8")
    verdict = found["verdict"]
    label, since = verdict["label"], verdict["since_epoch"]  # type: ignore[index]
    return {
        "best": best,
        "stopped": stopped,
        "told": told[0] if told else "",
        "said": bool(told) and (int(told[1]), int(told[2])) == (best, stopped),  # type: ignore[index]
        "same weights": same_weights(whole / "model.netwright", shorter / "model.netwright"),
        "same score": abs(score(found, "validation", "loss") - at_best) < 1e-5,
        "curve": len(curves) == stopped and f"best epoch {best}" in page.replace("\xa0", " "),  # type: ignore[arg-type]
        "over-fitting": label == "over-fitting" and since is not None,
        "verdict": f"{label} since epoch {since}",
    }


def _healthy(proof: Proof, place: Path) -> Plain:
    return {"label": proof.train("digits", place)["verdict"]["label"]}  # type: ignore[index]


def _budgets(proof: Proof, place: Path) -> Plain:
    """Each budget ends a run where it should; the time left is told on the way."""
    place.mkdir(parents=True)
    found: Plain = {}
    for name, words in {
        "epochs": "--epochs 3",
        "steps": "--set training.stop.steps=70",
        "minutes": "--minutes 0.3 --epochs 100000 --patience 0",
    }.items():
        spoken = proof.say(f"netwright train digits {words} --to '{place / name}'")
        state = json.loads((place / name / "run.json").read_text(encoding="utf-8"))
        found[f"{name} told"] = state["stop_reason"]
        if name == "minutes":
            seconds = float(facts(place / name)["seconds"])  # type: ignore[arg-type]
            found[name] = 18 <= seconds < 21 and "0.3 minutes" in state["stop_reason"]
            rows = [line for line in spoken.errors.splitlines() if re.search(r" \d+ s$", line)]
            left = [int(line.split()[-2]) for line in rows]  # of the budget's 18 seconds
            found["left"] = len(left) > 2 and left == sorted(left, reverse=True) and 0 < left[0] <= 18
            found["left told"] = ", ".join(f"{seconds} s" for seconds in left) or "no time left told"
        else:
            found[name] = state["stop_reason"] in {"all 3 epochs done", "all 70 steps done"}
    return found


def _interrupted(place: Path) -> Plain:
    """SIGINT, as Ctrl-C sends it, in the middle of training; then `netwright resume`."""
    words = "netwright train digits --patience 0 --epochs 60"
    whole, broken = place / "whole", place / "broken"
    start = time.monotonic()
    subprocess.run(
        [*arguments(words), "--to", str(whole)], cwd=REPOSITORY, env=environment(), capture_output=True, check=True
    )
    seconds = time.monotonic() - start
    process = subprocess.Popen(
        [*arguments(words), "--to", str(broken)], cwd=REPOSITORY, env=environment(), stderr=subprocess.PIPE, text=True
    )
    while not (broken / "history.jsonl").exists() and "training" not in _state(broken):
        time.sleep(0.05)
    time.sleep(seconds / 4)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=120)[1]
    state = _state(broken)
    told = next((line for line in errors.splitlines() if "stopped at step" in line), errors[-200:])
    resumed = subprocess.run(
        arguments(f"netwright resume '{broken}'"), cwd=REPOSITORY, env=environment(), capture_output=True, check=False
    )
    return {
        "code": process.returncode,
        "told": f"{told.removeprefix('stopped: ')} ({state})",
        "traceback": "Traceback" in errors,
        "same": resumed.returncode == 0 and same_weights(whole / "model.netwright", broken / "model.netwright"),
    }


def _state(run: Path) -> str:
    try:
        return str(json.loads((run / "run.json").read_text(encoding="utf-8"))["state"])
    except (OSError, ValueError):
        return ""


def same_weights(one: Path, other: Path) -> bool:
    """Whether two model files hold the same weights, bit for bit."""
    with safe_open(one, "np") as a, safe_open(other, "np") as b:
        names = sorted(k for k in a.keys() if k.startswith("weights/"))  # noqa: SIM118
        if names != sorted(k for k in b.keys() if k.startswith("weights/")):  # noqa: SIM118
            return False
        return all(np.array_equal(a.get_tensor(k).view(np.uint8), b.get_tensor(k).view(np.uint8)) for k in names)


if __name__ == "__main__":
    sys.exit(main())
