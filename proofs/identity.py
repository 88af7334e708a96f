"""Triplets on handwriting: which digit lies nearest to which, for digits that were learned and two that were not."""

from __future__ import annotations

import csv
import gzip
import json
import statistics
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from proof import Plain, Proof, data, score

LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, dense 128, relu"
LEARNED, STRANGERS = range(8), (8, 9)
WORDS = f"--in image --out category:identity --layers '{LAYERS}' --epochs 15 --patience 0"


def main() -> int:
    """Trains embeddings on the digits 0 to 7 and asks them about these and about 8 and 9."""
    proof = Proof(__file__, "triplets: precision@1 rises, same and different part, also for digits never seen", (4, 12))
    source, each = data("mnist"), 1500 if proof.full else 400

    def digits(place: Path) -> Plain:
        return {"pictures": _written(source, place, each)}

    count = proof.part("digits", digits)["pictures"]
    folder = proof.folder / "digits"

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"'{folder / 'learned'}' {WORDS} --seed {seed}", place)
        curve = [100 * point["validation"]["precision_at_1"] for point in found["curves"]]  # type: ignore[union-attr,index]
        (output,) = found["outputs"]  # type: ignore[misc]
        pixels = next(each["scores"] for each in output["baselines"] if each["name"] == "inputs")
        said = json.loads(proof.say(f"netwright evaluate '{place}' --data '{folder / 'strangers'}' --json").text)
        return {
            "curve": curve,
            "found": 100 * score(found, "test", "precision_at_1"),
            "pixels": 100 * float(pixels["precision_at_1"]),
            "area": score(found, "test", "auc"),
            "pixels area": float(pixels["auc"]),
            "overlap": _overlap(output["apart"]),
            "strangers": {name: float(said["scores"]["category"][name]) for name in ("precision_at_1", "auc")},
            **_named(proof, place, folder),
        }

    seeds = proof.seeds("digits 0 to 7", 5 if proof.full else 3, one)

    def every(name: str) -> list[float]:
        return [float(found[name]) for found in seeds]  # type: ignore[arg-type]

    curve = [statistics.fmean(values) for values in zip(*(found["curve"] for found in seeds), strict=True)]  # type: ignore[call-overload]
    rise = [found["curve"][-1] - found["curve"][0] for found in seeds]  # type: ignore[index,operator]
    told = ", ".join(f"{value:.1f}" for value in curve)
    print(f"  precision@1 on validation, epoch by epoch, %: {told}")
    proof.check(f"every seed ends above its first epoch, by {min(rise):.1f} points or more", min(rise) > 0)
    found = proof.mean("precision@1 of held-out digits, %", every("found"), at_least=95, digits=1)
    more = [one - other for one, other in zip(every("found"), every("pixels"), strict=True)]
    gain = proof.mean("points of it more than the nearest by pixels", more, at_least=0)
    area = proof.mean("area under the ROC curve of distances", every("area"), at_least=0.95, digits=3)
    overlap = proof.mean("overlap of the distances of same and different pairs, %", every("overlap"), at_most=20)
    new = [found["strangers"] for found in seeds]
    unseen = [100 * of["precision_at_1"] for of in new]  # type: ignore[index]
    seen = proof.mean("precision@1 among 8 and 9, never seen, %", unseen, at_least=90, digits=1)
    apart = proof.mean("area for 8 and 9", [of["auc"] for of in new], at_least=0.6, digits=3)  # type: ignore[index]
    right = proof.mean("new pictures of learned digits named rightly, %", every("right"), at_least=85, digits=1)
    nobody = proof.mean("pictures of 8 and 9 told as nobody known, %", every("nobody"), at_least=50, digits=1)
    proof.row(
        "C05",
        "Triplet loss (FaceNet)",
        f"netwright train digits/ {WORDS}",
        f"{count:,} digits of MNIST, 0 to 7 learned: precision@1 by epoch {told} %, on test digits {found} % "
        f"({gain} points more than by pixels); area under the ROC curve {area}, distances of same and different pairs "
        f"overlap by {overlap} %; among 8 and 9, never seen, precision@1 {seen} %, area {apart}; predict names "
        f"{right} % of new learned digits rightly and knows nobody in {nobody} % of the others",
    )
    return proof.end()


def _written(source: Path, place: Path, each: int) -> int:
    """Pictures in folders: `learned` and `strangers` of MNIST's training digits, `new` of its test digits."""
    count = 0
    for part, name, most in (("train", "", each), ("t10k", "new", 50)):
        pixels, labels = (
            np.frombuffer(gzip.decompress((source / f"{part}-{of}-ubyte.gz").read_bytes()), np.uint8)[skip:]
            for of, skip in (("images-idx3", 16), ("labels-idx1", 8))
        )
        for digit in range(10):
            where = place / (name or ("learned" if digit in LEARNED else "strangers")) / str(digit)
            where.mkdir(parents=True)
            for at in np.flatnonzero(labels == digit)[:most]:
                Image.fromarray(pixels.reshape(-1, 28, 28)[at]).save(where / f"{at}.png")
                count += 1
    return count


def _overlap(apart: dict[str, list[int]]) -> float:
    """The share, in %, that two histograms have in common."""
    same, different = (np.array(apart[name]) / max(sum(apart[name]), 1) for name in ("same", "different"))
    return 100 * float(np.minimum(same, different).sum())


def _named(proof: Proof, run: Path, folder: Path) -> Plain:
    """How many new pictures of learned digits are named rightly, and how many of the others are nobody known, in %."""
    kept = run / "new.csv"
    proof.say(f"netwright predict '{run}' '{folder / 'new'}' --save '{kept}'")
    with kept.open(newline="", encoding="utf-8") as rows:
        answers = [(int(Path(row["id"]).parent.name), row["category"]) for row in csv.DictReader(rows)]
    right = [answer == str(digit) for digit, answer in answers if digit in LEARNED]
    nobody = [not answer for digit, answer in answers if digit in STRANGERS]
    return {"right": 100 * statistics.fmean(right), "nobody": 100 * statistics.fmean(nobody)}


if __name__ == "__main__":
    sys.exit(main())
