"""Captions of Multi30k from English into German and French: BLEU with and without attention, and beside simple ways."""

from __future__ import annotations

import csv
import gzip
import html
import statistics
import sys
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import sacrebleu
from proof import Plain, Proof, data, facts

FRENCH = "--out fr:text --set outputs.fr.tokens=bpe --set outputs.fr.vocabulary=5000"
BLIND = "--set model.decoder.attention=none"
RAW = "--data $NETWRIGHT_DATA/multi30k/task1/raw"  # as they were written: capitals, and signs that touch words
ALONE = "--set training.threads=1"  # as many trainings at once as there are cores
FEW = {"train": 1_500, "val": 100, "test_2016_flickr": 100}  # lines of the quick form


def main() -> int:
    """Trains one network for each language and way, and three with attention into German."""
    proof = Proof(__file__, "captions from English into German and French, BLEU", (8, 240))
    tokens = data("multi30k", "task1", "tok")
    raw = RAW
    if not proof.full:
        few = proof.folder / "few"
        proof.part("few", partial(_few, tokens))
        raw = f"--data '{few}'"
    every = f"translate{'' if proof.full else f' {raw}'}"
    german = {f"German seed {seed}": (every, seed) for seed in range(3 if proof.full else 1)}
    ways = {"no attention": f"{every} {BLIND}", "French": f"{every} {FRENCH}", "as written": f"translate {raw}"}
    wanted = german | {name: (words, 0) for name, words in ways.items()}
    found = proof.parts({name: partial(_trained, proof, *each) for name, each in wanted.items()})
    _translated(proof, [found[name] for name in german], found)
    _lengths(proof, found["German seed 0"])
    return proof.end()


def _few(tokens: Path, place: Path) -> Plain:
    """The first lines of each part in three languages."""
    place.mkdir(parents=True)
    for part, lines in FEW.items():
        for language in ("en", "de", "fr"):
            name = f"{part}.lc.norm.tok.{language}"
            whole = (tokens / name).read_text(encoding="utf-8").splitlines(keepends=True)
            (place / name).write_text("".join(whole[:lines]), encoding="utf-8")
    return dict(FEW)


def _trained(proof: Proof, words: str, seed: int, place: Path) -> Plain:
    """Trains, or goes on with what was interrupted, and scores what was written."""
    folder = proof.trained(f"{words} {ALONE} {'' if proof.full else '--epochs 3'} --seed {seed}", place)
    run = facts(folder)
    (output,) = run["outputs"]  # type: ignore[misc]
    name = output["name"]
    given, true = (_tested(proof, language, raw=RAW in words) for language in ("en", name))
    asked, answers = folder / "asked.csv", folder / "answers.parquet"
    with asked.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["en"], *([line] for line in given)])
    proof.say(f"netwright predict '{folder}' '{asked}' --save '{answers}'")
    written = [row[name] or "" for row in pq.read_table(answers).to_pylist()]
    scores = output["scores"]["test"]
    return {
        "bleu": scores["bleu"],
        "sacrebleu": sacrebleu.corpus_bleu(written, [true]).score,
        "length": scores["length"],
        "exact": 100 * scores["exact"],
        "interval": output["intervals"]["bleu"],
        "baselines": {each["name"]: each["scores"]["bleu"] for each in output["baselines"]},
        "tokens": [min(len(text.split()) for text in written), max(len(text.split()) for text in written)],
        "other length": sum(len(a.split()) != len(b.split()) for a, b in zip(given, written, strict=True)),
        "examples": len(written),
        "shown": _shown(folder / "report.html", given, written, true),
        "samples": [list(row) for row in list(zip(given, written, true, strict=True))[:10]],
        "parameters": run["parameters"],
        "minutes": float(run["seconds"]) / 60,  # type: ignore[arg-type]
    }


def _shown(report: Path, *texts: list[str]) -> int:
    """How many examples stand on the report's page with what went in, what was written and what is true."""
    page = " ".join(html.unescape(report.read_text(encoding="utf-8")).split())
    return sum(all(" ".join(text.split()) in page for text in each) for each in zip(*texts, strict=True))


def _tested(proof: Proof, language: str, *, raw: bool) -> list[str]:
    """The lines of the test part of 2016 in one language."""
    if not proof.full:
        file = proof.folder / "few" / f"test_2016_flickr.lc.norm.tok.{language}"
    elif raw:
        file = data("multi30k", "task1", "raw", f"test_2016_flickr.{language}.gz")
    else:
        file = data("multi30k", "task1", "tok", f"test_2016_flickr.lc.norm.tok.{language}")
    with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as lines:
        return lines.read().removesuffix("\n").split("\n")


def _translated(proof: Proof, german: list[Plain], others: dict[str, Plain]) -> None:
    simple: dict[str, float] = german[0]["baselines"]  # type: ignore[assignment]
    bleu = [float(each["bleu"]) for each in german]  # type: ignore[arg-type]
    bound = 35 if proof.full else None
    told = proof.mean("BLEU into German on lower-cased tokens, beam 5", bleu, at_least=bound, digits=1)
    best = max(simple.values())
    proof.check(
        f"simple ways: {', '.join(f'{name} {value:.1f}' for name, value in simple.items())}",
        statistics.fmean(bleu) > best or not proof.full,
    )
    minutes = [float(each["minutes"]) for each in [*german, *others.values()]]  # type: ignore[arg-type]
    proof.check(f"{max(minutes):.0f} minutes for the longest training, at most 60", max(minutes) <= 60)
    blind, french, cased = (others[name] for name in ("no attention", "French", "as written"))
    proof.check(f"without attention {blind['bleu']:.1f}", float(blind["bleu"]) < min(bleu) or not proof.full)  # type: ignore[arg-type]
    for each in (french, cased):
        least: float = max(each["baselines"].values())  # type: ignore[union-attr]
        shown = f"{each['bleu']:.1f}, simple ways {least:.1f}"
        proof.check(f"French, then as written: {shown}", float(each["bleu"]) > least or not proof.full)  # type: ignore[arg-type]
    shown = int(german[0]["shown"])  # type: ignore[call-overload]
    proof.check(f"{shown} examples on the report's page: source, output and reference", shown >= 10)
    proof.row(
        "I09",
        "Machine translation",
        "netwright train translate",
        f"Multi30k, 2016 test set: into German {told}, a dictionary word by word {simple['dictionary']:.1f}, the input "
        f"copied {simple['copy']:.1f}; without attention {blind['bleu']:.1f}; into French {french['bleu']:.1f}; with "
        f"capitals, detokenised, {cased['sacrebleu']:.1f} (sacreBLEU, 13a); {minutes[0]:.0f} minutes",
    )


def _lengths(proof: Proof, found: Plain) -> None:
    least, most = found["tokens"]  # type: ignore[misc]
    length = float(found["length"])  # type: ignore[arg-type]
    other, whole = int(found["other length"]), int(found["examples"])  # type: ignore[call-overload]
    proof.check(f"{other} of {whole} texts have another length than what went in", 2 * other > whole or not proof.full)
    proof.check(f"{length:.2f} of the true length on average", 0.8 < length < 1.2 or not proof.full)
    proof.row(
        "H07",
        "Many-to-many (encoder-decoder)",
        "netwright train translate",
        f"English texts to German ones of {least} to {most} words, {length:.2f} times as long as the true ones, "
        f"{other} of {whole} of another length than what went in; with and without attention as at I09",
    )


if __name__ == "__main__":
    sys.exit(main())
