"""CIFAR-10 by ConvNetJS's network within ten minutes.

Each seed is kept when it is done, and a training that is interrupted goes on where it was. Minutes are those of
training; other work beside it makes them more.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, facts, score

PLAN = "netwright plan $NETWRIGHT_DATA/cifar10_jpeg/cifar10_jpeg.tar.xz --in image --out category --net convnetjs"
MAPS = ["16x32x32", "16x16x16", "20x16x16", "20x8x8", "20x8x8", "20x4x4"]
PARAMETERS = [1216, 8020, 10_020, 3210]


def main() -> int:
    """Plans and trains ConvNetJS's network."""
    proof = Proof(__file__, "CIFAR-10 by the recipe cifar, pictures right and minutes", (5, 40))
    data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    table = _table(proof)
    seeds, short = (3, "") if proof.full else (1, " --epochs 2")
    small = proof.seeds("convnetjs", seeds, partial(trained, proof, f"cifar{short}"))
    shares = [
        proof.mean("right with one view, %", column(small, "one view")),
        proof.mean("right with mirror images, %", column(small, "mirrored"), at_least=76 if proof.full else 55),
    ]
    proof.check("what evaluate says of one view is what the run said of itself", all(each["same"] for each in small))
    minutes = proof.mean("minutes of training", column(small, "minutes"), at_most=10, digits=1)
    more = proof.mean("points more with the mirror image", [each["mirrored"] - each["one view"] for each in small])  # type: ignore[operator]
    proof.row(
        "F15",
        "ConvNetJS CIFAR-10 network",
        f"netwright train cifar{short}",
        f"{table}; {shares[0]} % of the 10,000 test pictures right, {shares[1]} % with the mean of both mirror images "
        f"({more} points more), after {minutes} minutes on two cores",
    )
    return proof.end()


def _table(proof: Proof) -> str:
    found = proof.part("table", lambda place: json.loads(proof.say(f"{PLAN} --json").text))
    rows: list[dict] = found["layers"]  # type: ignore[assignment]
    parameters = [row["parameters"] for row in rows if row["parameters"]]
    maps = ["x".join(map(str, row["shape"])) for row in rows if row["layer"].startswith(("conv", "pool"))]
    proof.check(f"maps {', '.join(maps)}", maps == MAPS)
    told = f"{' + '.join(f'{count:,}' for count in parameters)} = {found['parameters']:,} parameters"
    proof.check(told, parameters == PARAMETERS and found["parameters"] == sum(PARAMETERS))
    return told


def trained(proof: Proof, words: str, seed: int, place: Path) -> Plain:
    """A training, or the rest of one, and its share of test pictures right, as they are and with mirror images."""
    folder = proof.trained(f"{words} --seed {seed}", place)
    found = facts(folder)
    rows = json.loads(proof.say(f"netwright evaluate '{folder}' --crops 1,2 --json").text)["rows"]
    one, both = (100 * (1 - row["top1_error"]) for row in rows)
    return {
        "one view": one,
        "mirrored": both,
        "same": abs(one - 100 * score(found, "test", "accuracy")) < 1e-6,
        "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
        "parameters": found["parameters"],
    }


def column(found: list[Plain], name: str) -> list[float]:
    """One number of each seed."""
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
