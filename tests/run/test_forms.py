"""Forms of texts: which a text keeps, and how far another one does."""

from __future__ import annotations

from pathlib import Path

import pytest

import netwright
from netwright import run, spec
from netwright.report.facts import Facts
from netwright.run import forms
from netwright.run.folder import RunFolder
from netwright.seeds import numpy_generator

DRIVER = """
/* Sums. */
#include <linux/err.h>
#define TWICE(x) \\
    ((x) * 2)
static int __init sum(const u8 *values, size_t count)
{
    struct device *dev = to_dev(values);
    int total = 0, i; /* of all } */
    for (i = 0; i < count; i++)
        total += (u32)values[i] + TWICE('{');
    dev_info(dev, "%d }\\n", total);
    return total;
}

static const struct of_device_id ids[] = {
    { .compatible = "a,b", .data = &sum },
    {},
};
MODULE_LICENSE("GPL");
"""
PLAY = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" * 20
SCREENPLAY = """FADE IN:

EXT. HARBOUR - NIGHT

Rain. A crane turns over the water. Nobody is here but ANN (40), who waits under the
roof of a shed.

BOOM!

ANN (V.O.)
(quietly)
They said he would be back at nine.

He was not.

INT./EXT. CAR - MOVING

BEN
Is that her?

CUT TO:

12 I/E HUT - LATER 12

Ben sits down. The door opens.

RENÉ
You are late.

"""


def test_c_is_counted_by_what_parses() -> None:
    assert forms.c_units(DRIVER) == (2, 2)
    assert forms.c_units(DRIVER.replace("total = 0, i;", "total = = 0, i;")) == (1, 2)
    assert forms.c_units(DRIVER.replace("return total;\n}", "return total;\n")) == (0, 1)  # swallows what follows
    assert forms.c_units(DRIVER[: DRIVER.index("MODULE")].rstrip().removesuffix("};")) == (1, 1)  # cut: no place
    assert forms.c_units("some words; and no code.") == (0, 0)


def test_what_the_parser_itself_stumbles_over_does_not_parse() -> None:
    assert forms.c_units("int a[] = { 1uu };") == (0, 1)  # it raises ValueError
    assert forms.c_units("int f(void) { return " + "(" * 9_000 + "1" + ")" * 9_000 + "; }") == (0, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PLAY, ["speakers named"]),
        (DRIVER * 5, ["brackets closed", "C that parses"]),  # strings and comments hold brackets that close nothing
        ("int f(int x) { return a[x]; } " * 20, ["brackets closed", "C that parses"]),
        ("A word (and so on). " * 50, ["brackets closed"]),
        (r"\begin{lemma} So it \emph{is}. \end{lemma} " * 30, ["braces closed", "environments ended"]),
        (r"\begin{lemma} On $[0,1)$, {\em so}. \end{lemma} " * 30, ["braces closed", "environments ended"]),
        ("INT. HOUSE - DAY\nA man sits.\n\nMAN\nWell.\n\n" * 20, ["script kept"]),
        (SCREENPLAY * 5, ["brackets closed", "script kept"]),
        (SCREENPLAY.replace("\n", "\n     ") * 5, ["brackets closed", "script kept"]),
        ("ACT I\n\n" + "HAMLET\nTo be, or not to be.\n\nOPHELIA\nMy lord.\n\n" * 30, ["paragraphs headed"]),
        ("KING:\nCome, away.\n\nQUEEN:\nI come.\n\n" * 30, ["speakers named"]),
        ("Plain words on a line.\n" * 50, []),
        ("", []),
    ],
)
def test_a_text_is_of_the_forms_that_it_keeps(text: str, found: list[str]) -> None:
    assert [form.name for form in forms.of(text)] == found


def test_what_is_cut_at_the_end_is_no_mistake() -> None:
    assert forms.speakers("KING:\nCome.\n\nQUE") == (1, 1)
    assert forms.script("EXT. SEA - DAY\n\nAN") == (1, 1)
    assert forms.speakers("KING:\n\nCome away.\n\nQUE") == (0, 2)  # who is named says nothing


@pytest.mark.parametrize(
    ("spoiled", "found"),
    [
        (SCREENPLAY, (6, 6)),
        (SCREENPLAY.replace("BEN\n", "BEN\n\n"), (5, 6)),  # who is named says nothing
        (SCREENPLAY.replace("(quietly)\nThey said he would be back at nine.", "(quietly)"), (5, 6)),
        (SCREENPLAY.replace("EXT. HARBOUR - NIGHT", "Ext. harbour"), (5, 6)),
        (SCREENPLAY.replace("EXT. HARBOUR - NIGHT", "EXT."), (5, 6)),
        ("Plain words. " * 9 + "\n\nAnd more.\n\n", (0, 0)),
    ],
)
def test_a_script_is_counted_by_its_headings_and_cues(spoiled: str, found: tuple[int, int]) -> None:
    assert forms.script(spoiled + "Behind.\n\n") == found


def _searched(text: str, source: str) -> int:
    """The same by plain search."""
    lengths = [
        end - start for start in range(len(text)) for end in range(start, len(text) + 1) if text[start:end] in source
    ]
    return max(lengths, default=0)


@pytest.mark.parametrize("chunk", [3, 1_000_000])
def test_the_longest_copy_is_that_of_a_plain_search(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_CHUNK", chunk)
    draw = numpy_generator(0, "texts")
    for _ in range(40):
        text, source = ("".join(draw.choice(list("ab\u00e9"), draw.integers(0, most))) for most in (20, 40))
        assert forms.longest_copy(text, source) == _searched(text, source), (text, source)


def test_a_run_tells_the_forms_of_its_texts_beside_those_of_what_it_learned(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(PLAY, encoding="utf-8")
    wanted = spec.load(
        f"{{data: {{path: {tmp_path / 'play.txt'}, window: 32}}, inputs: {{text: text}}, "
        "outputs: {next: {of: text}}, "
        "model: {layers: gru 24}, "
        "training: {batch_size: 4, optimizer: {name: adam, lr: 0.02}, stop: {epochs: 12}}}"
    )
    outcome = run.train(wanted, out=tmp_path / "run")
    stages = Facts.read(RunFolder(outcome.run).facts).stages
    (last,) = stages[-1].forms
    assert (last.name, last.itself) == ("speakers named", 1.0)
    assert last.share is None or 0 <= last.share <= 1
    assert len(stages[-1].text) == 2_000
    assert "speakers named: " in outcome.report.read_text(encoding="utf-8")
    assert outcome.text[-1] == f"next:   netwright sample {tmp_path / 'run'}"
    assert netwright.load(outcome.model)
    told = run.judged(outcome.run, PLAY[:300])
    assert (told.forms[0].share, told.copied, told.notes) == (1.0, 300, ())
    assert run.judged(outcome.model, PLAY) == run.Judged()  # of a model file nothing is known
    (tmp_path / "play.txt").rename(tmp_path / "elsewhere.txt")
    told = run.judged(outcome.run, PLAY[:300])
    assert (told.forms, told.copied) == ((), None)
    assert told.notes[0].startswith("forms and what is copied are not told: the data of ")
