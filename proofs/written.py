"""LaTeX and film scripts, character by character: what is open is closed and compiles; scenes and names are kept.

`$NETWRIGHT_DATA/latex` and `$NETWRIGHT_DATA/scripts` are folders of texts. What docs/coverage.md tells was measured
with TeX Live's documentation (memoir, amsmath, hyperref, and LaTeX's guide for its users, new and old) and with the
screenplays that the npm package afterwriting and the program Trelby have as examples, the latter as plain text.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, facts, score

from netwright.run import forms

LENGTH = 4_000  # characters of each text that is written
FEW = 60_000  # characters of the quick form
SMALL = "--layers 'lstm 128' --epochs 2"
BOOK = "\\documentclass{book}\n\\usepackage{amsmath}\n%s\\begin{document}\n%s\n\\end{document}\n"
NAMED = "\\providecommand\\cmd[1]{\\texttt{\\string#1}}\n\\providecommand\\cs[1]{\\texttt{#1}}\n"  # as manuals do
EMPTY = "\\providecommand\\%s{}\n"
PLAIN = "\\ifcsname %s\\endcsname\\else\\newenvironment{%s}{}{}\\fi\n"
COMPILED = 1.0  # of closed texts
FEW_STEPS = "--batch-size 8 --epochs 6"  # scripts are short texts
ASKED = 3  # characters of the scripts who are given the word


def main() -> int:
    """Trains on LaTeX and on film scripts, and reads what they write."""
    proof = Proof(__file__, "LaTeX and film scripts, written on: closed, compiled, in form", (4, 40))
    if not shutil.which("pdflatex"):
        print("error: pdflatex is not on the PATH. Install TeX Live.", file=sys.stderr)
        return 3
    _latex(proof)
    _scripts(proof)
    return proof.end()


def _trained(proof: Proof, recipe: str, place: Path, *, steps: str = "", begun: str = "") -> Path:
    """The folder of a run of the recipe, or of a small net on the beginning of its data."""
    if proof.full:
        return proof.trained(f"{recipe} --data {shlex.quote(str(data(recipe)))} {steps} {begun}", place)
    few = proof.folder / f"{recipe}.txt"
    few.write_text(_source(recipe)[:FEW], encoding="utf-8")
    return proof.trained(f"{recipe} --data {shlex.quote(str(few))} {SMALL} {begun}", place)


def _source(recipe: str) -> str:
    files = sorted(path for path in data(recipe).rglob("*") if path.is_file())
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def _written(proof: Proof, run: Path, seed: int, *more: str) -> dict[str, str]:
    asked = f"netwright sample {shlex.quote(str(run))} --length {LENGTH} --temperature 0.7 --json --seed {seed}"
    return json.loads(proof.say(f"{asked} {' '.join(more)}").text)


def _shares(texts: list[str], name: str) -> float:
    """How far texts keep a form, in per cent of its places."""
    (form,) = (form for form in forms.FORMS if form.name == name)
    right, places = map(sum, zip(*map(form.right, texts), strict=True))
    return 100 * right / places if places else 100


# ---- LaTeX -----------------------------------------------------------------------------------------------------------


def _latex(proof: Proof) -> None:
    found = proof.part("latex", partial(_typeset, proof))
    whole, closed = (dict[str, float](found[way]) for way in ("as written", "closed"))  # type: ignore[call-overload]
    count = int(found["texts"])  # type: ignore[call-overload]
    bits = proof.mean("bits a character of held-out LaTeX", [float(found["bits"])])  # type: ignore[arg-type]
    made = closed["pages made"] >= COMPILED * count and closed["pages made"] > whole["pages made"]
    proof.check(f"{closed['pages made']:.0f} of {count} closed texts compile", made or not proof.full)
    for form in ("braces closed", "environments ended"):
        proof.check(f"{form}: {closed[form]:.0f} % of the closed texts", closed[form] == 100)
    proof.row(
        "I28",
        "Textbook generation (LaTeX)",
        "netwright sample RUN --close",
        f"{found['characters']:,} characters of manuals, {bits} bits a character on the last tenth; of what opens and "
        f"closes {whole['braces closed']:.1f} % of the braces and {whole['environments ended']:.1f} % of the "
        f"environments are right; pdflatex makes pages of {whole['pages made']:.0f} of {count} texts as they are, of "
        f"{closed['pages made']:.0f} closed (commands that nothing defines do nothing)",
    )


def _typeset(proof: Proof, place: Path) -> Plain:
    """Texts of the model, as they are and closed: what they close, and what pdflatex makes of them."""
    run = _trained(proof, "latex", place)
    texts = [_written(proof, run, seed, "--close") for seed in range(10 if proof.full else 2)]
    found: Plain = {
        "bits": score(facts(run), "test", "bits"),
        "texts": len(texts),
        "characters": len(_source("latex")),
    }
    for way, key in (("as written", "text"), ("closed", "closed")):
        made = [_compiled(each[key], proof.folder / "compiled") for each in texts]
        found[way] = {
            "pages made": sum(made),
            **{form: _shares([each[key] for each in texts], form) for form in ("braces closed", "environments ended")},
        }
    return found


def _compiled(text: str, place: Path) -> bool:
    """Whether pdflatex makes pages of a text; what is not defined does nothing."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    commands = sorted({*re.findall(r"\\([A-Za-z]+)", text)} - {"begin", "end"})
    around = sorted({*re.findall(r"\\begin\{([A-Za-z*]+)\}", text)})
    defined = "".join(EMPTY % name for name in commands) + "".join(PLAIN % (name, name) for name in around)
    (place / "text.tex").write_text(BOOK % (NAMED + defined, text), encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "text.tex"]
    try:
        subprocess.run(words, cwd=place, capture_output=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:  # commands can send TeX round in circles
        return False
    return (place / "text.pdf").exists()


# ---- film scripts ----------------------------------------------------------------------------------------------------


def _scripts(proof: Proof) -> None:
    found = proof.part("scripts", partial(_played, proof))
    kept, own, answered, before = (float(found[name]) for name in ("kept", "own", "answered", "before"))  # type: ignore[arg-type]
    bits = proof.mean("bits a character of held-out script", [float(found["bits"])])  # type: ignore[arg-type]
    proof.check(f"scene headings and names as they should be: {kept:.1f} %", kept > 90 or not proof.full)
    proof.check(f"texts that begin with a name go on with speech: {answered:.0f} %", answered > 90 or not proof.full)
    proof.row(
        "I30",
        "Writing a movie script",
        f"netwright train scripts --data FOLDER --from RUN-OF-LATEX {FEW_STEPS}",
        f"{found['characters']:,} characters of screenplays, {bits} bits a character on the last tenth ({before:.2f} "
        f"of the LaTeX model it begins with); of the scene headings and names in what is written {kept:.1f} % are as "
        f"they should be ({own:.1f} % of the learned ones); "
        f"given the word, {found['names']} speak in {answered:.0f} % of the texts",
    )


def _played(proof: Proof, place: Path) -> Plain:
    """Texts that begin with the name of a character: whether form is kept, and whether somebody speaks."""
    manuals = shlex.quote(str(proof.lasting("latex")))  # so short a text teaches form, hardly English
    run = _trained(proof, "scripts", place, steps=FEW_STEPS, begun=f"--from {manuals}")
    learned = _source("scripts").replace("\r\n", "\n")
    cues = Counter(re.findall(r"\n\n([A-Z][A-Z .]+)\n(?=\S)", learned))
    names = [name for name, _ in cues.most_common(ASKED)]
    texts, spoken = [], []
    for seed in range(4 if proof.full else 1):
        for name in names:
            text = _written(proof, run, seed, "--prompt", shlex.quote(f"\\n\\n{name}\\n"))["text"]
            texts.append(text)
            first = text.lstrip(" ").partition("\n")[0].strip()
            spoken.append(bool(re.search(r"[a-z]", first)))
    simple = facts(run)["outputs"][0]["baselines"]  # type: ignore[index]
    return {
        "bits": score(facts(run), "test", "bits"),
        "before": next(each["scores"]["bits"] for each in simple if each["name"] == "before"),
        "characters": len(learned),
        "kept": _shares(texts, "script kept"),
        "own": _shares([learned], "script kept"),
        "answered": 100 * statistics.fmean(spoken),
        "names": ", ".join(names),
    }


if __name__ == "__main__":
    sys.exit(main())
