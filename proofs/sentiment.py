"""Film reviews: ten folds of MR and SST-2's own parts, beside a bag of words on the same folds."""

from __future__ import annotations

import html
import json
import sys
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, score

from netwright.studies.compare import mean_interval

MR = "sentiment"
SST = "$NETWRIGHT_DATA/sentiment/stsa.binary.train --set data.duplicates=accept"  # 2 of 1,821 test sentences
FILTERS = (
    "dropout 0.5, {conv1d 100x3, relu, global_pool max | conv1d 100x4, relu, global_pool max | "
    "conv1d 100x5, relu, global_pool max} concat, dropout 0.5"
)


def main() -> int:
    """Cross-validates the recipe on MR, trains it on SST-2, and puts filters of words beside it."""
    proof = Proof(__file__, "film reviews right, beside a bag of words on the same folds", (5, 60))
    data("sentiment")
    folds, short = (10, "") if proof.full else (2, " --epochs 4")
    short += " --set data.split.parts=[0.8,0.1,0.1]"  # a tenth is tested in each fold, of the others a ninth validates
    nets = {"LSTM": f"{MR}{short}", "filters of three to five words": f"{MR}{short} --layers '{FILTERS}'"}
    found = {name: proof.part(name, partial(_folds, proof, words, folds)) for name, words in nets.items()}
    best = found["LSTM"]
    right: list[float] = best["right"]  # type: ignore[assignment]
    bag: list[float] = best["bag"]  # type: ignore[assignment]
    told = proof.mean("MR, right, %", right, at_least=76 if proof.full else 68, digits=1, of="folds")
    beside = proof.mean("a bag of words on the same folds, %", bag, digits=1, of="folds")
    apart = [a - b for a, b in zip(right, bag, strict=True)]
    more = proof.mean("points more than the bag of words", apart, digits=1, of="folds")
    above = (mean_interval(apart) or (0.0, 0.0))[0] > 0
    verdict, on_page = str(best["verdict"]), bool(best["on the page"])
    plain = on_page and ("the net is better" in verdict) == above
    proof.check(f"the comparison says plainly, in the terminal and on its page: {verdict}", plain)
    tested = proof.seeds("SST-2", 3 if proof.full else 1, partial(_sst, proof, short))
    sst = [float(each["right"]) for each in tested]  # type: ignore[arg-type]
    second = proof.mean("SST-2's test sentences right, %", sst, at_least=80 if proof.full else 68, digits=1)
    proof.check("words of held-out sentences are coloured", all(each["coloured"] for each in tested))
    telling = tested[0]["telling"]
    proof.row(
        "I08",
        "Sentiment classification",
        f"netwright compare {MR}{short} --folds {folds}",
        f"MR, mean of {folds} folds: {told} %, a bag of words {beside} % ({more} points more, {verdict}); "
        f"SST-2 {second} %; all without pretrained words; coloured by `netwright look words`, where what speaks most "
        f"for each answer is {telling}",
    )
    filters: list[float] = found["filters of three to five words"]["right"]  # type: ignore[assignment]
    wide = proof.mean("filters of three to five words on the same folds, %", filters, digits=1, of="folds")
    proof.row(
        "H06",
        "Many-to-one",
        f"netwright compare {MR}{short} --folds {folds}",
        f"a sequence of words in, one class out: an LSTM both ways has {told} % of MR's reviews right in {folds} "
        f"folds, filters of three to five words {wide} %; pen digits and characters stand at I31",
    )
    return proof.end()


def _folds(proof: Proof, words: str, folds: int, place: Path) -> Plain:
    place = proof.lasting(place.name)  # an interrupted comparison goes on
    spoken = proof.say(f"netwright compare {words} --folds {folds} --to '{place}'", timeout=4 * 3600)
    (setting,) = json.loads((place / "compare.json").read_text(encoding="utf-8"))["settings"]
    page = html.unescape((place / "compare.html").read_text(encoding="utf-8"))
    said = next((line for line in spoken.text.splitlines() if "on the same folds" in line), "")
    return {
        "right": [100 * value for value in setting["test"].values()],
        "bag": [100 * value for value in setting["beside"]["a bag of words"].values()],
        "verdict": said.rpartition(": ")[2].rstrip("."),
        "on the page": bool(said) and said.rpartition(": ")[2].strip() in page,
    }


def _sst(proof: Proof, short: str, seed: int, place: Path) -> Plain:
    found = proof.train(f"{MR} --data {SST}{short} --seed {seed}", place)
    seen = json.loads(proof.say(f"netwright look words '{place}' --json").text)
    most = {name: ", ".join(each["word"] for each in words[:3]) for name, words in seen["common"].items()}
    telling = "; ".join(f"{name}: {words}" for name, words in most.items())
    coloured = (place / "words.html").exists() and any(any(each["influence"]) for each in seen["texts"])
    return {"right": 100 * score(found, "test", "accuracy"), "coloured": coloured, "telling": telling}


if __name__ == "__main__":
    sys.exit(main())
