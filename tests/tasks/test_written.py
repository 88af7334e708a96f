import time

import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.field import END, UNKNOWN, Field, Scalar
from netwright.spec import OutputSpec
from netwright.tasks.alignment import dictionary
from netwright.tasks.bleu import bleu, matches
from netwright.tasks.task import Coded, task_for
from netwright.tasks.written import Written

WORDS = ("ein", "hund", "läuft", "auf", "der", "wiese")
FIELD = Field(
    name="de", kind="text", source="de", dtype="uint8", ragged=True, vocabulary=(UNKNOWN, END, *WORDS),
    options={"tokens": "words", "ends": True, "most_steps": 6},
)  # fmt: skip
TRUTH = torch.tensor([[2, 3, 4, 5, 6, 7, 1], [2, 3, 1, -1, -1, -1, -1]])


def task() -> Written:
    found = task_for("de", FIELD, OutputSpec())
    assert isinstance(found, Written)
    return found


def beside(given: torch.Tensor, truth: torch.Tensor, vocabulary: tuple[str, ...], tokens: str = "words") -> Coded:
    options: dict[str, Scalar] = {"tokens": tokens}
    field = Field(name="en", kind="text", source="en", dtype="uint8", vocabulary=vocabulary, options=options)
    return Coded({"en": torch.zeros(len(given), 4)}, truth, tokens={"en": given}, fields={"en": field})


def score(given: torch.Tensor) -> dict[str, float]:
    return task().score(task().judged(given, TRUTH), TRUTH)


def test_the_true_texts_score_a_hundred() -> None:
    perfect = torch.where(TRUTH == 1, -1, TRUTH)
    assert score(perfect) == {"bleu": pytest.approx(100), "length": 1, "exact": 1}
    assert task().decode(perfect) == ["ein hund läuft auf der wiese", "ein hund"]


def test_bleu_by_hand() -> None:
    """Six words of which the last is wrong: 5/6, 4/5, 3/4, 2/3, whose geometric mean is (1/3)^(1/4)."""
    found = bleu(np.array([matches(["a", "b", "c", "d", "e", "x"], ["a", "b", "c", "d", "e", "f"])], dtype=float))
    assert float(found[0]) == pytest.approx(100 * (1 / 3) ** 0.25)
    short = bleu(np.array([matches(["a", "b", "c", "d"], ["a", "b", "c", "d", "e", "f"])], dtype=float))
    assert float(short[0]) == pytest.approx(100 * np.exp(1 - 6 / 4))
    assert float(bleu(np.zeros((1, 10)))[0]) == 0


def test_a_corpus_is_scored_as_sacrebleu_does() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    chance = np.random.default_rng(0)
    truths = [[f"w{code}" for code in chance.integers(0, 12, chance.integers(4, 12))] for _ in range(60)]
    given = [[word if chance.random() < 0.8 else "x" for word in text][: chance.integers(3, 12)] for text in truths]
    counts = np.array([matches(one, other) for one, other in zip(given, truths, strict=True)], dtype=float).sum(axis=0)
    said = sacrebleu.corpus_bleu(
        [" ".join(text) for text in given], [[" ".join(text) for text in truths]], tokenize="none", smooth_method="none"
    )
    assert float(bleu(counts[None])[0]) == pytest.approx(said.score, abs=1e-6)


def test_words_that_go_together_are_found_whatever_their_order() -> None:
    chance = np.random.default_rng(0)
    given = torch.from_numpy(np.array([chance.choice(8, 5, replace=False) for _ in range(300)]))
    other = torch.stack([row[torch.randperm(5, generator=torch.Generator().manual_seed(0))] + 10 for row in given])
    assert dictionary(given, other, 9, 20).tolist() == [*range(10, 18), 0]


def test_copy_and_dictionary_stand_beside() -> None:
    vocabulary = (UNKNOWN, "a", "dog", "hund")
    given = torch.tensor([[1, 2], [1, -1]])
    truth = torch.tensor([[2, 3, 1], [2, 1, -1]])
    part = beside(given, truth, vocabulary)
    commonest, copied, looked_up = task().baselines(part, part, 0)
    assert (commonest.note, commonest.scores["exact"]) == ('always "ein"', 0.5)
    assert (copied.name, copied.scores["exact"]) == ("copy", 0)
    assert (looked_up.name, looked_up.scores["exact"]) == ("dictionary", 1)


def test_what_goes_in_is_copied_whatever_tokens_it_is_read_as() -> None:
    letters = tuple("einhuda ")
    given = torch.tensor([[1 + letters.index(letter) for letter in "ein hund"]])
    truth = torch.tensor([[2, 3, 1]])
    part = beside(given, truth, (UNKNOWN, *letters), "characters")
    assert task().baselines(part, part, 0)[1].scores["exact"] == 1


def test_the_commonest_text_has_nothing_that_is_not_known_and_is_found_quickly() -> None:
    assert task().commonest(torch.tensor([[0, 3, 1], [0, 3, 1], [2, 3, 1], [2, 1, -1]])) == [3]
    assert task().commonest(torch.zeros(0, 3, dtype=torch.long)) == []
    many = torch.stack([torch.arange(20_000) % 150 + 2, torch.arange(20_000) // 150 + 2], dim=1)
    start = time.monotonic()
    assert task().commonest(many) == [2, 2]
    assert time.monotonic() - start < 5  # a minute where each text was counted among all


def test_bleu_of_characters_is_called_so() -> None:
    field = FIELD.model_copy(update={"options": {**FIELD.options, "tokens": "characters"}})
    told = {reason.path: reason.value for reason in task_for("de", field, OutputSpec()).reasons}
    assert told["outputs.de.bleu"] == "of characters"
    assert "outputs.de.bleu" not in {reason.path for reason in task().reasons}


def test_a_word_that_is_not_known_is_right_nowhere() -> None:
    given, truth = torch.tensor([[1, 2, 2]]), torch.tensor([[0, 2, 0, 1]])  # rare words on both sides
    part = beside(given, truth, (UNKNOWN, "ein", "hai"))
    _, copied, _ = task().baselines(part, part, 0)
    assert copied.scores == {"bleu": 0, "length": 1, "exact": 0}
    told = task().judged(torch.tensor([[0, 2, 0]]), truth)  # "<unknown>" is no translation of a rare word
    assert told.tolist() == [[3, 3, 1, 0, 0, 0, 3, 2, 1, 0, 0]]


def test_smoothing_is_the_loss_against_softer_targets() -> None:
    outputs = torch.randn(2, 7, 8, generator=torch.Generator().manual_seed(0))
    found = task().loss(outputs, TRUTH) + 0.2 * task().certainty(outputs, TRUTH)
    flat, there = outputs.flatten(0, 1), TRUTH.flatten()
    torch.testing.assert_close(
        found, torch.nn.functional.cross_entropy(flat, there, ignore_index=-1, label_smoothing=0.2)
    )


def test_other_losses_are_refused() -> None:
    with pytest.raises(SpecError, match="a text is written token by token, by cross-entropy"):
        task_for("de", FIELD, OutputSpec(loss="hinge"))
