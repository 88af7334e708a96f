"""Augmentation on photographs: what training saw, how many views there are, and what mirroring and shifting buy."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from photos import members
from proof import Plain, Proof, data

LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, dense 64, relu"
WAYS = {"as they are": "[]", "mirror": "mirror", "mirror and shift": "[mirror, {name: shift, px: 3}]"}
EACH = 500  # photographs of a class


def main() -> int:
    """Trains on ten classes of small photographs with and without augmentation."""
    proof = Proof(__file__, "mirroring and shifting of photographs: seen, counted, and what they buy", (6, 14))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")

    def photos(place: Path) -> Plain:
        for label, name, content in members(archive, EACH):
            (place / label).mkdir(parents=True, exist_ok=True)
            (place / label / name).write_bytes(content)
        return {"photos": sum(1 for _ in place.rglob("*.jpg"))}

    count = proof.part("photos", photos)["photos"]
    place = proof.folder / "photos"
    vary = f"--vary 'inputs.image.augment={'; '.join(WAYS.values())}'"
    words = f"'{place}' --in image --out category --layers '{LAYERS}' --epochs 30 --patience 0"

    def compared(where: Path) -> Plain:
        seeds = 5 if proof.full else 2
        said = proof.say(f"netwright compare {words} {vary} --seeds {seeds} --to '{where}' --json").text
        settings = json.loads(said)["settings"]
        return {name: list(each["test"].values()) for name, each in zip(WAYS, settings, strict=True)}

    right = proof.part("compared", compared)
    plain, *others = WAYS
    gains = {}
    for way in others:
        apart = [100 * (one - other) for one, other in zip(right[way], right[plain], strict=True)]  # type: ignore[call-overload]
        gains[way] = proof.mean(f"points of accuracy with {way} less without", apart, at_least=0)

    def sheet(where: Path) -> Plain:
        shown = "netwright train '{}' --in image --out category --set inputs.image.augment=mirror --epochs 1 --to '{}'"
        proof.say(shown.format(place, where))
        facts = json.loads((where / "facts.json").read_text(encoding="utf-8"))
        told = next(each["why"] for each in facts["settings"] if each["path"] == "inputs.image.augment")
        changed = sum(each["before"] != each["after"] for each in facts["changed"])
        return {"pairs": len(facts["changed"]), "changed": changed, "told": told}

    seen = proof.part("sheet", sheet)
    proof.check(
        f"{seen['pairs']} pictures beside what a step saw, {seen['changed']} of them changed", bool(seen["changed"])
    )
    proof.check(f"told beforehand: {seen['told']}", "views of each" in str(seen["told"]))
    shares = ", ".join(f"{way} {100 * statistics.fmean(right[way]):.1f} %" for way in WAYS)  # type: ignore[arg-type]
    proof.row(
        "E16",
        "Data-set augmentation",
        f"netwright compare photos --in image --out category {vary}",
        f"{count:,} photographs of ten classes, test photographs right: {shares}; gains {gains['mirror']} and "
        f"{gains['mirror and shift']} points; {seen['pairs']} pictures before and after in the report; {seen['told']}",
    )
    return proof.end()


if __name__ == "__main__":
    sys.exit(main())
