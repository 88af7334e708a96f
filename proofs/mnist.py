"""MNIST: a 784-100-10 net and a linear one within their known errors, and the count check of a partial copy."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from proof import Plain, Proof, data, score

MLP = (
    "netwright train mnist --layers 'dense 100, relu' --optimizer sgd --lr 0.05 "
    "--set training.optimizer.momentum=0.9 --epochs 25 --patience 0 "  # chosen by the validation score, docs/log.md
    "--set data.split.parts=[0.95,0.05,0]"
)
LINEAR = "netwright train mnist --layers '' --epochs 10"


def main() -> int:
    """Trains both nets with several seeds on the official split."""
    proof = Proof(__file__, "784-100-10 and softmax regression on MNIST, error and time on two cores", (5, 15))
    source = data("mnist")
    counts = proof.part("counts", lambda place: _counts(proof, source, place))
    proof.check("60,000 + 10,000 digits, the official test part of 10,000", bool(counts["whole"]))
    proof.check("a file cut short is refused with exit code 3 and its name", bool(counts["cut"]))
    proof.check("a file that is missing is refused with exit code 3 and what it should hold", bool(counts["missing"]))
    proof.row(
        "K11",
        "Other datasets named (MNIST, ImageNet, PASCAL VOC, Sintel)",
        "netwright data show mnist",
        "MNIST alone: 60,000 + 10,000 counted; a cut file is told as: " + str(counts["told"]),
    )

    def one(words: str, seed: int, place: Path) -> Plain:
        found = proof.train(f"{words.removeprefix('netwright train ')} --seed {seed}", place)
        error = 100 * (1 - score(found, "test", "accuracy"))
        return {"error": error, "seconds": found["seconds"], "parameters": found["parameters"]}

    seeds = 10 if proof.full else 3
    mlp = proof.seeds("mlp", seeds, lambda seed, place: one(MLP, seed, place))
    linear = proof.seeds("linear", seeds, lambda seed, place: one(LINEAR, seed, place))
    proof.check("79,510 parameters", {r["parameters"] for r in mlp} == {79_510})
    proof.mean("test error of the net, %", _numbers(mlp, "error"), at_most=2.2)
    proof.mean("seconds of training of the net", _numbers(mlp, "seconds"), at_most=60, digits=1)
    proof.mean("test error of the linear model, %", _numbers(linear, "error"), at_least=7, at_most=8.5)
    return proof.end()


def _numbers(results: list[Plain], name: str) -> list[float]:
    return [float(r[name]) for r in results]  # type: ignore[arg-type]


def _counts(proof: Proof, source: Path, place: Path) -> Plain:
    """The whole set, a copy with a file cut short, and one with a file missing."""
    told = proof.say("netwright data show mnist").text
    used = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:train|validation|test)", told)[:3]]
    cut, missing = place / "cut", place / "missing"
    for copy in (cut, missing):
        shutil.copytree(source, copy)
    whole = (source / "train-images-idx3-ubyte.gz").read_bytes()
    (cut / "train-images-idx3-ubyte.gz").write_bytes(whole[: len(whole) // 2])
    (missing / "t10k-labels-idx1-ubyte.gz").unlink()
    error = proof.say(f"netwright train '{cut}' --in image --out category", code=3).errors
    absent = proof.say(f"netwright train '{missing}' --in image --out category", code=3).errors
    sentence = next(line for line in error.splitlines() if line.startswith("error:"))
    return {
        "whole": sum(used) == 70_000 and 10_000 in used,
        "cut": "train-images-idx3-ubyte" in error,
        "missing": "test labels are missing" in absent,
        "told": sentence.replace(f"{cut}/", ""),
    }


if __name__ == "__main__":
    sys.exit(main())
