"""Shortcuts: plain and residual networks of 20 and 56 layers on CIFAR-10, and a wide one beside one of equal size.

Each seed of each comparison is kept when it is done, and a training that is interrupted goes on where it was.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from pathlib import Path

from photos import laid_out
from proof import Plain, Proof, data, facts, score

DEPTHS = (20, 56)
IN = "--in image --out category"
HALF = "--net cifar_resnet --set model.net.width=0.5 --patience 0"
WIDE = "--net wide_resnet --set model.net.depth=16 --set model.net.width=4"
NARROW = "--net cifar_resnet --set model.net.depth=20 --set model.net.width=3.2"  # as many parameters
HOURS = 3600


def main() -> int:
    """Trains plain and residual networks, then a wide and a narrow one."""
    proof = Proof(__file__, "shortcuts at 20 and 56 layers, and width in the place of depth", (9, 75))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    photos = proof.folder / "photos"
    proof.part("photos", partial(laid_out, archive, 1000 if proof.full else 60))
    _shortcuts(proof, photos)
    _wide(proof, photos)
    return proof.end()


def _shortcuts(proof: Proof, photos: Path) -> None:
    seeds, epochs = (3, 15) if proof.full else (1, 1)
    words = f"'{photos}' {IN} {HALF} --epochs {epochs}"
    sweep = f"{words} --vary model.net.shortcut=true,false"
    errors: dict[tuple[int, str], list[float]] = {}
    minutes: list[float] = []
    for depth in DEPTHS:
        folder = proof.lasting(f"depth-{depth}")
        for seed in range(seeds):

            def compared(place: Path, depth: int = depth, seed: int = seed, folder: Path = folder) -> Plain:
                say = f"netwright compare {sweep} --set model.net.depth={depth} --seeds {seed + 1} --to '{folder}'"
                proof.say(say, timeout=24 * HOURS)  # seeds that are done are read, not trained again
                return {name: _ended(folder, name, seed) for name in ("true", "false")}

            found = proof.part(f"depth {depth}, seed {seed}", compared)
            for name in ("true", "false"):
                errors.setdefault((depth, name), []).append(found[name]["error"])  # type: ignore[index,call-overload]
                minutes.append(found[name]["minutes"])  # type: ignore[index,call-overload]
    shown = {key: f"{statistics.fmean(values):.1f} %" for key, values in errors.items()}
    told = "; ".join(f"{depth} layers: with {shown[depth, 'true']}, plain {shown[depth, 'false']}" for depth in DEPTHS)
    apart = [plain - short for plain, short in zip(errors[56, "false"], errors[56, "true"], strict=True)]
    deeper = [deep - flat for deep, flat in zip(errors[56, "false"], errors[20, "false"], strict=True)]
    bound = 0 if proof.full else None
    less = proof.mean("points of training error, plain less with shortcuts, 56 layers", apart, at_least=bound, digits=1)
    more = proof.mean("points of training error, plain 56 layers less plain 20", deeper, digits=1)
    proof.check(f"training error, {told}; {sum(minutes):.0f} minutes of training in all", len(minutes) == 4 * seeds)
    proof.row(
        "F13",
        "ResNet-152",
        f"netwright compare photos {IN} {HALF} --epochs {epochs} --vary model.net.shortcut=true,false "
        "--set model.net.depth=56",
        f"half as wide, {epochs} epochs of {'10,000' if proof.full else '600'} pictures of CIFAR-10, training error, "
        f"{told}; without shortcuts {less} points more at 56 layers; plain 56 less plain 20 {more} points; "
        f"{sum(minutes):.0f} minutes of training in all",
    )


def _ended(folder: Path, shortcut: str, seed: int) -> Plain:
    """Errors and loss of one run of a comparison, and the minutes that it trained."""
    (run,) = (path.parent for path in folder.glob(f"*shortcut-{shortcut}-seed-{seed}*/facts.json"))
    found = facts(run)
    return {
        "error": 100 * (1 - score(found, "train", "accuracy")),
        "test": 100 * (1 - score(found, "test", "accuracy")),
        "loss": found["curves"][-1]["train"]["loss"],  # type: ignore[index]
        "parameters": found["parameters"],
        "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
    }


def _wide(proof: Proof, photos: Path) -> None:
    seeds, epochs = (3, 3) if proof.full else (1, 1)

    def one(words: str, seed: int, place: Path) -> Plain:
        found = facts(proof.trained(f"'{photos}' {IN} {words} --epochs {epochs} --patience 0 --seed {seed}", place))
        return {
            "right": 100 * score(found, "test", "accuracy"),
            "parameters": found["parameters"],
            "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
        }

    wide = proof.seeds("wide", seeds, partial(one, WIDE))
    narrow = proof.seeds("narrow", seeds, partial(one, NARROW))
    counts = [int(found[0]["parameters"]) for found in (wide, narrow)]  # type: ignore[call-overload]
    proof.check(f"{counts[0]:,} and {counts[1]:,} parameters", abs(counts[0] / counts[1] - 1) < 0.02)
    shares = [
        proof.mean(f"{name}, test photographs right, %", [float(each["right"]) for each in found], digits=1)  # type: ignore[arg-type]
        for name, found in (("WRN-16-4", wide), ("ResNet-20 of equal parameters", narrow))
    ]
    minutes = [statistics.fmean(float(each["minutes"]) for each in found) for found in (wide, narrow)]  # type: ignore[arg-type]
    least = 30 if proof.full else 5
    proof.check("both learn", min(float(each["right"]) for each in [*wide, *narrow]) >= least)  # type: ignore[arg-type]
    proof.row(
        "F14",
        "Wide ResNet",
        f"netwright train photos {IN} {WIDE} --epochs {epochs}",
        f"WRN-16-4 with {counts[0]:,} parameters {shares[0]} % right in {minutes[0]:.0f} minutes, ResNet-20 with "
        f"{counts[1]:,} {shares[1]} % in {minutes[1]:.0f} ({epochs} epochs of the same pictures)",
    )


if __name__ == "__main__":
    sys.exit(main())
