"""Spoken digits: which one it is, on the published parts and for speakers never heard; strings of them to text by CTC.

Strings are put together from recordings of one speaker, those for testing from recordings that are only tested.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import soundfile
from proof import Plain, Proof, data, score

SPOKEN = "$NETWRIGHT_DATA/fsdd --in audio --out category"
LAYERS = '"conv1d 64x5 stride 2, relu, lstm 64 both yes, global_pool max, dropout 0.3"'
READ = '"conv1d 64x5 stride 2, relu, lstm 96 both yes, dropout 0.3, lstm 96 both yes, dropout 0.3"'
BY_SPEAKER = "--set data.split.by=group --set data.split.column=speaker"
TEXT = "--set outputs.text.kind=text --set outputs.text.tokens=words --set outputs.text.align=ctc"
BY_PART = "--set data.split.by=column --set data.split.column=part"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PAUSE_S = 0.08


def main() -> int:
    """Trains on sounds and tests on other recordings, other speakers and strings."""
    proof = Proof(__file__, "spoken digits and strings of them to text", (4, 25))
    recordings = data("fsdd", "recordings")
    strings = proof.folder / "strings"
    proof.part("strings", partial(_strings, recordings, 300 if proof.full else 200))
    told = [_digits(proof), _speakers(proof)]
    text, command = _text(proof, strings)
    proof.row("I07", "Speech recognition", command, f"{text}; {'; '.join(told)}")
    return proof.end()


def _digits(proof: Proof) -> str:
    epochs = 15 if proof.full else 5

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"{SPOKEN} --layers {LAYERS} --epochs {epochs} --seed {seed}", place)
        return {"right": 100 * score(found, "test", "accuracy")}

    found = proof.seeds("digits", 3 if proof.full else 1, one)
    right = [float(each["right"]) for each in found]  # type: ignore[arg-type]
    told = proof.mean("single digits on the published parts right, %", right, at_least=98 if proof.full else 95)
    return f"single digits {told} % right on the published parts"


def _speakers(proof: Proof) -> str:
    epochs = 15 if proof.full else 2

    def held_out(place: Path) -> Plain:
        words = f"{SPOKEN} {BY_SPEAKER} --layers {LAYERS} --epochs {epochs} --patience 0 --folds 5"
        place = proof.lasting(place.name)  # an interrupted comparison goes on
        proof.say(f"netwright compare {words} --to '{place}'")
        found: dict[str, list[bool]] = defaultdict(list)
        for path in sorted(place.rglob("predictions.parquet")):
            for row in pq.read_table(path).to_pylist():
                if row["part"] == "test":
                    found[row["id"].split("_")[1]].append(row["category"] == row["category_truth"])
        return {name: 100 * statistics.fmean(right) for name, right in found.items()}

    by = proof.part("speakers", held_out)
    shares = [float(share) for share in by.values()]  # type: ignore[arg-type]
    what, least = "of speakers never heard, one after the other, right, %", 30 if proof.full else 20
    told = proof.mean(what, shares, at_least=least, digits=1, of="speakers")
    each = ", ".join(f"{name} {share:.0f}" for name, share in zip(by, shares, strict=True))
    proof.check(f"by speaker: {each} %", len(shares) == len(set(by)) == 5)
    return f"of speakers held out {each} %, mean {told.partition(' ')[0]} %"


def _strings(recordings: Path, each: int, place: Path) -> Plain:
    """Strings of three to six digits: `strings.csv` with file, text, speaker and part."""
    sounds: dict[tuple[str, str], list[tuple[int, np.ndarray]]] = defaultdict(list)
    rate = 0
    for path in sorted(recordings.glob("*.wav")):
        digit, speaker, take = path.stem.split("_")
        sound, rate = soundfile.read(path)
        sounds[speaker, "test" if int(take) < 5 else "train"].append((int(digit), sound))
    chance = np.random.default_rng(0)
    place.mkdir(parents=True)
    with (place / "strings.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["audio", "text", "speaker", "part"])
        for (speaker, part), said in sorted(sounds.items()):
            for number in range(each if part == "train" else each // 6):
                chosen = [said[place] for place in chance.integers(len(said), size=chance.integers(3, 7))]
                pause = np.zeros(int(PAUSE_S * rate))
                whole = np.concatenate([piece for _, sound in chosen for piece in (sound, pause)])
                name = f"{speaker}-{part}-{number:03}.wav"
                soundfile.write(place / name, whole, rate)
                table.writerow([name, " ".join(WORDS[digit] for digit, _ in chosen), speaker, part])
    return {"speakers": len({speaker for speaker, _ in sounds}), "each": each}


def _text(proof: Proof, strings: Path) -> tuple[str, str]:
    epochs, seeds = (25, 3) if proof.full else (12, 1)
    asked = (
        f"--in audio --out text {TEXT} {BY_PART} --layers {READ} --epochs {epochs} --patience 0 --set training.clip=5"
    )

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"'{strings / 'strings.csv'}' {asked} --seed {seed}", place)
        test = min(strings.glob("theo-test-*.wav"))
        with (strings / "strings.csv").open(newline="") as table:
            true = next(row["text"] for row in csv.DictReader(table) if row["audio"] == test.name)
        (answer,) = json.loads(proof.say(f"netwright predict '{place}' '{test}' --json").text)
        return {
            "words": 100 * score(found, "test", "error"),
            "whole": 100 * score(found, "test", "exact"),
            "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
            "heard": answer["text"] or "",
            "said": true,
        }

    found = proof.seeds("strings read", seeds, one)
    first = found[0]
    told = f"a file is answered with text: {first['heard']}, where {first['said']} was said"
    proof.check(told, first["heard"] == first["said"] or not proof.full)
    bound = 20 if proof.full else 60
    wrong = proof.mean(
        "wrong words in strings of 3 to 6 digits, %", [float(each["words"]) for each in found], at_most=bound
    )  # type: ignore[arg-type]
    whole = proof.mean("strings without a mistake, %", [float(each["whole"]) for each in found], digits=1)  # type: ignore[arg-type]
    told = (
        f"strings of 3 to 6 digits by the speakers that were learned, other recordings, read by CTC: {wrong} % of the "
        f"words wrong, {whole} % without a mistake"
    )
    return told, f"netwright train '{strings / 'strings.csv'}' {asked}"


if __name__ == "__main__":
    sys.exit(main())
