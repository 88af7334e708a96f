"""Byte-pair encoding: nothing is lost, nothing is unknown, and the tokens alone say how a text falls into them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from netwright import model_file, run, spec
from netwright.errors import SpecError
from netwright.field import END, UNKNOWN
from netwright.readers import bpe

WORDS = ["low", "lower", "lowest", "new", "newer", "newest", "wide", "wider", "widest"]
TEXTS = [" ".join(words) for words in np.random.default_rng(0).choice(WORDS, (160, 6))]
STRANGE = ["naïve Ωmega", "你好 \N{GRINNING FACE}\n\ttabs  and   blanks ", "", "\x00\x7f", "<end> <unknown>"]


def test_every_text_comes_back_and_known_ones_are_short() -> None:
    split = bpe.splitter(bpe.learned(TEXTS, 300))
    for text in [*TEXTS, *STRANGE]:
        assert "".join(bpe.spelled(split(text))) == text
    assert len(split("lowest newest widest")) < 8
    assert len(split("xyzzy")) == 5


def test_tokens_alone_split_as_the_trainer_does() -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    whole = Tokenizer(BPE())
    whole.pre_tokenizer = ByteLevel(add_prefix_space=False)
    letters = ByteLevel.alphabet()
    whole.train_from_iterator(
        TEXTS, BpeTrainer(vocab_size=320, min_frequency=2, show_progress=False, initial_alphabet=sorted(letters))
    )
    tokens = bpe.learned(TEXTS, 320)
    assert set(tokens[:256]) == set(letters)
    merges = [tuple(pair) for pair in json.loads(whole.to_str())["model"]["merges"]]
    assert merges == bpe._pairs(tokens)
    split = bpe.splitter(tokens)
    assert all(split(text) == whole.encode(text).tokens for text in [*TEXTS, *STRANGE])


def test_a_letter_of_several_bytes_comes_with_its_last_one() -> None:
    split = bpe.splitter(bpe.learned([], 256))
    assert list(bpe.spelled(split("é!"))) == ["", "é", "!", ""]
    assert list(bpe.spelled(split("é")[:1])) == ["", "\N{REPLACEMENT CHARACTER}"]


def test_letters_are_counted_where_they_begin() -> None:
    split = bpe.splitter(bpe.learned(TEXTS, 300))
    for text in [*TEXTS[:5], *STRANGE]:
        assert sum(map(bpe.letters, split(text))) == len(text)


def test_a_classifier_and_a_writer_of_pieces(tmp_path: Path) -> None:
    lines = "\n".join(f"{'up' if 'wide' in text.split() else 'down'},{text},{text.upper()}" for text in TEXTS)
    (tmp_path / "a.csv").write_text("way,text,loud\n" + lines, encoding="utf-8")
    wanted = spec.load(
        "{data: {duplicates: accept}, inputs: {text: {kind: text, tokens: bpe, vocabulary: 290}}, "
        "outputs: {way: {kind: category}, loud: {kind: text, tokens: bpe, vocabulary: 300}}, "
        "model: {layers: 'lstm 12', decoder: {dim: 12, embed: 8}}, training: {threads: 1, stop: {epochs: 1}}}"
    )
    outcome = run.train(spec.override(wanted, {"data.path": f'"{tmp_path / "a.csv"}"'}), out=tmp_path / "run")
    model = model_file.load(outcome.model)
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total > 0
    assert model.inputs["text"].vocabulary[0] == UNKNOWN
    assert model.outputs["loud"].vocabulary[:2] == (UNKNOWN, END)
    assert len(model.inputs["text"].vocabulary) <= 290
    codes = model.code(model.read([{"text": "some words never seen: Ωmega"}]))["text"]
    assert int(codes.min()) > 0


def test_too_few_pieces_and_a_missing_package_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("text,way\n" + "\n".join(f"{text},{at % 2}" for at, text in enumerate(TEXTS)))
    text = "{inputs: {text: {kind: text, tokens: bpe%s}}, outputs: {way: {kind: category}}}"
    small = spec.override(spec.load(text % ", vocabulary: 200"), {"data.path": f'"{tmp_path / "a.csv"}"'})
    with pytest.raises(SpecError, match="vocabulary is 200, and pieces of words begin with 258 tokens"):
        run.plan(small)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    usual = spec.override(spec.load(text % ""), {"data.path": f'"{tmp_path / "a.csv"}"'})
    with pytest.raises(SpecError, match="needs the package tokenizers") as caught:
        run.plan(usual)
    assert "netwright[text]" in caught.value.cure
