"""The digits recipe: image in, category out, at least 97 % of held-out scans right."""

from __future__ import annotations

import sys
from pathlib import Path

from proof import Plain, Proof, score


def main() -> int:
    """Trains with several seeds, each of which also draws its own split."""
    proof = Proof(__file__, "1,797 real scans, held-out accuracy of the recipe", (2, 5))

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"digits --seed {seed}", place)
        return {"accuracy": 100 * score(found, "test", "accuracy"), "seconds": found["seconds"]}

    results = proof.seeds("digits", 10 if proof.full else 5, one)
    told = proof.mean("test accuracy, %", [float(r["accuracy"]) for r in results], at_least=97, digits=1)  # type: ignore[arg-type]
    proof.row("H04", "One-to-one", "netwright train digits", f"image -> category: {told} % of held-out scans right")
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
