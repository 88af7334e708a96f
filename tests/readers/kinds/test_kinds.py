"""What holds for every kind: one cell reads as in its column, and coding depends on nothing but the field."""

import io
import tarfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch
from PIL import Image

from netwright import registry
from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason
from netwright.readers import Arrays, Blobs, Cells, Column, Found, Several, from_memory
from netwright.readers.kinds.image import Image as Pictures
from netwright.readers.kinds.kind import Cell, Kind
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.layouts.listing import list_archive
from netwright.readers.pictures import Frame
from netwright.spec import InputSpec, OutputSpec

TEXTS = ("one text", "another one", "a", "NA", "one text")
INK = ("[[0,0],[1,2]]", "[[[0,0],[1,2]],[[3,3]]]", "[[5,5]]", "0 0\n1 1", '{"x": [0, 2], "y": [1, 1]}')
RISES = ("[[1], [2]]", "[[5.5]]", "[[0], [0], [1]]", "[[1e6], [3]]", "[[0.25], [2]]")
TRACKS = ("[[0, 0], [1, 2]]", "[[5.5, -1]]", "[[0, 0], [0, 0], [1, 1]]", "[[1e6, 2], [3, 4]]", "[[0.25, 1], [2, 3]]")
STEPS = ("[[1, 2], [3, 4.5], [5, 6]]", "[[7, 8]]", "0 1\n1 0", "[[1, 1], [2, 2]]", "[[3, 3], [4, 4]]")
LABELS = ("walk sit walk", '["walk"]', "sit, sit", "sit;walk", '["walk", "sit"]')
TAGS = ("sun;sea", "", "sea", " city ; sun;;", "sea;sea")
DAYS = ("2026-11-21", "2025-01-31 10:00", "2024-02-29T23:59:59.25", "1949-01", "2026-11-21T10:00+02:00")


def cells(*values: str | float | datetime | date | None) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]))


def kind(name: str) -> Kind:
    return registry.resolve("kind", name)()


def planned(name: str, column: Column, **spec: object) -> tuple[Field, list[Reason]]:
    found = from_memory({"x": [0] * len(column)})
    wish = (OutputSpec if name in {"identity", "labels"} else InputSpec).model_validate(spec)
    return kind(name).plan("x", column, wish, found)


def read(field: Field, column: Column, index: list[int] | None = None) -> tuple[np.ndarray, dict[int, str]]:
    places = np.arange(len(column)) if index is None else np.array(index)
    sink = np.empty(len(places), object) if field.ragged else np.full((len(places), *field.shape), 7, field.dtype)
    told: list[int] = []
    failed = kind(field.kind).read(column, field, places, sink, told.append)
    assert told[-1] == len(places)
    return sink, failed


def pictures(folder: Path, count: int, size: tuple[int, int] = (10, 12)) -> Blobs:
    rng = np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return Blobs(folder, tuple(f"{number}.png" for number in range(count)))


def spoken(folder: Path, count: int) -> Blobs:
    rng = np.random.default_rng(0)
    for number in range(count):
        soundfile.write(folder / f"{number}.wav", rng.uniform(-0.5, 0.5, 1000 + 300 * number), 8000)
    return Blobs(folder, tuple(f"{number}.wav" for number in range(count)))


def columns(folder: Path) -> dict[str, tuple[Column, list[Cell]]]:
    """Of every kind a column and its cells one by one."""
    blobs = pictures(folder, 5)
    sounds = spoken(folder, 5)
    rows = np.random.default_rng(1).normal(size=(5, 3))
    return {
        "image": (blobs, [blobs.one(place) for place in range(5)]),
        "number": (cells("1,5", "2", "-3,25", "4", "0,125"), ["1,5", "2", "-3,25", "4", "0,125"]),
        "category": (cells("b", "a", "", "NA", "b"), ["b", "a", "", "NA", "b"]),
        "vector": (Arrays(rows), list(rows)),
        "date": (cells(*DAYS), list(DAYS)),
        "tags": (cells(*TAGS), list(TAGS)),
        "text": (cells(*TEXTS), list(TEXTS)),
        "audio": (sounds, [sounds.one(place) for place in range(5)]),
        "ink": (cells(*INK), list(INK)),
        "track": (cells(*TRACKS), list(TRACKS)),
        "series": (cells(*RISES), list(RISES)),
        "signal": (cells(*STEPS), list(STEPS)),
        "labels": (cells(*LABELS), list(LABELS)),
        "identity": (cells("bo", "ann", "", "NA", "bo"), ["bo", "ann", "", "NA", "bo"]),
    }


