"""Recurrent networks by their topology: vanilla forms, captions of pictures, stacked layers, sequences of all lengths.

Captions are written about photographs of Flickr8k; all five of a photograph are in one part of the split.
"""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import sacrebleu
import soundfile
from proof import Plain, Proof, data, facts, score

from netwright.studies.compare import mean_interval

DIGITS = "$NETWRIGHT_DATA/pendigits --in ink --out category"
UNITS, NUMBERS = 64, 5  # of the state; as what a pen point goes in: its place, the way there, the pen
FORMS = {  # as the lectures print them
    "sigmoid behind the sum": f"rnn {UNITS} activation sigmoid, last",
    "tanh behind the sum": f"rnn {UNITS}, last",
    "tanh before the sum": f"rnn {UNITS} form before, last",
}
WINDOWS = (16, 64, 256)  # characters of an example

PHOTOGRAPHS = "$NETWRIGHT_DATA/flickr8k_1000/captions.txt"
PLACES = (
    "'conv 16x3 pad 1, batch_norm, relu, pool 2, conv 32x3 pad 1, batch_norm, relu, pool 2, "
    "conv 64x3 pad 1, batch_norm, relu, pool 2'"
)  # it ends in 6 x 8 places, at which the decoder looks one by one
CAPTIONS = (
    "--in image --out caption:text --set data.split.by=group --set data.split.column=image "
    "--set data.split.parts=[0.7,0.1,0.2] --set inputs.image.augment=mirror "
    f"--set model.decoder.dim=128 --set model.decoder.embed=64 --layers {PLACES}"
)
FEW = 120  # photographs of the quick form
SHIFTS = 20  # other photographs that each caption is given to

STACKS = "lstm 128; x2 {lstm 79}; x3 {lstm 62}"  # about 93,600 numbers in each
DEPTHS = (1, 2, 3)
WARNED = {"little": ["", "note", "note"], "much": ["", "good", "good"]}  # by depth, what the doctor must say
BLIND, COUNTS = "how often each comes", "counts of five in a row"

REVIEWS = "$NETWRIGHT_DATA/sentiment/stsa.binary.train"
RAGGED = {
    "sentences": f"sentiment --data {REVIEWS} --set data.duplicates=accept --layers 'gru 32 both yes, global_pool max'",
    "sounds": "speech",
}
SOME = 24  # sequences that are answered together and alone
ROUNDING = 1e-5  # of a probability: sums over more or fewer rows are rounded differently

Given = tuple[Path, list[Path], list[float]]  # sequences in one place, each by itself, and how long each is


def main() -> int:
    """Trains on pen digits, photographs, plays, film reviews and sounds."""
    proof = Proof(__file__, "vanilla RNNs, captions of pictures, stacked layers, sequences alone and together", (4, 45))
    for place in (("pendigits",), ("flickr8k_1000", "images"), ("sentiment",), ("fsdd", "recordings")):
        data(*place)
    play = data("char_lm", "tinyshakespeare_input.txt")
    _forms(proof)
    _captions(proof)
    _stacked(proof, play)
    _mates(proof)
    return proof.end()


def _column(found: list[Plain], name: str) -> list[float]:
    return [float(each[name]) for each in found]  # type: ignore[arg-type]


def _apart(one: list[float], other: list[float]) -> list[float]:
    return [a - b for a, b in zip(one, other, strict=True)]


# ---- vanilla forms ---------------------------------------------------------------------------------------------------


