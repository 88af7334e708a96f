import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
import torch

from netwright.errors import CellError, DataError, SpecError
from netwright.field import Field, Reason
from netwright.readers import Blobs, Cells, find, from_memory, padding
from netwright.readers.columns import Arrays, Several
from netwright.readers.kinds.audio import Audio, cepstrum, log_mel
from netwright.readers.kinds.ink import Ink
from netwright.readers.kinds.kind import room
from netwright.spec import InputSpec

RATE = 8000


def tone(hertz: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def wav(sound: np.ndarray, rate: int = RATE, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind)
    return file.getvalue()


def planned(folder: Path, *files: bytes, **wish: object) -> tuple[Field, Blobs]:
    for place, content in enumerate(files):
        (folder / f"{place}.wav").write_bytes(content)
    column = Blobs(folder, tuple(f"{place}.wav" for place in range(len(files))))
    return Audio().plan("sound", column, InputSpec.model_validate(wish), from_memory({"x": [0]}))[0], column


# ---- sounds ----------------------------------------------------------------------------------------------------------


def test_a_tone_is_loud_in_its_own_band_and_higher_ones_above() -> None:
    bands = [int(log_mel(torch.from_numpy(tone(hertz)), RATE).mean(dim=0).argmax()) for hertz in (200, 800, 3000)]
    assert bands == sorted(set(bands))
    assert log_mel(torch.from_numpy(tone(440)), RATE).shape == (47, 40)  # every 10 ms as far as windows reach


def test_coefficients_are_the_cosine_transform_of_the_bands() -> None:
    flat = cepstrum(torch.ones(3, 40))
    assert flat.shape == (3, 13)
    assert torch.allclose(flat[:, 1:], torch.zeros(3, 12), atol=1e-5)  # a flat spectrum has no shape


@pytest.mark.parametrize("samples", [1, 100, 200, 255, 256, 257])
def test_the_shortest_sound_is_a_step(tmp_path: Path, samples: int) -> None:
    field, _ = planned(tmp_path, wav(tone(440)))
    found = Audio().one(wav(tone(440, samples / RATE)), field)
    assert found.shape == (1, 40)
    assert np.isfinite(found).all()


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    field, _ = planned(tmp_path, wav(tone(440)))
    for wrong in (np.nan, np.inf):
        file = io.BytesIO()
        soundfile.write(file, np.where(np.arange(4000) == 7, wrong, tone(440)), RATE, format="WAV", subtype="FLOAT")
        with pytest.raises(CellError, match="holds samples that are no numbers"):
            Audio().one(file.getvalue(), field)


def test_sounds_that_are_read_up_to_some_step_are_told(tmp_path: Path) -> None:
    field, column = planned(tmp_path, wav(tone(300)), wav(tone(900, 0.1)), longest=20)
    values = room(field, 2)
    Audio().read(column, field, np.arange(2), values, lambda _: None)
    assert [reason.why for reason in Audio().decided(values, field)] == [
        "1 of 2 sequences reach it; what stands behind is not read"
    ]


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_stereo_and_other_rates_sound_the_same(tmp_path: Path, kind: str) -> None:
    field, _ = planned(tmp_path, wav(tone(440)))
    assert field.options["rate_hz"] == RATE
    plain = Audio().one(wav(tone(440), kind=kind), field)
    stereo = Audio().one(wav(np.stack([tone(440), tone(440)], axis=1), kind=kind), field)
    np.testing.assert_allclose(plain, stereo, atol=1e-5)
    fast = Audio().one(wav(tone(440, rate=44_100), 44_100, kind), field)
    assert abs(len(fast) - len(plain)) <= 1
    assert int(fast.mean(axis=0).argmax()) == int(plain.mean(axis=0).argmax())


def test_steps_are_standardised_by_the_training_part(tmp_path: Path) -> None:
    field, column = planned(tmp_path, wav(tone(300)), wav(tone(900, 0.8)))
    values = room(field, 2)
    assert Audio().read(column, field, np.arange(2), values, lambda _: None) == {}
    field = Audio().fit(values, field)
    coded = Audio().code(values, field)
    assert padding.lengths(coded).tolist() == [len(values[0]), len(values[1])]
    steps = coded[padding.there(coded)]
    torch.testing.assert_close(steps.mean(dim=0), torch.zeros(40), atol=1e-3, rtol=0)
    assert Audio().flat(coded, field).shape == (2, Audio().width(field))
    assert Audio().preview(values[0], field) == "0.47 s"


def test_sounds_in_class_folders_and_by_their_names(tmp_path: Path) -> None:
    for name in ("yes/1.wav", "no/1.wav"):
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_bytes(wav(tone(440)))
    found = find(tmp_path / "a")
    assert set(found.columns) == {"audio", "category"}
    (tmp_path / "b").mkdir()
    for name in ("3_theo_0.wav", "7_lucas_12.wav", "readme.wav"):
        (tmp_path / "b" / name).write_bytes(wav(tone(440)))
    found = find(tmp_path / "b", pattern="{digit}_{speaker}_{take}")
    assert found.columns["speaker"].values.to_pylist() == ["theo", "lucas"]  # type: ignore[union-attr]
    assert [(each.where, each.reason) for each in found.refused] == [
        ("readme.wav", "its name does not fit {digit}_{speaker}_{take}")
    ]
    with pytest.raises(DataError, match=r"no file is called like \{x\}-\{y\}"):
        find(tmp_path / "b", pattern="{x}-{y}")
    with pytest.raises(SpecError, match="needs different names in braces"):
        find(tmp_path / "b", pattern="{x}_{x}")


# ---- ink -------------------------------------------------------------------------------------------------------------

STROKES = [[[0, 0], [1, 0], [1, 1]], [[3, 1], [3, 0]]]
POINTS = [[0, 0, 1], [1, 0, 0], [1, 1, 0], [3, 1, 1], [3, 0, 0]]
WAYS = {
    "json strokes": json.dumps(STROKES),
    "json points": json.dumps(POINTS),
    "json object": json.dumps(dict(zip(("x", "y", "pen"), np.array(POINTS).T.tolist(), strict=True))),
    "json list of objects": json.dumps([dict(zip(("x", "y", "pen"), point, strict=True)) for point in POINTS]),
    "csv": "x,y,pen,time\n" + "\n".join(f"{x},{y},{pen},9" for x, y, pen in POINTS),
    "plain": "\n".join(f"{x} {y} {pen}" for x, y, pen in POINTS),
    "unipen": ".VERSION 1.0\n.PEN_DOWN\n0 0\n1 0\n1 1\n.PEN_UP\n.PEN_DOWN\n3 1\n3 0\n.PEN_UP\n",
    "inkml": '<ink xmlns="http://www.w3.org/2003/InkML"><trace>0 0, 1 0, 1 1</trace><trace>3 1, 3 0</trace></ink>',
    "inkml of differences": "<ink><trace>0 0, '1'0, 0 1</trace><trace>3 1, * \"-1</trace></ink>",
    "inkml of other channels": '<ink><traceFormat><channel name="T"/><channel name="Y"/><channel name="X"/>'
    "</traceFormat><trace>5 0 0, 6 0 1, 7 1 1</trace><trace>8 1 3, 9 0 3</trace></ink>",
    "json of times": json.dumps([[x, y, pen, 0.1 * k] for k, (x, y, pen) in enumerate(POINTS)]),
    "iam": '<Session><Stroke><Point x="0" y="0" time="1.5"/><Point x="1" y="0"/><Point x="1" y="1"/></Stroke>'
    '<Stroke><Point x="3" y="1"/><Point x="3" y="0"/></Stroke></Session>',
    "unipen of other channels": ".COORD T Y X\n.PEN_DOWN\n5 0 0\n6 0 1\n7 1 1\n"
    ".PEN_UP\n.PEN_DOWN\n8 1 3\n9 0 3\n.PEN_UP",
}
INK = Field(name="ink", kind="ink", source="ink", shape=(3,), dtype="float32", ragged=True, options={"longest": 100})


@pytest.mark.parametrize("way", WAYS)
def test_points_are_the_same_however_they_are_written(way: str) -> None:
    assert Ink().one(WAYS[way], INK).tolist() == POINTS
    assert Ink().one(WAYS[way].encode(), INK).tolist() == POINTS
    assert Ink().one(WAYS[way].encode("utf-16"), INK).tolist() == POINTS


def test_points_and_strokes_are_the_same_in_memory() -> None:
    cells = (
        STROKES,
        POINTS,
        np.array([*STROKES, None], dtype=object)[:2],
        np.array(POINTS),
        np.array(POINTS, dtype=object),
    )
    for cell in cells:
        assert Ink().one(cell, INK).tolist() == POINTS  # type: ignore[arg-type]
    assert Ink().one(np.array([STROKES[1], STROKES[1]]), INK)[:, 2].tolist() == [1, 0, 1, 0]
    with pytest.raises(CellError, match="is no list of points or strokes"):
        Ink().one([1.0, 2.0], INK)


def test_a_third_number_that_is_no_pen_is_not_taken_for_one() -> None:
    found = Ink().one(json.dumps([[0, 0, 12], [1, 0, 25], [1, 1, 37]]), INK)
    assert found.tolist() == [[0, 0, 1], [1, 0, 0], [1, 1, 0]]


def test_the_example_of_inkml_with_differences_of_differences() -> None:
    """W3C InkML 2011, section 3.2.1."""
    trace = "1125 18432,'23'43,\"7\"-8,3-5,7 -3,6 2,6 8,3 6 T,2 4*T,3 6,3-6 F F"
    points = Ink().one(f"<ink><trace>{trace}</trace></ink>", INK)
    assert points[:, :2].tolist() == [
        [1125, 18432], [1148, 18475], [1178, 18510], [1211, 18540], [1251, 18567], [1297, 18596],
        [1349, 18633], [1404, 18676], [1461, 18723], [1521, 18776], [1584, 18823],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '<ink><traceFormat><channel name="T"/></traceFormat><trace>1 2</trace></ink>',
            "points of T, expected X and Y",
        ),
        ("<ink><trace>1 ?, 2 3</trace></ink>", '"1 [?]" is no point'),
        ("<ink><trace>1</trace></ink>", '"1" is no point'),
        ('<ink><Stroke><Point x="1"/></Stroke></ink>', "a point without numbers x and y"),
        ("<ink/>", "XML without a trace"),
        (".PEN_DOWN\n1\n", '"1" is no point'),
    ],
)
def test_what_holds_no_places_is_told(text: str, told: str) -> None:
    with pytest.raises(CellError, match=told):
        Ink().one(text, INK)


