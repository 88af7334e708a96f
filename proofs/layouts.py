"""Data sets as they lie on disk: CIFAR-10 in folders and binary, ImageNet, PASCAL VOC and MNIST, whole and cut."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from proof import Plain, Proof, data

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "$NETWRIGHT_DATA/cifar10_jpeg/cifar10_jpeg.tar.xz"
PAIR = "--in image --out category"
AS_GIVEN = "--set data.split.parts=[1,0,0]"  # the published parts, nothing taken off for validation
WORDNET = {"cat": ("n02123045", "tabby, tabby cat"), "frog": ("n01641577", "bullfrog, Rana catesbeiana")}
CELLS = ("Platelets", "RBC", "WBC")


def main() -> int:
    """Reads each set whole, counts it, and cuts a file off a copy."""
    proof = Proof(__file__, "sets of pictures in their published layouts, whole and cut", (4, 4))
    archive, cells, digits = data("cifar10_jpeg", "cifar10_jpeg.tar.xz"), data("bccd", "BCCD"), data("mnist")
    _cifar(proof, archive)
    told = [_imagenet(proof, archive), _voc(proof, cells), _mnist(proof, digits)]
    proof.row(
        "K11",
        "Other datasets named (MNIST, ImageNet, PASCAL VOC, Sintel)",
        "netwright data show FOLDER",
        "; ".join(told),
    )
    return proof.end()


# ---- CIFAR-10 --------------------------------------------------------------------------------------------------------


def _cifar(proof: Proof, archive: Path) -> None:
    folders = proof.part("folders", lambda place: _shown(proof, ARCHIVE, place))
    proof.check(f"in folders: {folders['parts']}", folders["parts"] == {"train": 50_000, "test": 10_000})
    proof.check(f"classes {', '.join(folders['classes'])}", tuple(folders["classes"]) == TEN)  # type: ignore[arg-type]
    proof.check(f"a sheet of {folders['pictures']} pictures", int(folders["pictures"]) >= len(TEN))  # type: ignore[call-overload]
    binary = proof.part("binary", lambda place: _binary(proof, archive, place))
    proof.check(f"binary: {binary['parts']}", binary["parts"] == folders["parts"])
    proof.check("the same class names", binary["classes"] == folders["classes"])
    proof.check(f"a batch cut short is refused: {binary['told']}", "data_batch_3.bin" in str(binary["told"]))
    proof.row(
        "K10",
        "CIFAR-10 dataset",
        f"netwright data show {ARCHIVE} {PAIR} --views sheet.html",
        f"{folders['parts']['train']:,} + {folders['parts']['test']:,} pictures of ten classes "  # type: ignore[index,call-overload]
        f"({', '.join(TEN)}), from class folders and from the binary files; a sheet of {folders['pictures']} pictures; "
        f"a cut copy is told as: {binary['told']}",
    )


def _shown(proof: Proof, source: str, place: Path) -> Plain:
    """What `data show` says of a source: examples of each published part, classes, and pictures on its sheet."""
    place.mkdir(parents=True, exist_ok=True)
    page = place / "sheet.html"
    said = proof.say(f"netwright data show {source} {PAIR} {AS_GIVEN} --views '{page}' --json").text
    return {**_counted(said, "category"), "pictures": page.read_text(encoding="utf-8").count("<image ")}


def _counted(said: str, output: str) -> Plain:
    found = json.loads(said)
    counts = {part: found["counts"][part] for part in ("train", "validation", "test")}
    return {
        "parts": {part: count for part, count in counts.items() if count},
        "classes": found["fields"][output]["vocabulary"],
    }


def _binary(proof: Proof, archive: Path, place: Path) -> Plain:
    """The same pictures written as the five batches and the test batch of the binary version."""
    folder = place / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    rows: dict[str, list[bytes]] = {"train": [], "test": []}
    for part, label, content in _members(archive):
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).transpose(2, 0, 1)
        rows[part].append(bytes([TEN.index(label)]) + pixels.tobytes())
    order = np.random.default_rng(0).permutation(50_000)  # the published batches are mixed
    for k, some in enumerate(np.split(order, 5)):
        (folder / f"data_batch_{k + 1}.bin").write_bytes(b"".join(rows["train"][at] for at in some))
    (folder / "test_batch.bin").write_bytes(b"".join(rows["test"]))
    (folder / "batches.meta.txt").write_text("\n".join(TEN) + "\n", encoding="utf-8")
    whole = _shown(proof, f"'{place}'", place)
    third = folder / "data_batch_3.bin"
    third.write_bytes(third.read_bytes()[:20_000_000])
    return {**whole, "told": _refused(proof, place)}


def _members(archive: Path) -> Iterator[tuple[str, str, bytes]]:
    """Part, class and content of each picture."""
    with tarfile.open(archive) as opened:
        for member in opened:
            stream = opened.extractfile(member)
            if stream is not None and member.name.endswith(".jpg"):
                part, label = member.name.split("/")[-3:-1]
                yield part, label, stream.read()


def _refused(proof: Proof, folder: Path) -> str:
    """How a copy that is not whole is refused."""
    error = proof.say(f"netwright data show '{folder}' {PAIR}", code=3).errors
    sentence = next(line for line in error.splitlines() if line.startswith("error:"))
    return re.sub(r"\S*/", "", sentence.removeprefix("error: "))


# ---- others ----------------------------------------------------------------------------------------------------------


def _imagenet(proof: Proof, archive: Path) -> str:
    def one(place: Path) -> Plain:
        """Photographs of two classes named and laid as ImageNet's: train by class, val flat beside its list."""
        solution, counts = ["ImageId,PredictionString"], dict.fromkeys(WORDNET, 0)
        for part, label, content in _members(archive):
            if part != "train" or label not in WORDNET or counts[label] == 60:
                continue
            id, at = WORDNET[label][0], counts[label]
            counts[label] += 1
            learned = at < 50
            name = f"{id}_{at}" if learned else f"ILSVRC2012_val_{len(solution):08}"
            path = place / "ILSVRC/Data/CLS-LOC" / (f"train/{id}" if learned else "val") / f"{name}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if not learned:
                solution.append(f"{name},{id} 1 1 30 30")
        names = "".join(f"{id} {words}\n" for id, words in WORDNET.values())
        (place / "LOC_synset_mapping.txt").write_text(names, encoding="utf-8")
        (place / "LOC_val_solution.csv").write_text("\n".join(solution) + "\n", encoding="utf-8")
        whole = _shown(proof, f"'{place}'", place / "page")
        (place / "LOC_val_solution.csv").unlink()
        return {**whole, "told": _refused(proof, place)}

    found = proof.part("imagenet", one)
    proof.check(f"ImageNet: {found['parts']}", found["parts"] == {"train": 100, "validation": 20})
    proof.check(f"classes {found['classes']}", found["classes"] == ["bullfrog n01641577", "tabby n02123045"])
    proof.check(f"without the list of its val: {found['told']}", "val" in str(found["told"]))
    return (
        "ImageNet's layout with photographs of two of its classes: train by class, val flat beside its list, "
        f"{', '.join(found['classes'])}; without the list: {found['told']}"  # type: ignore[arg-type]
    )


