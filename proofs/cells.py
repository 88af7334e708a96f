"""LSTM, GRU and vanilla RNN of equal size: which letter did a word of pen ink begin with, asked at its last point?"""

from __future__ import annotations

import statistics
import sys
from functools import partial
from pathlib import Path

from pens import ALONE, BY_WRITER, written_words
from proof import Plain, Proof, data, score

CELLS = {  # as many numbers are learned in each
    "LSTM": "lstm 64, last",
    "GRU": "gru 74, last",
    "RNN": "rnn 126, last",
    "RNN of relu": "rnn 126 activation relu, last",
}


def main() -> int:
    """Trains each cell on the same words and tests with other writers."""
    proof = Proof(__file__, "cells of equal size on what they must keep for a whole word", (4, 15))
    letters, words = data("digilets"), proof.folder / "words"
    proof.part("words", partial(written_words, letters, 120 if proof.full else 30))
    epochs, seeds = (30, 3) if proof.full else (2, 1)
    asked = (
        f"'{words / 'ink.csv'}' --in ink --out first {BY_WRITER} --epochs {epochs} --patience 0 "
        f"--batch-size {16 if proof.full else 64} --set training.clip=1"
    )
    makes = {
        f"{name} seed {seed}": partial(_trained, proof, f'{asked} --layers "{layers}" --seed {seed}')
        for seed in range(seeds)
        for name, layers in CELLS.items()
    }
    thrown = str(proof.part("thrown", lambda place: _thrown(proof, words, place))["told"])
    done = proof.parts(makes)
    found = {name: [done[f"{name} seed {seed}"] for seed in range(seeds)] for name in CELLS}
    _told(proof, asked, thrown, found)
    return proof.end()


def _trained(proof: Proof, words: str, place: Path) -> Plain:
    found = proof.train(f"{words} {ALONE}", place, hours=2)
    commonest = found["outputs"][0]["baselines"][0]["scores"]["accuracy"]  # type: ignore[index]
    right = 100 * score(found, "test", "accuracy")
    return {"right": right, "commonest": 100 * float(commonest), "parameters": found["parameters"]}


def _thrown(proof: Proof, words: Path, place: Path) -> Plain:
    """What is said where the RNN of relu is trained without clipping, at a rate that it cannot bear."""
    wild = "--set training.optimizer.name=sgd --lr 30"
    asked = (
        f"'{words / 'ink.csv'}' --in ink --out first {BY_WRITER} --epochs 1 --layers \"{CELLS['RNN of relu']}\" {wild}"
    )
    said = proof.say(f"netwright train {asked} --to '{place}'", code=4)
    return {"told": " ".join(said.errors.partition("error:")[2].split())}


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


def _told(proof: Proof, asked: str, thrown: str, found: dict[str, list[Plain]]) -> None:
    sizes = {name: int(each[0]["parameters"]) for name, each in found.items()}  # type: ignore[call-overload]
    near = max(sizes.values()) / min(sizes.values())
    told = {
        name: proof.mean(f"{name}, first letters right, %", _column(each, "right"), digits=1)
        for name, each in found.items()
    }

    def alike() -> None:
        proof.check(f"numbers learned: {', '.join(f'{name} {size:,}' for name, size in sizes.items())}", near < 1.03)

    for row, name in (("H14", "LSTM"), ("H16", "GRU")):
        alike()
        gain = [
            ours - plain
            for ours, plain in zip(_column(found[name], "right"), _column(found["RNN"], "right"), strict=True)
        ]
        more = proof.mean(
            f"{name}, points more than the vanilla RNN", gain, at_least=1 if proof.full else None, digits=1
        )
        blind = statistics.fmean(_column(found[name], "commonest"))
        learned = statistics.fmean(_column(found[name], "right")) > blind + 10
        proof.check(f"the commonest letter is right in {blind:.1f} %: {name} learned more", learned or not proof.full)
        shown = "; ".join(f"{cell} {value} %" for cell, value in told.items())
        proof.row(
            row,
            name,
            f'netwright train {asked} --layers "{CELLS[name]}"',
            f"the first letter of a word asked at its last point, as many numbers in each net: {shown}; {more} points "
            "more than the vanilla RNN",
        )
    alike()
    blind = statistics.fmean(_column(found["RNN of relu"], "commonest"))
    learned = statistics.fmean(_column(found["RNN of relu"], "right")) > blind
    proof.check(f"the RNN of relu learned more than {blind:.1f} %", learned or not proof.full)
    proof.check(f"at a rate of 30, unclipped: {thrown}", "Norms of the gradient: " in thrown)
    proof.row(
        "H17",
        "ReLU as RNN remedy",
        f'netwright train {asked} --layers "{CELLS["RNN of relu"]}"',
        f"relu with the identity to begin with {told['RNN of relu']} %, tanh {told['RNN']} %, LSTM {told['LSTM']} %; "
        "at a rate at which it explodes training is ended, with the norms of its last gradients",
    )


if __name__ == "__main__":
    sys.exit(main())
