"""Film reviews: ten folds of MR and SST-2's own parts, beside a bag of words on the same folds."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, score

MR = "sentiment"
SST = "$NETWRIGHT_DATA/sentiment/stsa.binary.train"
RECURRENT = '"dropout 0.5, lstm 64 both yes, global_pool max, dropout 0.5"'


def main() -> int:
    """Cross-validates the recipe on MR, trains it on SST-2, and puts a recurrent network beside it."""
    proof = Proof(__file__, "film reviews right, beside a bag of words on the same folds", (5, 60))
    data("sentiment")
    folds, short = (10, "") if proof.full else (2, " --epochs 2")
    nets = {"filters of three to five words": f"{MR}{short}", "LSTM": f"{MR}{short} --layers {RECURRENT}"}
    found = {name: proof.part(name, partial(_folds, proof, words, folds)) for name, words in nets.items()}
    best = found["filters of three to five words"]
    right: list[float] = best["right"]  # type: ignore[assignment]
    bag: list[float] = best["bag"]  # type: ignore[assignment]
    told = proof.mean("MR, ten folds, right, %", right, at_least=76 if proof.full else 68, digits=1)
    beside = proof.mean("a bag of words on the same folds, %", bag, digits=1)
    more = proof.mean("points more than the bag of words", [a - b for a, b in zip(right, bag, strict=True)], digits=1)
    sst = [float(each["right"]) for each in proof.seeds("SST-2", 3 if proof.full else 1, partial(_sst, proof, short))]  # type: ignore[arg-type]
    second = proof.mean("SST-2's test sentences right, %", sst, at_least=80 if proof.full else 68, digits=1)
    proof.row(
        "I08",
        "Sentiment classification",
        f"netwright compare {MR}{short} --folds {folds}",
        f"MR, mean of {folds} folds: {told} %, a bag of words {beside} % ({more} points more, {best['verdict']}); "
        f"SST-2 {second} %; all without pretrained words",
    )
    lstm: list[float] = found["LSTM"]["right"]  # type: ignore[assignment]
    told = proof.mean("an LSTM on the same folds, %", lstm, at_least=72 if proof.full else 60, digits=1)
    proof.row(
        "H06",
        "Many-to-one",
        f"netwright train {MR} --layers {RECURRENT}",
        f"a sequence of words in, one class out: an LSTM both ways has {told} % of MR's reviews right in {folds} "
        "folds; pen digits and characters stand at I31",
    )
    return proof.end()


def _folds(proof: Proof, words: str, folds: int, place: Path) -> Plain:
    spoken = proof.say(f"netwright compare {words} --folds {folds} --to '{place}'", timeout=4 * 3600)
    (setting,) = json.loads((place / "compare.json").read_text(encoding="utf-8"))["settings"]
    said = next((line for line in spoken.text.splitlines() if "on the same folds" in line), "")
    return {
        "right": [100 * value for value in setting["test"].values()],
        "bag": [100 * value for value in setting["beside"]["a bag of words"].values()],
        "verdict": said.rpartition(": ")[2].rstrip("."),
    }


def _sst(proof: Proof, short: str, seed: int, place: Path) -> Plain:
    found = proof.train(f"{MR} --data {SST}{short} --seed {seed}", place)
    return {"right": 100 * score(found, "test", "accuracy")}


if __name__ == "__main__":
    sys.exit(main())
