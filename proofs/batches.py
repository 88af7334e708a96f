"""Batches of one, of 64 and of all; and batches drawn by chance from a folder that is sorted by class."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from proof import Plain, Proof, data, lines_with

SIZES = "netwright compare iris --vary batch_size=1,64,all --epochs 60 --patience 0 --optimizer sgd --lr 0.02"
FOLDER = "netwright data show $NETWRIGHT_DATA/hymenoptera_256 --in image --out category"


def main() -> int:
    """Compares three batch sizes, then looks at the labels of the first batches."""
    proof = Proof(
        __file__, "batch sizes 1, 64 and all on the same real data; batches are mixed and reproducible", (3, 6)
    )
    data("hymenoptera_256")
    sizes = proof.part("sizes", lambda place: _sizes(proof, place, 10 if proof.full else 3))
    falls: dict[str, tuple[float, float]] = sizes["falls"]  # type: ignore[assignment]
    proof.check(
        f"the loss falls with every batch size: {falls}", len(falls) == 3 and all(a > b for a, b in falls.values())
    )  # type: ignore[union-attr]
    lines = sizes["lines"]
    proof.check("loss against examples seen and against seconds, three lines", len(lines) == 3)  # type: ignore[arg-type]
    told = "; ".join(str(line).strip() for line in lines)  # type: ignore[union-attr]
    proof.row("E01", "Minibatch SGD (full, online, mini)", SIZES, f"validation loss by examples seen (seconds): {told}")

    mixed = proof.part("mixed", lambda place: _mixed(proof))
    proof.check(f"labels of the first batch: {mixed['first']}", bool(mixed["both"]))
    proof.check("the same seed gives the same order", bool(mixed["same"]))
    proof.check("another seed gives another order", bool(mixed["other"]))
    proof.row("E04", "Select minibatches randomly", FOLDER, f"first batch of a sorted folder: {mixed['first']}")
    return proof.end()


def _sizes(proof: Proof, place: Path, seeds: int) -> Plain:
    text = proof.say(f"{SIZES} --seeds {seeds} --to '{place}'").text
    falls: dict[str, tuple[float, float]] = {}
    for run in sorted(place.glob("*-seed-0*")):
        curve = json.loads((run / "facts.json").read_text(encoding="utf-8"))["curves"]
        falls[run.name.partition("-seed-0")[0]] = (
            round(curve[0]["train"]["loss"], 4),
            round(curve[-1]["train"]["loss"], 4),
        )
    return {"falls": falls, "lines": [line.strip() for line in lines_with(text, "batch size", " s)")]}


def _mixed(proof: Proof) -> Plain:
    once, twice, other = (_batches(proof.say(f"{FOLDER}{more}").text) for more in ("", "", " --seed 1"))
    labels = once[0].split(":", 1)[1].split()
    return {
        "first": " ".join(labels),
        "both": len(set(labels)) == 2,
        "same": once == twice,
        "other": once != other,
    }


def _batches(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("batch ")]


if __name__ == "__main__":
    sys.exit(main())