def test_neither_place_nor_size_matters_to_the_network() -> None:
    values = room(INK, 2)
    values[0] = Ink().one(json.dumps(STROKES), INK)
    values[1] = values[0] * np.array([7, 7, 1], np.float32) + np.array([500, -20, 0], np.float32)
    one, other = Ink().code(values, INK)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert one[:, :2].abs().max() == 1
    assert one[:, 4].tolist() == [1, 0, 0, 1, 0]


def drawn(*cells: str) -> tuple[Field, list[Reason]]:
    column = Cells(pa.chunked_array([pa.array(cells)]))
    return Ink().plan("ink", column, InputSpec(), from_memory({"x": [0] * len(cells)}))


def table(header: str, pen: str) -> str:
    """The points of `POINTS` and one in the air between the strokes, with these numbers."""
    places = ["0,0", "1,0", "1,1", "2,1", "3,1", "3,0"]
    return "\n".join([header, *(f"{place},{mark}" for place, mark in zip(places, pen.split(), strict=True))])


@pytest.mark.parametrize(
    ("header", "pen", "says"),
    [
        ("x,y,p", "1 1 1 0 1 1", "1 while it is down"),
        ("x,y,pen_down", "1 1 1 0 1 1", "1 while it is down"),
        ("X,Y,Pen_Up", "0 0 0 1 0 0", "1 while it is up"),
        ("x,y,t,up", "7,0 7,0 8,0 9,1 9,0 9,0", "1 while it is up"),
        ("0,0,4,1", "5,1 6,1 7,1 8,0 9,1 9,1", "1 while it is down"),
    ],
)
def test_what_moves_while_the_pen_is_up_is_no_ink(header: str, pen: str, says: str) -> None:
    cell = table(header, pen)
    if header[0] == "0":
        header, cell = "", cell.partition("\n")[2]
    field, (reason, *_) = drawn(cell, cell)
    assert (reason.path, reason.value) == ("inputs.ink: pen", says)
    assert "2 inks looked at; what moves while the pen is up is not ink" in reason.why
    assert Ink().one(cell, field)[:, :3].tolist() == POINTS
    whole = Ink().one(cell, field.model_copy(update={"options": {**field.options, "every": True}}))
    assert whole[:, 2].tolist() == [1, 0, 0, 1, 1, 0]  # each point has an answer, and nothing leads through the air