def _forms(proof: Proof) -> None:
    """Each printed form learns pen digits; its numbers are those of three terms, whatever the length of a sequence."""
    epochs, seeds = (20, 3) if proof.full else (4, 1)
    words = f"{DIGITS} --epochs {epochs} --set training.threads=1"
    makes = {
        f"{form} seed {seed}": partial(_form, proof, f"{words} --layers '{layers}' --seed {seed}")
        for form, layers in FORMS.items()
        for seed in range(seeds)
    }
    found = proof.parts(makes)
    told = []
    for form in FORMS:
        each = [found[f"{form} seed {seed}"] for seed in range(seeds)]
        right = proof.mean(f"{form}, pen digits of other writers right, %", _column(each, "right"), digits=1)
        more = _apart(_column(each, "right"), _column(each, "simple"))
        least = 0 if proof.full else None
        proof.mean(f"{form}, points more than the best simple method", more, at_least=least, digits=1)
        told.append(f"{form} {right} %")
    every = list(found.values())
    wanted = UNITS * (NUMBERS + UNITS + 1)
    proof.check(f"{wanted:,} numbers in each layer: W_x, W_h and b", set(_column(every, "parameters")) == {wanted})
    largest = max(_column(every, "apart"))
    proof.check(
        f"the printed sum, taken step by step, gives the layer's states to within {largest:.1e}", largest < 1e-5
    )
    sizes = proof.part("lengths", partial(_sizes, proof))
    shown = ", ".join(f"{window}: {size:,}" for window, size in sizes.items())
    proof.check(f"numbers learned of characters by the length of an example: {shown}", len(set(sizes.values())) == 1)
    proof.row(
        "H02",
        "Vanilla RNN",
        f"netwright train {words} --layers '{FORMS['tanh before the sum']}'",
        f"digits of other writers right: {'; '.join(told)}; {every[0]['by']} model {float(every[0]['simple']):.1f} %; "  # type: ignore[arg-type]
        f"{wanted:,} numbers in each layer, the same at every step (states rebuilt to within {largest:.0e}); a net of "
        f"characters learns {next(iter(sizes.values())):,} numbers from examples of {', '.join(sizes)} steps alike",
    )


def _form(proof: Proof, words: str, place: Path) -> Plain:
    """Accuracy beside the best simple method's, the layer's size, and how far its states are from the printed sum."""
    found = proof.train(words, place)
    (output,) = found["outputs"]  # type: ignore[misc]
    simple = max(output["baselines"], key=lambda each: each["scores"]["accuracy"])
    (layer,) = (row for row in found["layers"] if row["layer"].startswith("rnn"))  # type: ignore[union-attr,attr-defined]
    seen = json.loads(proof.say(f"netwright look steps {shlex.quote(str(place))} --json").text)
    return {
        "right": 100 * score(found, "test", "accuracy"),
        "simple": 100 * simple["scores"]["accuracy"],
        "by": simple["name"],
        "parameters": layer["parameters"],
        "apart": seen["layers"][0]["apart"],
    }


def _sizes(proof: Proof, place: Path) -> Plain:
    """The size of one net for examples of several lengths."""
    del place
    words = f"netwright plan chars --layers 'rnn {UNITS}' --json"
    return {str(n): json.loads(proof.say(f"{words} --set data.window={n}").text)["parameters"] for n in WINDOWS}


# ---- captions --------------------------------------------------------------------------------------------------------


def _captions(proof: Proof) -> None:
    """Captions of held-out photographs beside the same captions given to other photographs, and beside one for all."""
    epochs, seeds = (20, 3) if proof.full else (2, 1)
    source = PHOTOGRAPHS
    if not proof.full:
        few = proof.folder / "few"
        proof.part("few", partial(_few, data("flickr8k_1000")))
        source = shlex.quote(str(few / "captions.txt"))
    words = f"{source} {CAPTIONS} --epochs {epochs} --patience 0"
    table = data("flickr8k_1000", "captions.txt") if proof.full else proof.folder / "few" / "captions.txt"
    found = proof.seeds(
        "captions", seeds, lambda seed, place: _captioned(proof, f"{words} --seed {seed}", table, place)
    )
    first = found[0]
    proof.check(
        f"{first['photographs']} photographs, all captions of one in one part", sum(_column(found, "torn")) == 0
    )
    least = 0 if proof.full else None
    bleu = proof.mean("BLEU beside the five captions of each held-out photograph", _column(found, "bleu"))
    told = {
        way: proof.mean(f"more than {way}", _apart(_column(found, "bleu"), _column(found, name)), at_least=least)
        for way, name in (("the same captions of other photographs", "others"), ("the commonest caption", "commonest"))
    }
    seen = mean_interval(_apart(_column(found, "bleu"), _column(found, "others"))) or (0.0, 0.0)
    proof.check(f"what it sees counts: the interval above begins at {seen[0]:.2f}", seen[0] > 0 or not proof.full)
    more = _apart(_column(found, "bleu"), _column(found, "favourite"))
    own = "always the one that it writes most often"
    told[own] = proof.mean(f"more than {own}", more)
    span = f"{min(_column(found, 'shortest')):.0f} to {max(_column(found, 'longest')):.0f} tokens"
    ended = all(each["longest"] <= each["learned"] for each in found) and all(
        each["shortest"] != each["longest"] for each in found
    )  # type: ignore[operator]
    proof.check(
        f"each ends with its end token, after {span}; the decoder could go on to half as many again as the longest "
        f"learned, {first['learned']}",
        ended or not proof.full,  # after few steps it writes one text
    )
    beside = "; ".join(f"{value} more than {way}" for way, value in told.items())
    proof.row(
        "H05",
        "One-to-many",
        f"netwright train {words}",
        f"{first['photographs']} photographs, from scratch: BLEU {bleu} on held-out ones; {beside}; of {span}, "
        f"{first['different']} different ones about {first['held out']} photographs; {first['shown']}",
    )


