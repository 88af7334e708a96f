"""Transfer: what a network trained on ImageNet is worth on a few photographs of ants and bees."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
from proof import Plain, Proof, data, facts, lines_with, score
from safetensors import safe_open

NET = "'{name: mobilenet, width: 0.25}'"
LOGISTIC, SCRATCH = "features + logistic regression", "from scratch"
FROZEN = "conv10"  # and everything before it


def main() -> int:
    """Fills a zoo, computes features, fine-tunes, freezes, and measures all ways side by side."""
    proof = Proof(
        __file__, "a network of ImageNet on ants and bees: zoo, features, fine-tuning, frozen layers", (5, 18)
    )
    photos = data("hymenoptera_256")
    weights = data("weights_mobilenet025", "mobilenet_v1_025_224_notop.npz")
    os.environ["NETWRIGHT_ZOO"] = str(proof.folder / "zoo")
    place = proof.folder / "photos"
    proof.part("photos", lambda where: _laid(photos, where))
    _zoo(proof, weights)
    _features(proof, place)
    _tuned(proof, place)
    _frozen(proof, place)
    _study(proof, place)
    return proof.end()


def _laid(photos: Path, place: Path) -> Plain:
    """The photographs with the official validation part as test part, so that none of it is learned from."""
    for part, name in (("train", "train"), ("val", "test")):
        shutil.copytree(photos / part, place / name)
    return {part: sum(1 for _ in (place / part).rglob("*.jpg")) for part in ("train", "test")}


def _zoo(proof: Proof, weights: Path) -> None:
    added = f"netwright zoo add {weights} --net {NET} --pixels=-1..1 --name mobilenet025"

    def one(place: Path) -> Plain:
        said = proof.say(f"{added} --licence Apache-2.0 --trained-on ImageNet --accept").text
        (entry,) = json.loads(proof.say("netwright zoo list --json").text)
        whole = proof.say("netwright zoo show mobilenet025").text
        return {**entry, "taken": said.splitlines()[0], "layers": len(lines_with(whole, "conv")), "path": ""}

    found = proof.part("zoo", one)
    named = all(found[key] for key in ("trained_on", "licence", "checksum", "size_bytes"))
    proof.check(f"data, licence, checksum and size are listed: {found['trained_on']}, {found['licence']}", named)
    proof.check(f"{found['taken']}", "54 of 54 layers taken" in str(found["taken"]))
    measured = (
        f"{found['taken']} from a file of Keras; {found['parameters']:,} numbers, {found['trained_on']}, "
        f"{found['licence']}, checksum proven at each load; no network needed, no code in the file"
    )
    proof.row("G04", "Pre-training / model zoo", f"netwright zoo add weights.npz --net {NET}", measured)


def _features(proof: Proof, photos: Path) -> None:
    def one(place: Path) -> Plain:
        place.mkdir(parents=True)
        file = place / "features.parquet"
        proof.say(f"netwright features mobilenet025 '{photos}' --save '{file}'")
        table = pq.read_table(file)
        split = "--set data.split.by=column --set data.split.column=split"
        second = proof.train(f"'{file}' --out category {split} --layers '' --epochs 60", place / "second")
        early = proof.say(f"netwright features mobilenet025 '{photos}' --layer relu64 --save '{place / 'e.csv'}'").text
        return {
            "rows": table.num_rows,
            "ids": len(set(table["id"].to_pylist())),
            "width": sum(name.startswith("feature_") for name in table.column_names),
            "second tool": 100 * score(second, "test", "accuracy"),
            "early": early.splitlines()[0],
        }

    found = proof.part("features", one)
    proof.check(f"one row for each of {found['rows']} pictures, each with its id", found["rows"] == found["ids"] == 398)
    proof.check(f"another layer: {found['early']}", "relu64: 16 numbers" in str(found["early"]))
    measured = (
        f"{found['rows']} rows with id, class and {found['width']} numbers as Parquet; a linear classifier trained on "
        f"that file gets {found['second tool']:.1f} % of the test pictures right"
    )
    command = "netwright features mobilenet025 photos --save features.parquet"
    proof.row("G01", "Network as feature extractor", command, measured)


def _tuned(proof: Proof, photos: Path) -> None:
    epochs = 15 if proof.full else 4

    def one(seed: int, place: Path) -> Plain:
        words = f"'{photos}' --in image --out category --epochs {epochs} --seed {seed}"
        tuned = proof.say(f"netwright train {words} --from mobilenet025 --to '{place}'")
        shown = proof.say("netwright zoo show mobilenet025 --json").text
        layers = ", ".join(each["text"] for each in json.loads(shown)["layers"][1:])
        scratch = proof.train(f"{words} --layers '{layers}' --set inputs.image.size_px=[224,224]", place / "scratch")
        return {
            "told": lines_with(tuned.errors, "starts afresh"),
            "tuned": 100 * score(facts(place), "test", "accuracy"),
            "scratch": 100 * score(scratch, "test", "accuracy"),
        }

    found = proof.seeds("tuned", 3 if proof.full else 1, one)
    told = found[0]["told"]
    proof.check(f"what is new is said: {told}", len(told) == 2 and all("head:category" in line for line in told))  # type: ignore[arg-type]
    proof.mean(
        "points of accuracy, fine-tuned less from scratch",
        [each["tuned"] - each["scratch"] for each in found],  # type: ignore[operator]
        at_least=0.0,
        digits=1,
    )


def _frozen(proof: Proof, photos: Path) -> None:
    def one(place: Path) -> Plain:
        words = f"'{photos}' --in image --out category --from mobilenet025 --freeze {FROZEN} --epochs 2"
        said = proof.say(f"netwright train {words} --to '{place}'").errors
        before, after = (
            _weights(path) for path in (proof.folder / "zoo" / "mobilenet025.netwright", place / "model.netwright")
        )
        rows = facts(place)["layers"]
        frozen = [row["layer"] for row in rows if row["frozen"]]  # type: ignore[attr-defined,index]
        equal = {name for name in before if before[name] == after[name]}
        return {
            "frozen": len(frozen),
            "same": all(name in equal for name in before if name.split(".")[1] in frozen),
            "moved": sum(name not in equal for name in before),
            "told": lines_with(said, "training.freeze"),
        }

    found = proof.part("frozen", one)
    proof.check(f"{found['frozen']} layers frozen, byte for byte as they were", bool(found["same"]))
    proof.check(f"{found['moved']} tensors behind them were learned", int(found["moved"]) > 0)  # type: ignore[call-overload]
    proof.row(
        "G06",
        "Freeze early layers, train last few",
        f"netwright train photos --in image --out category --from mobilenet025 --freeze {FROZEN}",
        f"{found['frozen']} layers byte for byte as they were, {found['moved']} tensors learned; {found['told'][0]}",  # type: ignore[index]
    )


def _weights(path: Path) -> dict[str, bytes]:
    with safe_open(path, "pt") as file:
        names = [name for name in file.keys() if name.startswith("weights/")]  # noqa: SIM118
        return {name: file.get_tensor(name).numpy().tobytes() for name in names}


def _study(proof: Proof, photos: Path) -> None:
    sizes, seeds, epochs = ("", 3, 15) if proof.full else ("--sizes 20 208", 1, 4)

    def one(place: Path) -> Plain:
        words = f"'{photos}' --in image --out category --from mobilenet025 --epochs {epochs} {sizes} --seeds {seeds}"
        return json.loads(proof.say(f"netwright transfer {words} --to '{place}' --json").text)

    found = proof.part("study", one)
    sizes_known: list[int] = found["sizes"]  # type: ignore[assignment]
    accuracy: dict[str, dict[str, dict[str, float]]] = found["accuracy"]  # type: ignore[assignment]
    most = str(sizes_known[-1])
    at_most = {way: [100 * score for score in by_size[most].values()] for way, by_size in accuracy.items()}
    right = proof.mean("features + logistic regression on all examples, right, %", at_most[LOGISTIC], at_least=88)
    apart = [one - other for one, other in zip(at_most[LOGISTIC], at_most[SCRATCH], strict=True)]
    more = proof.mean("points above training from scratch", apart, at_least=15)
    crossed = {way: f"{100 * sum(folds) / len(folds):.1f} %" for way, folds in found["crossed"].items()}  # type: ignore[attr-defined]
    command = "netwright transfer photos --in image --out category --from mobilenet025"
    measured = f"{right} % right, {more} points above the same network from scratch; cross-validated: {crossed}"
    proof.row("G02", "Extracted features + SVM / logistic regression", command, measured)
    proof.again()
    line = "; ".join(
        f"{way} {', '.join(f'{100 * sum(s.values()) / len(s):.0f}' for s in by_size.values())}"
        for way, by_size in accuracy.items()
    )
    told = ", ".join(map(str, sizes_known))
    measured = f"with {told} examples, % of test pictures right: {line}. {found['answer']}"
    proof.row("G07", "Pre-train and fine-tune, measured", command, measured)


if __name__ == "__main__":
    sys.exit(main())
