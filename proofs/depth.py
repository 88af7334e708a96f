"""How many layers, how many units, how connected, how optimised: four settings, each with a reason, each compared."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from proof import Plain, Proof

DATA = "sklearn:digits --in image --out category"
COMPARED = {
    "depth": "depth=0,1,2,3",
    "width": "width=4,32,128",
    "connect": "model.connect=chain,residual,dense",
    "optimizer": "optimizer=sgd,adam",
}
FIELDS = ("model.depth", "model.width", "model.connect", "training.optimizer")


def main() -> int:
    """Reads the stated defaults, then compares depths, widths, connections and optimizers."""
    proof = Proof(__file__, "depth, width, connections and optimizer compared on the scans of digits", (5, 20))
    seeds = 5 if proof.full else 3
    found = {name: proof.part(name, lambda place, n=name: _compared(proof, n, seeds, place)) for name in COMPARED}
    told = proof.part("defaults", lambda place: _defaults(proof))

    depths = found["depth"]
    scores = {label: sum(values) / len(values) for label, values in depths["scores"].items()}  # type: ignore[union-attr]
    proof.check("every depth has its parameters and its score", len(scores) == 4 and all(depths["parameters"]))  # type: ignore[arg-type]
    proof.check(
        f"the report says where depth stopped helping: {depths['answer']}", "More depth" in str(depths["answer"])
    )
    best = 100 * max(scores.values())
    proof.check(f"the best depth is right on {best:.1f} % of validation scans, above 90", best > 90)
    proof.row(
        "A08",
        "Multilayer cascade / deep networks",
        f"netwright compare {DATA} --vary {COMPARED['depth']}",
        f"{', '.join(f'{label}: {100 * value:.1f} %' for label, value in scores.items())}. {depths['answer']}",
    )
    for path in FIELDS:
        proof.check(f"default stated with its reason: {told[path]}", "(" in str(told[path]))
    for name in ("width", "connect", "optimizer"):
        proof.check(f"{name}: {found[name]['answer']}", "Best:" in str(found[name]["answer"]))
    proof.row(
        "A10",
        "Architecture design questions",
        f"netwright compare {DATA} --vary {COMPARED['connect']} --depth 3",
        f"four stated defaults; {found['width']['answer']} {found['connect']['answer']} {found['optimizer']['answer']}",
    )
    return proof.end()


def _compared(proof: Proof, name: str, seeds: int, place: Path) -> Plain:
    depth = " --depth 3" if name == "connect" else ""
    proof.say(f"netwright compare {DATA} --vary {COMPARED[name]} --seeds {seeds} --epochs 20{depth} --to '{place}'")
    study = json.loads((place / "compare.json").read_text(encoding="utf-8"))
    settings = study["settings"]
    return {
        "answer": study["answer"],
        "scores": {s["label"]: list(s["validation"].values()) for s in settings},
        "parameters": [s["parameters"] for s in settings],
    }


def _defaults(proof: Proof) -> Plain:
    lines = [line.strip() for line in proof.say(f"netwright plan {DATA}").text.splitlines()]
    return {path: next((line for line in lines if line.startswith(path)), "nothing said") for path in FIELDS}


if __name__ == "__main__":
    sys.exit(main())
