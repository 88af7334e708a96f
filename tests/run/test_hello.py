"""Five letters: the smallest language model, trained, looked at and asked to write."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import readers, recipes, run
from netwright.errors import DataError, SpecError
from netwright.models.decoding import Sampling


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> run.Outcome:
    return run.train(recipes.load("hello"), out=tmp_path_factory.mktemp("hello") / "hello")


@pytest.fixture
def hello(trained: run.Outcome, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.run, tmp_path / "hello"))


def test_hell_gives_ello_and_each_number_is_there(hello: Path) -> None:
    found = run.steps(hello, text="hell")
    assert found.read == ["h", "e", "l", "l"]
    assert [step[0][0] for step in found.answers["next"]] == ["e", "l", "l", "o"]
    assert "  likeliest one after the other: ello" in found.text
    assert found.layers[0].apart <= 1e-6
    assert len(found.layers[0].states) == 4
    assert len(found.scores["next"][0]) == 5  # h, e, l, o and what is not known
    page = found.page.read_text(encoding="utf-8")
    assert "what goes in, one-hot" in page
    assert "next: scores" in page
    assert "<script" not in page
    assert any("learned by heart" in line for line in found.text)


def test_it_writes_hello(hello: Path) -> None:
    written = run.sample(hello, "h", sampling=Sampling(temperature=0.0))
    assert "".join(next(written.pieces) for _ in range(4)) == "ello"


def test_report_and_doctor_say_that_nothing_is_held_out(trained: run.Outcome) -> None:
    assert trained.headline.startswith("Nothing is held out, so nothing is known about new examples")
    page = trained.report.read_text(encoding="utf-8")
    assert "bits a character on the training split" in page
    assert "held-out text</" not in page
    assert [each for each in run.diagnose(trained.run) if each.state == "bad"] == []
    facts = json.loads((trained.run / "facts.json").read_text(encoding="utf-8"))
    assert facts["findings"] == [] or all(each["name"] != "spread" for each in facts["findings"])
    assert run.resume(trained.run).run == trained.run  # what is in memory is recognised again


def test_other_looks_do_not_fall_over_on_five_letters(hello: Path) -> None:
    remembered = run.memory(hello)
    assert remembered.steps == 4
    assert "the sequences have 4 steps, so 50 were not reached" in remembered.text
    back = run.bptt(hello)
    assert back.terms.apart_sum < 1e-5
    assert back.terms.apart_parts < 1e-5
    assert [each.steps for each in back.truncated] == [1, 2, 4]
    assert "no example of this run is held out: these errors are those of what was learned" in back.text


def test_on_the_command_line(hello: Path, netwright: Callable) -> None:
    said = netwright("look", "steps", str(hello), "--text", "hell", "--json")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert [step[0][0] for step in found["answers"]["next"]] == ["e", "l", "l", "o"]
    with pytest.raises(SpecError, match=r"rnn1 has units 0 to 2, not 3\."):
        run.steps(hello, text="hell", unit=3)


def test_texts_that_are_not_there_are_refused() -> None:
    assert readers.find("netwright:hello").ids.to_pylist() == ["row 1"]
    with pytest.raises(DataError, match=r'no text "helo" comes with netwright \(did you mean "hello"\?\)'):
        readers.find("netwright:helo")
