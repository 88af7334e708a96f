"""MNIST: a net of two hidden layers of 1024 with dropout, with max-norm and without any of it, and what each buys."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, score

SHAPE = "x2 {dense 1024, relu}"
HOLES = "dropout 0.2, x2 {dense 1024, relu, dropout 0.5}"
# All 60,000 digits train, nothing is chosen on the way; averaged weights are kept.
COMMON = "--batch-size 256 --lr 0.0015 --patience 0 --set training.average=0.999 --set data.split.parts=[1,0,0]"
MAX_NORM = "--set training.regularize.max_norm=2"


def main() -> int:
    """Trains with several seeds on the official split: dropout, dropout with max-norm, and neither."""
    proof = Proof(__file__, "dropout and max-norm on MNIST with hidden layers of 1024", (4, 55))
    data("mnist")
    seeds, epochs = (3, 60) if proof.full else (1, 4)
    ways = {
        "max-norm": f"mnist --layers '{HOLES}' --epochs {epochs} {COMMON} {MAX_NORM}",
        "dropout": f"mnist --layers '{HOLES}' --epochs {epochs} {COMMON}",
        "plain": f"mnist --layers '{SHAPE}' --epochs {epochs // 6} {COMMON}",  # settled long before
    }
    limits = {"dropout": 1.3, "max-norm": 1.2} if proof.full else {}
    found = proof.parts(
        {f"{name} seed {seed}": partial(_one, proof, ways[name], seed) for name in ways for seed in range(seeds)}
    )
    told = {}
    for name in ways:
        errors = [float(found[f"{name} seed {seed}"]["error"]) for seed in range(seeds)]  # type: ignore[arg-type]
        told[name] = proof.mean(f"{name}: test error, %", errors, at_most=limits.get(name))
    longest = max(float(found[f"max-norm seed {seed}"]["longest"]) for seed in range(seeds))  # type: ignore[arg-type]
    proof.check(f"with max-norm no unit's weights were longer than {longest:.4f} after any epoch", longest <= 2.0001)
    if proof.full:
        proof.row(
            "E14",
            "Dropout",
            f"netwright train {ways['dropout']}",
            f"error {told['dropout']}; with max-norm {told['max-norm']}; with neither {told['plain']}",
        )
    return proof.end()


def _one(proof: Proof, words: str, seed: int, place: Path) -> Plain:
    found = proof.train(f"{words} --set training.threads=1 --seed {seed}", place)
    longest = [float(point["train"].get("longest_weights") or 0.0) for point in found["curves"]]  # type: ignore[union-attr]
    return {"error": 100 * (1 - score(found, "test", "accuracy")), "seconds": found["seconds"], "longest": max(longest)}


if __name__ == "__main__":
    sys.exit(main())