@pytest.mark.parametrize("name", sorted(registry.parts("kind")))
def test_one_cell_reads_as_in_its_column(tmp_path: Path, name: str) -> None:
    column, alone = columns(tmp_path)[name]
    field, _ = planned(name, column)
    sink, failed = read(field, column)
    assert not failed
    for row, cell in zip(sink, alone, strict=True):
        one = kind(name).one(cell, field)
        assert one.dtype == field.dtype
        assert one.shape[1 if field.ragged else 0 :] == field.shape
        assert np.array_equal(one, row)
    for row, again in zip(sink[[4, 0, 4]], read(field, column, [4, 0, 4])[0], strict=True):
        assert np.array_equal(row, again)


@pytest.mark.parametrize("name", sorted(registry.parts("kind")))
def test_coding_a_row_alone_gives_the_same_bits_and_needs_only_the_field(tmp_path: Path, name: str) -> None:
    column, _ = columns(tmp_path)[name]
    field, _ = planned(name, column)
    values, _ = read(field, column)
    field = kind(name).fit(values, field)
    again = Field.model_validate_json(field.model_dump_json())
    coded = kind(name).code(values, field)
    assert coded.dtype == (torch.int64 if name in {"text", "labels"} else torch.float32)
    for place in range(len(values)):
        alone = kind(name).code(values[place : place + 1], again)[0]
        assert torch.equal(alone, coded[place][: len(alone)] if field.ragged else coded[place])
    if not field.ragged:
        assert torch.equal(kind(name).code(torch.from_numpy(values), field), coded)
    assert kind(name).preview(values[0], field)


@pytest.mark.parametrize("name", [name for name in registry.parts("kind") if isinstance(kind(name), Sequence)])
def test_what_the_network_gets_of_a_step_depends_on_later_ones_where_the_kind_says_so(
    tmp_path: Path, name: str
) -> None:
    column, _ = columns(tmp_path)[name]
    field, _ = planned(name, column)
    values, _ = read(field, column)
    of, whole = kind(name), max(values, key=len)
    assert isinstance(of, Sequence)
    field = of.fit(values, field)
    begun = whole[: 3 if name == "text" else 1]  # of a text, its first word
    coded, alone = of.coder(field)(whole), of.coder(field)(begun)
    assert np.array_equal(coded[: len(alone)], alone) == (not of.foresees)


@pytest.mark.parametrize("name", ["image", "number", "vector"])
def test_what_was_coded_can_be_shown_again(tmp_path: Path, name: str) -> None:
    column, _ = columns(tmp_path)[name]
    field, _ = planned(name, column)
    values, _ = read(field, column)
    field = kind(name).fit(values, field)
    for value, coded in zip(values, kind(name).code(values, field), strict=True):
        again = kind(name).uncode(coded, field)
        assert again is not None
        assert again.shape == value.shape
        np.testing.assert_allclose(again, value, atol=1e-6)


def test_number_is_standardised_by_the_training_part() -> None:
    field, _ = planned("number", cells("1", "2", "3"))
    field = kind("number").fit(np.array([1.0, 3.0]), field)
    assert (field.mean, field.std) == ((2.0,), (1.0,))
    assert kind("number").code(np.array([1.0, 2.0, 5.0]), field).tolist() == [[-1], [0], [3]]
    assert kind("number").fit(np.array([4.0, 4.0]), field).std == (1.0,)