TIMES = [5.0, 5.5, 6.5, 8.0, 8.0]
TIMED = {
    "json object": json.dumps({"x": [0, 1, 1, 3, 3], "y": [0, 0, 1, 1, 0], "pen": [1, 0, 0, 1, 0], "T": TIMES}),
    "json points": json.dumps([[*point, time] for point, time in zip(POINTS, TIMES, strict=True)]),
    "json strokes": json.dumps([[[0, 0, 5], [1, 0, 5.5], [1, 1, 6.5]], [[3, 1, 8], [3, 0, 8]]]),
    "json list of objects": json.dumps(
        [dict(zip(("x", "y", "pen", "time"), (*p, t), strict=True)) for p, t in zip(POINTS, TIMES, strict=True)]
    ),
    "csv": "x,y,pen,timestamp\n" + "\n".join(f"{x},{y},{p},{t}" for (x, y, p), t in zip(POINTS, TIMES, strict=True)),
    "unipen": ".COORD T Y X\n.PEN_DOWN\n5 0 0\n5.5 0 1\n6.5 1 1\n.PEN_UP\n.PEN_DOWN\n8 1 3\n8 0 3\n.PEN_UP",
    "inkml": '<ink><traceFormat><channel name="X"/><channel name="Y"/><channel name="T"/></traceFormat>'
    "<trace>0 0 5, 1 0 5.5, '0 '1 '1</trace><trace>3 1 8, 3 0 8</trace></ink>",
    "iam": '<Session><Stroke><Point x="0" y="0" time="5"/><Point x="1" y="0" time="5.5"/>'
    '<Point x="1" y="1" time="6.5"/></Stroke>'
    '<Stroke><Point x="3" y="1" time="8"/><Point x="3" y="0" time="8"/></Stroke></Session>',
}


