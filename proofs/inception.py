"""GoogLeNet and BN-Inception: modules as in their tables, small forms trained, errors with crops and several nets."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

from convnets import FULL_SIZE, IN, at_full_size, small_form, table_rows, thousand
from photos import laid_out
from proof import Plain, Proof, data, score

FIRST_MODULE = {"googlenet": [64, 96, 128, 16, 32, 32], "bn_inception": [64, 64, 64, 64, 96, 96, 32]}
JOINED = {
    "googlenet": [256, 480, 512, 512, 512, 528, 832, 832, 1024],
    "bn_inception": [256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024],
}


def main() -> int:
    """Plans and trains both networks."""
    proof = Proof(__file__, "GoogLeNet and BN-Inception, their tables, and errors with crops and several nets", (4, 45))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    photos = proof.folder / "photos"
    proof.part("photos", partial(laid_out, archive, 1000 if proof.full else 200))
    proof.part("a thousand folders", partial(thousand, photos))
    _inception(proof, photos)
    return proof.end()


def _inception(proof: Proof, photos: Path) -> None:
    names = {"googlenet": ("F11", "GoogLeNet / Inception"), "bn_inception": ("F12", "BN-Inception")}
    for name, (id, title) in names.items():
        table = at_full_size(proof, name)
        rows = table_rows(table)
        first = next(at for at, row in enumerate(rows) if row["layer"].startswith("concat"))
        inside = [row["shape"][0] for row in rows[:first] if row["layer"].startswith("conv")]
        inside = inside[-len(FIRST_MODULE[name]) :]
        joined = [row["shape"][0] for row in rows if row["layer"].startswith("concat")]
        proof.check(f"{name}: filters inside of the first module {inside}", inside == FIRST_MODULE[name])
        proof.check(f"{name}: channels behind each module {joined}", joined == JOINED[name])
        if name in FULL_SIZE:  # nobody has published how many BN-Inception has by its table
            proof.check(f"{name} at 224: {table['parameters']:,} parameters", table["parameters"] == FULL_SIZE[name])
        words = f"--net {name} --epochs {3 if proof.full else 2} --set data.split.seed=0"
        small = small_form(proof, name, photos, words, 20 if proof.full else 9)
        command, more = f"netwright train photos {IN} {words}", ""
        if name == "bn_inception":
            command = "netwright evaluate RUN --crops 1,10 --ensemble OTHER"
            more = f"; {_errors(proof, photos, words)}"
        proof.row(
            id,
            title,
            command,
            f"{table['parameters']:,} parameters at 224 x 224; filters of the first module {inside}, channels behind "
            f"each {joined}; {small}{more}",
        )


def _errors(proof: Proof, photos: Path, words: str) -> str:
    """Top-1 and top-5 error with one crop and with many, of one network and of several, as the paper tells them."""
    runs = [proof.folder / "small-bn_inception"]
    for seed in range(1, 2):
        name = f"small bn_inception {seed}"

        def one(place: Path, seed: int = seed) -> Plain:
            found = proof.train(f"'{photos}' {IN} {words} --patience 0 --seed {seed}", place)
            return {"right": 100 * score(found, "test", "accuracy")}

        proof.part(name, one)
        runs.append(proof.folder / name.replace(" ", "-"))

    def cropped(place: Path) -> Plain:
        others = ",".join(map(str, runs[1:]))
        said = proof.say(f"netwright evaluate '{runs[0]}' --crops 1,10 --ensemble '{others}' --json").text
        return {"rows": json.loads(said)["rows"]}

    rows: list[dict] = proof.part("crops", cropped)["rows"]  # type: ignore[assignment]
    told = [
        f"{row['models']} nets, {row['crops']} crops {100 * row['top1_error']:.2f}/{100 * row['top5_error']:.2f} %"
        for row in rows
    ]
    plain = [row for row in rows if row["crops"] == 1]
    singly, both = [row for row in plain if row["models"] == 1], plain[-1]
    less = both["models"] > 1 and both["top5_error"] < min(row["top5_error"] for row in singly)
    proof.check(f"two nets less often miss with five guesses than either: {'; '.join(told)}", less or not proof.full)
    return f"top-1/top-5 error on test photographs: {'; '.join(told)}"


if __name__ == "__main__":
    sys.exit(main())
