"""CIFAR-10: nine pictures in ten right within the hour on two cores.

A training that is interrupted goes on where it was. Minutes are those of training; other work beside it makes them
more.
"""

from __future__ import annotations

import sys
from functools import partial

from cifar import column, trained
from proof import Proof, data


def main() -> int:
    """Trains the recipe cifar-fast; the quick form for one epoch."""
    proof = Proof(__file__, "CIFAR-10 by the recipe cifar-fast, pictures right and minutes", (6, 55))
    data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    short = "" if proof.full else " --epochs 1"
    found = proof.seeds("fast", 2 if proof.full else 1, partial(trained, proof, f"cifar-fast{short}"))
    proof.mean("pictures right, mirrored, %", column(found, "mirrored"), at_least=90 if proof.full else 50)
    proof.mean("pictures right with one view, %", column(found, "one view"))
    minutes = column(found, "minutes")
    proof.mean("minutes of training", minutes, at_most=60, digits=1)
    proof.check(f"{max(minutes):.1f} minutes for the longest, at most 60", max(minutes) <= 60)
    proof.check("what evaluate says of one view is what the run said of itself", all(each["same"] for each in found))
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
