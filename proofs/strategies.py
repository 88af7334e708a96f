"""Optimizers, schedules, starts and losses of one's own, each on real data."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from proof import Plain, Proof, data, facts, lines_with

DIGITS = "sklearn:digits --in image --out category --set model.layers='dense 64, relu'"
OWN = """import torch
from netwright import register

@register("loss", "{name}")
def loss(outputs, targets):
    {body}
"""
DEEP = "netwright train mnist --set model.layers='x5 {dense 100, tanh}' --set model.initialiser=%s --epochs 1"


def main() -> int:
    """Runs each and reads what it says."""
    proof = Proof(__file__, "rates, momenta, drops, starts, first weights and own losses on real data", (6, 6))
    data("mnist")
    _rates(proof)
    _momentum(proof)
    _drops(proof)
    _starts(proof)
    _first_weights(proof)
    _own(proof)
    return proof.end()


def _rates(proof: Proof) -> None:
    def test(place: Path) -> Plain:
        found = proof.train(f"{DIGITS} --optimizer sgd --lr auto --epochs 20", place)
        return {"test": found["range_test"], "right": found["outputs"][0]["scores"]["test"]["accuracy"]}  # type: ignore[index]

    def wrong(place: Path) -> Plain:
        said = {}
        for rate in (3e-5, 0.3):
            told = proof.say(f"netwright train {DIGITS} --lr {rate} --epochs 3 --to '{place / str(rate)}'")
            said[str(rate)] = (lines_with(told.text + told.errors, "learning rate", "looks too") or [""])[0].strip()
        return said

    found, told = proof.part("auto", test), proof.part("wrong", wrong)
    chosen = found["test"]["chosen"]  # type: ignore[index]
    proof.check(f"lr: auto chose {chosen} and the net answers {100 * float(found['right']):.1f} % right", chosen > 0.01)  # type: ignore[arg-type]
    proof.check("a rate of 3e-05 is named too low", "too low" in str(told["3e-05"]))
    proof.check("a rate of 0.3 is named too high", "too high" in str(told["0.3"]))
    proof.row(
        "E07",
        "Choosing the learning rate η",
        f"netwright train {DIGITS} --optimizer sgd --lr auto",
        f"the range test chose {chosen}; {100 * float(found['right']):.1f} % right; "  # type: ignore[arg-type]
        "adam at 3e-5 and at 0.3 is named in the first epoch",
    )


def _momentum(proof: Proof) -> None:
    def look(place: Path) -> Plain:
        proof.train("sklearn:diabetes --out target --width 8 --epochs 2", place)
        said = proof.say(f"netwright look path '{place}' --momenta 0 0.5 0.9 --json").text
        return {"turns": json.loads(said)["turns"]}

    turns = [float(turn) for turn in proof.part("momentum", look)["turns"]]  # type: ignore[union-attr]
    shown = ", ".join(f"{turn:+.2f}" for turn in turns)
    proof.check(f"cosine of a step with the next at momentum 0, 0.5, 0.9: {shown}", turns == sorted(turns))
    proof.row("E06", "Momentum", "netwright look path RUN", f"a step's cosine with the next at 0, 0.5, 0.9: {shown}")


def _drops(proof: Proof) -> None:
    def drop(place: Path) -> Plain:
        words = f"{DIGITS} --schedule plateau --lr 0.01 --epochs 60 --patience 0"
        return {"marks": proof.train(words, place)["marks"], "ending": facts(place)["ending"]}

    found = proof.part("plateau", drop)
    marks = found["marks"]
    proof.check(f"{len(marks)} drops, the first {marks[0]['text']} in epoch {marks[0]['epoch']}", len(marks) > 0)  # type: ignore[arg-type,index]
    proof.row(
        "E08",
        "Drop learning rate on plateau",
        f"netwright train {DIGITS} --schedule plateau",
        f"{len(marks)} drops marked on the curves, the first {marks[0]['text']} in epoch {marks[0]['epoch']}",  # type: ignore[arg-type,index]
    )
    ending = found["ending"]
    proof.check(f"the run says how it ended: {ending['label']}", ending["label"] == "converged")  # type: ignore[index]
    proof.row("D06", "Convergence comments", "netwright train digits", f"{ending['label']}: {ending['evidence']}")  # type: ignore[index]


def _starts(proof: Proof) -> None:
    words = "sklearn:iris --out category --width 3 --epochs 20 --restarts 5"

    def start(place: Path) -> Plain:
        return {"text": proof.say(f"netwright train {words} --to '{place}'").text}

    told = str(proof.part("restarts", start)["text"])
    kept = re.search(r"kept: (seed \d+), the lowest training loss of 5 starts", told)
    reach = lines_with(told, "over the starts")
    proof.check("five starts in a table, the lowest training loss kept", kept is not None and bool(reach))
    proof.row("D07", "Random restarts", f"netwright train {words}", f"kept {kept[1] if kept else '-'}; {reach[0]}")


def _first_weights(proof: Proof) -> None:
    spreads = {}
    for name in ("glorot", "glorot_printed", "fan_in"):

        def run(place: Path, name: str = name) -> Plain:
            found = proof.train(f"{(DEEP % name).removeprefix('netwright train ')}", place)
            inside = {each["layer"]: each for each in found["inside"]}  # type: ignore[union-attr]
            return {
                "std": [inside[f"tanh{k}"]["std_first"] for k in range(1, 6)],
                "saturated": inside["tanh5"]["saturated"],
                "ends": inside["dense2"]["first"][:2],
            }

        spreads[name] = proof.part(f"first weights {name}", run)
    last = {name: float(found["std"][-1]) for name, found in spreads.items()}  # type: ignore[index]
    shown = ", ".join(f"{name} {value:.2f}" for name, value in last.items())
    proof.check(f"spread behind five layers of tanh: {shown}", last["glorot_printed"] > last["glorot"] > last["fan_in"])
    low, high = spreads["fan_in"]["ends"]  # type: ignore[misc]
    proof.check(
        f"drawn between {low:.3f} and {high:.3f}, the bound being 0.1", 0.095 < high <= 0.1 and -0.1 <= low < -0.095
    )
    proof.row(
        "E11",
        "Init U(-1/√m, 1/√m)",
        DEEP % "fan_in",
        f"histogram from {low:.3f} to {high:.3f} at 100 inputs; spread behind five layers {last['fan_in']:.2f}",
    )
    proof.again()
    proof.row(
        "E12",
        "Init U(±6/√(m+n)) as printed",
        DEEP % "glorot_printed",
        f"spread of values behind five layers of tanh: {shown}; 1 is all saturated",
    )


def _own(proof: Proof) -> None:
    proof.folder.mkdir(parents=True, exist_ok=True)
    good, bad = proof.folder / "good.py", proof.folder / "bad.py"
    good.write_text(OWN.format(name="fourth", body="return (outputs - targets).pow(4).mean(dim=1)"), encoding="utf-8")
    bad.write_text(OWN.format(name="wrong", body="return (outputs.round() != targets).float()[:, 0]"), encoding="utf-8")
    words = "sklearn:diabetes --out target --width 8 --epochs 10"

    def run(place: Path) -> Plain:
        proof.train(f"{words} --use '{good}' --set outputs.target.loss=fourth", place)
        header = (place / "model.netwright").read_bytes()[:200_000]
        told = proof.say(f"netwright train {words} --use '{bad}' --set outputs.target.loss=wrong", code=2).errors
        return {
            "named": b'"fourth"' in header or b"fourth" in header,
            "code": b"outputs - targets" in header,
            "told": told,
        }

    found = proof.part("own loss", run)
    proof.check("the model file names the loss and holds no code", bool(found["named"]) and not found["code"])
    refused = next(line for line in str(found["told"]).splitlines() if line.startswith("error:"))
    proof.check(f"one without a derivative is refused: {refused}", "no derivative" in refused)
    proof.row(
        "C06",
        "Any loss you want (almost)",
        "netwright train ... --use my_parts.py --set outputs.target.loss=fourth",
        f"trains, saved by name; one without a derivative: {refused.removeprefix('error: ')}",
    )
    told = proof.part("explain", lambda _: {"text": proof.say("netwright explain dropout").text})
    proof.check(
        "explain names source and lectures", "Srivastava" in str(told["text"]) and "lecture 4" in str(told["text"])
    )
    proof.row("K08", "Learning resources", "netwright explain dropout", "source and lectures of every part")


if __name__ == "__main__":
    sys.exit(main())
