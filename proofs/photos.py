"""A folder of photos with planted damage: everything counted and named; three likeliest classes, grid and PDF."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from proof import Plain, Proof, data, lines_with, score

INSECTS = "$NETWRIGHT_DATA/hymenoptera_256 --in image --out category"
TRAINED = "--in image --out category --set data.split.by=stratified --set inputs.image.size_px=[32,32]"
LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 32x5 pad 2, relu, pool 2, dense 64, relu"
DAMAGED = {"cut.jpg": "truncated", "empty.jpg": "empty", "page.jpg": "HTML", "note.txt": "text", "broken.png": "png"}


def main() -> int:
    """Plants damage in a copy of real photos, trains, and reads ledger, report and PDF; then ten classes of CIFAR."""
    proof = Proof(__file__, "photos in folders: damage counted and named, top three, grid of bars, PDF", (4, 8))
    photos, archive = data("hymenoptera_256"), data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    planted = proof.part("planted", lambda place: _planted(proof, photos, place))
    _bad_data(proof, planted)
    _splits(proof, planted)
    ten = proof.part("ten classes", lambda place: _ten(proof, archive, place))
    proof.check(f"three classes with probabilities: {ten['told']}", ten["bars"] == 3)
    proof.check(f"better than chance: {ten['accuracy']:.1f} % of ten classes", float(ten["accuracy"]) > 30)  # type: ignore[arg-type]
    proof.row(
        "I01",
        "Image classification",
        "netwright predict runs/hymenoptera_256-1 $NETWRIGHT_DATA/hymenoptera_256/val/bees/*.jpg",
        f"2,000 photos of ten classes in folders; one test photo ({ten['truth']}): {ten['told']}",
    )
    proof.check(f"grid: {ten['grid']} held-out pictures with three bars each", bool(ten["three each"]))
    proof.check("the grid marks right and wrong answers", bool(ten["marked"]))
    measured = f"{ten['grid']} held-out pictures with three bars each, right and wrong ones marked"
    proof.row("K12", "Test view: top three classes", f"netwright train {INSECTS}", measured)
    proof.check(f"PDF of {ten['pdf pages']} pages, {ten['pdf kB']} kB", int(ten["pdf pages"]) >= 1)  # type: ignore[call-overload]
    proof.check("the page asks no network for anything", not ten["addresses"])
    measured = f"one PDF of {ten['pdf pages']} pages, {ten['pdf kB']} kB, with data, curves, answers and settings"
    proof.row("K05", "Save as PDF", "netwright report runs/hymenoptera_256-1 --pdf report.pdf", measured)
    return proof.end()


# ---- damage ----------------------------------------------------------------------------------------------------------


def _planted(proof: Proof, photos: Path, place: Path) -> Plain:
    folder = place / "photos"
    for label in ("ants", "bees"):
        for part in ("train", "val"):
            shutil.copytree(photos / part / label, folder / label, dirs_exist_ok=True)
    whole = sorted((folder / "bees").glob("*.jpg"))
    count = len(whole) + len(list((folder / "ants").glob("*.jpg")))
    bytes_of_one = whole[0].read_bytes()
    (folder / "bees" / "cut.jpg").write_bytes(bytes_of_one[: len(bytes_of_one) // 3])
    (folder / "bees" / "empty.jpg").write_bytes(b"")
    (folder / "ants" / "page.jpg").write_text("<!doctype html><html><body>Not found</body></html>", encoding="utf-8")
    (folder / "ants" / "note.txt").write_text("bought in May\n", encoding="utf-8")
    (folder / "ants" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    shutil.copy(whole[1], folder / "bees" / "copy.jpg")
    shutil.copy(whole[2], folder / "ants" / "two_labels.jpg")
    run = place / "run"
    trained = proof.say(f"netwright train '{folder}' {TRAINED} --layers '{LAYERS}' --epochs 15 --to '{run}'")
    checked = proof.say(f"netwright data check '{folder}' {TRAINED}").text
    ledger = pq.read_table(run / "ledger.parquet").to_pylist()
    rows = {Path(str(row["id"])).name: row for row in ledger}
    report = (run / "report.html").read_text(encoding="utf-8")
    ids = {part: {row["id"] for row in ledger if row["split"] == part} for part in ("train", "validation", "test")}
    states = [str(row["state"]) for row in ledger]
    copies = [rows[name]["split"] for name in (whole[1].name, "copy.jpg")]
    return {
        "found": len(ledger),
        "real": count,
        "used": states.count("used"),
        "set aside": len(states) - states.count("used"),
        "named": {name: f"{rows[name]['state']}: {rows[name]['reason']}" for name in DAMAGED if name in rows},
        "in check": [name for name in DAMAGED if name in checked],
        "in report": [name for name in DAMAGED if name in report],
        "copies together": len(set(copies)) == 1,
        "copies told": "same inputs as an earlier one" in trained.errors and "copy.jpg" in checked,
        "two labels told": "two_labels.jpg" in checked,
        "apart": not (
            ids["train"] & ids["test"] or ids["train"] & ids["validation"] or ids["validation"] & ids["test"]
        ),
        "parts": {part: len(names) for part, names in ids.items()},
        "policy": next(iter(lines_with(trained.errors, "data.split.by")), ""),
        "reads": json.loads((run / "reads.json").read_text(encoding="utf-8")).get("test"),
        "once": bool(re.search(r"test[^.]{0,60}\bonce\b|read 1 time|once[^.]{0,60}\btest\b", report)),
    }


def _bad_data(proof: Proof, planted: Plain) -> None:
    named = planted["named"]
    proof.check(f"each of {len(DAMAGED)} damaged files has a row with its reason: {named}", len(named) == len(DAMAGED))  # type: ignore[arg-type]
    proof.check("found = used + set aside", planted["found"] == int(planted["used"]) + int(planted["set aside"]))  # type: ignore[call-overload]
    proof.check("each damaged file is named by `netwright data check`", len(planted["in check"]) == len(DAMAGED))  # type: ignore[arg-type]
    proof.check("each damaged file is named in the report", len(planted["in report"]) == len(DAMAGED))  # type: ignore[arg-type]
    proof.check("an exact copy stays in one part with its twin", bool(planted["copies together"]))
    proof.check("`netwright data check` names the exact copy", bool(planted["copies told"]))
    proof.check("`netwright data check` names the photo under two labels", bool(planted["two labels told"]))
    measured = (
        f"{planted['found']} found, {planted['used']} used, {planted['set aside']} set aside with name and reason"
    )
    proof.row("E31", "Removing bad data", f"netwright data check {INSECTS}", measured)


def _splits(proof: Proof, planted: Plain) -> None:
    parts = planted["parts"]
    proof.check(f"the policy is told: {planted['policy']}", "stratified" in str(planted["policy"]))
    proof.check(f"every example's part is saved: {parts}", sum(parts.values()) == planted["used"])  # type: ignore[union-attr]
    proof.check("no example is in two parts", bool(planted["apart"]))
    proof.check("the test part was read once, and the report says so", planted["reads"] == 1 and bool(planted["once"]))
    measured = f"stratified, {parts} saved in ledger.parquet; test part read once"
    proof.row(
        "E25",
        "Validation set to stop or pick parameters",
        f"netwright train {INSECTS} --set data.split.by=stratified",
        measured.replace("{", "").replace("}", "").replace("'", ""),
    )


# ---- ten classes -----------------------------------------------------------------------------------------------------


def _ten(proof: Proof, archive: Path, place: Path) -> Plain:
    folder = place / "photos"
    laid_out(archive, 500 if proof.full else 200, folder)
    photo = sorted((folder / "ship").iterdir())[0]
    shutil.move(photo, place / "photo.jpg")
    run = place / "run"
    proof.say(f"netwright train '{folder}' {TRAINED} --layers '{LAYERS}' --epochs 15 --to '{run}'")
    told = proof.say(f"netwright predict '{run}' '{place / 'photo.jpg'}'").text
    answer = next(iter(lines_with(told, "%")), "")
    proof.say(f"netwright report '{run}' --pdf '{place / 'report.pdf'}'", timeout=120)
    pdf = (place / "report.pdf").read_bytes()
    page = (run / "report.html").read_text(encoding="utf-8")
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    grid = facts["outputs"][0]["grid"]
    return {
        "accuracy": 100 * score(facts, "test", "accuracy"),
        "told": answer.replace("photo.jpg", "").strip(),
        "truth": "ship",
        "bars": answer.count("%"),
        "grid": len(grid),
        "three each": bool(grid) and all(len(shown["bars"]) == 3 and shown["picture"] for shown in grid),
        "marked": "right" in page and "wrong" in page,
        "pdf pages": len(re.findall(rb"/Type\s*/Page\b", pdf)),
        "pdf kB": len(pdf) // 1000,
        "addresses": re.findall(r"(?:src|href)=[\"']https?://[^\"']+", page),
    }


def laid_out(archive: Path, each: int, place: Path) -> Plain:
    """The first training pictures of each class as a folder of class folders."""
    for label, name, content in members(archive, each):
        (place / label).mkdir(parents=True, exist_ok=True)
        (place / label / name).write_bytes(content)
    return {"photos": sum(1 for _ in place.rglob("*.jpg"))}


def members(archive: Path, each: int) -> Iterator[tuple[str, str, bytes]]:
    """The first training pictures of each class: label, file name, content."""
    counts: dict[str, int] = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            parts = member.name.split("/")
            if not member.isfile() or "train" not in parts or counts.get(parts[-2], 0) >= each:
                continue
            stream = opened.extractfile(member)
            if stream is not None:
                counts[parts[-2]] = counts.get(parts[-2], 0) + 1
                yield parts[-2], parts[-1], stream.read()
            if len(counts) == 10 and min(counts.values()) >= each:
                return


if __name__ == "__main__":
    sys.exit(main())