def test_number_names_its_way_of_writing_and_the_rows_it_loses() -> None:
    column = cells("1,5", "NA", "x", "2,5")
    field, reasons = planned("number", column, missing="set_aside")
    assert field.options == {"decimal": ",", "thousands": "", "integer": False}
    assert [reason.value for reason in reasons] == ["decimal comma", "2 rows set aside"]
    sink, failed = read(field, column)
    assert sink.tolist() == [1.5, 0, 0, 2.5]
    assert failed.keys() == {1, 2}
    assert 'says "NA" (no value)' in failed[1]
    assert '"x" is not a finite number' in failed[2]


def test_a_missing_number_is_the_mean_and_a_second_number_says_so() -> None:
    column = cells("1,5", "NA", "x", "2,5", "")
    field, reasons = planned("number", column)
    assert [reason.value for reason in reasons] == ["decimal comma", "1 rows set aside"]
    sink, failed = read(field, column)
    assert np.array_equal(sink, [1.5, np.nan, 0, 2.5, np.nan], equal_nan=True)
    assert failed == {2: '"x" is not a finite number (this column has decimal comma).'}
    for cell in ("NA", "", None, float("nan"), np.array(np.nan), np.float64("nan")):
        assert np.isnan(kind("number").one(cell, field))
    with pytest.raises(CellError, match='"x" is not a finite number'):
        kind("number").one("x", field)
    training = np.array([1.0, np.nan, 3.0])
    field = kind("number").fit(training, field)
    assert (field.mean, field.std, field.missing) == ((2.0,), (1.0,), (1,))
    assert kind("number").code(training, field).tolist() == [[-1, 0], [0, 1], [1, 0]]
    assert (kind("number").width(field), kind("number").names(field)) == (2, ["x", "x missing"])
    assert kind("number").preview(training[1], field) == "missing"
    (reason,) = kind("number").decided(np.array([1.0, np.nan, 3.0, np.nan]), field)
    assert (reason.path, reason.value) == ("inputs.x.missing", "2 of 4 cells are empty")
    assert reason.why == "filled with the training mean 2, and a column says so"


def test_a_number_missing_only_outside_training_is_the_mean_alone() -> None:
    field, _ = planned("number", cells(1.0, None, 3.0))
    field = kind("number").fit(np.array([1.0, 3.0]), field)
    assert kind("number").code(np.array([np.nan, 3.0]), field).tolist() == [[0], [1]]
    (reason,) = kind("number").decided(np.array([1.0, np.nan, 3.0]), field)
    assert reason.why == "filled with the training mean 2, and no column says so, for no training cell is empty"


@pytest.mark.parametrize(("column", "spec"), [(cells(1.0, 2.0), {}), (cells(1.0, None), {"missing": "set_aside"})])
def test_a_number_is_refused_where_none_was_missing_or_the_spec_sets_it_aside(
    column: Column, spec: dict[str, str]
) -> None:
    field, _ = planned("number", column, **spec)
    sink, failed = read(field, cells(1.0, None))
    assert failed == {1: "the cell is empty, expected a number."}
    assert sink.tolist() == [1, 0]
    with pytest.raises(CellError, match="expected a number"):
        kind("number").one(None, field)
    field = kind("number").fit(np.array([1.0, 3.0]), field)
    assert kind("number").decided(np.array([1.0, 3.0]), field) == []
    assert kind("number").width(field) == 1


def test_an_output_is_never_filled() -> None:
    column = cells(1.0, None, 3.0)
    field, reasons = kind("number").plan("x", column, OutputSpec(), from_memory({"x": [0] * 3}))
    assert [reason.value for reason in reasons] == ["1 rows set aside"]
    assert read(field, column)[1] == {1: "the cell is empty, expected a number."}


