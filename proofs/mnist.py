"""MNIST: a 784-100-10 net and a linear one within their known errors."""

from __future__ import annotations

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
    data("mnist")

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


if __name__ == "__main__":
    sys.exit(main())
