import gzip
from pathlib import Path

import pytest

from netwright.errors import DataError
from netwright.readers import Cells, find


def put(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_lines_of_all_languages_stand_side_by_side(tmp_path: Path) -> None:
    for language, words in (("en", ("a dog", "two")), ("de", ("ein hund", "zwei"))):
        put(tmp_path, f"train.lc.tok.{language}", *words)
        put(tmp_path, f"val.lc.tok.{language}", words[0])
        put(tmp_path, f"test_2016.lc.tok.{language}", words[1])
        put(tmp_path, f"test_2017.lc.tok.{language}", words[1])
    put(tmp_path, "train.lc.tok.fr", "un chien", "deux")
    put(tmp_path, "README.md", "nothing")
    found = find(tmp_path)
    assert found.layout == "parallel_texts"
    columns = {name: column.values.to_pylist() for name, column in found.columns.items() if isinstance(column, Cells)}
    assert columns == {"de": ["ein hund", "zwei", "ein hund", "zwei"], "en": ["a dog", "two", "a dog", "two"]}
    assert found.official is not None
    assert found.official.to_pylist() == ["train", "train", "validation", "test"]
    assert found.ids[1].as_py() == "train.lc.tok line 2"
    assert [each.where for each in found.refused] == ["test_2017.lc.tok.de", "test_2017.lc.tok.en"]
    assert "not in every part: fr" in found.notes


def test_packed_texts_are_read_too(tmp_path: Path) -> None:
    for language in ("en", "cs"):
        (tmp_path / f"train.{language}.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    assert len(find(tmp_path)) == 2


def test_texts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train.en", "a", "b")
    put(tmp_path, "train.de", "a")
    with pytest.raises(DataError, match=r"train: its texts differ in lines \(de 1, en 2\)"):
        find(tmp_path)


def test_a_folder_of_other_files_is_something_else(tmp_path: Path) -> None:
    put(tmp_path, "train.txt", "a")
    put(tmp_path, "train.csv", "a,b", "1,2")
    assert find(tmp_path).layout == "csv"


@pytest.mark.parametrize("stem", ["test_2017_flickr", "Books.de-en"])
def test_a_single_text_in_two_languages_has_any_name_and_no_split(tmp_path: Path, stem: str) -> None:
    put(tmp_path, f"{stem}.en", "a dog\r", "two")
    put(tmp_path, f"{stem}.de", "ein hund", "zwei")
    put(tmp_path, "LICENSE", "free")
    found = find(tmp_path)
    assert (found.layout, len(found), found.official, found.refused) == ("parallel_texts", 2, None, ())
    (english,) = (column for name, column in found.columns.items() if name == "en")
    assert isinstance(english, Cells)
    assert english.values.to_pylist() == ["a dog", "two"]


def test_several_texts_without_one_to_train_on_are_refused(tmp_path: Path) -> None:
    for stem in ("test_2016", "test_2017"):
        for language in ("en", "de"):
            put(tmp_path, f"{stem}.{language}", "a")
    with pytest.raises(DataError, match=r"neither train\.LANGUAGE in two languages nor a single text in several"):
        find(tmp_path, "parallel_texts")


def test_files_that_only_share_their_name_are_not_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "bird.ogg").write_bytes(b"OggS" + bytes(99))
    put(tmp_path, "bird.srt", "a song")
    assert find(tmp_path).layout == "loose_files"


def test_a_second_training_text_is_told_as_one(tmp_path: Path) -> None:
    for stem in ("train", "train_extra"):
        for language in ("en", "de"):
            put(tmp_path, f"{stem}.{language}", "one", "two")
    assert {each.reason for each in find(tmp_path).refused} == {
        "another training text; one file for each language is read: join them"
    }