def _few(photographs: Path, place: Path) -> Plain:
    """The first photographs with their captions."""
    (place / "images").mkdir(parents=True)
    kept = list(_true(photographs / "captions.txt"))[:FEW]
    for name in kept:
        shutil.copyfile(photographs / "images" / name, place / "images" / name)
    with (photographs / "captions.txt").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    with (place / "captions.txt").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *(row for row in rows if row[0] in set(kept))])
    return {"photographs": len(kept)}


def _true(table: Path) -> dict[str, list[str]]:
    """The captions of each photograph."""
    found: dict[str, list[str]] = defaultdict(list)
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["image"]].append(row["caption"].lower())
    return found


def _parts(table: Path, run: Path) -> dict[str, set[str]]:
    """The photographs of each part of the split, by the ledger's rows."""
    with table.open(newline="", encoding="utf-8") as file:
        names = [row["image"] for row in csv.DictReader(file)]
    found: dict[str, set[str]] = defaultdict(set)
    for row in pq.read_table(run / "ledger.parquet").to_pylist():
        if row["state"] == "used":
            found[row["split"]].add(names[int(row["id"].removeprefix("row ")) - 1])
    return found


def _captioned(proof: Proof, words: str, table: Path, place: Path) -> Plain:
    """Trains, and asks about each held-out photograph as a user does, by its file."""
    asked, answers = place / "photographs", place / "answers.parquet"
    asked.mkdir(parents=True)
    run = proof.trained(words, place)
    found = facts(run)
    true, parts = _true(table), _parts(table, run)
    names = sorted(parts["test"])
    for name in names:
        shutil.copyfile(table.parent / "images" / name, asked / name)
    proof.say(f"netwright predict '{run}' '{asked}' --save '{answers}'")
    by_name = {row["id"]: row["caption"] or "" for row in pq.read_table(answers).to_pylist()}
    written = [by_name[name] for name in names]
    streams = [list(each) for each in zip(*(true[name] for name in names), strict=True)]

    def bleu(texts: list[str]) -> float:
        return sacrebleu.corpus_bleu(texts, streams, lowercase=True, force=True).score

    learned = [text for name in sorted(parts["train"]) for text in true[name]]
    lengths = [len(text.split()) for text in written]
    shifted = [written[shift:] + written[:shift] for shift in range(1, min(SHIFTS + 1, len(written)))]
    return {
        "bleu": bleu(written),
        "others": statistics.fmean(map(bleu, shifted)),
        "commonest": bleu([Counter(learned).most_common(1)[0][0]] * len(names)),
        "favourite": bleu([Counter(written).most_common(1)[0][0]] * len(names)),
        "shortest": min(lengths),
        "longest": max(lengths),
        "learned": max(len(text.split()) for text in learned),
        "different": len(set(written)),
        "held out": len(names),
        "photographs": len(true),
        "torn": sum(map(len, parts.values())) - len(set.union(*parts.values())),
        "shown": f"of {names[0]} it writes: {written[0]}",
        "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
    }


# ---- layers one on the other -----------------------------------------------------------------------------------------


