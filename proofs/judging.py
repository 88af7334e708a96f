"""Classifiers of photographs judged as published: top-1 and top-5 error by crops and models, and what is confused.

Three networks are trained from other first weights on the same photographs of ten classes and asked about the same
ones; beside each stands a linear model of features made by hand.
"""

from __future__ import annotations

import json
import statistics
import sys
from functools import partial
from pathlib import Path

from photos import laid_out
from proof import Plain, Proof, data, score

LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, dense 64, relu"
WORDS = f"--in image --out category --layers '{LAYERS}' --set 'inputs.image.augment=[mirror, {{name: shift, px: 3}}]'"
EACH = 500  # photographs of a class in the quick form
CROPS = (1, 2, 10, 144)
SEEDS = 3


def main() -> int:
    """Trains, evaluates by crops and models, and reads the baselines and the report."""
    proof = Proof(__file__, "top-1 and top-5 error by crops and models; deep beside shallow; confusions", (5, 60))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")

    if not proof.full:
        proof.part("photos", partial(laid_out, archive, EACH))
    source = archive if proof.full else proof.folder / "photos"
    words = f"'{source}' {WORDS} --epochs {20 if proof.full else 15} --set data.split.seed=0"

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"{words} --seed {seed}", place)
        output = found["outputs"][0]  # type: ignore[index]
        by_hand = next(each for each in output["baselines"] if each["name"] == "hand_made")
        linear = next(each for each in output["baselines"] if each["name"] == "linear")
        pictures = [len(each["pictures"]) for each in output["confused"]]
        return {
            "place": str(place),
            "right": score(found, "test", "accuracy"),
            "top5": score(found, "test", "top5"),
            "by hand": by_hand["scores"]["accuracy"],
            "pixels": linear["scores"]["accuracy"],
            "seconds by hand": by_hand["seconds"],
            "seconds": found["seconds"],
            "note": by_hand["note"],
            "confused": [(each["truth"], each["answer"]) for each in output["confused"][:3]],
            "pictures": pictures,
            "mistakes": sum(bool(each["picture"]) for each in output["mistakes"]),
            "test": found["ledger"]["splits"]["test"],  # type: ignore[index]
        }

    nets = proof.seeds("net", SEEDS, one)
    _table(proof, nets)
    _shallow(proof, nets)
    _confused(proof, nets)
    return proof.end()


def _table(proof: Proof, nets: list[Plain]) -> None:
    first, *others = (f"'{net['place']}'" for net in nets)
    crops = ",".join(map(str, CROPS))
    words = f"--crops {crops} --ensemble {','.join(others)} {first}"

    def evaluated(place: Path) -> Plain:
        found = json.loads(proof.say(f"netwright evaluate {words} --json").text)
        return {"rows": found["rows"], "text": found["text"]}

    found = proof.part("table", evaluated)
    print("\n".join(f"    {line}" for line in found["text"]))  # type: ignore[union-attr]
    error: dict[tuple[int, int], list[float]] = {}
    fifth: dict[tuple[int, int], list[float]] = {}
    for row in found["rows"]:  # type: ignore[union-attr]
        error.setdefault((row["models"], row["crops"]), []).append(100 * row["top1_error"])
        fifth.setdefault((row["models"], row["crops"]), []).append(100 * row["top5_error"])
    apart = [abs(one - 100 + 100 * float(net["right"])) for one, net in zip(error[1, 1], nets, strict=True)]  # type: ignore[arg-type]
    proof.check("one crop is what each run said of itself", max(apart) < 1e-6)
    mirrored = [one - two for one, two in zip(error[1, 1], error[1, 2], strict=True)]
    proof.mean("points less top-1 error with the mirror image", mirrored, at_least=0)
    best = min(CROPS[2:], key=lambda many: statistics.fmean(error[1, many]))
    many = [one - other for one, other in zip(error[1, 1], error[1, best], strict=True)]
    proof.mean(f"points less top-1 error with {best} crops", many)
    together = [one - error[SEEDS, 1][0] for one in error[1, 1]]
    proof.mean(f"points less top-1 error of {SEEDS} nets together", together, at_least=0)
    proof.check("top-5 errors are smaller", all(max(fifth[key]) < min(error[key]) for key in error))
    told = "; ".join(
        f"{models} net{'s' if models > 1 else ''}, {many} crop{'s' if many > 1 else ''}: "
        f"{statistics.fmean(error[models, many]):.2f} / {statistics.fmean(fifth[models, many]):.2f} %"
        for models, many in error
    )
    proof.row(
        "J05",
        "BN-Inception results table",
        f"netwright evaluate --crops {crops} --ensemble RUN_B,RUN_C RUN_A",
        f"top-1 / top-5 error on {nets[0]['test']:,} photographs of ten classes, of single nets their mean: {told}",
    )


def _shallow(proof: Proof, nets: list[Plain]) -> None:
    apart = [100 * (float(net["right"]) - float(net["by hand"])) for net in nets]  # type: ignore[arg-type]
    more = proof.mean("points of accuracy of the net more than of features made by hand", apart, at_least=0)
    features = [100 * (float(net["by hand"]) - float(net["pixels"])) for net in nets]  # type: ignore[arg-type]
    proof.mean("points of accuracy of features made by hand more than of pixels", features, at_least=0)
    share = [100 * float(net["seconds by hand"]) / float(net["seconds"]) for net in nets]  # type: ignore[arg-type]
    proof.mean("their time in % of that of training", share, at_most=10 if proof.full else 25)
    means = {key: 100 * statistics.fmean(float(net[key]) for net in nets) for key in ("right", "by hand", "pixels")}  # type: ignore[arg-type]
    proof.row(
        "F17",
        '"Shallow" vs "deep" vision pipelines',
        f"netwright train photos {WORDS}",
        f"one training prints both: convolutional net {means['right']:.1f} % right, linear model of edges and colours "
        f"{means['by hand']:.1f} %, linear model of pixels {means['pixels']:.1f} %; net more by {more}",
    )


def _confused(proof: Proof, nets: list[Plain]) -> None:
    first = nets[0]
    pairs = [f"{truth} for {answer}" for truth, answer in first["confused"]]  # type: ignore[union-attr]
    pictures = list(first["pictures"])  # type: ignore[call-overload]
    proof.check(
        f"{len(pictures)} confusions, each with pictures: {', '.join(pairs)}", len(pictures) == 12 and all(pictures)
    )
    proof.check(f"{first['mistakes']} surest mistakes with their pictures", first["mistakes"] == 24)
    proof.row(
        "I06",
        "Object recognition (ImageNet)",
        "netwright evaluate RUN --crops 1,10,144",
        f"any folder of class folders: top-1 {100 - 100 * float(first['right']):.1f} % and top-5 "  # type: ignore[arg-type]
        f"{100 - 100 * float(first['top5']):.1f} % error on ten classes; most often taken: {', '.join(pairs)}; "  # type: ignore[arg-type]
        f"{first['mistakes']} surest mistakes with their pictures",
    )


if __name__ == "__main__":
    sys.exit(main())
