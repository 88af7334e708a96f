"""A linear classifier on CIFAR-10 pictures: scores, parameters, templates, test accuracy on the official split."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path

from proof import Plain, Proof, data, lines_with, score
from safetensors import safe_open


def main() -> int:
    """Trains with several seeds, then asks the first model for ten scores of one picture."""
    proof = Proof(__file__, "f(x, W) = Wx on 60,000 pictures of 32x32, official split", (5, 15))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"cifar-linear --seed {seed}", place)
        templates = found["templates"]
        with safe_open(place / "model.netwright", "pt") as opened:
            shapes = sorted(tuple(opened.get_slice(k).get_shape()) for k in opened.keys() if k.startswith("weights/"))  # noqa: SIM118
        return {
            "accuracy": 100 * score(found, "test", "accuracy"),
            "examples": found["ledger"]["splits"]["test"],  # type: ignore[index]
            "parameters": found["parameters"],
            "templates": len(templates),  # type: ignore[arg-type]
            "shapes": json.dumps(shapes),
            "seconds": found["seconds"],
        }

    results = proof.seeds("linear", 5 if proof.full else 2, one)
    answers = proof.part("answers", lambda place: _answers(proof, archive, place))
    proof.check("30,730 parameters: W is 10x3072, and 10 biases", _is_linear(results))
    proof.check("one template picture for each of the ten classes", {r["templates"] for r in results} == {10})
    proof.check("ten scores for one picture", answers["scores"] == 10)
    proof.check("10,000 test pictures", {r["examples"] for r in results} == {10_000})
    told = proof.mean(
        "test accuracy, %",
        [float(r["accuracy"]) for r in results],  # type: ignore[arg-type]
        at_least=35,
        at_most=41,
        digits=1,
    )
    proof.row(
        "A05", "Linear classifier f(x,W)=Wx", "netwright train cifar-linear", f"{told} % right on 10,000 test pictures"
    )
    return proof.end()


def _is_linear(results: list[Plain]) -> bool:
    return {r["parameters"] for r in results} == {30_730} and {r["shapes"] for r in results} == {"[[10], [10, 3072]]"}


def _answers(proof: Proof, archive: Path, place: Path) -> Plain:
    """What the first model says about one test picture."""
    place.mkdir(parents=True)
    with tarfile.open(archive) as opened:
        member = next(m for m in opened if m.isfile() and "/test/" in f"/{m.name}" and m.name.endswith(".jpg"))
        stream = opened.extractfile(member)
        if stream is None:
            raise ValueError(f"{member.name} in {archive} is no file")
        (place / "photo.jpg").write_bytes(stream.read())
    run = proof.folder / "linear-seed-0"
    told = proof.say(f"netwright predict '{run}' '{place / 'photo.jpg'}' --top 10").text
    line = " ".join(lines_with(told, "%")) or told
    return {"scores": line.count("%"), "told": line.strip(), "truth": member.name.split("/")[-2]}


if __name__ == "__main__":
    sys.exit(main())
