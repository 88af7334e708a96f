"""Convolutional networks by name and layer by layer: tables, maps, pools; LeNet, AlexNet, VGG."""

from __future__ import annotations

import json
import re
import statistics
import sys
from functools import partial
from pathlib import Path

import numpy as np
from photos import laid_out
from proof import Plain, Proof, data, score

POOLED = "conv 8x5 pad 2, relu, pool 2, conv 16x5 pad 2, relu, pool 2, dense 64, relu"
STEPPED = "conv 8x5 pad 2 stride 2, relu, conv 16x5 pad 2 stride 2, relu, dense 64, relu"  # the same parameters
LENET = "mnist --net lenet --lr 0.002 --patience 0 --set 'inputs.image.augment={name: shift, px: 2}'"
IN = "--in image --out category"
FULL_SIZE = {"alexnet": 61_100_840, "vgg16": 138_357_544, "vgg19": 143_667_240, "googlenet": 6_998_552}
ALEXNET = ["64x55x55", "192x27x27", "384x13x13", "256x13x13", "256x13x13", "4096", "4096", "1000"]


def main() -> int:
    """Plans, trains and looks into networks on digits and on ten classes of small photographs."""
    proof = Proof(__file__, "convolutional networks by name, their tables, maps and pools", (8, 45))
    data("mnist")
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    photos = proof.folder / "photos"
    proof.part("photos", partial(laid_out, archive, 1000 if proof.full else 200))
    proof.part("a thousand folders", partial(thousand, photos))
    _filters(proof, photos)
    _functions(proof, photos)
    _pools(proof, photos)
    _columns(proof, photos)
    _lenet(proof)
    _alexnet(proof, photos)
    _vgg(proof, photos)
    return proof.end()


# ---- data and commands -----------------------------------------------------------------------------------------------


def thousand(photos: Path, place: Path) -> Plain:
    """A folder of a thousand classes, one photograph each: as many outputs as the published tables have."""
    for at, photo in enumerate(sorted(photos.rglob("*.jpg"))[:1000]):
        folder = place / f"class {at:03}"
        folder.mkdir(parents=True)
        (folder / photo.name).write_bytes(photo.read_bytes())
    return {"classes": sum(1 for _ in place.iterdir())}


def planned(proof: Proof, words: str) -> Plain:
    """What `netwright plan` says of a network.

    Args:
        proof: Asks.
        words: What is planned.
    """
    found = json.loads(proof.say(f"netwright plan {words} --json").text)
    return {"layers": found["layers"], "parameters": found["parameters"], "multiply_adds": found["multiply_adds"]}


def table_rows(found: Plain) -> list[dict]:
    """The layers of a table.

    Args:
        found: What `planned` gave.
    """
    return found["layers"]  # type: ignore[return-value]


def _row(found: Plain, name: str) -> dict:
    return next(row for row in table_rows(found) if row["layer"] == name)


def _size(row: dict) -> str:
    return "x".join(map(str, row["shape"]))


def _looked(proof: Proof, words: str) -> Plain:
    return json.loads(proof.say(f"netwright look {words} --json").text)


# ---- layers ----------------------------------------------------------------------------------------------------------


