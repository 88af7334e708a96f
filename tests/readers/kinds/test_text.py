import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from netwright.data.dataset import prepare
from netwright.errors import CellError, SpecError
from netwright.field import END, UNKNOWN, Field
from netwright.readers import Arrays, Blobs, Cells, from_memory, padding
from netwright.readers.kinds.kind import room
from netwright.readers.kinds.text import Text, spelled
from netwright.spec import InputSpec, load, override

REVIEWS = ["A fine, fine film.", "a dull film!", "not a film at all", "It's fine"]


def fitted(texts: list[str], **wish: object) -> tuple[Field, np.ndarray]:
    kind, column = Text(), Cells(pa.chunked_array([pa.array(texts)]))
    field, _ = kind.plan("review", column, InputSpec.model_validate(wish), from_memory({"review": texts}))
    values = room(field, len(texts))
    assert kind.read(column, field, np.arange(len(texts)), values, lambda _: None) == {}
    return kind.fit(values, field), values


def said(coded: torch.Tensor, field: Field) -> list[list[str]]:
    return [[field.vocabulary[code] for code in row if code >= 0] for row in coded.tolist()]


def test_words_are_lower_case_and_signs_are_words() -> None:
    field, values = fitted(REVIEWS, tokens="words")
    assert field.vocabulary == (UNKNOWN, "a", "film", "fine")  # all that is there twice, the frequent ones first
    assert said(Text().code(values, field), field)[0] == ["a", "fine", UNKNOWN, "fine", "film", UNKNOWN]
    assert padding.lengths(Text().code(values, field)).tolist() == [6, 4, 5, 2]


def test_what_stands_between_spaces_is_a_token_as_it_is() -> None:
    texts = ["a T-shirt &apos;s  red .", "a T-shirt", "&apos;s ."]
    field, values = fitted(texts, tokens="spaces")
    assert field.vocabulary == (UNKNOWN, "&apos;s", ".", "T-shirt", "a")
    coded = said(Text().code(values, field), field)
    assert coded[0] == ["a", "T-shirt", "&apos;s", UNKNOWN, "."]
    assert "".join(spelled(coded[1], field)) == texts[1]
    with pytest.raises(CellError, match="the text is empty"):
        Text().one("  ", field)


def test_characters_are_all_known_and_keep_their_case() -> None:
    field, values = fitted(["Hello", "hell"], tokens="characters")
    assert set(field.vocabulary) == {UNKNOWN, "l", "e", "H", "h", "o"}
    assert said(Text().code(values, field), field) == [list("Hello"), list("hell")]


def test_a_token_that_training_did_not_see_is_unknown() -> None:
    field, _ = fitted(["ab"], tokens="characters")
    cells = room(field, 1)
    cells[0] = Text().one("abc", field)
    assert Text().code(cells, field).tolist() == [[1, 2, 0]]


def test_a_vocabulary_keeps_the_most_frequent() -> None:
    field, _ = fitted(["aaa bb c"], tokens="characters", vocabulary=3)
    assert field.vocabulary == (UNKNOWN, "a", " ")


def test_a_long_text_is_cut_and_it_is_told_how_many_are() -> None:
    field, values = fitted(["abcdef", "ab"], tokens="characters", longest=3)
    assert padding.lengths(Text().code(values, field)).tolist() == [3, 2]
    told = {reason.path: reason for reason in Text().decided(values, field)}
    assert told["inputs.review.longest"].value == "3"
    assert told["inputs.review.longest"].why == "1 of 2 texts are longer and are read up to there"
    assert told["inputs.review.vocabulary"].value == "3 characters"


def test_sentences_are_read_as_words_and_names_as_characters() -> None:
    assert fitted(REVIEWS)[0].options["tokens"] == "words"
    assert fitted(["Ada", "Max Meier"])[0].options["tokens"] == "characters"


def test_two_ways_of_writing_one_letter_are_one() -> None:
    field, values = fitted([unicodedata.normalize("NFD", "né"), "né"], tokens="characters")
    assert values[0].tolist() == values[1].tolist()
    assert Text().preview(values[0], field) == "né"


def test_two_ways_of_ending_a_line_are_one() -> None:
    field, values = fitted(["to be\r\nor", "to be\nor", "not\rto"], tokens="characters")
    assert values[0].tolist() == values[1].tolist()
    assert "\r" in field.vocabulary  # alone it is a character as others


def test_files_are_texts_too_and_old_windows_ones_are_read(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_bytes("caf\u00e9".encode("cp1252"))
    (tmp_path / "2.txt").write_bytes(b"\xef\xbb\xbfplain")
    (tmp_path / "3.txt").write_text("b\u00e9ta", encoding="utf-16")
    kind, column = Text(), Blobs(tmp_path, ("1.txt", "2.txt", "3.txt"))
    field, _ = kind.plan("text", column, InputSpec(), from_memory({"x": [0, 1]}))
    values = room(field, 3)
    assert kind.read(column, field, np.arange(3), values, lambda _: None) == {}
    assert [kind.preview(value, field) for value in values] == ["caf\u00e9", "plain", "b\u00e9ta"]


@pytest.mark.parametrize(
    ("cell", "why"), [(None, "the cell has no value, expected a text."), (" \n", "the text is empty.")]
)
def test_what_is_no_text_is_refused(cell: str | None, why: str) -> None:
    field, _ = fitted(["ab"], tokens="words")
    with pytest.raises(CellError, match=why):
        Text().one(cell, field)


def test_a_column_of_arrays_is_no_text() -> None:
    with pytest.raises(SpecError, match="kind text needs a column of texts"):
        Text().plan("x", Arrays(np.zeros((2, 3))), InputSpec(), from_memory({"x": [0, 1]}))


def test_a_bag_holds_the_frequent_tokens() -> None:
    field, values = fitted(["aab", "b"], tokens="characters")
    assert Text().names(field) == [f"review: {UNKNOWN}", "review: a", "review: b"]
    assert Text().flat(Text().code(values, field), field).tolist() == [[0, 1, 1], [0, 0, 1]]


def test_characters_that_training_never_saw_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abc " * 500 + "ab\u00f8 " * 20 + "\u03a9ab", encoding="utf-8")
    text = (
        f"{{data: {{path: {tmp_path / 'a.txt'}, window: 16}}, inputs: {{text: text}}, outputs: {{next: {{of: text}}}}}}"
    )
    reasons = {reason.path: reason.why for reason in prepare(load(text)).reasons}
    said = "tokens of the training part; 21 of 2,082 tokens are none of them and count as one unknown: "
    assert reasons["inputs.text.vocabulary"] == f"{said}\u00f8, \u03a9"


def test_a_text_that_comes_out_is_learned_with_its_end_unless_it_is_cut(tmp_path: Path) -> None:
    lines = [
        "given,told",
        *(f"{at} {word},{' '.join([word] * (3 + 2 * (at % 2)))}" for at, word in enumerate("abcdef" * 8)),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    asked = "{inputs: {given: {kind: text}}, outputs: {told: {kind: text, tokens: words, longest: 4}}}"
    wanted = override(load(asked), {"data.path": f'"{tmp_path / "a.csv"}"'})
    dataset = prepare(wanted)
    field = dataset.outputs["told"]
    ends = [said(Text().code(dataset.arrays["told"][at : at + 1], field), field)[0] for at in range(2)]
    assert ends == [["a", "a", "a", END], ["b"] * 4]
    told = {reason.path: reason for reason in dataset.reasons}
    assert told["outputs.told.longest"].why == "24 of 48 texts are longer and are learned up to there"
    assert told["outputs.told.vocabulary"].value == "6 words"
