"""Gradient descent: the loss falls on real data, and one step is shown in direction, size and loss on two weights."""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path

from proof import Plain, Proof, facts


def main() -> int:
    """Trains with plain gradient descent, then looks at one step of the run."""
    proof = Proof(__file__, "one step of gradient descent on two weights of a real net", (1, 2))

    def one(seed: int, place: Path) -> Plain:
        words = (
            "netwright train digits --layers 'dense 32, relu' --optimizer sgd --lr 0.1 --schedule constant --epochs 5"
        )
        proof.say(f"{words} --seed {seed} --to '{place}'")
        curves = facts(place)["curves"]
        losses = [point["train"]["loss"] for point in curves]  # type: ignore[union-attr]
        seen = json.loads(proof.say(f"netwright look step '{place}' --lr 0.01 --json").text)
        view = seen["view"]
        slopes, step = view["slopes"], view["step"]
        return {
            "falls": all(a > b for a, b in itertools.pairwise(losses)),
            "opposite": all(math.isclose(s, -0.01 * g, rel_tol=1e-5) for s, g in zip(step, slopes, strict=True)),
            "before": view["loss_before"],
            "after": view["loss_after"],
            "picture": "<svg" in (place / "step.html").read_text(encoding="utf-8"),
            "told": " | ".join(line.strip() for line in seen["text"][1:5]),
        }

    results = proof.seeds("digits", 10 if proof.full else 3, one)
    proof.check("the training loss falls from epoch to epoch", all(r["falls"] for r in results))
    proof.check("the step is minus the learning rate times the slope", all(r["opposite"] for r in results))
    proof.check("the loss is lower after the step", all(float(r["after"]) < float(r["before"]) for r in results))  # type: ignore[arg-type]
    proof.check("the step is drawn", all(r["picture"] for r in results))
    first = results[0]
    proof.row("D01", "Gradient descent", "netwright look step runs/digits-1", str(first["told"]))
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
