"""Pen ink by writers never seen: digits, 62 characters, words by CTC and from pictures of them.

Words are put together from a writer's own letters, as ink and as pictures of it.
"""

from __future__ import annotations

import csv
import json
import re
import statistics
import sys
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw
from proof import Plain, Proof, data, score

import netwright
from netwright.readers import Cells, find
from netwright.serve.answer import answer

ALIKE = ("0oO", "1lI", "cC", "kK", "pP", "sS", "uU", "vV", "wW", "xX", "zZ", "2Z", "5S", "9gq")
BY_WRITER = "--set data.split.by=group --set data.split.column=writer --set data.split.parts=[0.7,0.1,0.2]"
DIGITS = "$NETWRIGHT_DATA/pendigits --in ink --out category"
CHARACTERS = f"$NETWRIGHT_DATA/digilets --in ink --out category {BY_WRITER}"
DEEPER = '--layers "x2 {lstm 96 both yes, dropout 0.3}, global_pool max"'
READ = '"conv1d 64x5 stride 2, relu, lstm 96 both yes, dropout 0.3, lstm 96 both yes, dropout 0.3"'
SEEN = (
    '"conv 16x3 pad 1, relu, pool 2, conv 32x3 pad 1, relu, pool 2, columns, '
    'lstm 96 both yes, dropout 0.3, lstm 96 both yes, dropout 0.3"'
)
WAYS = {"ink": ("ink.csv", "ink", READ), "pictures": ("pictures.csv", "image", SEEN)}
ALONE = "--set training.threads=1"  # as many trainings at once as there are cores
CTC = "--set outputs.text.kind=text --set outputs.text.tokens=characters --set outputs.text.align=ctc"

ADAPTED = 5  # writers who were held out
GAP = 0.12  # between letters, whose boxes are 1 high
HEIGHT, WIDTH = 32, 160  # of a picture
SCALE = 26  # pixels of a letter's box
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Points = list[list[float]]


def main() -> int:
    """Trains on pen ink and tests with other writers."""
    proof = Proof(__file__, "pen ink of writers never seen: digits, characters, words", (5, 25))
    letters = data("digilets")
    words = proof.folder / "words"
    proof.part("words", partial(written_words, letters, 120 if proof.full else 30))
    makes = {"pictures": _words_read, "ink": _words_read, "characters": _characters_read, "digits": _digits_read}
    wanted = {
        f"{name} seed {seed}": partial(make, proof, words, name, seed)
        for name, make in makes.items()
        for seed in range(3 if proof.full else 1)
    }
    done = proof.parts(wanted)
    found = {name: [done[each] for each in done if each.startswith(f"{name} ")] for name in makes}
    characters, digits = _characters(proof, found["characters"]), _digits(proof, found["digits"])
    _read(proof, words, found, f"{characters}; {digits} % of the 3,498 published test digits of pendigits")
    return proof.end()


def written_words(letters: Path, each: int, place: Path) -> Plain:
    """Words put together from each writer's own letters, as ink and as pictures.

    Args:
        letters: The folder of DigiLeTs.
        each: How many every writer writes.
        place: Where.
    """
    words = _words_of(data("char_lm", "tinyshakespeare_input.txt"), 1000)
    _write(letters, words, each, place)
    return {"words": len(words), "each": each}


def _digits_read(proof: Proof, words: Path, name: str, seed: int, place: Path) -> Plain:
    del words, name
    found = proof.train(f"{DIGITS} {ALONE} --epochs {20 if proof.full else 8} --seed {seed}", place)
    return {"right": 100 * score(found, "test", "accuracy")}


def _digits(proof: Proof, found: list[Plain]) -> str:
    least = 98.0 if proof.full else 96.5
    return proof.mean("pen digits of 14 other writers right, %", _column(found, "right"), at_least=least)


# ---- characters ------------------------------------------------------------------------------------------------------


