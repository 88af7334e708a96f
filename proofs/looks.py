"""Looks into convolutional networks: moved pictures, stages read linearly, what sharing saves, a map of digits."""

from __future__ import annotations

import json
import statistics
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

from photos import laid_out
from proof import Plain, Proof, data, lines_with

CONV = "conv 8x5 pad 2, relu, pool 2, conv 16x5 pad 2, relu, pool 2, dense 64, relu"
PLAIN = "dense 100, relu"
PHOTOS = "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, dense 64, relu"
FAR = 4  # pixels at which the two networks are compared
EACH = 2000  # photographs of a class


def main() -> int:
    """Trains convolutional and plain networks on digits and photographs, and looks into them."""
    proof = Proof(__file__, "shifts, probes, sharing and maps of trained networks, on digits and photographs", (5, 30))
    data("mnist")
    seeds, epochs = (3, 4) if proof.full else (1, 2)
    for seed in range(seeds):
        for name, layers in (("conv", CONV), ("plain", PLAIN)):
            proof.part(f"{name} {seed}", lambda place, s=seed, w=layers: _trained(proof, w, epochs, s, place))
    _shifts(proof, seeds)
    _probes(proof, seeds)
    _sharing(proof)
    _map(proof, seeds)
    return proof.end()


def _trained(proof: Proof, layers: str, epochs: int, seed: int, place: Path) -> Plain:
    found = proof.train(f"mnist --layers '{layers}' --epochs {epochs} --seed {seed}", place)
    return {"parameters": found["parameters"], "seconds": found["seconds"]}


def _run(proof: Proof, name: str, seed: int) -> str:
    """The folder of a run, which an interrupted proof finds where it was."""
    return str(proof.folder / f"{name}-{seed}")


def _looked(proof: Proof, words: str) -> Plain:
    return json.loads(proof.say(f"netwright look {words} --json").text)


def _shifts(proof: Proof, seeds: int) -> None:
    def one(seed: int, place: Path) -> Plain:
        conv, plain = _run(proof, "conv", seed), _run(proof, "plain", seed)
        found = _looked(proof, f"shifts '{conv}' --beside '{plain}'")["runs"]
        return {name: [100 * each["score"] for each in found[f"{name}-{seed}"]] for name in ("conv", "plain")}  # type: ignore[index]

    found = proof.seeds("shifts", seeds, one)
    means = {
        name: [statistics.fmean(at) for at in zip(*(each[name] for each in found), strict=True)] for name in found[0]
    }  # type: ignore[call-overload]
    apart = [each["conv"][FAR] - each["plain"][FAR] for each in found]  # type: ignore[index]
    more = proof.mean(f"points of accuracy {FAR} pixels aside, convolutional less plain", apart, at_least=10)
    near = proof.mean(
        "accuracy of the convolutional network 1 pixel aside, %",
        [each["conv"][1] for each in found],  # type: ignore[index]
        at_least=93,
    )
    proof.check("up to 5 pixels each step aside costs both", all(_falls(each[:6]) for each in means.values()))
    told = "; ".join(f"{name} {', '.join(f'{value:.1f}' for value in each)}" for name, each in means.items())
    proof.row(
        "F05",
        "Translation invariance",
        "netwright look shifts RUN --beside OTHER_RUN",
        f"MNIST's test digits moved 0 to 8 pixels, % right: {told}; {FAR} pixels aside {more} points more, "
        f"1 pixel aside {near} % right",
    )


def _falls(scores: list[float]) -> bool:
    return all(after <= before for before, after in pairwise(scores))


def _probes(proof: Proof, seeds: int) -> None:
    digits = proof.seeds("probes of digits", seeds, lambda seed, place: _probed(proof, _run(proof, "conv", seed)))
    told = [_risen(proof, "digits", digits, 4)]
    stages, means = _means(digits)
    proof.check(f"on digits it rises at each of {len(stages) - 1} stages", means == sorted(means))
    if proof.full:
        told.append(_risen(proof, "photographs", _photographs(proof, seeds), 10))
    proof.row(
        "F06", "ConvNet as stacked feature extractors", "netwright look probes RUN", f"linear probes, {'; '.join(told)}"
    )


def _photographs(proof: Proof, seeds: int) -> list[Plain]:
    """Probes of networks trained on photographs of ten classes."""
    archive, photos = data("cifar10_jpeg", "cifar10_jpeg.tar.xz"), proof.folder / "photos"

    def one(seed: int, place: Path) -> Plain:
        words = f"'{photos}' --in image --out category --layers '{PHOTOS}' --epochs 6 --seed {seed}"
        proof.train(words, place)
        return _probed(proof, str(place))

    proof.part("photos", partial(laid_out, archive, EACH))
    return proof.seeds("probes of photographs", seeds, one)


def _risen(proof: Proof, what: str, found: list[Plain], least: float) -> str:
    """The accuracy at each stage, and how much it rose from the first to the last."""
    rises = [each["right"][-1] - each["right"][0] for each in found]  # type: ignore[index]
    more = proof.mean(f"points from the input to the last stage, {what}", rises, at_least=least)
    shown = ", ".join(f"{stage} {value:.1f} %" for stage, value in zip(*_means(found), strict=True))
    return f"{what}: {shown}, in all {more} points"