def _filters(proof: Proof, photos: Path) -> None:
    texts = {"bare": "conv 6x5, relu", "padded": "conv 6x5 pad 2, relu", "stepped": "conv 6x5 pad 2 stride 2, relu"}
    tables = {
        name: proof.part(f"table {name}", lambda place, t=text: planned(proof, f"'{photos}' {IN} --layers '{t}'"))
        for name, text in texts.items()
    }
    rows = {name: _row(found, "conv1") for name, found in tables.items()}
    sizes = {name: _size(row) for name, row in rows.items()}
    proof.check(
        f"6 filters of 5x5 on 3x32x32 give {sizes['bare']}, padded by 2 {sizes['padded']}",
        (sizes["bare"], sizes["padded"]) == ("6x28x28", "6x32x32"),
    )
    costs = [rows[name]["multiply_adds"] for name in ("padded", "stepped")]
    memory = [rows[name]["memory_mb"] for name in ("padded", "stepped")]
    proof.check(
        f"a stride of 2: {costs[1]:,} multiply-adds and {memory[1]} MB in the place of {costs[0]:,} and {memory[0]} MB",
        costs[0] == 4 * costs[1] and memory[1] < memory[0],
    )
    shared = {row["parameters"] for row in rows.values()}
    proof.check(f"{shared} parameters at any size of map: shared", shared == {6 * (3 * 25 + 1)})

    def looked(place: Path) -> Plain:
        proof.train(f"'{photos}' {IN} --layers '{texts['padded']}, pool 2' --epochs 2 --patience 0", place)
        found = _looked(proof, f"maps '{place}' --layer conv1 --unit 3")
        chosen: dict = found["filter"]  # type: ignore[assignment]
        page = Path(str(found["page"])).read_text(encoding="utf-8")
        return {
            "map": f"{len(found['map'])}x{len(found['map'][0])}",  # type: ignore[arg-type,index]
            "weights": np.shape(chosen["weights"]),
            "off": abs(chosen["value"] - chosen["added"]),
            "shown": all(words in page for words in ("the picture", "the filter", "conv1[3]", "relu1[3]")),
        }

    seen = proof.part("a filter on a photograph", looked)
    proof.check(
        f"filter 3, {'x'.join(map(str, seen['weights']))}, and its {seen['map']} map stand beside the photograph",  # type: ignore[arg-type]
        bool(seen["shown"]) and seen["map"] == "32x32" and list(seen["weights"]) == [3, 5, 5],  # type: ignore[call-overload]
    )
    proof.check(f"75 products and a bias added again differ by {seen['off']:.0e}", float(seen["off"]) < 1e-4)  # type: ignore[arg-type]
    proof.row(
        "F01",
        "Convolution layer",
        "netwright look maps RUN --layer conv1 --unit 3",
        f"layer table {sizes['bare']}, with pad 2 {sizes['padded']}, with stride 2 {sizes['stepped']} at a quarter of "
        f"the multiply-adds, 456 parameters each; a filter beside its map, its sum off by {seen['off']:.0e}",
    )


def _functions(proof: Proof, photos: Path) -> None:
    formulas = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    told = []
    for name, formula in formulas.items():

        def one(place: Path, name: str = name, formula=formula) -> Plain:  # noqa: ANN001
            proof.train(f"'{photos}' {IN} --layers 'conv 8x5 pad 2, {name}, pool 2' --epochs 1", place)
            found = _looked(proof, f"maps '{place}'")
            before, after = np.array(found["map"]), np.array(found["behind"][f"{name}1"])  # type: ignore[index,call-overload]
            spread = [float(each) for each in (before.min(), before.max(), after.min(), after.max())]
            return {"off": float(np.abs(formula(before) - after).max()), "spread": spread}

        found = proof.part(f"{name} on a photograph", one)
        low, high, least, most = found["spread"]  # type: ignore[misc]
        said = f"{name} {low:.2f} to {high:.2f} becomes {least:.2f} to {most:.2f}"
        proof.check(f"{said}, every place by its formula within {found['off']:.0e}", float(found["off"]) < 1e-5)  # type: ignore[arg-type]
        told.append(said)
    proof.row(
        "F02",
        "Non-linearity layer",
        "netwright look maps RUN",
        f"maps of a photograph before and after, in the same shades: {'; '.join(told)}",
    )