def test_an_empty_class_of_an_input_is_a_class_also_when_it_is_null() -> None:
    typed, text = cells("b", None, "a"), cells("b", "", "a")
    field, reasons = planned("category", typed)
    assert field == planned("category", text)[0]
    assert field.vocabulary == ("", "a", "b")
    assert [(reason.path, reason.value) for reason in reasons] == [("inputs.x.missing", "1 of 3 cells are empty")]
    assert read(field, typed)[0].tolist() == read(field, text)[0].tolist() == [2, 0, 1]
    assert kind("category").one(None, field) == kind("category").one("", field) == 0
    alone, reasons = planned("category", typed, missing="set_aside")
    assert alone == planned("category", text, missing="set_aside")[0]
    assert alone.vocabulary == ("a", "b")
    assert [reason.value for reason in reasons] == ["1 rows set aside"]
    assert read(alone, typed)[1] == read(alone, text)[1] == {1: "the cell has no value, expected a class."}
    out, _ = kind("category").plan("x", typed, OutputSpec(), from_memory({"x": [0] * 3}))
    assert out.vocabulary == ("a", "b")


@pytest.mark.parametrize(
    "column",
    [Several(("a", "b"), (cells("1", "", "5"), cells("2", "3", "4"))), Arrays(np.array([[1, 2], [np.nan, 3], [5, 4]]))],
)
def test_a_vector_tells_the_columns_that_miss_values(column: Column) -> None:
    spec = {"from": ["a", "b"]} if isinstance(column, Several) else {}
    field, _ = planned("vector", column, **spec)
    values, failed = read(field, column)
    assert not failed
    assert np.array_equal(values, [[1, 2], [np.nan, 3], [5, 4]], equal_nan=True)
    field = kind("vector").fit(values, field)
    assert (field.mean, field.missing) == ((3.0, 3.0), (1, 0))
    coded = kind("vector").code(values, field)
    assert coded[:, 0].tolist() == [-1, 0, 1]
    assert coded[:, 2].tolist() == [0, 1, 0]
    assert coded.shape == (3, 3) == (3, kind("vector").width(field))
    names = ["a", "b", "a missing"] if isinstance(column, Several) else ["x 1", "x 2", "x 1 missing"]
    assert kind("vector").names(field) == names
    (reason,) = kind("vector").decided(values, field)
    assert reason.value == f"of 3 cells are empty: {names[0]} 1"
    assert np.isnan(kind("vector").one(np.array([None, 3], dtype=object), field)).tolist() == [True, False]
    if isinstance(column, Several):
        with pytest.raises(CellError, match="expected a number"):
            kind("vector").one(np.array([1, None], dtype=object), field)


def test_number_of_texts_is_refused() -> None:
    with pytest.raises(SpecError, match='no cell of column "x" is a number'):
        planned("number", cells("a", "b"))


def test_category_keeps_every_text_and_sorts_whole_numbers_by_size() -> None:
    field, _ = planned("category", cells("10", "9", "1"))
    assert field.vocabulary == ("1", "9", "10")
    field, _ = planned("category", cells("é", "é"))
    assert field.vocabulary == ("é",)
    field, _ = planned("category", cells(1.0, None, 2.0))
    assert field.vocabulary == ("", "1", "2")
    field, _ = planned("category", cells(1.0, 2.0))
    assert kind("category").code(np.array([1, 0], np.int32), field).tolist() == [[0, 1], [1, 0]]


def test_category_tells_twins_and_unknown_classes() -> None:
    field, reasons = planned("category", cells("Cat", "cat ", "dog"))
    assert reasons[0].value == '"Cat" and "cat" differ only in case or spaces'
    sink, failed = read(field, cells("dog", "dgo"))
    assert sink.tolist() == [2, 0]
    assert failed == {1: 'class "dgo" is not among the 3 known classes (did you mean "dog"?).'}
    with pytest.raises(CellError, match='class "dgo" is not among'):
        kind("category").one("dgo", field)


