"""Convolutional networks by name and layer by layer: tables, maps, pools, batch normalisation, views of pictures."""

from __future__ import annotations

import json
import math
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
SIGMOIDS = "x3 {dense 100, sigmoid}; x3 {dense 100, batch_norm, sigmoid}"  # arXiv:1502.03167, section 4.1
CONVS = (
    "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, conv 64x3 pad 1, relu, global_pool; "
    "conv 16x5 pad 2 bias no, batch_norm, relu, pool 2, conv 32x5 pad 2 bias no, batch_norm, relu, pool 2, "
    "conv 64x3 pad 1 bias no, batch_norm, relu, global_pool"
)
IN = "--in image --out category"
FULL_SIZE = {"alexnet": 61_100_840, "vgg16": 138_357_544, "vgg19": 143_667_240, "googlenet": 6_998_552}
ALEXNET = ["64x55x55", "192x27x27", "384x13x13", "256x13x13", "256x13x13", "4096", "4096", "1000"]
FIRST_MODULE = {"googlenet": [64, 96, 128, 16, 32, 32], "bn_inception": [64, 64, 64, 64, 96, 96, 32]}
JOINED = {
    "googlenet": [256, 480, 512, 512, 512, 528, 832, 832, 1024],
    "bn_inception": [256, 320, 576, 576, 576, 576, 576, 1024, 1024, 1024],
}


def main() -> int:
    """Plans, trains and looks into networks on digits and on ten classes of small photographs."""
    proof = Proof(__file__, "convolutional networks by name, their tables, maps, pools and normalisation", (12, 75))
    data("mnist")
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    photos = proof.folder / "photos"
    proof.part("photos", partial(laid_out, archive, 1000 if proof.full else 200))
    proof.part("a thousand folders", partial(_thousand, photos))
    _filters(proof, photos)
    _functions(proof, photos)
    _pools(proof, photos)
    _columns(proof, photos)
    _lenet(proof)
    _alexnet(proof, photos)
    _vgg(proof, photos)
    _inception(proof, photos)
    _normalised(proof, photos)
    _views(proof, photos)
    return proof.end()


# ---- data and commands -----------------------------------------------------------------------------------------------


def _thousand(photos: Path, place: Path) -> Plain:
    """A folder of a thousand classes, one photograph each: as many outputs as the published tables have."""
    for at, photo in enumerate(sorted(photos.rglob("*.jpg"))[:1000]):
        folder = place / f"class {at:03}"
        folder.mkdir(parents=True)
        (folder / photo.name).write_bytes(photo.read_bytes())
    return {"classes": sum(1 for _ in place.iterdir())}


def _planned(proof: Proof, words: str) -> Plain:
    found = json.loads(proof.say(f"netwright plan {words} --json").text)
    return {"layers": found["layers"], "parameters": found["parameters"], "multiply_adds": found["multiply_adds"]}


def _rows(found: Plain) -> list[dict]:
    return found["layers"]  # type: ignore[return-value]


def _row(found: Plain, name: str) -> dict:
    return next(row for row in _rows(found) if row["layer"] == name)


def _size(row: dict) -> str:
    return "x".join(map(str, row["shape"]))


def _looked(proof: Proof, words: str) -> Plain:
    return json.loads(proof.say(f"netwright look {words} --json").text)


# ---- layers ----------------------------------------------------------------------------------------------------------