def _pools(proof: Proof, photos: Path) -> None:
    pools = ("pool 2", "pool avg 2", "pool sum 2", "pool 3 stride 2")
    told = []
    for pool in pools:
        layers = f"conv 8x5 pad 2, relu, {pool}, conv 16x5 pad 2, relu, {pool}"
        found = proof.part(f"table {pool}", lambda place, t=layers: planned(proof, f"'{photos}' {IN} --layers '{t}'"))
        rows = [_row(found, name) for name in ("conv1", "pool1", "conv2", "pool2")]
        fields = [row["receptive_field"][0] for row in rows]
        size = 3 if "3" in pool else 2
        wanted = [5, 5 + (size - 1), 5 + (size - 1) + 8, 5 + (size - 1) + 8 + 2 * (size - 1)]
        proof.check(f"{pool}: a place sees {fields} pixels, maps {_size(rows[1])}, {_size(rows[3])}", fields == wanted)
        told.append(f"{pool} sees {', '.join(map(str, fields))}")

    def one(seed: int, place: Path) -> Plain:
        for name, layers in (("pooled", POOLED), ("stepped", STEPPED)):
            words = f"mnist --layers '{layers}' --epochs {6 if proof.full else 3} --patience 0 --seed {seed}"
            proof.train(f"{words} --set data.split.take={20_000 if proof.full else 6000}", place / name)
        found = _looked(proof, f"shifts '{place / 'pooled'}' --beside '{place / 'stepped'}' --to 2")["runs"]
        return {name: [100 * each["changed"] for each in found[name][1:]] for name in ("pooled", "stepped")}  # type: ignore[index]

    found = proof.seeds("moved digits", 3 if proof.full else 1, one)
    shares = {
        name: [statistics.fmean(at) for at in zip(*(each[name] for each in found), strict=True)]  # type: ignore[call-overload]
        for name in ("pooled", "stepped")
    }
    apart = [each["stepped"][1] - each["pooled"][1] for each in found]  # type: ignore[index]
    less = proof.mean("more answers that a move of 2 pixels changes, without pooling, %", apart, at_least=0)
    shown = "; ".join(f"{name} {values[0]:.2f} % by 1 pixel, {values[1]:.2f} % by 2" for name, values in shares.items())
    proof.check(f"answers that moving changes: {shown}", shares["stepped"][0] > shares["pooled"][0])
    proof.row(
        "F03",
        "Spatial pooling",
        "netwright look shifts POOLED --beside STEPPED --to 2",
        f"rows that a place sees: {'; '.join(told)}; MNIST's test digits moved, answers that change: {shown}, "
        f"{less} points more in the same net with strides in the place of pools",
    )


# ---- figures and tables ----------------------------------------------------------------------------------------------


def _columns(proof: Proof, photos: Path) -> None:
    def one(place: Path) -> Plain:
        found = proof.train(f"'{photos}' {IN} --net tiny_vgg --epochs {10 if proof.full else 4} --patience 0", place)
        seen = _looked(proof, f"maps '{place}'")
        page = Path(str(seen["page"])).read_text(encoding="utf-8")
        answers: dict = seen["answers"]["category"]  # type: ignore[index]
        return {
            "right": 100 * score(found, "test", "accuracy"),
            "layers": len(seen["layers"]) - 1,  # type: ignore[arg-type]
            "pictures": page.count("<image "),
            "bars": len(answers),
            "sum": sum(answers.values()),
            "addresses": len(re.findall(r"(?:src|href)=[\"']https?:", page)),
            "megabytes": len(page) / 1e6,
            "part": seen["part"],
        }

    found = proof.part("tiny_vgg", one)
    proof.check(
        f"{found['layers']} columns of maps, {found['pictures']} pictures, {found['bars']} class bars",
        found["layers"] == 15 and int(found["pictures"]) >= 151 and found["bars"] == 10,  # type: ignore[call-overload]
    )
    proof.check(f"of a held-out photograph ({found['part']})", found["part"] == "test")
    proof.check("the page needs no network", found["addresses"] == 0)
    proof.row(
        "F10",
        "Small VGG net from CS231n",
        "netwright look maps RUN",
        f"after `netwright train photos {IN} --net tiny_vgg`: a held-out photograph through {found['layers']} layers, "
        f"a column each, and {found['bars']} class bars, in one page of {found['megabytes']:.1f} MB; the net is right "
        f"on {found['right']:.1f} % of the test photographs",
    )


# ---- networks with a name --------------------------------------------------------------------------------------------