def _voc(proof: Proof, source: Path) -> str:
    def one(place: Path) -> Plain:
        """Photographs of blood under the microscope; the lists of classes follow from their annotations."""
        folder = place / "VOCdevkit" / "VOC2007"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".*"))
        main = folder / "ImageSets" / "Main"
        for part in ("train", "val"):
            ids = (main / f"{part}.txt").read_text(encoding="utf-8").split()
            for cell in CELLS:
                lines = (f"{id} {1 if cell in _objects(folder, id) else -1}" for id in ids)
                (main / f"{cell}_{part}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        said = proof.say(f"netwright data show '{place}' --in image --out objects {AS_GIVEN} --json").text
        next((folder / "JPEGImages").glob("*.jpg")).unlink()
        error = proof.say(f"netwright data show '{place}' --in image --out objects", code=3).errors
        sentence = next(line for line in error.splitlines() if line.startswith("error:"))
        return {**_counted(said, "objects"), "told": re.sub(r"\S*/VOC", "VOC", sentence.removeprefix("error: "))}

    found = proof.part("voc", one)
    total = sum(found["parts"].values())  # type: ignore[union-attr]
    proof.check(f"PASCAL VOC: {found['parts']}, {total} photographs", total > 200)
    proof.check(f"what they show: {found['classes']}", tuple(found["classes"]) == CELLS)  # type: ignore[arg-type]
    proof.check(f"a photograph is missing: {found['told']}", "JPEGImages" in str(found["told"]))
    return f"PASCAL VOC's layout with {total} photographs of blood cells, tags {', '.join(CELLS)}; {found['told']}"


def _objects(folder: Path, id: str) -> set[str]:
    tree = ET.parse(folder / "Annotations" / f"{id}.xml")
    return {str(each.text) for each in tree.iterfind("object/name")}


def _mnist(proof: Proof, source: Path) -> str:
    def one(place: Path) -> Plain:
        """The whole set, a copy with a file cut short, and one with a file missing."""
        said = proof.say(f"netwright data show mnist {AS_GIVEN} --json").text
        cut, missing = place / "cut", place / "missing"
        for copy in (cut, missing):
            shutil.copytree(source, copy)
        whole = (source / "train-images-idx3-ubyte.gz").read_bytes()
        (cut / "train-images-idx3-ubyte.gz").write_bytes(whole[: len(whole) // 2])
        (missing / "t10k-labels-idx1-ubyte.gz").unlink()
        return {**_counted(said, "category"), "cut": _refused(proof, cut), "missing": _refused(proof, missing)}

    found = proof.part("mnist", one)
    proof.check(f"MNIST: {found['parts']}", found["parts"] == {"train": 60_000, "test": 10_000})
    proof.check(f"a file cut short: {found['cut']}", "train-images-idx3-ubyte" in str(found["cut"]))
    proof.check(f"a file that is missing: {found['missing']}", "test labels are missing" in str(found["missing"]))
    return f"MNIST 60,000 + 10,000; cut: {found['cut']}"


if __name__ == "__main__":
    sys.exit(main())
