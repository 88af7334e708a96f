from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from netwright import spec
from netwright.data import windows
from netwright.data.batches import Batches
from netwright.data.dataset import Dataset, prepare
from netwright.data.fields import kind_of
from netwright.data.pieces import streams
from netwright.errors import DataError, SpecError
from netwright.readers import Cells, Found, from_memory
from netwright.readers.kinds.text import joined, spelled, units
from netwright.readers.padding import lengths

ASKED = "{inputs: {text: {kind: text}}, outputs: {next: {of: text}}, data: {window: 4}}"


def texts(found: Found, name: str) -> list[str]:
    column = found.columns[name]
    assert isinstance(column, Cells)
    return column.values.to_pylist()


def table(*given: str) -> Found:
    return from_memory({"text": np.array(given)})


def prepared(folder: Path, text: str, **values: str) -> Dataset:
    path = folder / "a.txt"
    path.write_bytes(text.encode())
    return prepare(spec.override(spec.load(ASKED), {"data.path": f'"{path}"', **values}))


def test_pieces_follow_each_other_and_each_character_is_asked_once() -> None:
    found = windows.cut(table("abcdefghij", "xyz"), spec.load(ASKED))
    assert texts(found, "text") == ["abcd", "efgh", "i", "xy"]
    assert texts(found, "next") == ["bcde", "fghi", "j", "yz"]
    assert found.ids.to_pylist() == ["row 1 from 0", "row 1 from 4", "row 1 from 8", "row 2 from 0"]


def test_a_text_too_short_to_follow_anything_is_refused() -> None:
    found = windows.cut(table("abc", "x"), spec.load(ASKED))
    assert texts(found, "text") == ["ab"]
    assert [(each.where, each.reason) for each in found.refused] == [
        ("row 2", "the text has less than two characters.")
    ]
    with pytest.raises(DataError, match="no text has two characters"):
        windows.cut(table("", "x"), spec.load(ASKED))


def test_what_is_followed_must_be_a_text_that_goes_in() -> None:
    with pytest.raises(SpecError, match="of is talk, which does not go in"):
        spec.load("{inputs: {text: {}}, outputs: {next: {of: talk}}}")
    for window in ("{gaps: fill}", "{stride: 2}", "{past: 9, least: 3}"):
        wish = spec.override(spec.load(ASKED), {"data.window": window})
        with pytest.raises(SpecError, match=r"data\.window\.\w+ is for tracks and series"):
            windows.cut(table("a text"), wish)
    with pytest.raises(SpecError, match="what comes next is asked of texts"):
        windows.cut(from_memory({"text": np.array([1.0, 2.0])}), spec.load(ASKED))


STRANGE = [
    "To be,  or\tnot\r\n\n to be:\nthat's the question.\n",
    "naïve Ωmega\u00a0x\u2003y 你好吗你好吗 \N{GRINNING FACE}!! İİ\n",
    "x" * 250 + " " + "\u0130" * 120 + "\n\n\n  y z",
]


@pytest.mark.parametrize("tokens", ["characters", "words", "spaces", "bpe"])
@pytest.mark.parametrize("lower", [False, True])
def test_each_token_but_the_first_is_asked_once_whatever_tokens_are(tmp_path: Path, tokens: str, lower: bool) -> None:
    text = "".join(STRANGE * 4).replace("x" * 250, "xy" if tokens == "bpe" else "x" * 250)
    dataset = prepared(
        tmp_path,
        text,
        **{"data.window": "3", "inputs.text.tokens": tokens, "inputs.text.lower": str(lower).lower()},
    )
    field = dataset.inputs["text"]
    given, follow = coded(dataset)
    assert given[1:] == follow[:-1]
    known = set(field.vocabulary)
    assert ("\n" in known) == (tokens != "bpe")
    if tokens == "bpe":
        low = text.replace("\r\n", "\n").lower() if lower else text.replace("\r\n", "\n")
        assert "".join(spelled([field.vocabulary[code] for code in [*given, follow[-1]]], field)) in low


def coded(dataset: Dataset) -> tuple[list[int], list[int]]:
    """What goes in and what is asked, piece by piece of the same length."""
    given: list[int] = []
    follow: list[int] = []
    for place in range(len(dataset)):
        pairs = ((dataset.arrays["text"], dataset.inputs["text"]), (dataset.arrays["next"], dataset.outputs["next"]))
        one, other = (kind_of(of).code(cells[place : place + 1], of)[0].tolist() for cells, of in pairs)
        assert len(one) == len(other) > 0
        given, follow = given + one, follow + other
    return given, follow


def test_a_word_too_long_is_torn_and_still_followed_token_by_token(tmp_path: Path) -> None:
    text = ("ab" * 400 + " c d e ") * 20
    dataset = prepared(tmp_path, text, **{"data.window": "1", "inputs.text.tokens": "bpe"})
    given, follow = coded(dataset)
    assert len(given) == len(follow)