def _characters_read(proof: Proof, words: Path, name: str, seed: int, place: Path) -> Plain:
    del words, name
    proof.train(f"{CHARACTERS} {DEEPER} {ALONE} --epochs {20 if proof.full else 4} --seed {seed}", place, hours=2)
    tested = [row for row in pq.read_table(place / "predictions.parquet").to_pylist() if row["part"] == "test"]
    by_writer: dict[str, list[bool]] = defaultdict(list)
    for row in tested:
        by_writer[row["id"].partition("-")[0]].append(row["category"] == row["category_truth"])
    wrong = Counter(
        (row["category_truth"], row["category"]) for row in tested if row["category"] != row["category_truth"]
    )
    shares = sorted(100 * statistics.fmean(right) for right in by_writer.values())
    alike = sum(count for (truth, said), count in wrong.items() if _look_alike(truth, said))
    return {
        "right": 100 * (1 - sum(wrong.values()) / len(tested)),
        "merged": 100 * (1 - (sum(wrong.values()) - alike) / len(tested)),
        "worst": shares[0],
        "best": shares[-1],
        "writers": len(shares),
        "pairs": [f"{truth} read as {said}" for (truth, said), _ in wrong.most_common(3)],
    }


def _characters(proof: Proof, found: list[Plain]) -> str:
    """What is told of single characters."""
    right = proof.mean(
        "62 characters of unseen writers right, %", _column(found, "right"), at_least=80 if proof.full else 60
    )
    merged = proof.mean(
        "with characters that look alike as one, %", _column(found, "merged"), at_least=90 if proof.full else 65
    )
    first = found[0]
    spread = f"{first['worst']:.0f} to {first['best']:.0f} % by writer ({first['writers']} of them)"
    print(f"  {spread}; most often {'; '.join(first['pairs'])}")  # type: ignore[arg-type]
    return (
        f"{right} % of 62 characters of unseen writers right, {merged} % where 0 and O, 1 and l and the like count as "
        f"one; {spread}"
    )


def _look_alike(one: str, other: str) -> bool:
    return any(one in group and other in group for group in ALIKE)


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


# ---- words -----------------------------------------------------------------------------------------------------------


def _more(proof: Proof, way: str) -> str:
    """What else is said of how words are learned."""
    if way == "ink":
        return f"--epochs {20 if proof.full else 3} --patience 0 --set training.clip=5"
    return f"--epochs {40 if proof.full else 3} --patience 0 --batch-size 16 --set training.clip=1"


def _words_read(proof: Proof, words: Path, way: str, seed: int, place: Path) -> Plain:
    table, signal, layers = WAYS[way]
    asked = f"'{words / table}' --in {signal} --out text {CTC} {BY_WRITER} --layers {layers}"
    found = proof.train(f"{asked} {_more(proof, way)} {ALONE} --seed {seed}", place, hours=2)
    return {"error": 100 * score(found, "test", "error"), "minutes": float(found["seconds"]) / 60}  # type: ignore[arg-type]