def _stacked(proof: Proof, play: Path) -> None:
    """One, two and three layers of together as many numbers, on little and on much of a play."""
    characters = {"little": 50_000, "much": 400_000} if proof.full else {"little": 20_000, "much": 100_000}
    epochs = {"little": 20, "much": 6} if proof.full else {"little": 2, "much": 1}
    proof.part("texts", partial(_texts, play, characters))
    asked = "--batch-size 32 --patience 0 --set data.split.parts=[0.8,0.1,0.1]"
    varied = f"--vary 'layers={STACKS}' --seeds {3 if proof.full else 1}"
    told, words = [], ""
    for name, count in characters.items():
        words = f"chars --data '{proof.folder / 'texts' / name}.txt' {asked} --epochs {epochs[name]} {varied}"
        found = proof.part(name, partial(_compared, proof, f"{name} compared", words))
        told.append(f"{count:,} characters: {_depths(proof, name, count, found)}")
    proof.row(
        "H10",
        "Deep (stacked) RNN",
        f"netwright compare {words}",
        f"1, 2 and 3 layers of together as many numbers, bits a character of held-out lines; {'; '.join(told)}",
    )


def _texts(play: Path, characters: dict[str, int], place: Path) -> Plain:
    """Beginnings of the play, written once: a comparison that goes on must find them as they were."""
    place.mkdir(parents=True)
    whole = play.read_text(encoding="utf-8")
    for name, count in characters.items():
        (place / f"{name}.txt").write_text(whole[:count], encoding="utf-8")
    return dict(characters)


def _compared(proof: Proof, name: str, words: str, place: Path) -> Plain:
    """Test scores of each depth, seed by seed, and what the doctor said of it; goes on where it was interrupted."""
    del place
    folder = proof.lasting(name)
    proof.say(f"netwright compare {words} --to '{folder}'", timeout=4 * 3600)
    found = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    said: dict[int, dict[str, str]] = {}
    for path in folder.glob("*seed-0*/facts.json"):
        run = json.loads(path.read_text(encoding="utf-8"))
        depth = sum(row["layer"].startswith("lstm") for row in run["layers"])
        said[depth] = next(
            (each for each in run["findings"] if each["name"] == "stacked"), {"state": "", "message": ""}
        )
    return {
        "bits": [list(each["test"].values()) for each in found["settings"]],
        "parameters": [each["parameters"] for each in found["settings"]],
        "beside": {way: statistics.fmean(of.values()) for way, of in found["settings"][0]["beside"].items()},
        "states": [said[depth]["state"] for depth in DEPTHS],
        "messages": [said[depth]["message"] for depth in DEPTHS],
        "answer": found["answer"],
    }


def _depths(proof: Proof, name: str, characters: int, found: Plain) -> str:
    """Limits of one length of text, and what came out in words."""
    sizes: list[int] = found["parameters"]  # type: ignore[assignment]
    bits: list[list[float]] = found["bits"]  # type: ignore[assignment]
    beside: dict[str, float] = found["beside"]  # type: ignore[assignment]
    shown = ", ".join(f"{size:,}" for size in sizes)
    proof.check(f"{name}: numbers learned by depth {shown}", max(sizes) / min(sizes) < 1.03)
    means = []
    for depth, values in zip(DEPTHS, bits, strict=True):
        limit = beside[BLIND] if proof.full else None
        what = f"{characters:,} characters, depth {depth}, bits"
        means.append(proof.mean(what, values, at_most=limit).partition(" ")[0])
    less = proof.mean(f"{characters:,} characters, bits of three layers less those of one", _apart(bits[2], bits[0]))
    proof.check(f"{characters:,} characters: the doctor says {found['messages'][2]}", found["states"] == WARNED[name])  # type: ignore[index,call-overload]
    warned = "it warns of more layers" if "note" in found["states"] else "it does not warn"  # type: ignore[operator]
    return (
        f"{', '.join(means)}, three less one {less}; {COUNTS} {beside[COUNTS]:.2f}, {BLIND} {beside[BLIND]:.2f}; "
        f"the doctor: {found['messages'][1]}, so that {warned}"  # type: ignore[index,call-overload]
    )


# ---- together and alone ----------------------------------------------------------------------------------------------


