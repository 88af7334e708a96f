"""Gradients that vanish and that explode, in real trainings: named with their layer, mended, measured again."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

from proof import Plain, Proof, Spoken, data, facts, score

DEEP = "x20 {dense 64, %s}"
UNITS, WINDOW = 64, 64


def main() -> int:
    """Trains twenty layers of sigmoid and of relu, and a recurrent net whose steps are far too long."""
    proof = Proof(__file__, "gradients that vanish and explode: named, mended, measured again", (4, 4))
    data("mnist")
    _vanishing(proof)
    _exploding(proof)
    return proof.end()


def _deep(activation: str) -> str:
    return f"mnist --set model.layers='{DEEP % activation}' --epochs 2"


def _vanishing(proof: Proof) -> None:
    def one(activation: str, place: Path) -> Plain:
        said = proof.say(f"netwright train {_deep(activation)} --to {shlex.quote(str(place))}")
        return {"told": _told(said), "right": 100 * score(facts(place), "test", "accuracy")}

    sigmoid, relu = (proof.part(name, lambda place, n=name: one(n, place)) for name in ("sigmoid", "relu"))
    told = str(sigmoid["told"])
    left = re.search(r"dense1 gets ([\d.e-]+) of what dense20 gets", told)
    cured = re.search(r"Write relu: .* dense1 then gets ([\d.e-]+) of dense20's", told)
    named = proof.check(f"sigmoid: {told}", left is not None and cured is not None and float(left[1]) < 1e-6)
    proof.check("relu: nothing vanishes", "vanishes" not in str(relu["told"]))
    right = [float(found["right"]) for found in (sigmoid, relu)]  # type: ignore[arg-type]
    proof.check(f"sigmoid {right[0]:.1f} % right, relu {right[1]:.1f} %", right[0] < 20 < 80 < right[1])
    if named and left and cured:
        proof.row(
            "E21",
            "Vanishing gradient: detect and fight",
            f"netwright train {_deep('sigmoid')}",
            f"before the first step: dense1 gets {left[1]} of dense20's gradient, and {cured[1]} with relu, measured "
            f"on the same examples; trained, sigmoid is right on {right[0]:.1f} % of MNIST's test digits, relu on "
            f"{right[1]:.1f} %",
        )


def _told(said: Spoken) -> str:
    """What the doctor said of gradients that vanish, in one line."""
    words = " ".join(f"{said.text} {said.errors}".split())
    found = re.search(r"the gradient vanishes: .*?dense20's?\.", words)
    return found[0] if found else ""


def _exploding(proof: Proof) -> None:
    play = data("char_lm", "tinyshakespeare_input.txt")
    source = proof.folder / "play.txt"
    source.write_text(play.read_text(encoding="utf-8")[:150_000], encoding="utf-8")

    def spec(place: Path, lr: float, warmup: int, epochs: int) -> str:
        path = place.with_suffix(".yaml")
        lines = [
            "version: 1",
            f"data: {{path: {json.dumps(str(source))}, window: {WINDOW}, split: {{parts: [0.8, 0.1, 0.1]}}}}",
            "inputs: {text: {kind: text}}",
            "outputs: {next: {of: text}}",
            f"model: {{layers: rnn {UNITS} activation relu}}",
            "training:",
            f"  {{batch_size: 16, threads: 1, stop: {{epochs: {epochs}, patience: 0}},",
            f"  optimizer: {{name: sgd, lr: {lr}}}, schedule: {{name: constant, warmup: {warmup}}}}}",
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return shlex.quote(str(path))

    def thrown(place: Path) -> Plain:
        """The rate rises until the weights are thrown, some epochs after the first."""
        said = proof.say(f"netwright train {spec(place, 50.0, 10_000, 30)} --to {shlex.quote(str(place))}", code=4)
        rows = [json.loads(line) for line in (place / "history.jsonl").read_text(encoding="utf-8").splitlines()]
        acts = [row["what"] for row in rows if row["kind"] == "action" and row["by"] == "finite"]
        return {"told": " ".join(said.errors.partition("error:")[2].split()), "acts": acts}

    def gone_on(place: Path) -> Plain:
        base = shlex.quote(str(proof.folder / "thrown"))
        found = proof.train(f"{spec(place, 0.5, 0, 3)} --set training.clip=1.0 --from {base}", place)
        return {"bits": score(found, "test", "bits")}

    lost = proof.part("thrown", thrown)
    told, acts = str(lost["told"]), list(lost["acts"])  # type: ignore[call-overload]
    where = re.search(r"the loss is (\S+) at step ([\d,]+) \(epoch (\d+)\)", told)
    norms = re.search(r"Norms of the gradient: (.*), the largest part in (\S+?)\.", told)
    proof.check(f"{len(acts)} times refused or gone back; then: {told}", where is not None and norms is not None)
    proof.check("the examples of the batch are named", "The batch begins with: " in told)
    bits = proof.mean(
        "bits a character after going on from it, bounded",
        [float(proof.part("gone on", gone_on)["bits"])],  # type: ignore[arg-type]
        at_most=4.0,
    )
    if where and norms:
        proof.row(
            "E22",
            "Exploding gradient: detect",
            "netwright train SPEC --set training.clip=1.0 --from RUN",
            f"a vanilla RNN on a play whose rate rises from step to step ends at step {where[2]} of epoch {where[3]} "
            f"with its loss at {where[1]}: norms {norms[1]}, largest in {norms[2]}, and the examples of the "
            f"batch; its last good weights, gone on from with clip 1.0, reach {bits} bits a character",
        )


if __name__ == "__main__":
    sys.exit(main())
