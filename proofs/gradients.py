"""Gradients that vanish and that explode, in real trainings: named with their layer, mended, measured again."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

from proof import Plain, Proof, Spoken, data, facts, score

DEEP = "x20 {dense 64, %s}"
DIABETES = "sklearn:diabetes --out target --layers 'dense 64, relu, dense 64, relu' --optimizer sgd"
RISING = f"{DIABETES} --lr 100 --schedule constant --set training.schedule.warmup=4000 --epochs 40 --patience 0"


def main() -> int:
    """Trains twenty layers of sigmoid and of relu, and a net whose steps become far too long."""
    proof = Proof(__file__, "gradients that vanish and explode: named, mended, measured again", (4, 4))
    data("mnist")
    _vanishing(proof)
    _exploding(proof)
    return proof.end()


def _deep(activation: str) -> str:
    return f"mnist --set model.layers='{DEEP % activation}' --epochs 2"


def _vanishing(proof: Proof) -> None:
    def one(activation: str, place: Path) -> Plain:
        said = proof.say(f"netwright train {_deep(activation)} --to {shlex.quote(str(place))}")
        return {"told": _told(said), "right": 100 * score(facts(place), "test", "accuracy")}

    sigmoid, relu = (proof.part(name, lambda place, n=name: one(n, place)) for name in ("sigmoid", "relu"))
    told = str(sigmoid["told"])
    left = re.search(r"dense1 gets ([\d.e-]+) of what dense20 gets", told)
    cured = re.search(r"Write relu: .* dense1 then gets ([\d.e-]+) of dense20's", told)
    named = proof.check(f"sigmoid: {told}", left is not None and cured is not None and float(left[1]) < 1e-6)
    proof.check("relu: nothing vanishes", "vanishes" not in str(relu["told"]))
    right = [float(found["right"]) for found in (sigmoid, relu)]  # type: ignore[arg-type]
    proof.check(f"sigmoid {right[0]:.1f} % right, relu {right[1]:.1f} %", right[0] < 20 < 80 < right[1])
    if named and left and cured:
        proof.row(
            "E21",
            "Vanishing gradient: detect and fight",
            f"netwright train {_deep('sigmoid')}",
            f"before the first step: dense1 gets {left[1]} of dense20's gradient, and {cured[1]} with relu, measured "
            f"on the same examples; trained, sigmoid is right on {right[0]:.1f} % of MNIST's test digits, relu on "
            f"{right[1]:.1f} %",
        )


def _told(said: Spoken) -> str:
    """What the doctor said of gradients that vanish, in one line."""
    words = " ".join(f"{said.text} {said.errors}".split())
    found = re.search(r"the gradient vanishes: .*?dense20's?\.", words)
    return found[0] if found else ""


def _exploding(proof: Proof) -> None:
    """The rate rises from step to step until the weights are thrown, some epochs after the first."""

    def thrown(place: Path) -> Plain:
        said = proof.say(f"netwright train {RISING} --to {shlex.quote(str(place))}", code=4)
        rows = [json.loads(line) for line in (place / "history.jsonl").read_text(encoding="utf-8").splitlines()]
        acts = [row["what"] for row in rows if row["kind"] == "action" and row["by"] == "finite"]
        told = " ".join(said.errors.partition("error:")[2].split())
        return {"told": told, "way on": "netwright train " + told.rpartition("netwright train ")[2], "acts": acts}

    def gone_on(place: Path) -> Plain:
        """By the command that the message ends in."""
        proof.say(f"{lost['way on']} --to {shlex.quote(str(place))}")
        return {"r2": score(facts(place), "test", "r2")}

    lost = proof.part("thrown", thrown)
    told, acts = str(lost["told"]), list(lost["acts"])  # type: ignore[call-overload]
    where = re.search(r"the loss is (\S+) at step ([\d,]+) \(epoch (\d+)\)", told)
    norms = re.search(r"Norms of the gradient: (.*), the largest part in (\S+?)\.", told)
    proof.check(f"{len(acts)} times refused or gone back; then: {told}", where is not None and norms is not None)
    proof.check("it was ended before any loss was no number", not any("nan" in what or "inf" in what for what in acts))
    proof.check("the examples of the batch are named", "The batch begins with: " in told)
    r2 = proof.mean("R2 after going on from it", [float(proof.part("gone on", gone_on)["r2"])], at_least=0.3)  # type: ignore[arg-type]
    if where and norms:
        proof.row(
            "E22",
            "Exploding gradient: detect",
            f"netwright train {RISING}",
            f"a rate that rises from step to step: ended at step {where[2]}, epoch {where[3]}, with the loss at "
            f"{where[1]}, before any is NaN: norms of the gradient {norms[1]}, largest in {norms[2]}, and the "
            "examples of the batch; gone on from its best weights by the command that the message ends in, a "
            f"held-out R2 of {r2}",
        )


if __name__ == "__main__":
    sys.exit(main())