def _means(found: list[Plain]) -> tuple[list[str], list[float]]:
    """Names of the stages and their mean accuracy over the seeds."""
    means = [statistics.fmean(at) for at in zip(*(each["right"] for each in found), strict=True)]  # type: ignore[call-overload]
    return list(found[0]["stages"]), means  # type: ignore[call-overload]


def _probed(proof: Proof, run: str) -> Plain:
    found = _looked(proof, f"probes '{run}'")
    stages: list[dict] = found["stages"]  # type: ignore[assignment]
    return {
        "stages": [each["layer"] for each in stages],
        "right": [100 * each["accuracy"] for each in stages],
        "network": 100 * float(found["network"]),  # type: ignore[arg-type]
    }


def _sharing(proof: Proof) -> None:
    digits = proof.part("sharing on digits", lambda place: _looked(proof, f"sharing '{_run(proof, 'conv', 0)}'"))
    folder = data("hymenoptera_256")
    layers = "conv 16x5 pad 2, relu, pool 4, conv 32x5 pad 2, relu, global_pool"
    size = "--set inputs.image.size_px=[128,128]"

    def large(place: Path) -> Plain:
        proof.train(f"'{folder}' --in image --out category {size} --layers '{layers}' --epochs 1", place)
        told = lines_with(proof.say(f"netwright look sharing '{place}'").text, "too large to build")
        return {**_looked(proof, f"sharing '{place}'"), "told": " | ".join(" ".join(line.split()) for line in told)}

    photos = proof.part("sharing on photographs", large)
    first, second = digits["layers"]  # type: ignore[misc]
    weights = first["dense"]["parameters"]
    proof.check(
        f"28 x 28 digits: {first['conv']['parameters']:,} parameters instead of {weights:,}",
        first["conv"]["parameters"] == 8 * 26 and weights == 784 * 6272 + 6272,
    )
    times = [each["dense"]["seconds"] / each["conv"]["seconds"] for each in (first, second)]
    shown = " and ".join(f"{time:.1f}" for time in times)
    proof.check(f"the dense layers take {shown} times the time of the convolutions", min(times) > 1)
    large_layer = photos["layers"][0]  # type: ignore[index]
    size_gb = 4 * large_layer["dense"]["parameters"] / 1e9
    proof.check(
        f"128 x 128 photographs: a dense layer of {size_gb:.0f} GB is told, not built",
        large_layer["dense"]["seconds"] is None and f"too large to build: {size_gb:.1f} GB" in str(photos["told"]),
    )
    proof.row(
        "F18",
        "Efficiency of convnets",
        "netwright look sharing RUN",
        f"first layer on digits: {first['conv']['parameters']:,} parameters and {first['conv']['multiply_adds']:,} "
        f"multiply-adds, dense {weights:,} and {first['dense']['multiply_adds']:,}; measured {shown} times as slow; on "
        f"photographs of 128 x 128 {large_layer['conv']['parameters']:,} parameters in the place of {size_gb:.0f} GB",
    )


def _map(proof: Proof, seeds: int) -> None:
    def one(seed: int, place: Path) -> Plain:
        run = _run(proof, "conv", seed)
        found, again = (_looked(proof, f"map '{run}'") for _ in range(2))
        pixels = _looked(proof, f"map '{run}' --layer input:image")
        page = Path(str(found["page"])).stat().st_size
        view: dict = found["view"]  # type: ignore[assignment]
        return {
            "same": view["places"] == again["view"]["places"],  # type: ignore[index]
            "original": 100 * view["original"]["share"],
            "map": 100 * view["drawn"]["share"],
            "chance": 100 * view["chance"],
            "pixels": 100 * pixels["view"]["original"]["share"],  # type: ignore[index]
            "megabytes": page / 1e6,
            "examples": len(found["ids"]),  # type: ignore[arg-type]
        }

    found = proof.seeds("map", seeds, one)
    proof.check("the same seed gives the same map, to the bit", all(each["same"] for each in found))
    proof.check(f"{found[0]['examples']:,} held-out digits", found[0]["examples"] == 2000)
    drawn = proof.mean("same class among the ten nearest on the map, %", _column(found, "map"), at_least=90)
    original = proof.mean(
        "same class among the ten nearest in the activations, %", _column(found, "original"), at_least=90
    )
    pixels = proof.mean("the same in the pixels, %", _column(found, "pixels"))
    proof.check(f"by chance {found[0]['chance']:.1f} %", float(found[0]["chance"]) < 15)  # type: ignore[arg-type]
    proof.check(
        f"the page is {found[0]['megabytes']:.1f} MB, thumbnails inside",
        max(_column(found, "megabytes")) < 5,
    )
    proof.row(
        "G03",
        "t-SNE",
        "netwright look map RUN",
        f"2,000 test digits: of the ten nearest on the map {drawn} % have the same class, in the activations "
        f"{original} %, in the pixels {pixels} %, by chance {found[0]['chance']:.1f} %; the same map again to the bit",
    )


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
