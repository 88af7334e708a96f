"""Looks through time at recurrent networks on a play, and the clipping of gradients that would otherwise explode."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from proof import Plain, Proof, data, facts, score

CELLS = ("rnn", "lstm", "gru")
UNITS = 64
WINDOW = 64
STEPS = 50


def main() -> int:
    """Trains three kinds of recurrent layers and looks through time at each."""
    proof = Proof(__file__, "recurrent networks step by step, their memory, their gradients through time", (4, 25))
    play = data("char_lm", "tinyshakespeare_input.txt")
    text = play.read_text(encoding="utf-8")[: 1_000_000 if proof.full else 150_000]
    source = proof.folder / "play.txt"
    source.write_text(text, encoding="utf-8")
    for cell in CELLS:
        proof.part(cell, lambda place, c=cell: _trained(proof, source, f"{c} {UNITS}", place))
    _hello(proof)
    _steps(proof)
    _memory(proof)
    _bptt(proof)
    _clipped(proof, source)
    return proof.end()


def _written(place: Path, source: Path, layers: str, training: str) -> str:
    """A spec in a file beside the run."""
    path = place.with_suffix(".yaml")
    lines = [
        "version: 1",
        f"data: {{path: {json.dumps(str(source))}, window: {WINDOW}, split: {{parts: [0.8, 0.1, 0.1]}}}}",
        "inputs: {text: {kind: text}}",
        "outputs: {next: {of: text}}",
        f'model: {{layers: "{layers}"}}',
        f"training: {{batch_size: 16, threads: 1, {training}}}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return shlex.quote(str(path))


def _trained(proof: Proof, source: Path, layers: str, place: Path) -> Plain:
    epochs = 8 if proof.full else 3
    words = _written(
        place, source, layers, f"optimizer: {{name: adam, lr: 0.005}}, clip: 1.0, stop: {{epochs: {epochs}}}"
    )
    found = proof.train(words, place)
    row = _last(place)
    return {
        "bits": score(found, "test", "bits"),
        "seconds": found["seconds"],
        "clipped": row["train/clipped"],
        "largest": row["train/largest_gradient"],
    }


def _last(place: Path) -> Plain:
    """The last epoch of a run's history that tells how often gradients were cut."""
    rows = [json.loads(line) for line in (place / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if "train/clipped" in row][-1]


def _looked(proof: Proof, words: str) -> Plain:
    return json.loads(proof.say(f"netwright look {words} --json").text)


def _run(proof: Proof, name: str) -> str:
    return shlex.quote(str(proof.folder / name))


def _hello(proof: Proof) -> None:
    def one(place: Path) -> Plain:
        found = proof.train("hello", place)
        steps = _looked(proof, f"steps {shlex.quote(str(place))} --text hell")
        said = json.loads(
            proof.say(f"netwright sample {shlex.quote(str(place))} --prompt h --length 4 --temperature 0 --json").text
        )
        answers = steps["answers"]["next"]  # type: ignore[index,call-overload]
        return {
            "answers": "".join(step[0][0] for step in answers),
            "surest": min(step[0][1] for step in answers),
            "written": said["text"],
            "seconds": found["seconds"],
            "numbers": len(steps["scores"]["next"][0]),  # type: ignore[index,call-overload]
        }

    found = proof.part("hello", one)
    proof.check(f"hell is answered with {found['answers']}", found["answers"] == "ello")
    proof.check(f"from h it writes {found['written']}", found["written"] == "ello")
    proof.row(
        "I25",
        'Character language model "hello"',
        "netwright look steps RUN --text hell",
        f"`netwright train hello` takes {float(found['seconds']):.1f} s; likeliest after h, e, l, l: "  # type: ignore[arg-type]
        f"{', '.join(str(found['answers']))}, each with at least {100 * float(found['surest']):.0f} %; "  # type: ignore[arg-type]
        "one-hot input, 3 hidden numbers and 5 scores a step on the page",
    )


def _steps(proof: Proof) -> None:
    def one(place: Path) -> Plain:
        found: Plain = {}
        for cell in CELLS:
            seen = _looked(proof, f"steps {_run(proof, cell)}")
            layer = seen["layers"][0]  # type: ignore[index,call-overload]
            page = Path(str(seen["page"])).read_text(encoding="utf-8")
            cells = page.count(f"<title>{layer['layer']}, what comes out [")
            found[cell] = {
                "apart": layer["apart"],
                "steps": len(layer["states"]),
                "cells": cells,
                "answers": len(seen["answers"]["next"]),  # type: ignore[index,call-overload]
                "gates": sorted(layer["gates"]),
                "tips": page.count(" gate ["),
                "scripts": page.count("<script"),
                "openers": seen["openers"][:2],  # type: ignore[index]
            }
        return found

    found: dict[str, dict] = proof.part("steps", one)  # type: ignore[assignment]
    largest = max(each["apart"] for each in found.values())
    proof.check(f"states rebuilt step by step are at most {largest:.1e} from the layer's own", largest <= 1e-5)
    whole = all(each["steps"] == each["answers"] == WINDOW for each in found.values())
    proof.check(f"each of {WINDOW} steps has its state and its answer", whole)
    proof.check("no page needs a script", not any(each["scripts"] for each in found.values()))
    proof.row(
        "H03",
        "Unrolled view",
        "netwright look steps RUN",
        f"a held-out line in {WINDOW} columns: input, state and the likeliest next characters of each step, for rnn, "
        f"lstm and gru; states recomputed differ by at most {largest:.0e}",
    )
    proof.check("an LSTM's three gates are drawn", found["lstm"]["gates"] == ["forget", "input", "output"])
    proof.check(f"{found['lstm']['tips']:,} cells say step, character and value", found["lstm"]["tips"] > 3 * WINDOW)
    first = found["lstm"]["openers"][1]
    told = f"{first['gate']} gate of unit {first['unit']} is open after {_named(first['opens'])}"
    told += f", closed after {_named(first['closes'])}"
    proof.row("H15", "Gate demo", "netwright look steps RUN --unit 3", f"LSTM over a held-out line: {told}")


def _named(tokens: list[list]) -> str:
    return ", ".join(f"{token} ({value:.2f})" for token, value in tokens)


def _memory(proof: Proof) -> None:
    words = f"memory {_run(proof, 'rnn')} --beside {_run(proof, 'lstm')} {_run(proof, 'gru')} --steps {STEPS}"

    def one(place: Path) -> Plain:
        found = _looked(proof, words)
        return {
            name: {"by_lag": of["by_lag"], "steps": of["steps"], "sequences": of["sequences"]}
            for name, of in found["runs"].items()  # type: ignore[union-attr,attr-defined]
        }

    found: dict[str, dict] = proof.part("memory", one)  # type: ignore[assignment]
    ends = {name: of["steps"] or STEPS for name, of in found.items()}
    proof.check("the vanilla RNN forgets first", ends["rnn"] < min(ends["lstm"], ends["gru"]))
    left = {name: of["by_lag"][20] for name, of in found.items()}
    proof.check(
        "after 20 steps gates keep more than ten times as much", min(left["lstm"], left["gru"]) > 10 * left["rnn"]
    )
    told = ", ".join(f"{name} {of['steps'] or f'more than {STEPS - 1}'}" for name, of in found.items())
    shares = ", ".join(f"{name} {value:.2g}" for name, value in left.items())
    proof.row(
        "H13",
        "The product ∂h_t/∂h_k measured",
        "netwright look memory RUN --beside RUN2 RUN3 --steps 50",
        f"effective memory in steps on {found['rnn']['sequences']} held-out pieces: {told}; "
        f"left of a change 20 steps on: {shares}",
    )


def _bptt(proof: Proof) -> None:
    def one(place: Path) -> Plain:
        found: Plain = {}
        for cell in CELLS:
            seen = _looked(proof, f"bptt {_run(proof, cell)} --steps 20")
            terms = seen["terms"]
            found[cell] = {
                "early": seen["early"],
                "late": seen["late"],
                "first": seen["errors"][0]["error"],  # type: ignore[index,call-overload]
                "sequences": seen["errors"][0]["sequences"],  # type: ignore[index,call-overload]
                "apart": max(terms["apart_sum"], terms["apart_parts"]),  # type: ignore[index,call-overload]
                "errors": len(terms["errors"]),  # type: ignore[index,call-overload]
                "truncated": seen["truncated"],
            }
        return found

    found: dict[str, dict] = proof.part("bptt", one)  # type: ignore[assignment]
    proof.check("late steps are guessed better than early ones", all(of["late"] < of["early"] for of in found.values()))
    told = "; ".join(f"{cell} {of['first']:.2f}, {of['early']:.3f}, {of['late']:.3f}" for cell, of in found.items())
    proof.row(
        "H11",
        "Forward through time with per-step error",
        "netwright look bptt RUN",
        f"nats of the first step, of the first and of the last quarter of {WINDOW}, over "
        f"{found['lstm']['sequences']} held-out pieces: {told}",
    )
    largest = max(of["apart"] for of in found.values())
    proof.check(f"gradient and sum of its terms differ by {largest:.1e} of its largest number", largest <= 1e-5)
    kept = {each["steps"]: each for each in found["lstm"]["truncated"]}
    proof.check(
        "the more steps back, the more is kept in memory", _rises([each["kept_bytes"] for each in kept.values()])
    )
    proof.check("all steps back keep the whole gradient", abs(kept[WINDOW]["share"] - 1) < 1e-4)
    shares = ", ".join(
        f"{steps}: {100 * each['share']:.0f} %, {1e3 * each['seconds']:.0f} ms, {each['kept_bytes'] / 1e6:.2f} MB"
        for steps, each in kept.items()
    )
    proof.row(
        "H12",
        "Back-propagation through time",
        "netwright look bptt RUN",
        f"∂E/∂W of 20 real steps is the sum of 20 ∂E_t/∂W and of their 210 terms up to {largest:.0e}; LSTM by steps "
        f"back, share of the gradient, time and memory: {shares}",
    )


def _rises(values: list[float]) -> bool:
    return values == sorted(values) and len(set(values)) == len(values)


def _clipped(proof: Proof, source: Path) -> None:
    """A vanilla RNN with relu whose steps are far too long: without a bound it is lost, with one it finishes."""

    def one(place: Path, clip: str, code: int) -> Plain:
        wild = f"optimizer: {{name: sgd, lr: 1.0}}, {clip} stop: {{epochs: 1}}"
        words = _written(place, source, f"rnn {UNITS} activation relu", wild)
        said = proof.say(f"netwright train {words} --to {shlex.quote(str(place))}", code=code)
        found: Plain = {"code": said.code, "told": " ".join(said.errors.partition("error:")[2].split())[:300]}
        if code == 0:
            row = _last(place)
            found |= {"clipped": row["train/clipped"], "largest": row["train/largest_gradient"]}
            found["bits"] = score(facts(place), "test", "bits")
        return found

    lost = proof.part("without clip", lambda place: one(place, "", 4))
    kept = proof.part("with clip", lambda place: one(place, "clip: 1.0,", 0))
    proof.check("without a bound it diverges and says so", lost["code"] == 4)
    proof.check(f"with it {100 * float(kept['clipped']):.0f} % of the steps were cut", float(kept["clipped"]) > 0)  # type: ignore[arg-type]
    bits = proof.mean("bits a character of the bounded one", [float(kept["bits"])], at_most=4.5)  # type: ignore[arg-type]
    proof.row(
        "E20",
        "Gradient clipping",
        "netwright train SPEC --set training.clip=1.0",
        "vanilla RNN on a play, learning rate 1: without clip it ends with exit code 4, with clip 1.0 it finishes at "
        f"{bits} bits; {100 * float(kept['clipped']):.0f} % of the last epoch's steps cut, "  # type: ignore[arg-type]
        f"largest norm {float(kept['largest']):.3g}",  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    sys.exit(main())
