"""Texts from a file of the user to answers, as the command line does it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import model_file, run, spec
from netwright.data.batches import Batches
from netwright.data.dataset import prepare
from netwright.readers.padding import lengths
from netwright.run.prediction import answers

GOOD = ["moving", "funny", "warm", "rich", "clever", "brave", "bright", "tender"]
BAD = ["dull", "slow", "flat", "vain", "tired", "cold", "silly", "stale"]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines of neutral words and one that decides; of the negated ones, that is, 'not' before it, the opposite."""
    chance, lines = np.random.default_rng(0), []
    filler = ["the", "film", "has", "a", "story", "and", "some", "actors", "in", "it", "while", "music", "plays"]
    for _ in range(800):
        good, negated = chance.random(2) < 0.5
        words = list(chance.choice(filler, int(chance.integers(3, 9))))
        decides = [str(chance.choice(GOOD if good else BAD))]
        words[int(chance.integers(0, 3)) : 0] = ["not", *decides] if negated else decides
        lines.append(f"{'good' if good != negated else 'bad'} {' '.join(words)}")
    path = tmp_path_factory.mktemp("reviews") / "reviews.all"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(reviews: Path, tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> run.Outcome:
    wanted = spec.override(
        spec.load("{outputs: [category], training: {threads: 1}}"),
        {
            "data.path": f'"{reviews}"',
            "training.stop.epochs": "16",
            "training.optimizer": "{lr: 0.01}",
            "inputs": "{text: {embed: 16}}",
        },
    )
    return run.train(wanted, out=tmp_path_factory.mktemp("runs") / "reviews")


def test_the_order_of_words_is_learned(trained: run.Outcome) -> None:
    facts = json.loads((trained.run / "facts.json").read_text(encoding="utf-8"))
    (output,) = facts["outputs"]
    bag = next(each for each in output["baselines"] if each["name"] == "bag_of_words")
    found = trained.scores["category"]["test"]["accuracy"]
    assert found > 0.9
    assert found > bag["scores"]["accuracy"] + 0.2  # which cannot see what stands behind "not"


def test_a_plan_says_words_and_steps(reviews: Path) -> None:
    wanted = spec.override(spec.load("{outputs: [category]}"), {"data.path": f'"{reviews}"'})
    text = "\n".join(run.plan(wanted).text)
    assert "in  text: text, 30 words (" in text
    assert "steps of 128" in text
    assert "as many as an example has on average" in text


def test_reviews_are_answered_from_a_table(trained: run.Outcome, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text('id,text\na,"the film is warm"\nb,""\nc,"the film not warm at all"\n')
    found = run.predict(trained.run, [tmp_path / "new.csv"])
    assert found.column("category").to_pylist() == ["good", None, "bad"]
    assert found.column("problem").to_pylist()[1] == "text: the text is empty."


def test_first_words_are_no_classes_where_the_model_knows_them_not(trained: run.Outcome, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("warm is the film\nwarm was the story\n" * 8)
    (tmp_path / "old.txt").write_text("good the film is warm\nbad the film is not warm\n" * 8)
    found = answers(trained.run, [tmp_path / "new.txt"])
    assert (found.full.num_rows, found.remarks[0]) == (1, "new.txt was read as one text")
    assert answers(trained.run, [tmp_path / "old.txt"]).full.num_rows == 16


def test_a_path_may_be_a_text(trained: run.Outcome, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text('text\n"the film is warm"\n')
    assert run.predict(str(trained.run), str(tmp_path / "new.csv")).column("category").to_pylist() == ["good"]


def test_the_model_file_answers_its_texts_again(trained: run.Outcome) -> None:
    assert str(model_file.load(trained.model).replayed).startswith("64 of 64 match")


def test_the_report_quotes_the_texts(trained: run.Outcome) -> None:
    (output,) = json.loads((trained.run / "facts.json").read_text(encoding="utf-8"))["outputs"]
    quoted = output["grid"][0]["text"]
    assert quoted.startswith('"')
    assert quoted.strip('"') in trained.report.read_text(encoding="utf-8")


def test_an_epoch_is_bucketed_and_whole(reviews: Path) -> None:
    wanted = spec.override(spec.load("{outputs: [category]}"), {"data.path": f'"{reviews}"'})
    dataset = prepare(wanted)
    for resident in (True, False):
        source = Batches(dataset, "train", 16, 0, shuffle=True, resident=resident)
        batches = list(source.epoch(3))
        assert sorted(torch.cat([batch.index for batch in batches]).tolist()) == dataset.parts["train"].tolist()
        spread = [int(lengths(batch.inputs["text"]).float().std() * 100) for batch in batches[:-1]]
        assert np.mean(spread) < 100  # of all texts it is about 230
        again = Batches(dataset, "train", 16, 0, shuffle=True, resident=not resident)
        for one, other in zip(batches, again.epoch(3), strict=True):
            assert torch.equal(one.inputs["text"], other.inputs["text"])


def test_words_are_coloured_by_what_they_change(trained: run.Outcome, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained.run, tmp_path / "reviews"))
    found = run.words(folder, text="the film has a warm")
    assert found.part == "test"
    assert found.looked_at == 120
    first = found.texts[0]
    assert (first.truth, first.answer) == ("", "good")
    assert first.words == ["the", "film", "has", "a", "warm"]
    assert first.words[int(np.argmax(first.influence))] == "warm"
    model = model_file.load(folder / "model.netwright")
    shares = model.predict([{"text": "the film has a warm"}, {"text": "the film has a"}])["category"]
    place = model.outputs["category"].vocabulary.index("good")
    odds = torch.log(shares[:, place] / (1 - shares[:, place]))
    assert first.influence[4] == pytest.approx(float(odds[0] - odds[1]), abs=1e-3)
    assert any(each.truth == each.answer for each in found.texts[1:])
    assert {each.word for each in found.common["good"][:3]} <= {*GOOD, *BAD, "not"}
    assert found.common["good"][0].mean > 0.3
    assert found.agreement is not None
    page = found.page.read_text(encoding="utf-8")
    assert 'class="tint up8"' in page
    assert "<script" not in page
    assert run.RunFolder(folder).reads()["test"] == 2