def test_spaces_around_a_class_are_cut_in_the_column_and_in_one_cell() -> None:
    column = cells("Berlin", "berlin ", " R03", "R03", "\u00a0R03\t", " ")
    field, reasons = planned("category", column)
    assert field.vocabulary == ("", "Berlin", "R03", "berlin")
    told = {reason.value: reason.why for reason in reasons}
    assert told["4 cells with outer spaces"] == "spaces around the name of a class are cut"
    assert read(field, column)[0].tolist() == [1, 3, 2, 2, 2, 0]
    for cell, code in (("berlin", 3), ("  R03  ", 2), (b" R03 ", 2), ("\u00a0Berlin", 1), ("  ", 0)):
        assert kind("category").one(cell, field) == code
    assert not [reason for reason in planned("category", cells("a", "b"))[1] if "spaces" in reason.value]


def test_everyday_marks_of_no_value_are_missing_numbers_and_stay_classes() -> None:
    marks = ("k.A.", "-", "--", "?", "unbekannt", "keine Angabe", "unknown", "#N/A", "#NV", "null", "none", "n.a.")
    field, reasons = planned("number", cells("1.5", "2.5", *marks))
    assert reasons == []
    values, failed = read(field, cells("1.5", *marks))
    assert not failed
    assert np.isnan(values).tolist() == [False, *[True] * len(marks)]
    for mark in marks:
        assert np.isnan(kind("number").one(mark, field))
    assert set(planned("category", cells("x", *marks))[0].vocabulary) == {"x", *marks}


def test_vector_of_columns_reads_each_in_its_own_way() -> None:
    several = Several(("a", "b"), (cells("1,5", "2", "3", "x"), cells("1.5", "bad", "4", "y")))
    field, _ = planned("vector", several)
    assert field.shape == (2,)
    sink, failed = read(field, several)
    assert sink.tolist() == [[1.5, 1.5], [2, 0], [3, 4], [0, 0]]
    both = 'a: "x" is not a finite number (this column has decimal comma). b: "y" is not a finite number.'
    assert failed == {1: 'b: "bad" is not a finite number.', 3: both}
    assert kind("vector").one("1,5\t1.5", field).tolist() == [1.5, 1.5]
    with pytest.raises(CellError, match="holds 1 numbers, expected 2"):
        kind("vector").one("1", field)


def test_image_is_standardised_per_channel_exactly() -> None:
    pixels = np.zeros((2, 1, 2, 3), np.uint8)
    pixels[0, :, :, 0] = 255
    pixels[:, :, :, 1] = 51
    field, _ = planned("image", Arrays(pixels))
    field = kind("image").fit(pixels, field)
    assert field.mean == (0.5, 0.2, 0.0)
    assert field.std == (0.5, 1 / 255, 1 / 255)
    coded = kind("image").code(pixels, field)
    assert coded.shape == (2, 3, 1, 2)
    assert coded[:, 0, 0, 0].tolist() == [1, -1]


def test_image_fit_is_the_same_in_blocks_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 6, 6, 3), dtype=np.uint8)
    field, _ = planned("image", Arrays(pixels))
    whole = kind("image").fit(pixels, field)
    monkeypatch.setattr("netwright.readers.kinds.image._BLOCK_PIXELS", 500)
    assert kind("image").fit(pixels, field) == whole
    assert np.allclose(whole.mean, (pixels / 255).mean(axis=(0, 1, 2)), rtol=1e-12)
    assert np.allclose(whole.std, (pixels / 255).std(axis=(0, 1, 2)), rtol=1e-12)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(32, 32), (32, 32)], (32, 32)),
        ([(30, 41), (30, 41)], (30, 41)),
        ([(448, 900), (448, 900)], (24, 64)),
        ([(50, 60), (70, 90), (60, 75)], (48, 64)),
        ([(3, 4), (5, 6)], (8, 8)),
        ([(32, 160), (32, 160)], (32, 160)),
        ([(160, 32), (160, 32)], (160, 32)),
        ([(100, 400), (110, 440)], (64, 256)),
        ([(9, 9000), (9, 9000)], (8, 1024)),
        ([(500, 45000), (500, 45000)], (8, 1024)),
    ],
)
def test_image_default_size(tmp_path: Path, sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    for number, (height, width) in enumerate(sizes):
        Image.new("L", (width, height)).save(tmp_path / f"{number}.png")
    field, reasons = planned("image", Blobs(tmp_path, tuple(f"{number}.png" for number in range(len(sizes)))))
    assert field.shape == (*expected, 1)
    assert [reason.path for reason in reasons] == ["inputs.x.size_px", "inputs.x.channels"]


def test_image_from_arrays_of_another_form() -> None:
    field, _ = planned("image", Arrays(np.zeros((2, 4, 4), np.uint8)), size_px=[2, 2], channels=3)
    sink, failed = read(field, Arrays(np.full((2, 4, 4), 9, np.uint8)))
    assert not failed
    assert (sink == 9).all()
    assert sink.shape == (2, 2, 2, 3)


def test_image_from_bytes_in_cells() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (1, 2, 3)).save(buffer, "PNG")
    column = Cells(pa.chunked_array([pa.array([buffer.getvalue(), None])]))
    field, _ = planned("image", column)
    sink, failed = read(field, column)
    assert sink[0, 0, 0].tolist() == [1, 2, 3]
    assert failed == {1: "is empty (0 bytes)."}


