"""Damaged sounds, ink and texts: told by file and reason, or normalised; none stops a run or poisons it."""

import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import torch

from netwright import run, spec
from netwright.doctor import plant
from netwright.doctor.checks.room import Room
from netwright.errors import CellError
from netwright.field import UNKNOWN, Field
from netwright.readers import Cells, from_memory, padding
from netwright.readers.kinds.audio import Audio
from netwright.readers.kinds.ink import Ink
from netwright.readers.kinds.kind import room
from netwright.readers.kinds.text import Text
from netwright.readers.sniff import HEAD_BYTES, sniff
from netwright.run import looking
from netwright.run.folder import RunFolder
from netwright.spec import InputSpec, OutputSpec
from netwright.tasks.task import task_for

RATE = 8000
SOUND = Field(
    name="sound", kind="audio", source="sound", shape=(40,), dtype="float32", ragged=True,
    options={"rate_hz": RATE, "features": "mel", "longest": 3000},
)  # fmt: skip
INK = Field(name="ink", kind="ink", source="ink", shape=(3,), dtype="float32", ragged=True, options={"longest": 100})


def spoken(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="WAV")
    return file.getvalue()


NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 4000).astype(np.float32)


def test_c7_a_sound_that_is_cut_short_is_refused_with_both_counts() -> None:
    with pytest.raises(CellError, match=r"is cut short: 978 of 4,000 samples are there"):
        Audio().one(spoken(NOISE)[: 44 + 2 * 978], SOUND)


def shortened(samples: int, behind: bytes = b"") -> bytes:
    """4,000 samples whose header promises so many, and what stands behind them."""
    raw = spoken(NOISE)
    return raw[:40] + (2 * samples).to_bytes(4, "little") + raw[44:] + behind


@pytest.mark.parametrize("samples", [0, 978, 3999])
def test_c7_a_sound_that_goes_on_behind_its_header_is_refused_with_both_counts(samples: int) -> None:
    with pytest.raises(CellError, match=rf"wrong header: it promises {samples:,} samples, and 4,000 are there"):
        Audio().one(shortened(samples), SOUND)


@pytest.mark.parametrize("rate", [0, 2**32 - 1])
def test_c7_a_sound_of_an_impossible_rate_is_refused_with_the_rate(rate: int) -> None:
    raw = spoken(NOISE)
    with pytest.raises(CellError, match=rf"wrong header: it says {rate:,} samples a second"):
        Audio().one(raw[:24] + rate.to_bytes(4, "little") + raw[28:], SOUND)


def test_c7_a_sound_that_promises_hours_and_holds_seconds_is_cut_short_and_not_too_long() -> None:
    with pytest.raises(CellError, match=r"is cut short: 4,000 of 1,073,741,823 samples are there"):
        Audio().one(shortened((2**31 - 1) // 2), SOUND)


@pytest.mark.parametrize("behind", [b"LIST\x04\0\0\0INFO", b"id3 \x03\0\0\0abc\0", bytes(512), b"LIST\xff\0\0\0cut"])
def test_c7_what_else_a_sound_file_holds_is_no_sound(behind: bytes) -> None:
    assert (Audio().one(shortened(4000, behind), SOUND) == Audio().one(spoken(NOISE), SOUND)).all()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "is no sound that can be read"),
        (b"", "is no sound that can be read"),
        (spoken(np.zeros(0, np.float32)), "holds no sound"),
        ("text", "is no sound file"),
    ],
)
def test_c7_what_is_no_sound_is_refused(raw: bytes | str, why: str) -> None:
    with pytest.raises(CellError, match=why) as told:
        Audio().one(raw, SOUND)
    assert "BytesIO" not in told.value.message


def test_c7_silence_and_clipping_are_sounds() -> None:
    for sound in (np.zeros(RATE, np.float32), np.sign(NOISE)):
        assert np.isfinite(Audio().one(spoken(sound), SOUND)).all()


def test_c7_an_mp3_is_a_sound_with_its_tag_and_without_and_whole_or_told() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(NOISE, 8), RATE, format="MP3")
    whole = file.getvalue()
    bare = whole[whole.index(b"\xff") :]
    for raw in (whole, bare, b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + bare):
        assert sniff(raw[:HEAD_BYTES]) == "mp3"
        steps = Audio().one(raw, SOUND)
        assert np.isfinite(steps).all()
        assert abs(len(steps) - len(Audio().one(spoken(np.tile(NOISE, 8)), SOUND))) <= 20  # padded to whole frames
    with pytest.raises(CellError, match=r"is cut short|is no sound"):
        Audio().one(whole[: len(whole) // 2], SOUND)


def test_c17_a_pen_that_stands_still_is_one_point() -> None:
    assert Ink().one("[[0,0],[0,0],[0,0],[1,1]]", INK).tolist() == [[0, 0, 1], [1, 1, 0]]
    assert Ink().code(np.array([[[5, 5, 1]]], np.float32), INK).isfinite().all()  # a dot


def test_c17_ink_that_never_says_when_the_pen_was_lifted_is_one_stroke_and_that_is_told() -> None:
    for cell in ("[[0,0,17],[1,0,25],[3,1,31]]", "[[0,0],[1,0],[3,1]]", "x,y,pen\n0,0,0\n1,0,0\n3,1,0"):
        column = Cells(pa.chunked_array([pa.array([cell])]))
        field, (reason, *_) = Ink().plan("ink", column, InputSpec(), from_memory({"x": [0]}))
        assert (reason.path, reason.value) == ("inputs.ink: pen", "one stroke each")
        assert reason.why.startswith("no number of the points says where the pen was lifted")
        assert Ink().one(cell, field)[:, 2].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("[]", "holds no point"),
        ("[[1e12, 0]]", "beyond all paper"),
        ("[[NaN, 0]]", "no number"),
        ("[1, 2", "is no JSON"),
        ('{"a": 1}', "no list of points or strokes"),
        ("<ink></ink>", "XML without a trace"),
        ("<ink><trace>1 a</trace></ink>", '"1 a" is no point'),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><ink><trace>&a;</trace></ink>', "declares entities"),
        ("<ink><trace>", "is no XML"),
        ("x,y\n1,b", "has a line that is no x, y and pen"),
        (None, "no value, expected ink"),
        (b"\x89PNG\r\n\x1a\n", "is no ink"),
    ],
)
def test_c17_what_is_no_ink_is_refused(raw: str | bytes | None, why: str) -> None:
    with pytest.raises(CellError, match=why):
        Ink().one(raw, INK)