def _filters(proof: Proof, photos: Path) -> None:
    texts = {"bare": "conv 6x5, relu", "padded": "conv 6x5 pad 2, relu", "stepped": "conv 6x5 pad 2 stride 2, relu"}
    tables = {
        name: proof.part(f"table {name}", lambda place, t=text: _planned(proof, f"'{photos}' {IN} --layers '{t}'"))
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
        found = proof.part(f"table {pool}", lambda place, t=layers: _planned(proof, f"'{photos}' {IN} --layers '{t}'"))
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


def _at_full_size(proof: Proof, name: str) -> Plain:
    """The table of a network on pictures of 224 x 224 and a thousand classes."""
    folder = proof.folder / "a-thousand-folders"
    size = "--set inputs.image.size_px=[224,224]"
    words = f"'{folder}' {IN}:category --net {name} {size} --set data.split.parts=[1,0,0] --set data.duplicates=accept"
    return proof.part(f"table {name}", lambda place: _planned(proof, words))


def _small(proof: Proof, name: str, photos: Path, words: str, least: float) -> str:
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
    table = _at_full_size(proof, "alexnet")
    sizes = [_size(row) for row in _rows(table) if row["layer"].startswith(("conv", "dense", "category"))]
    proof.check(f"AlexNet at 224: {table['parameters']:,} parameters", table["parameters"] == FULL_SIZE["alexnet"])
    proof.check(f"layers {', '.join(sizes)}", sizes == ALEXNET)
    epochs = 6 if proof.full else 3
    small = _small(proof, "alexnet", photos, f"--net alexnet --epochs {epochs} --lr 0.0005", 35 if proof.full else 15)
    proof.row(
        "F08",
        "AlexNet",
        f"netwright train photos {IN} --net alexnet --epochs {epochs} --lr 0.0005",
        f"{table['parameters']:,} parameters at 224 x 224 and 1,000 classes, maps {', '.join(sizes[:5])}; {small}",
    )


def _vgg(proof: Proof, photos: Path) -> None:
    counts = {}
    for name in ("vgg16", "vgg19"):
        counts[name] = _at_full_size(proof, name)["parameters"]
        proof.check(f"{name} at 224: {counts[name]:,} parameters", counts[name] == FULL_SIZE[name])
    epochs = 5 if proof.full else 2
    # Adam's first steps at full rate end this depth: 11.4 % right after five epochs without the warmup (docs/log.md)
    words = f"--net vgg --set model.net.depth=16 --set model.net.batch_norm=true --epochs {epochs} --batch-size 64"
    words += f" --set training.schedule.warmup={100 if proof.full else 40}"
    small = _small(proof, "vgg", photos, words, 35 if proof.full else 12)
    proof.row(
        "F09",
        "VGG-16/19",
        f"netwright train photos {IN} {words}",
        f"vgg16 {counts['vgg16']:,} and vgg19 {counts['vgg19']:,} parameters at 224 x 224; with 16 layers and "
        f"batch_norm {small}",
    )


def _inception(proof: Proof, photos: Path) -> None:
    names = {"googlenet": ("F11", "GoogLeNet / Inception"), "bn_inception": ("F12", "BN-Inception")}
    for name, (id, title) in names.items():
        table = _at_full_size(proof, name)
        rows = _rows(table)
        first = next(at for at, row in enumerate(rows) if row["layer"].startswith("concat"))
        inside = [row["shape"][0] for row in rows[:first] if row["layer"].startswith("conv")]
        inside = inside[-len(FIRST_MODULE[name]) :]
        joined = [row["shape"][0] for row in rows if row["layer"].startswith("concat")]
        proof.check(f"{name}: filters inside of the first module {inside}", inside == FIRST_MODULE[name])
        proof.check(f"{name}: channels behind each module {joined}", joined == JOINED[name])
        proof.check(
            f"{name} at 224: {table['parameters']:,} parameters",
            table["parameters"] == FULL_SIZE.get(name, table["parameters"]),
        )
        words = f"--net {name} --epochs {3 if proof.full else 2} --set data.split.seed=0"
        small = _small(proof, name, photos, words, 20 if proof.full else 9)
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
    for seed in range(1, 3 if proof.full else 2):
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
    proof.check(
        f"top-1/top-5 error: {'; '.join(told)}", not proof.full or rows[-1]["top1_error"] < rows[0]["top1_error"]
    )
    return f"top-1/top-5 error on test photographs: {'; '.join(told)}"


# ---- what helps ------------------------------------------------------------------------------------------------------


def _normalised(proof: Proof, photos: Path) -> None:
    digits = f"mnist --optimizer sgd --lr 0.1 --batch-size 60 --patience 0 --epochs {40 if proof.full else 8}"
    digits += f" --set data.split.take={20_000 if proof.full else 6000}"
    small = f"'{photos}' {IN} --optimizer sgd --lr 0.05 --patience 0 --epochs {15 if proof.full else 6}"
    asked = {
        "MNIST": (f"{digits} --vary 'layers={SIGMOIDS}'", 0.95 if proof.full else 0.85),
        "photographs": (f"{small} --vary 'layers={CONVS}'", 0.5 if proof.full else 0.3),
    }
    told, sweep = [], ""
    for name, (words, reach) in asked.items():
        sweep = sweep or f"netwright compare {words} --reach {reach}"

        def compared(place: Path, words: str = words, reach: float = reach) -> Plain:
            seeds = 3 if proof.full else 1
            say = f"netwright compare {words} --seeds {seeds} --reach {reach} --to '{place}' --json"
            found = json.loads(proof.say(say, timeout=4 * 3600).text)
            page = (place / "compare.html").read_text(encoding="utf-8")
            return {
                "steps": [[each["reached"][seed] for seed in sorted(each["reached"])] for each in found["settings"]],
                "most": max(each["steps"] for each in found["settings"]),
                "curves": page.count('class="curve'),
                "right": [list(each["test"].values()) for each in found["settings"]],
            }

        found = proof.part(f"with and without batch_norm on {name}", compared)
        plain, normal = found["steps"]  # type: ignore[misc]
        sooner = [with_it < (without or math.inf) for without, with_it in zip(plain, normal, strict=True) if with_it]
        shown = [
            ", ".join(f"{step:,}" if step else f"not within {found['most']:,}" for step in of) for of in (plain, normal)
        ]
        said = f"{name}, steps to {100 * reach:g} %: without {shown[0]}, with {shown[1]}"
        proof.check(f"{said}: sooner with it on every seed", len(sooner) == len(normal) and all(sooner))
        proof.check(f"{found['curves']} curves overlaid on the page of {name}", int(found["curves"]) >= 4)  # type: ignore[call-overload]
        told.append(said)
    off = proof.part("alone and among others", lambda place: _alone(proof, photos))["off"]
    proof.check(f"a photograph alone is answered as among 64, off by {off:.0e}", float(off) < 1e-5)  # type: ignore[arg-type]
    proof.row(
        "E13",
        "Batch normalisation",
        sweep,
        f"{'; '.join(told)}; curves overlaid on its page; a batch of 1 answers as one of 64, off by {off:.0e}",
    )


def _alone(proof: Proof, photos: Path) -> Plain:
    """Answers of a net with batch_norm for single photographs, and for the same ones among 64."""
    place = proof.folder / "with-and-without-batch_norm-on-photographs"
    run = next(path.parent for path in sorted(place.glob("*batch_norm*/model.netwright")))
    some = sorted(photos.rglob("*.jpg"))[:: max(1, sum(1 for _ in photos.rglob("*.jpg")) // 64)][:64]
    every = " ".join(f"'{path}'" for path in some)
    together = json.loads(proof.say(f"netwright predict '{run}' {every} --json").text)
    off = 0.0
    for at in (0, 20, 40):
        (alone,) = json.loads(proof.say(f"netwright predict '{run}' '{some[at]}' --json").text)
        shares = [name for name in alone if name.startswith("category:")]
        off = max(off, *(abs(alone[name] - together[at][name]) for name in shares))
    return {"off": off, "together": len(together)}


def _views(proof: Proof, photos: Path) -> None:
    def one(place: Path) -> Plain:
        place.mkdir(parents=True)
        page = place / "views.html"
        said = proof.say(f"netwright data show '{photos}' {IN} --views '{page}' --json").text
        views = json.loads(said)["views"]["views"]
        return {
            "names": [each["name"] for each in views],
            "changed": {each["name"]: each["changed"] for each in views},
            "pictures": page.read_text(encoding="utf-8").count("<image "),
        }

    found = proof.part("views", one)
    names: list[str] = found["names"]  # type: ignore[assignment]
    wanted = {"mirror", "crop", "colour", "distort", "rotate", "stretch", "grain"}
    proof.check(f"shown: {', '.join(names)}", wanted <= set(names))
    changed: dict[str, int] = found["changed"]  # type: ignore[assignment]
    proof.check(
        "every transform changes photographs, a mirror those of one epoch in two",
        all(count == 8 or name in ("mirror", "shift") for name, count in changed.items()) and changed["mirror"] > 0,
    )
    proof.row(
        "E18",
        "Image transforms list",
        f"netwright data show photos {IN} --views views.html",
        f"{found['pictures']} pictures on one page: eight photographs of the user's own as they are and under each of "
        f"{', '.join(names)}, before any training; `--set inputs.image.augment=[...]` shows those chosen, alone and "
        "together; tracks and pen ink are moved likewise",
    )


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