def _mates(proof: Proof) -> None:
    """Sequences of all lengths learned as they are, and answered the same alone as among others."""
    seeds, told = 3 if proof.full else 1, []
    epochs = {"sentences": 4, "sounds": 4} if proof.full else {"sentences": 2, "sounds": 1}
    for name, given in (("sentences", _sentences), ("sounds", _sounds)):
        words = f"{RAGGED[name]} --epochs {epochs[name]} --patience 0"
        found = [
            proof.part(f"{name} seed {seed}", partial(_alone, proof, f"{words} --seed {seed}", given))
            for seed in range(seeds)
        ]
        low, high = found[0]["lengths"]  # type: ignore[misc]
        span = f"{name} of {low:.2g} to {high:.2g} {'words' if name == 'sentences' else 'seconds'}"
        more = _apart(_column(found, "right"), _column(found, "majority"))
        least = 10 if proof.full else None
        points = proof.mean(f"{span}, points more than the commonest answer", more, at_least=least, digits=1)
        apart, spread = max(_column(found, "apart")), min(_column(found, "spread"))
        proof.check(f"{SOME} {span}, alone and together: probabilities differ by {apart:.1e} at most", apart < ROUNDING)
        proof.check(f"those of different {name} by {spread:.2f}", spread > 1000 * ROUNDING)
        mates = found[0]["mates"]
        good = all(each["state"] == "good" and each["on the page"] for each in found)
        proof.check(f"the doctor, on the page of the run: {mates}", good)
        told.append(
            f"{span}: {points} points more than the commonest answer, {SOME} answered alone and together differ by "
            f"{apart:.0e} at most; the doctor: {mates}"
        )
    command = f"netwright train {RAGGED['sentences']} --epochs {epochs['sentences']} --patience 0"
    proof.row("H18", "Variable-length batching", command, "; ".join(told))


def _alone(proof: Proof, words: str, given: Callable[[Path], Given], place: Path) -> Plain:
    """The probabilities of some sequences in one batch, and of each by itself."""
    place.mkdir(parents=True)
    run = place / "run"
    found = proof.train(words, run)
    whole, single, lengths = given(place)
    together, alone = (_shares(proof, run, paths, place) for paths in ([whole], single))
    (output,) = found["outputs"]  # type: ignore[misc]
    mates = next(each for each in found["findings"] if each["name"] == "mates")  # type: ignore[union-attr,attr-defined]
    return {
        "right": 100 * score(found, "test", "accuracy"),
        "majority": 100 * next(b["scores"]["accuracy"] for b in output["baselines"] if b["name"] == "majority"),
        "lengths": [min(lengths), max(lengths)],
        "apart": float(np.abs(together - alone).max()),
        "spread": float(np.ptp(together, axis=0).max()),
        "mates": mates["message"],
        "state": mates["state"],
        "on the page": mates["message"] in (run / "report.html").read_text(encoding="utf-8"),
    }


def _shares(proof: Proof, run: Path, paths: list[Path], place: Path) -> np.ndarray:
    """Probabilities, a row for each sequence in the order of the paths."""
    file = place / "answers.parquet"
    listed = " ".join(shlex.quote(str(path)) for path in paths)
    proof.say(f"netwright predict {shlex.quote(str(run))} {listed} --save {shlex.quote(str(file))}")
    table = pq.read_table(file)
    names = [name for name in table.column_names if name.startswith("category:")]
    shares = np.array([table[name].to_pylist() for name in names], dtype=np.float64).T
    if shares.shape != (SOME, len(names)):
        sys.exit(f"{proof.name}: {len(shares)} of {SOME} sequences were answered")
    return shares


def _sentences(place: Path) -> Given:
    """Sentences from the shortest tested one to the longest, in one table and each in its own."""
    lines = data("sentiment", "stsa.binary.test").read_text(encoding="utf-8").splitlines()
    texts = sorted((line.partition(" ")[2] for line in lines), key=lambda text: len(text.split()))
    chosen = [texts[at] for at in np.linspace(0, len(texts) - 1, SOME).astype(int)]
    single = [place / f"{number:02}.csv" for number in range(SOME)]
    for path, some in zip([place / "all.csv", *single], [chosen, *([text] for text in chosen)], strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["text"], *([text] for text in some)])
    return place / "all.csv", single, [float(len(text.split())) for text in chosen]


def _sounds(place: Path) -> Given:
    """Recordings that are tested, in one folder."""
    tested = sorted(data("fsdd", "recordings").glob("*_[0-4].wav"))
    folder = place / "sounds"
    folder.mkdir()
    single = []
    for at in np.linspace(0, len(tested) - 1, SOME).astype(int):
        single.append(Path(shutil.copy(tested[at], folder)))
    return folder, single, [soundfile.info(path).duration for path in single]


if __name__ == "__main__":
    sys.exit(main())