def test_writing_without_spaces_is_cut_by_its_letters(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, "\u4f60\u597d\u5417" * 3000, **{"data.window": "64", "inputs.text.tokens": "bpe"})
    assert max(len(cell) // 3 for cell in dataset.arrays["text"]) <= 12 * 64
    given, follow = coded(dataset)
    assert len(given) == len(follow)


def test_words_are_written_with_spaces_and_lines() -> None:
    words = units("To be,\n\nor  not", "words", lines=True)
    assert words == ["To", "be", ",", "\n", "\n", "or", "not"]
    assert joined(words, "words") == "To be ,\n\nor not"
    assert units(joined(words, "words"), "words", lines=True) == words


def test_another_unit_is_another_reading(tmp_path: Path) -> None:
    assert len(prepared(tmp_path, "some text " * 30)) > 4 * len(
        prepared(tmp_path, "some text " * 30, **{"inputs.text.tokens": "words"})
    )


def test_a_plain_file_is_a_text_and_its_end_is_held_out(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, "one, two;\r\nthree\n" * 40)
    assert {name: field.kind for name, field in dataset.inputs.items()} == {"text": "text"}
    assert dataset.outputs["next"].vocabulary == dataset.inputs["text"].vocabulary
    assert "\r" not in dataset.inputs["text"].vocabulary
    parts = [dataset.parts[name] for name in ("train", "validation", "test")]
    assert np.concatenate(parts).tolist() == list(range(len(dataset)))
    assert str(dataset.ids[1]) == "a.txt from 4"


def test_a_text_of_fewer_pieces_than_parts_is_refused_with_both(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the text makes 1 piece, and 3 parts are to be made of them") as told:
        prepared(tmp_path, "abc")
    assert "data.window" in told.value.cure


def test_a_folder_of_texts_is_read_whole(tmp_path: Path) -> None:
    for name in ("b.c", "deep/a.tex"):
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_text("some lines\n" * 20)
    (tmp_path / "src" / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    wanted = spec.override(spec.load(ASKED), {"data.path": f'"{tmp_path / "src"}"'})
    dataset = prepare(wanted)
    assert str(dataset.ids[0]) == "b.c from 0"
    assert dataset.ledger.counts()["refused"] == 1


def test_streams_hold_every_piece_once_and_never_grow() -> None:
    for length in (1, 5, 64, 65, 1000):
        for count in (1, 7, 64):
            order, sizes = streams(length, count)
            assert sorted(order.tolist()) == list(range(length))
            assert (np.diff(sizes) <= 0).all()
            before = order[: sizes[0]]
            for at, size in zip(np.cumsum(sizes)[:-1], sizes[1:], strict=True):
                assert (order[at : at + size] == before[:size] + 1).all()  # a row goes on where it was
                before = order[at : at + size]


@pytest.mark.parametrize("resident", [True, False])
def test_rows_of_batches_go_on_where_the_last_batch_ended(tmp_path: Path, resident: bool) -> None:
    dataset = prepared(tmp_path, "".join(map(chr, range(100, 500))))  # every character once
    source = Batches(dataset, "train", 8, 0, shuffle=True, resident=resident)
    assert source.streams
    batches = list(source.epoch(5))
    assert sum(len(batch.index) for batch in batches) == len(dataset.parts["train"])
    assert len(batches) == source.steps
    for one, other in pairwise(batches):
        rows = len(other.index)
        assert (other.index == one.index[:rows] + 1).all()
        full = lengths(one.inputs["text"]) == 4
        assert (lengths(one.targets["next"]) == lengths(one.inputs["text"])).all()
        assert full[:rows].all()
    resumed = list(Batches(dataset, "train", 8, 0, shuffle=True, resident=resident).epoch(5, 3))
    for one, other in zip(batches[3:], resumed, strict=True):
        assert torch.equal(one.inputs["text"], other.inputs["text"])
        assert torch.equal(one.targets["next"], other.targets["next"])


def test_the_window_is_part_of_what_is_read(tmp_path: Path) -> None:
    four = prepared(tmp_path, "some text " * 30)
    ten = prepared(tmp_path, "some text " * 30, **{"data.window": "10"})
    assert len(four) > 2 * len(ten)
    assert pa.compute.equal(ten.ids[1], "a.txt from 10").as_py()


def test_pieces_are_neither_cut_nor_torn_apart(tmp_path: Path) -> None:
    dataset = prepared(tmp_path, "abcdefghij" * 2000, **{"data.window": "2500"})
    batch = next(iter(Batches(dataset, "train", 1, 0, shuffle=True, resident=True).epoch(0)))
    assert batch.inputs["text"].shape == (1, 2500)
    with pytest.raises(SpecError, match=r"data.split.by: random tears apart pieces of a text"):
        prepared(tmp_path, "some text " * 30, **{"data.split.by": "random"})
    with pytest.raises(SpecError, match="longest is not for a text of which what comes next is asked"):
        prepared(tmp_path, "some text " * 30, **{"inputs.text.longest": "10"})