@pytest.mark.parametrize("way", TIMED)
def test_when_points_were_drawn_is_read_from_every_form_and_kept_for_all(way: str) -> None:
    field, reasons = drawn(TIMED[way], TIMED[way])
    assert [r.value for r in reasons if r.path == "inputs.ink: time"] == ["of each point"]
    assert field.shape == (4,)
    wanted = [[*point, time - 5] for point, time in zip(POINTS, TIMES, strict=True)]
    for text in (TIMED[way], TIMED["json strokes"], TIMED["inkml"]):
        assert Ink().one(text, field).tolist() == wanted
    with pytest.raises(CellError, match="does not say when its points were drawn"):
        Ink().one(WAYS["inkml"], field)
    assert Ink().one(TIMED[way], INK).tolist() == POINTS or way == "csv"  # a model without times does not mind them


def test_times_count_in_units_of_the_ink() -> None:
    field, _ = drawn(TIMED["inkml"])
    values = room(field, 2)
    values[0] = Ink().one(TIMED["inkml"], field)
    values[1] = values[0] * np.array([1, 1, 1, 1000], np.float32)  # milliseconds
    one, other = Ink().code(values, field)
    assert one.shape == (5, Ink().dim(field)) == (5, 6)
    torch.testing.assert_close(one, other)
    np.testing.assert_allclose(one[:, 5], np.log1p(np.array([0, 0.5, 1, 1.5, 0])))
    assert Ink().flat(one[None], field).shape[-1] == Ink().width(field)


