"""MNIST to 99 % within ten seconds: the mean of ten trainings of the recipe mnist-fast.

Other work beside it makes the seconds more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from proof import Plain, Proof, data, score


def main() -> int:
    """Trains the recipe with several seeds."""
    proof = Proof(__file__, "MNIST by the recipe mnist-fast, digits right and seconds", (1, 5))
    data("mnist")

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"mnist-fast --seed {seed}", place)
        return {"right": 100 * score(found, "test", "accuracy"), "seconds": found["seconds"]}

    found = proof.seeds("mnist-fast", 10 if proof.full else 2, one)
    for what, bounds in {"right": {"at_least": 99.0}, "seconds": {"at_most": 10.0}}.items():
        told = "of MNIST's test digits right, %" if what == "right" else "seconds of training"
        proof.mean(told, [float(each[what]) for each in found], **bounds)  # type: ignore[arg-type]
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