def text_of(cell: str | bytes, tokens: str = "characters") -> list[int]:
    """The codes of a text whose own characters are known."""
    options = {"tokens": tokens, "lower": False, "vocabulary": 1000, "longest": 2**40}
    field = Field(name="t", kind="text", source="t", dtype="uint8", ragged=True, options=options)
    cells = room(field, 1)
    cells[0] = Text().one(cell, field)
    fitted = Text().fit(cells, field)
    assert Text().preview(cells[0], fitted)
    return Text().code(cells, fitted)[0].tolist()


def test_c16_a_line_of_ten_megabytes_is_read_whole() -> None:
    assert len(text_of("ab" * 5_000_000)) == 10_000_000


@pytest.mark.parametrize(
    "cell",
    ["a\x00b", "\x1b[2J\x07", "\u202eabc", "\U0001f469\u200d\U0001f52c", "\u05e9\u05dc\u05d5\u05dd", b"\xff\xfe\xfa"],
)
def test_c15_c16_every_character_is_a_token_and_none_crashes(cell: str | bytes) -> None:
    codes = text_of(cell)
    assert codes
    assert all(codes)  # none is unknown


def test_c16_a_language_model_of_one_character_over_and_over_ends_well(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 3000)
    wanted = spec.load("{inputs: {text: {}}, outputs: {next: {of: text}}, model: {layers: 'lstm 4'}}")
    wanted = spec.override(wanted, {"data.path": f'"{tmp_path / "a.txt"}"', "training.stop.epochs": "2"})
    outcome = run.train(wanted, out=tmp_path / "run")
    assert outcome.scores["next"]["test"]["accuracy"] == 1


def test_b6_a_text_that_its_steps_are_too_few_for_teaches_nothing_and_poisons_nothing() -> None:
    field = Field(
        name="said", kind="text", source="said", dtype="uint8", ragged=True, vocabulary=(UNKNOWN, "a", "b", "c"),
        options={"tokens": "characters", "align": "ctc"},
    )  # fmt: skip
    transcript = task_for("said", field, OutputSpec(align="ctc"))
    terms = transcript.terms(torch.randn(2, 2, 4), torch.tensor([[1, 1, 2], [1, -1, -1]]))
    assert terms.tolist()[0] == 0
    assert terms.isfinite().all()
    assert padding.lengths(transcript.answers(torch.randn(2, 2, 4))).max() <= 2


def test_b6_texts_without_room_are_counted_and_listed_before_training() -> None:
    (good,) = Room().look(plant.words())
    assert (good.state, good.message) == ("good", "each of 24 texts of text has room in its sequence")
    (found,) = Room().look(plant.words("conv1d 8x5 stride 5, relu"))
    assert found.state == "bad"
    assert found.message.startswith("24 of 24 texts of text need more steps than there are: 0 ")
    shown = re.findall(r'\d+ "([a-z]{6})" \((\d+) of (\d+)\)', found.message)
    assert shown
    assert set(found.doubts) == set(range(24))
    for text, steps, needs in shown:
        assert (int(steps), int(needs)) == (4, 6 + sum(one == other for one, other in pairwise(text)))
    assert "stride" in found.cure


def test_b6_a_few_texts_without_room_are_found_among_all_examples_and_stand_in_the_ledger(tmp_path: Path) -> None:
    short = {7: 3, 203: 2, 391: 2}  # steps of those that have too few, in whatever part they are
    columns: dict[str, list[object]] = {"word": [], "height": [], "text": []}
    for example in range(400):
        steps = short.get(example, 5 + example % 3)
        columns["word"] += [example] * steps
        columns["height"] += [example * 0.01 + step for step in range(steps)]
        columns["text"] += ["abba" if example % 2 else "abab"] * steps  # 5 steps with one between the twins, or 4
    wanted = spec.load(
        "{data: {group: word}, inputs: {way: {kind: signal, from: [height]}}, "
        "outputs: {text: {kind: text, align: ctc}}, model: {layers: 'lstm 3'}, "
        "training: {threads: 1, stop: {epochs: 1}}}"
    )
    run.train(wanted, data={name: np.array(values) for name, values in columns.items()}, out=tmp_path / "run")
    (found,) = [each for each in looking.kept(RunFolder(tmp_path / "run")) if each.name == "room"]
    assert found.state == "note"
    assert found.message == (
        '3 of 400 texts of text need more steps than there are: 7 "abba" (3 of 5), 203 "abba" (2 of 5), '
        '391 "abba" (2 of 5); nothing is learned from them'
    )
    rows = pq.read_table(tmp_path / "run" / "ledger.parquet").to_pylist()
    assert {row["id"]: row["doubt"] for row in rows if row["doubt"]} == {
        "7": "text needs 5 steps of its sequence, which has 3",
        "203": "text needs 5 steps of its sequence, which has 2",
        "391": "text needs 5 steps of its sequence, which has 2",
    }
