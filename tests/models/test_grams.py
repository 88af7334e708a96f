"""N-grams: what follows what, with probabilities that sum to one, and their part in reading a text off."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import netwright
from netwright import run, spec
from netwright.errors import ModelFileError, SpecError
from netwright.model_file import file
from netwright.models.ctc import prefix_search
from netwright.models.grams import EDGE, Grams, counted

TEXTS = [[2, 3, 4], [2, 3, 4], [2, 3, 5], [4, 2]]


@pytest.mark.parametrize("order", [2, 3, 5])
def test_what_follows_has_probabilities_that_sum_to_one(order: int) -> None:
    grams = Grams(counted(TEXTS, order), 6)
    for before in ([EDGE] * (order - 1), [EDGE] * order + [2, 3], [5, 5, 5, 5], [1, 2, 3, 2]):
        assert sum(math.exp(-grams.nats(before, token)) for token in range(6)) == pytest.approx(1)


def test_shares_are_those_of_witten_and_bell() -> None:
    grams = Grams(counted(TEXTS, 2), 6)
    # behind 3 stood 4 twice and 5 once: two different followers in three; of all 15 tokens four are 2, three 3,
    # three 4, one 5 and four ends, five different ones
    four = (3 + 5 / 6) / (15 + 5)
    assert math.exp(-grams.nats([3], 4)) == pytest.approx((2 + 2 * four) / (3 + 2))
    never = (0 + 5 / 6) / (15 + 5)
    assert math.exp(-grams.nats([3], 1)) == pytest.approx(2 * never / (3 + 2))
    assert grams.nats([9, 9, 3], 4) == grams.nats([3], 4)  # only what a stretch has is looked at
    assert grams.nats([1], 4) == pytest.approx(-math.log(four))  # never seen before anything


def test_a_token_that_cannot_be_told_is_read_as_what_follows() -> None:
    """Behind q two tokens are as likely by the sequence; only one of them stands there in texts."""
    steps = np.full((5, 6), 0.01)
    for step, token in ((0, 2), (1, 0), (2, 3), (3, 0)):
        steps[step, token] = 0.95
    steps[4, 4], steps[4, 5] = 0.47, 0.49
    assert prefix_search(steps, 16) == [2, 3, 5]
    assert prefix_search(steps, 16, grams=Grams(counted(TEXTS * 5, 3), 6)) == [2, 3, 4]


def test_a_sure_sequence_is_not_talked_out_of_what_it_says() -> None:
    steps = np.full((3, 6), 1e-4)
    for step, token in enumerate((5, 1, 5)):
        steps[step, token] = 1.0
    assert prefix_search(steps, 16, grams=Grams(counted(TEXTS, 3), 6)) == [5, 1, 5]


WANTED = (
    "{data: {path: %s, group: word}, inputs: {way: {kind: signal, from: [height]}}, "
    "outputs: {text: {kind: text, align: ctc, tokens: characters%s}}, model: {layers: lstm 8}, "
    "training: {stop: {epochs: 1}}}"
)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    rows = [f"{k},{draw.normal():.3f},{'ab' * (1 + k % 3)}" for k in range(40) for _ in range(12)]
    (tmp_path / "words.csv").write_text("word,height,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "words.csv"


def test_grams_are_learned_kept_in_the_model_file_and_proven_there(words: Path, tmp_path: Path) -> None:
    plain = run.train(spec.load(WANTED % (words, "")), out=tmp_path / "plain", accept=True)
    outcome = run.train(spec.load(WANTED % (words, ", grams: 3")), out=tmp_path / "run", accept=True)
    assert netwright.load(plain.model).outputs["text"].grams == ()
    model = netwright.load(outcome.model)
    kept = model.outputs["text"]
    assert len(kept.grams[0]) == 4
    assert "grams" not in (outcome.run / "resolved.yaml").read_text(encoding="utf-8").split("outputs:")[-1].replace(
        "grams: 3", ""
    ).replace("grams: []", "")
    codes = {token: code for code, token in enumerate(kept.vocabulary)}
    grams = Grams(kept.grams, len(kept.vocabulary))
    assert grams.nats([EDGE, codes["a"]], codes["b"]) < 0.5
    one, other = (netwright.load(each.model).network.state_dict() for each in (plain, outcome))
    assert all(torch.equal(one[key], other[key]) for key in one)  # training itself is the same


def test_grams_that_are_no_stretches_of_its_tokens_are_refused(words: Path, tmp_path: Path) -> None:
    outcome = run.train(spec.load(WANTED % (words, ", grams: 2")), out=tmp_path / "run", accept=True)
    model = netwright.load(outcome.model)
    field = model.outputs["text"]
    for wrong in (((99, 1, 2),), ((1, 1, 0),), ((1,),), ((-1, 1, 1),)):
        model.outputs["text"] = field.model_copy(update={"grams": wrong})
        file.write(tmp_path / "wrong.netwright", model, [])
        with pytest.raises(ModelFileError, match=r'the n-grams of "text" are no stretches of its tokens'):
            netwright.load(tmp_path / "wrong.netwright")


def test_grams_without_alignment_are_refused() -> None:
    with pytest.raises(SpecError, match="grams goes with align: ctc"):
        spec.load("{outputs: {text: {kind: text, grams: 3}}}")