def test_image_cannot_be_an_output(tmp_path: Path) -> None:
    column = pictures(tmp_path, 1)
    found = Found("class_folders", "x", pa.array(["a"]), {"x": column})
    with pytest.raises(SpecError, match="pictures cannot be an output yet"):
        kind("image").plan("x", column, OutputSpec.model_validate({}), found)


# ---- dates -----------------------------------------------------------------------------------------------------------


def test_a_date_is_days_and_places_on_circles() -> None:
    column = cells("2023-01-01 00:00", "2023-07-02 12:00", "2024-01-01 18:00", None)
    field, reasons = planned("date", column)
    assert reasons == []
    values, failed = read(field, column)
    assert not failed
    field = kind("date").fit(values, field)
    assert field.parts == ("year", "week", "day")
    assert field.missing == (1,)
    assert kind("date").names(field) == [
        "x", "x sin year", "x cos year", "x sin week", "x cos week", "x sin day", "x cos day", "x missing",
    ]  # fmt: skip
    coded = kind("date").code(values, field).double().numpy()
    assert coded.shape == (4, kind("date").width(field))
    days = np.array([0, 182.5, 365.75])
    assert coded[:3, 0] == pytest.approx((days - days.mean()) / days.std(), abs=1e-6)
    assert coded[0, 1:3] == pytest.approx([0, 1], abs=1e-6)  # New Year
    assert coded[1, 1:3] == pytest.approx([0, -1], abs=1e-6)  # the middle of 365 days
    sunday = 2 * np.pi * 6 / 7
    assert coded[:2, 3:5].ravel() == pytest.approx([np.sin(sunday), np.cos(sunday)] * 2, abs=1e-6)
    assert coded[2, 3:5] == pytest.approx([0, 1], abs=1e-6)  # a Monday
    assert coded[:3, 5:7].ravel() == pytest.approx([0, 1, 0, -1, -1, 0], abs=1e-6)  # midnight, noon, six o'clock
    assert coded[3].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    parts, gone = kind("date").decided(values, field)
    assert (parts.path, parts.value) == ("inputs.x.parts", "days, place in the year, weekday, time of day")
    assert gone.value == "1 of 4 cells are empty"
    assert gone.why == "filled with the mean training date 2023-07-02, and a column says so"
    assert kind("date").preview(values[1], field) == "2023-07-02 12:00"
    assert kind("date").preview(values[3], field) == "missing"


