"""The parameter table of the ConvNetJS net for CIFAR-10, whose last layer has 3,210 parameters."""

from __future__ import annotations

import json
import sys

from proof import Plain, Proof, data

LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2"
PLAN = f"netwright plan cifar-linear --layers '{LAYERS}'"
EXPECTED = {"conv 16x5 pad 2": [1_216], "conv 20x5 pad 2": [8_020, 10_020], "dense 10": [3_210]}


def main() -> int:
    """Asks for the plan and compares every parameter count with the arithmetic."""
    proof = Proof(__file__, "3,210 parameters from 10x320 weights and 10 biases, in a table of 22,466", (2, 2))
    data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    found = proof.part("plan", lambda place: _planned(proof))
    counts: dict[str, list[int]] = {}
    for text, parameters in found["layers"]:  # type: ignore[union-attr]
        if parameters:
            counts.setdefault(text, []).append(parameters)
    proof.check(f"parameters by layer: {counts}", counts == EXPECTED)
    proof.check(f"{found['total']:,} in all", found["total"] == 22_466)
    proof.check("the printed table has 3,210", "3,210" in str(found["text"]))
    proof.row("F04", "Fully connected layer", PLAN, "10 x 320 + 10 = 3,210 in the table; 22,466 in all")
    return proof.end()


def _planned(proof: Proof) -> Plain:
    planned = json.loads(proof.say(f"{PLAN} --json").text)
    return {
        "layers": [[row["text"], row["parameters"]] for row in planned["layers"]],
        "total": planned["parameters"],
        "text": "\n".join(planned["text"]),
    }


if __name__ == "__main__":
    sys.exit(main())
