"""Language models of characters: plays and C, how well they are foreseen, and what is written at four moments."""

from __future__ import annotations

import json
import math
import shlex
import sys
from pathlib import Path

from proof import Plain, Proof, data, facts, score

from netwright.run import forms

LENGTH = 20_000  # characters that are written to be judged
FEW = 150_000  # characters of the quick form
SMALL = "--layers 'lstm 128' --epochs 3"
LEAST_PARSED = 0.1  # of functions and tables
COPIED = 200  # characters in a row; more would be a passage


def main() -> int:
    """Trains on Tiny Shakespeare and on files of Linux, and reads what they write."""
    proof = Proof(__file__, "plays and C, character by character: nats, forms kept, nothing copied", (5, 130))
    _plays(proof)
    _c(proof)
    return proof.end()


def _trained(proof: Proof, recipe: str, source: Path, place: Path) -> Plain:
    """Trains, and lets the model write a long text."""
    words = recipe
    if not proof.full:
        few = proof.folder / f"{recipe}.txt"
        few.write_text(source.read_text(encoding="utf-8", errors="replace")[:FEW], encoding="utf-8")
        words = f"{recipe} --data {shlex.quote(str(few))} {SMALL}"
    place = proof.trained(words, place)
    found, where = facts(place), shlex.quote(str(place))
    written = proof.say(f"netwright sample {where} --length {LENGTH} --temperature 0.8 --json")
    text = json.loads(written.text)["text"]
    learned = source.read_text(encoding="utf-8", errors="replace")
    return {
        "nats": math.log(2) * score(found, "test", "bits"),
        "minutes": float(found["seconds"]) / 60,  # type: ignore[arg-type]
        "stages": [{**stage, "text": ""} for stage in found["stages"]],  # type: ignore[attr-defined]
        "forms": {form.name: form.share(text) for form in forms.FORMS},
        "copied": forms.longest_copy(text, learned),
        "written_s": written.seconds,
    }


def _stages(found: Plain, name: str) -> list[float]:
    """A number of each moment, missing ones left out."""
    values = [stage[name] for stage in found["stages"]]  # type: ignore[attr-defined]
    return [float(value) for value in values if value is not None]


def _kept(found: Plain, form: str) -> list[float | None]:
    """How far the text of each moment keeps a form."""
    stages = found["stages"]
    return [each["share"] for stage in stages for each in stage["forms"] if each["name"] == form]  # type: ignore[attr-defined]


def _rises(shares: list[float | None]) -> bool:
    """Whether there are shares, and the last is above the first; without places there is none."""
    return bool(shares) and (shares[-1] or 0) > (shares[0] or 0)


def _told(values: list[float | None]) -> str:
    return ", ".join("none" if value is None else f"{100 * value:.0f} %" for value in values)


def _plays(proof: Proof) -> None:
    source = data("char_lm", "tinyshakespeare_input.txt")
    found = proof.part("plays", lambda place: _trained(proof, "plays", source, place))
    bits, words = _stages(found, "bits"), _stages(found, "words")
    proof.check(f"bits of held-out text fall: {bits}", bits == sorted(bits, reverse=True) and len(bits) == 4)
    proof.check(f"share of words that are words rises: {words}", words[-1] > words[0])
    bound = 1.43 if proof.full else 3.0
    nats = proof.mean("nats a character, the last tenth", [float(found["nats"])], at_most=bound)  # type: ignore[arg-type]
    minutes = float(found["minutes"])  # type: ignore[arg-type]
    if proof.full:
        proof.check(f"{minutes:.1f} minutes of training, at most 15", minutes <= 15)
    proof.row(
        "I26",
        "Style text generation with training stages",
        "netwright train plays",
        f"four texts with their bits a character, {', '.join(f'{value:.2f}' for value in bits)}; of their words "
        f"{_told([*words])} are words; {nats} nats on the last tenth of Tiny Shakespeare after {minutes:.1f} minutes",
    )
    kept = found["forms"]["speakers named"]  # type: ignore[index,call-overload]
    copied = int(found["copied"])  # type: ignore[call-overload]
    proof.check(f"speakers named in {kept} of paragraphs", kept is not None and (kept > 0.95 or not proof.full))
    proof.check(f"at most {copied} characters in a row are copied", copied < COPIED)
    proof.row(
        "I27",
        "Poetry / Shakespeare plays",
        f"netwright sample RUN --length {LENGTH} --temperature 0.8",
        f"of {LENGTH:,} characters {_told([kept])} of the paragraphs begin with a speaker's name and a line of speech; "
        f"the longest passage that stands in the plays has {copied} characters",
    )


def _c(proof: Proof) -> None:
    source = data("char_lm", "linux_shuffled_6206996.txt")
    found = proof.part("c-code", lambda place: _trained(proof, "c-code", source, place))
    bound = 0.95 if proof.full else 4.0
    nats = proof.mean("nats a character of C", [float(found["nats"])], at_most=bound)  # type: ignore[arg-type]
    minutes = float(found["minutes"])  # type: ignore[arg-type]
    if proof.full:
        proof.check(f"{minutes:.0f} minutes of training, at most 90", minutes <= 90)
    closed, parsed = (_kept(found, form) for form in ("brackets closed", "C that parses"))
    whole = found["forms"]
    proof.check(f"brackets closed by stage: {_told(closed)}", len(closed) == 4)
    if proof.full:
        last = whole["brackets closed"] or 0, whole["C that parses"] or 0  # type: ignore[index,call-overload]
        proof.check(f"at the end {last} of brackets and of units", last[0] > 0.95 and last[1] > LEAST_PARSED)
        proof.check(f"parsed by stage: {_told(parsed)}; both rise", _rises(closed) and _rises(parsed))
    proof.row(
        "I29",
        "C code generation",
        "netwright train c-code",
        f"{nats} nats a character on held-out files of Linux after {minutes:.0f} minutes; by stage {_told(closed)} of "
        f"the brackets close what was opened and {_told(parsed)} of functions, tables parse; of {LENGTH:,} characters "
        f"at the end {_told([whole['brackets closed']])} and {_told([whole['C that parses']])}",  # type: ignore[index,call-overload]
    )


if __name__ == "__main__":
    sys.exit(main())