@pytest.mark.parametrize(
    ("days", "parts"),
    [
        (["1949-01", "1949-02", "1950-03"], ("year",)),  # first days of months: their weekdays mean nothing
        (["2020-03-05", "2021-03-05", "2022-03-05"], ("week",)),  # 29 February moves no place in the year
        (["2026-11-02", "2026-11-09", "2026-11-16"], ("year",)),  # Mondays
        (["2026-11-21 10:00", "2026-11-21 12:00"], ("day",)),
        (["2026-11-21", "2026-11-21"], ()),
    ],
)
def test_parts_of_a_date_that_never_change_are_left_out_and_said(days: list[str], parts: tuple[str, ...]) -> None:
    field, _ = planned("date", cells(*days))
    values, _ = read(field, cells(*days))
    field = kind("date").fit(values, field)
    assert field.parts == parts
    assert (
        kind("date").code(values, field).shape
        == (len(days), 1 + 2 * len(parts))
        == (
            len(days),
            kind("date").width(field),
        )
    )
    why = kind("date").decided(values, field)[0].why
    assert ("time of day" in why.partition("left out")[2]) == ("day" not in parts)


def test_typed_dates_and_text_are_one_field_with_the_same_values() -> None:
    moments = [datetime(2026, 11, 21, 10, 0, 0, 250000), datetime(1949, 1, 31), None]
    typed, text = cells(*moments), cells("2026-11-21T10:00:00.250", "1949-01-31", "")
    field, _ = planned("date", typed)
    assert field == planned("date", text)[0]
    assert np.array_equal(read(field, typed)[0], read(field, text)[0], equal_nan=True)
    days, _ = read(field, cells(date(1949, 1, 31)))
    assert days == kind("date").one(date(1949, 1, 31), field) == kind("date").one(np.datetime64("1949-01-31"), field)
    assert kind("date").one(moments[0], field) == read(field, text)[0][0]


def test_the_order_of_day_and_month_is_that_of_the_whole_column() -> None:
    field, reasons = planned("date", cells("03/04/2026", "13/04/2026"))
    assert [(reason.path, reason.value) for reason in reasons] == [("inputs.x.day_first", "true")]
    assert kind("date").preview(kind("date").one("03/04/2026", field), field) == "2026-04-03"
    with pytest.raises(CellError, match=r'"04/13/2026" is not a date day first\.'):
        kind("date").one("04/13/2026", field)
    field, _ = planned("date", cells("03/04/2026", "04/13/2026"))
    assert kind("date").preview(kind("date").one("03/04/2026", field), field) == "2026-03-04"


def test_a_column_that_can_be_read_two_ways_is_refused_until_the_spec_decides() -> None:
    column = cells("03/04/2026", "05/06/2026")
    with pytest.raises(SpecError, match=r'"03/04/2026" is 2026-04-03 day first and 2026-03-04 month first.*day_first'):
        planned("date", column)
    for day_first, expected in ((True, "2026-04-03"), (False, "2026-03-04")):
        field, _ = planned("date", column, day_first=day_first)
        assert kind("date").preview(read(field, column)[0][0], field) == expected


def test_dates_set_aside_are_told_and_refused() -> None:
    column = cells("2026-11-21", "", "soon", "2026-02-30")
    field, reasons = planned("date", column, missing="set_aside")
    assert [(reason.value, reason.why) for reason in reasons] == [
        ("3 rows set aside", "1 cells have no value, 2 are no dates")
    ]
    assert read(field, column)[1] == {
        1: "the cell is empty, expected a date.",
        2: '"soon" is not a date such as 2026-01-31.',
        3: '"2026-02-30" is not a date such as 2026-01-31.',
    }
    with pytest.raises(CellError, match="expected a date"):
        kind("date").one(None, field)
    with pytest.raises(CellError, match='"5" is not a date'):
        kind("date").one(5, field)
    with pytest.raises(SpecError, match='no cell of column "x" is a date'):
        planned("date", cells("soon", "later"))


def test_a_date_cannot_be_an_output() -> None:
    with pytest.raises(SpecError, match=r"outputs\.x: a date cannot be an output\. Make a number of it"):
        kind("date").plan("x", cells("2026-11-21"), OutputSpec(), from_memory({"x": [0]}))


# ---- tags ------------------------------------------------------------------------------------------------------------


def lists(*values: list[str] | None) -> Cells:
    return Cells(pa.chunked_array([pa.array(values, pa.list_(pa.string()))]))