def _read(proof: Proof, words: Path, found: dict[str, list[Plain]], characters: str) -> None:
    tested = {way: _tested(proof.folder / f"{way}-seed-0", words / WAYS[way][0]) for way in WAYS}
    told, minutes = {}, {way: statistics.fmean(_column(found[way], "minutes")) for way in WAYS}

    def tell(way: str) -> None:
        what = f"character error on words of unseen writers, {way}, %"
        told[way] = proof.mean(what, _column(found[way], "error"), at_most=15 if proof.full else 100, digits=1)

    tell("ink")
    own = proof.part("own", lambda place: _own(proof, words, place))
    for way in ("a table", "an ink file", "drawn on the page"):
        proof.check(f"{way} of one word: {own['true']} is read as {own[way]}", bool(own[way]) or not proof.full)
    proof.check("read alike", len({own[way] for way in own if way != "true"}) == 1)
    mine: dict = proof.part("adapted", lambda place: _adapted(proof, words, place))
    before, after = (statistics.fmean(mine[when]) for when in ("before", "after"))
    longest = max(mine["seconds"])
    adapted = (
        f"after at most {longest:.0f} seconds with some {mine['words']} words of their own, {before:.1f} % of the "
        f"characters wrong become {after:.1f} % ({len(mine['before'])} writers)"
    )
    proof.check(adapted, (after < before and longest < 75) or not proof.full)
    proof.row(
        "I31",
        "Reading cursive from pen strokes",
        f"netwright train runs/proofs/pens/words/ink.csv --in ink --out text {CTC} {BY_WRITER} --layers {READ} "
        f"{_more(proof, 'ink')}",
        f"words of unseen writers, wrong characters {told['ink']} % ({minutes['ink']:.0f} minutes); {adapted} "
        f"(`--adapt`); {characters}; "
        "an ink file of one's own by `predict`, and what is drawn with the mouse by `serve`",
    )
    tell("pictures")
    proof.check(f"the same {len(tested['ink'])} writers tested both ways", tested["ink"] == tested["pictures"])
    proof.row(
        "I32",
        "Reading cursive from small images",
        f"netwright train runs/proofs/pens/words/pictures.csv --in image --out text {CTC} {BY_WRITER} --layers {SEEN} "
        f"{_more(proof, 'pictures')}",
        f"words of unseen writers, wrong characters: from pictures {told['pictures']} % "
        f"({minutes['pictures']:.0f} minutes), from the pen {told['ink']} % ({minutes['ink']:.0f} minutes)",
    )


def _adapted(proof: Proof, words: Path, place: Path) -> Plain:
    """Goes on for a minute with words of writers who were held out, and reads other words of theirs."""
    run = proof.folder / "ink-seed-0"
    ledger = pq.read_table(run / "ledger.parquet").to_pylist()
    held = [int(row["id"].removeprefix("row ")) - 1 for row in ledger if row["split"] == "test"]
    with (words / "ink.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, list[float]] = {"before": [], "after": [], "seconds": []}
    count = 0
    for writer in sorted({rows[at]["writer"] for at in held})[:ADAPTED]:
        own = place / f"{writer}.csv"
        own.parent.mkdir(parents=True, exist_ok=True)
        with own.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["ink", "text"])
            table.writerows([row["ink"], row["text"]] for row in rows if row["writer"] == writer)
        half = "--set data.split.parts=[0.5,0.1,0.4]"
        run_facts = proof.train(f"'{own}' --in ink --out text {CTC} --adapt '{run}' {half}", place / writer)
        (output,) = run_facts["outputs"]  # type: ignore[misc]
        first = next(each for each in output["baselines"] if each["name"] == "before")
        found["before"].append(100 * first["scores"]["error"])
        found["after"].append(100 * score(run_facts, "test", "error"))
        found["seconds"].append(float(run_facts["seconds"]))  # type: ignore[arg-type]
        count = int(run_facts["ledger"]["splits"]["train"])  # type: ignore[index,call-overload]
    return {**found, "words": count}


def _own(proof: Proof, words: Path, place: Path) -> Plain:
    """A word of a writer who was held out: as a table of one row, as a file of InkML, and as a page sends it."""
    run = proof.folder / "ink-seed-0"
    tested = pq.read_table(run / "predictions.parquet").to_pylist()
    row = next(each for each in tested if each["part"] == "test")
    with (words / "ink.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))[int(row["id"].removeprefix("row ")) - 1]
    place.mkdir(parents=True)
    own = place / "own.csv"
    with own.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["ink"], [written["ink"]]])
    points = json.loads(written["ink"])
    strokes = np.split(np.array(points), [at for at, (_, _, pen) in enumerate(points) if at and pen])
    traces = "".join(f"<trace>{', '.join(f'{x} {y}' for x, y, _ in stroke)}</trace>" for stroke in strokes)
    (place / "own.inkml").write_text(f"<ink>{traces}</ink>", encoding="utf-8")
    found: Plain = {"true": written["text"]}
    for way, file in (("a table", own), ("an ink file", place / "own.inkml")):
        (read,) = json.loads(proof.say(f"netwright predict '{run}' '{file}' --json").text)
        found[way] = read["text"]
    drawn = answer(netwright.load(run / "model.netwright"), {"ink": points})
    found["drawn on the page"] = drawn["outputs"]["text"]["words"]  # type: ignore[index]
    return found


