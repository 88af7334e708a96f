"""A network of ten classes goes on with three others: digits are known, letters are to be told apart."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from pens import letters_of, picture
from PIL import ImageOps
from proof import Plain, Proof, data, facts, lines_with, score
from safetensors import safe_open

LETTERS = ("h", "n", "u")  # which look alike, and like no digit
SIDE = 28  # pixels, as of MNIST
NET = "--net '{name: lenet}'"
IN = "--in image --out category"


def main() -> int:
    """Learns digits, then three letters from few pictures, with and without what was learned of digits."""
    proof = Proof(__file__, "a network of ten digits goes on with three letters", (2, 5))
    each = (10, 60) if proof.full else (10, 20)
    proof.part("letters", partial(_drawn, data("digilets"), each))
    letters, base = proof.folder / "letters", proof.folder / "digits"

    def digits(place: Path) -> Plain:
        found = proof.train(f"$NETWRIGHT_DATA/mnist {IN} {NET} --epochs {2 if proof.full else 1}", place)
        return {"right": 100 * score(found, "test", "accuracy")}

    def one(seed: int, place: Path) -> Plain:
        words = f"'{letters}' {IN} --seed {seed}"
        said = proof.say(f"netwright train {words} --from '{base}' --to '{place}'").errors
        scratch = proof.train(f"{words} {NET} --set inputs.image.size_px=[{SIDE},{SIDE}]", place / "scratch")
        return {
            "told": lines_with(said, "starts afresh"),
            "tuned": 100 * score(facts(place), "test", "accuracy"),
            "scratch": 100 * score(scratch, "test", "accuracy"),
        }

    def kept(place: Path) -> Plain:
        """With all but the last layer frozen, so that what was taken over can still be seen."""
        proof.say(f"netwright train '{letters}' {IN} --from '{base}' --freeze all --epochs 2 --to '{place}'")
        before, after = _weights(base / "model.netwright"), _weights(place / "model.netwright")
        body = [name for name in before if "head:" not in name]
        return {"of": len(body), "same": sum(before[name] == after.get(name) for name in body)}

    known = proof.part("digits", digits)
    found = proof.seeds("three letters", 10 if proof.full else 1, one)
    told: list[str] = found[0]["told"]  # type: ignore[assignment]
    new = "; ".join(line.strip() for line in told)
    proof.check(f"what is new is said: {new}", len(told) == 2 and all("head:category" in line for line in told))
    tuned, scratch = ([float(run[way]) for run in found] for way in ("tuned", "scratch"))  # type: ignore[arg-type]
    right = proof.mean("letters of other writers right, %", tuned, digits=1)
    plain = proof.mean("from scratch, %", scratch, digits=1)
    apart = [one - other for one, other in zip(tuned, scratch, strict=True)]
    more = proof.mean(
        "points of accuracy more than from scratch", apart, at_least=1.0 if proof.full else None, digits=1
    )
    body = proof.part("body", kept)
    proof.check(
        f"{body['same']} of {body['of']} tensors before the last layer are the old ones", body["same"] == body["of"]
    )
    proof.row(
        "G05",
        "Fine-tuning with a different number of classes",
        f"netwright train letters {IN} --from runs/mnist-1",
        f"three letters in the place of ten digits, of which {known['right']:.1f} % are known: {new}; all {body['of']} "
        f"other tensors are taken over; with {each[0]} pictures of each letter {right} % right, from scratch "
        f"{plain} %: {more} points more",
    )
    return proof.end()


def _drawn(digilets: Path, each: tuple[int, int], place: Path) -> Plain:
    """Letters as MNIST draws digits, white on black: of a writer one of each, or three for the test."""
    writers = letters_of(digilets)
    parts = ["train"] * each[0] + ["test"] * each[1]
    count = 0
    for part, letters in zip(parts, writers.values(), strict=False):
        for letter in LETTERS:
            for number, points in enumerate(letters[letter][: 1 if part == "train" else 3]):
                drawn = ImageOps.invert(picture(points))
                square = ImageOps.pad(drawn.crop(drawn.getbbox()), (SIDE - 8, SIDE - 8))
                file = place / part / letter / f"{count}-{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                ImageOps.expand(square, 4).save(file)
        count += 1
    return {"writers": count}


def _weights(path: Path) -> dict[str, bytes]:
    with safe_open(path, "pt") as file:
        names = [name for name in file.keys() if name.startswith("weights/")]  # noqa: SIM118
        return {name: file.get_tensor(name).numpy().tobytes() for name in names}


if __name__ == "__main__":
    sys.exit(main())
