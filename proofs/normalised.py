"""Batch normalisation: sooner with it than without; a photograph alone as among others; every transform on one page."""

from __future__ import annotations

import json
import math
import statistics
import sys
from functools import partial
from pathlib import Path

from photos import laid_out
from proof import Plain, Proof, data

SIGMOIDS = "x3 {dense 100, sigmoid}; x3 {dense 100, batch_norm, sigmoid}"  # arXiv:1502.03167, section 4.1
CONVS = (
    "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, conv 64x3 pad 1, relu, global_pool; "
    "conv 16x5 pad 2 bias no, batch_norm, relu, pool 2, conv 32x5 pad 2 bias no, batch_norm, relu, pool 2, "
    "conv 64x3 pad 1 bias no, batch_norm, relu, global_pool"
)
IN = "--in image --out category"


def main() -> int:
    """Trains with and without batch_norm, and shows what transforms make of photographs."""
    proof = Proof(__file__, "batch normalisation, and transforms of photographs", (4, 20))
    data("mnist")
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    photos = proof.folder / "photos"
    proof.part("photos", partial(laid_out, archive, 1000 if proof.full else 200))
    _normalised(proof, photos)
    _views(proof, photos)
    return proof.end()


def _normalised(proof: Proof, photos: Path) -> None:
    digits = f"mnist --optimizer sgd --lr 0.1 --batch-size 60 --patience 0 --epochs {40 if proof.full else 8}"
    digits += f" --set data.split.take={20_000 if proof.full else 6000}"
    small = f"'{photos}' {IN} --optimizer sgd --lr 0.05 --patience 0 --epochs {15 if proof.full else 6}"
    asked = {
        "MNIST": (f"{digits} --vary 'layers={SIGMOIDS}'", 0.9 if proof.full else 0.85),
        "photographs": (f"{small} --vary 'layers={CONVS}'", 0.4 if proof.full else 0.3),
    }
    told, sweep = [], ""
    for name, (words, reach) in asked.items():
        sweep = sweep or f"netwright compare {words} --reach {reach}"

        def compared(place: Path, words: str = words, reach: float = reach) -> Plain:
            seeds = 3 if proof.full else 1
            say = f"netwright compare {words} --seeds {seeds} --reach {reach} --to '{place}' --json"
            found = json.loads(proof.say(say, timeout=4 * 3600).text)
            page = (place / "compare.html").read_text(encoding="utf-8")
            return {
                "steps": [[each["reached"][seed] for seed in sorted(each["reached"])] for each in found["settings"]],
                "most": max(each["steps"] for each in found["settings"]),
                "curves": page.count('class="curve'),
                "right": [list(each["test"].values()) for each in found["settings"]],
            }

        found = proof.part(f"with and without batch_norm on {name}", compared)
        plain, normal = found["steps"]  # type: ignore[misc]
        sooner = [with_it < (without or math.inf) for without, with_it in zip(plain, normal, strict=True) if with_it]
        shown = [
            ", ".join(f"{step:,}" if step else f"not within {found['most']:,}" for step in of) for of in (plain, normal)
        ]
        ends = [f"{100 * statistics.fmean(of):.1f}" for of in found["right"]]  # type: ignore[union-attr]
        said = f"{name}, steps to {100 * reach:g} %: without {shown[0]}, with {shown[1]}"
        said += f"; at the end {ends[0]} and {ends[1]} % of the test pictures right"
        proof.check(f"{said}: sooner with it on every seed", len(sooner) == len(normal) and all(sooner))
        proof.check(f"{found['curves']} curves overlaid on the page of {name}", int(found["curves"]) >= 4)  # type: ignore[call-overload]
        told.append(said)
    off = proof.part("alone and among others", lambda place: _alone(proof, photos))["off"]
    proof.check(f"a photograph alone is answered as among 64, off by {off:.0e}", float(off) < 1e-5)  # type: ignore[arg-type]
    proof.row(
        "E13",
        "Batch normalisation",
        sweep,
        f"{'; '.join(told)}; curves overlaid on its page; a batch of 1 answers as one of 64, off by {off:.0e}",
    )


def _alone(proof: Proof, photos: Path) -> Plain:
    """Answers of a net with batch_norm for single photographs, and for the same ones among 64."""
    place = proof.folder / "with-and-without-batch_norm-on-photographs"
    run = next(path.parent for path in sorted(place.glob("*batch_norm*/model.netwright")))
    some = sorted(photos.rglob("*.jpg"))[:: max(1, sum(1 for _ in photos.rglob("*.jpg")) // 64)][:64]
    every = " ".join(f"'{path}'" for path in some)
    together = json.loads(proof.say(f"netwright predict '{run}' {every} --json").text)
    off = 0.0
    for at in (0, 20, 40):
        (alone,) = json.loads(proof.say(f"netwright predict '{run}' '{some[at]}' --json").text)
        shares = [name for name in alone if name.startswith("category:")]
        off = max(off, *(abs(alone[name] - together[at][name]) for name in shares))
    return {"off": off, "together": len(together)}


def _views(proof: Proof, photos: Path) -> None:
    def one(place: Path) -> Plain:
        place.mkdir(parents=True)
        page = place / "views.html"
        said = proof.say(f"netwright data show '{photos}' {IN} --views '{page}' --json").text
        views = json.loads(said)["views"]["views"]
        return {
            "names": [each["name"] for each in views],
            "changed": {each["name"]: each["changed"] for each in views},
            "pictures": page.read_text(encoding="utf-8").count("<image "),
        }

    found = proof.part("views", one)
    names: list[str] = found["names"]  # type: ignore[assignment]
    wanted = {"mirror", "crop", "colour", "distort", "rotate", "stretch", "grain"}
    proof.check(f"shown: {', '.join(names)}", wanted <= set(names))
    changed: dict[str, int] = found["changed"]  # type: ignore[assignment]
    proof.check(
        "every transform changes photographs, a mirror those of one epoch in two",
        all(count == 8 or name in ("mirror", "shift") for name, count in changed.items()) and changed["mirror"] > 0,
    )
    proof.row(
        "E18",
        "Image transforms list",
        f"netwright data show photos {IN} --views views.html",
        f"{found['pictures']} pictures on one page: eight photographs of the user's own as they are and under each of "
        f"{', '.join(names)}, before any training; `--set inputs.image.augment=[...]` shows those chosen, alone and "
        "together; tracks and pen ink are moved likewise",
    )


if __name__ == "__main__":
    sys.exit(main())