def _tested(run: Path, table: Path) -> set[str]:
    """The writers whose words were held out."""
    with table.open(newline="", encoding="utf-8") as file:
        writers = [row["writer"] for row in csv.DictReader(file)]
    ledger = pq.read_table(run / "ledger.parquet").to_pylist()
    return {writers[int(row["id"].removeprefix("row ")) - 1] for row in ledger if row["split"] == "test"}


# ---- words from letters ----------------------------------------------------------------------------------------------


def _words_of(text: Path, count: int) -> list[str]:
    """The most frequent words of three to seven small letters."""
    found = Counter(re.findall(r"\b[a-z]{3,7}\b", text.read_text(encoding="utf-8")))
    return [word for word, _ in found.most_common(count)]


def _write(digilets: Path, words: list[str], each: int, place: Path) -> None:
    """`ink.csv` with ink, text, first letter and writer; `pictures.csv` with pictures of the same words.

    Args:
        digilets: The folder of DigiLeTs.
        words: To write.
        each: How many every writer writes.
        place: Where.
    """
    chance = np.random.default_rng(0)
    (place / "pictures").mkdir(parents=True)
    with (place / "ink.csv").open("w", newline="") as ink, (place / "pictures.csv").open("w", newline="") as drawn:
        tables = csv.writer(ink), csv.writer(drawn)
        tables[0].writerow(["ink", "text", "first", "writer"])
        tables[1].writerow(["image", "text", "writer"])
        for writer, letters in letters_of(digilets).items():
            for number in range(each):
                word = str(chance.choice(words))
                points = _joined([letters[letter][chance.integers(len(letters[letter]))] for letter in word])
                name = f"pictures/{writer}-{number:03}.png"
                picture(points).save(place / name)
                tables[0].writerow([json.dumps(points), word, word[0], f"w{writer}"])
                tables[1].writerow([name, word, f"w{writer}"])


def letters_of(digilets: Path) -> dict[str, dict[str, list[Points]]]:
    """By writer and letter, what they wrote."""
    columns = find(digilets).columns
    cells = [
        column.values.to_pylist()
        for column in map(columns.get, ("ink", "category", "writer"))
        if isinstance(column, Cells)
    ]
    found: dict[str, dict[str, list[Points]]] = defaultdict(lambda: defaultdict(list))
    for ink, letter, writer in zip(*cells, strict=True):
        if letter in LETTERS:
            found[writer][letter].append(json.loads(ink))
    return found


def _joined(letters: list[Points]) -> Points:
    """One letter after the other, each as wide as it was written."""
    points: Points = []
    cursor = 0.0
    for letter in letters:
        left, right = min(x for x, _, _ in letter), max(x for x, _, _ in letter)
        points += [[round(cursor + x - left, 4), round(y, 4), pen] for x, y, pen in letter]
        cursor += right - left + GAP
    return points


def picture(points: Points) -> Image.Image:
    """Dark strokes on white, twice as fine first, as long words are squeezed to fit."""
    wide = max(x for x, _, _ in points)
    stretch = min(SCALE, (WIDTH - 6) / max(wide, 0.1))
    picture = Image.new("L", (2 * WIDTH, 2 * HEIGHT), 255)
    draw = ImageDraw.Draw(picture)
    before: tuple[float, float] | None = None
    for x, y, pen in points:
        here = (2 * (3 + stretch * x), 2 * (3 + SCALE * (1 - y)))  # in ink y points up
        if before is not None and not pen:
            draw.line([before, here], fill=0, width=3)
        before = here
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


if __name__ == "__main__":
    sys.exit(main())