def test_tags_are_one_number_for_each_class() -> None:
    column = cells("sun;sea", "", "sea", "city ;sun")
    field, reasons = planned("tags", column)
    assert (field.vocabulary, field.shape, field.dtype) == (("city", "sea", "sun"), (3,), "uint8")
    assert [(reason.path, reason.value) for reason in reasons] == [
        ("inputs.x.separator", ";"),
        ("inputs.x", "1 cells without a tag"),
    ]
    values, failed = read(field, column)
    assert not failed
    assert values.tolist() == [[0, 1, 1], [0, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert kind("tags").code(values, field).tolist() == values.tolist()
    assert kind("tags").names(field) == ["x has city", "x has sea", "x has sun"]
    assert [kind("tags").preview(row, field) for row in values] == ["sea;sun", "no tag", "sea", "city;sun"]


@pytest.mark.parametrize("separator", [";", "|", ","])
def test_the_separator_of_tags_is_that_of_most_cells(separator: str) -> None:
    field, _ = planned("tags", cells(f"a{separator}b", f"a{separator} c", "b"))
    assert field.options == {"separator": separator}
    assert field.vocabulary == ("a", "b", "c")


def test_lists_of_texts_are_tags_as_their_joined_text_is() -> None:
    typed, text = lists(["sun", "sea"], [], ["sea"]), cells("sun;sea", "", "sea")
    field, _ = planned("tags", typed)
    assert field == planned("tags", text)[0]
    assert read(field, typed)[0].tolist() == read(field, text)[0].tolist()
    alone = np.array(["sun", "sea"], dtype=object)
    assert kind("tags").one(alone, field).tolist() == kind("tags").one("sun;sea", field).tolist() == [1, 1]
    assert kind("tags").one(np.array([], dtype=object), field).tolist() == [0, 0]
    commas, _ = planned("tags", lists(["a;b"], ["c"]))
    assert commas.options == {"separator": "|"}


def test_tags_name_the_nearest_one_and_tell_nothing_from_unknown() -> None:
    field, _ = planned("tags", cells("sun;sea", "city"))
    values, failed = read(field, cells("sun;see", None, "city", ""))
    assert failed == {
        0: 'tag "see" is not among the 3 known tags (did you mean "sea"?).',
        1: "the cell has no value, expected tags (an empty text for none).",
    }
    assert values.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    with pytest.raises(CellError, match='tag "see" is not among'):
        kind("tags").one("see", field)
    with pytest.raises(CellError, match="no value"):
        kind("tags").one(None, field)
    filled, reasons = planned("tags", cells("sun;sea", None))
    assert reasons[-1].path == "inputs.x.missing"
    assert kind("tags").one(None, filled).tolist() == [0, 0]
    with pytest.raises(SpecError, match='no cell of column "x" holds a tag'):
        planned("tags", cells("", " ; "))
    with pytest.raises(SpecError, match="needs a column of texts or of lists"):
        planned("tags", cells(1.0, 2.0))


def test_pictures_are_read_again_in_other_frames_from_wherever_they_are(tmp_path: Path) -> None:
    blobs = pictures(tmp_path, 5)
    field, _ = planned("image", blobs)
    whole = np.stack([kind("image").one(blobs.one(place), field) for place in range(5)])
    named = Cells(pa.chunked_array([pa.array(blobs.names)]), root=tmp_path)
    held = Cells(pa.chunked_array([pa.array([blobs.one(place) for place in range(5)])]))
    index, frames = np.array([3, 0]), [Frame(*field.shape), Frame(4, 6, 3, 1.0)]
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as tar:
        for name in blobs.names:
            tar.add(tmp_path / name, name)
    packed = list_archive(tmp_path / "all.tar.gz").blobs  # is read in its own order, not in that of the index
    for column in (blobs, named, held, Arrays(whole), packed):
        seen = {}
        for places, (same, other) in Pictures().in_frames(column, field, index, frames):
            assert other.shape == (len(places), 4, 6, 3)
            seen |= dict(zip(places.tolist(), same, strict=True))
        assert np.array_equal(np.stack([seen[0], seen[1]]), whole[index])