@pytest.mark.parametrize("times", [[5, 4, 6, 7, 8], [5, 5, 5, 6, 6]])
def test_numbers_that_fall_or_hardly_rise_are_no_times(times: list[float]) -> None:
    cell = json.dumps([[*point, time] for point, time in zip(POINTS, times, strict=True)])
    assert drawn(cell, TIMED["json points"])[0].shape == (3,)


def test_times_that_fall_in_a_new_ink_are_told() -> None:
    field, _ = drawn(TIMED["json points"])
    with pytest.raises(CellError, match="whose times are no numbers, or fall"):
        Ink().one(json.dumps([[0, 0, 1, 5], [1, 0, 0, 4]]), field)


def test_a_new_ink_is_read_as_those_that_were_planned() -> None:
    field, _ = drawn(table("x,y,p", "1 1 1 0 1 1"))
    assert Ink().one("[[0, 0, 0], [1, 0, 0], [1, 1, 1]]", field).tolist() == [[1, 1, 1]]
    assert Ink().one(json.dumps(STROKES), field).tolist() == POINTS  # a form with strokes says it itself
    with pytest.raises(CellError, match="holds no point that was drawn"):
        Ink().one("x,y,p\n1,2,0", field)
    with pytest.raises(CellError, match=r"holds 0\.5 where the pen is 0 or 1"):
        Ink().one("x,y,p\n1,2,0.5", field)


def test_the_last_point_of_each_stroke_may_be_marked() -> None:
    ends = json.dumps([[x, y, int(k in (2, 4))] for k, (x, y, _) in enumerate(POINTS)])
    field, (reason,) = drawn(ends, ends)
    assert reason.value == "1 where a stroke ends"
    assert Ink().one(ends, field).tolist() == POINTS


def test_strokes_may_be_counted() -> None:
    cell = "x,y,stroke\n0,0,0\n1,0,0\n1,1,0\n3,1,1\n3,0,1"
    field, (reason,) = drawn(cell)
    assert reason.value == "the number of the stroke"
    assert Ink().one(cell, field).tolist() == POINTS


def test_forms_with_strokes_leave_nothing_to_decide() -> None:
    assert drawn(json.dumps(STROKES), WAYS["unipen"])[1] == []


def test_columns_of_coordinates_are_points_of_one_stroke() -> None:
    columns = tuple(Arrays(np.array([[1.0], [2.0]]) + k) for k in range(4))
    names = ("x1", "y1", "x2", "y2")
    column = Several(names, columns)
    wish, memory = InputSpec.model_validate({"from": list(names)}), from_memory({"x": [0, 1]})
    field, (reason,) = Ink().plan("ink", column, wish, memory)
    assert field.source == names
    assert reason.value == "one stroke each"
    assert Ink().one(np.array([1.0, 2, 3, 4]), field).tolist() == [[1, 2, 1], [3, 4, 0]]
    with pytest.raises(SpecError, match="3 columns are no pairs of x and y"):
        Ink().plan("ink", Several(names[:3], columns[:3]), InputSpec(), from_memory({"x": [0, 1]}))
