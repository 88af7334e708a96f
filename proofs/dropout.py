"""MNIST: a net of two hidden layers of 1024 with dropout, with max-norm and without any of it, and what each buys."""

from __future__ import annotations

import sys
from pathlib import Path

from proof import Plain, Proof, data, score

SHAPE = "dense 1024, relu"
HOLES = "dropout 0.2, dense 1024, relu, dropout 0.5, dense 1024, relu, dropout 0.5"
COMMON = "--lr 0.001 --patience 0 --set data.split.parts=[0.95,0.05,0]"
MAX_NORM = "--set training.regularize.max_norm=2"


def main() -> int:
    """Trains with several seeds on the official split: dropout, dropout with max-norm, and neither."""
    proof = Proof(__file__, "dropout and max-norm on MNIST with hidden layers of 1024", (5, 110))
    data("mnist")
    seeds, epochs = (3, 60) if proof.full else (1, 4)
    ways = {
        "plain": f"mnist --layers 'x2 {{{SHAPE}}}' --epochs {epochs // 2} {COMMON}",  # settled long before
        "dropout": f"mnist --layers '{HOLES}' --epochs {epochs} {COMMON}",
        "max-norm": f"mnist --layers '{HOLES}' --epochs {epochs} {COMMON} {MAX_NORM}",
    }
    limits = {"dropout": 1.3, "max-norm": 1.2} if proof.full else {}
    told = {}
    for name, words in ways.items():

        def one(seed: int, place: Path, words: str = words) -> Plain:
            found = proof.train(f"{words} --seed {seed}", place)
            longest = [point["train"].get("longest_weights") for point in found["curves"]]  # type: ignore[union-attr]
            error = 100 * (1 - score(found, "test", "accuracy"))
            return {"error": error, "seconds": found["seconds"], "longest": max((x or 0.0) for x in longest)}

        found = proof.seeds(name, seeds, one)
        errors = [float(each["error"]) for each in found]  # type: ignore[arg-type]
        told[name] = proof.mean(f"{name}: test error, %", errors, at_most=limits.get(name))
        if name == "max-norm":
            longest = max(float(each["longest"]) for each in found)  # type: ignore[arg-type]
            proof.check(f"no unit's weights were longer than {longest:.4f} after any epoch", longest <= 2.0001)
    if proof.full:
        proof.row(
            "E14", "Dropout", f"netwright train {ways['dropout']}", f"error {told['dropout']}; without {told['plain']}"
        )
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