def _lenet(proof: Proof) -> None:
    epochs, seeds, least = (20, 3, 99.0) if proof.full else (4, 1, 98.0)

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"{LENET} --epochs {epochs} --seed {seed}", place)
        return {
            "right": 100 * score(found, "test", "accuracy"),
            "seconds": found["seconds"],
            "parameters": found["parameters"],
        }

    found = proof.seeds("lenet", seeds, one)
    right = proof.mean("LeNet, right on MNIST's test digits, %", _column(found, "right"), at_least=least)
    seconds = proof.mean("seconds of training", _column(found, "seconds"), digits=0)
    told = f"{found[0]['parameters']:,} parameters, {right} % of 10,000 test digits right after {seconds} seconds"
    command = f"netwright train {LENET} --epochs {epochs}"
    proof.row("F07", "LeNet (LeCun et al. 1998)", command, told)
    proof.again()
    error = statistics.fmean(100 - value for value in _column(found, "right"))
    proof.row("I02", "Hand-written digit recognition", command, f"LeNet's error on MNIST's test digits {error:.2f} %")


def at_full_size(proof: Proof, name: str) -> Plain:
    """The table of a network on pictures of 224 x 224 and a thousand classes."""
    folder = proof.folder / "a-thousand-folders"
    size = "--set inputs.image.size_px=[224,224]"
    words = f"'{folder}' {IN}:category --net {name} {size} --set data.split.parts=[1,0,0] --set data.duplicates=accept"
    return proof.part(f"table {name}", lambda place: planned(proof, words))


def small_form(proof: Proof, name: str, photos: Path, words: str, least: float) -> str:
    """The form for small pictures, trained a little: better than the one in ten that chance gives."""

    def one(place: Path) -> Plain:
        found = proof.train(f"'{photos}' {IN} {words} --patience 0", place)
        curve: list[dict] = found["curves"]  # type: ignore[assignment]
        return {
            "right": 100 * score(found, "test", "accuracy"),
            "parameters": found["parameters"],
            "first": curve[0]["train"]["loss"],
            "last": curve[-1]["train"]["loss"],
            "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
        }

    found = proof.part(f"small {name}", one)
    proof.check(
        f"{name} for small pictures learns: loss {found['first']:.2f} to {found['last']:.2f}",
        float(found["last"]) < float(found["first"]),  # type: ignore[arg-type]
    )
    right = proof.mean(f"{name}, test photographs right, %", [float(found["right"])], at_least=least, digits=1)  # type: ignore[arg-type]
    return (
        f"{found['parameters']:,} parameters for small pictures, {right} % right after {found['minutes']:.1f} minutes"
    )


def _alexnet(proof: Proof, photos: Path) -> None:
    table = at_full_size(proof, "alexnet")
    sizes = [_size(row) for row in table_rows(table) if row["layer"].startswith(("conv", "dense", "category"))]
    proof.check(f"AlexNet at 224: {table['parameters']:,} parameters", table["parameters"] == FULL_SIZE["alexnet"])
    proof.check(f"layers {', '.join(sizes)}", sizes == ALEXNET)
    epochs = 6 if proof.full else 3
    small = small_form(
        proof, "alexnet", photos, f"--net alexnet --epochs {epochs} --lr 0.0005", 35 if proof.full else 15
    )
    proof.row(
        "F08",
        "AlexNet",
        f"netwright train photos {IN} --net alexnet --epochs {epochs} --lr 0.0005",
        f"{table['parameters']:,} parameters at 224 x 224 and 1,000 classes, maps {', '.join(sizes[:5])}; {small}",
    )


def _vgg(proof: Proof, photos: Path) -> None:
    counts = {}
    for name in ("vgg16", "vgg19"):
        counts[name] = at_full_size(proof, name)["parameters"]
        proof.check(f"{name} at 224: {counts[name]:,} parameters", counts[name] == FULL_SIZE[name])
    epochs = 5 if proof.full else 2
    # Adam's first steps at full rate end this depth: 11.4 % right after five epochs without the warmup (docs/log.md)
    words = f"--net vgg --set model.net.depth=16 --set model.net.batch_norm=true --epochs {epochs} --batch-size 64"
    words += f" --set training.schedule.warmup={100 if proof.full else 40}"
    small = small_form(proof, "vgg", photos, words, 35 if proof.full else 12)
    proof.row(
        "F09",
        "VGG-16/19",
        f"netwright train photos {IN} {words}",
        f"vgg16 {counts['vgg16']:,} and vgg19 {counts['vgg19']:,} parameters at 224 x 224; with 16 layers and "
        f"batch_norm {small}",
    )


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
