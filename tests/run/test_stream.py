"""Answers step by step: the same as of the whole, at once, in memory that does not grow."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from netwright import run, spec
from netwright.errors import DataError, SpecError
from netwright.run.lines import Table, characters, lines, samples, settled
from netwright.run.stream import stream

NEAR = 1e-5
TEXT = """
data: {group: clip, order: frame, split: {parts: [0.6, 0.2, 0.2]}}
inputs: {way: {kind: signal, from: [x, y]}}
outputs: {state: {per: way}, speed: {kind: number, per: way}}
model: {layers: "conv1d 8x4, relu, gru 8, dense 8, tanh", causal: true}
training: {threads: 1, batch_size: 4, stop: {epochs: 3}}
"""


def rows(clips: int, steps: int, seed: int = 0) -> list[dict[str, object]]:
    chance, found = np.random.default_rng(seed), []
    for clip in range(clips):
        x, y = chance.normal(size=(2, steps)).cumsum(axis=1)
        for frame in range(steps):
            fast = abs(x[frame] - x[frame - 1]) if frame else 0.0
            state = "up" if frame and y[frame] > y[frame - 1] else "down"
            values = {"x": round(x[frame], 3), "y": round(y[frame], 3) if frame % 9 else ""}
            found.append({"clip": f"c{clip}", "frame": frame, **values, "state": state, "speed": round(fast, 3)})
    return found


def table(found: list[dict[str, object]], without: tuple[str, ...] = ()) -> str:
    text = io.StringIO()
    write = csv.DictWriter(text, [name for name in found[0] if name not in without], extrasaction="ignore")
    write.writeheader()
    write.writerows(found)
    return text.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    (folder / "clips.csv").write_text(table(rows(20, 30)))
    wish = spec.override(spec.load(TEXT), {"data.path": str(folder / "clips.csv")})
    return run.train(wish, out=folder / "run").run


@contextmanager
def child(trained: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`netwright predict RUN --stream` as users have it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "netwright", "predict", str(trained), "--stream", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def apart(one: dict[str, str], other: dict[str, str]) -> float:
    """The largest difference of two rows of answers whose words agree."""
    numbers = [name for name in one if name.startswith(("state:", "speed"))]
    assert {name: value for name, value in one.items() if name not in numbers} == {
        name: str(value) for name, value in other.items() if name not in numbers
    }
    return max(abs(float(one[name]) - float(other[name])) for name in numbers)


def test_a_child_process_answers_each_step_at_once_as_all_together_in_constant_memory(
    trained: Path, tmp_path: Path
) -> None:
    first, more = 400, 4_000
    long = rows(1, first + more, seed=1)
    (tmp_path / "new.csv").write_text(table(long, ("state", "speed")))
    whole = run.predict(trained, [tmp_path / "new.csv"], out=tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(newline="") as file:
        wanted = list(csv.DictReader(file))
    assert whole.num_rows == len(wanted) == first + more
    given = table(long, ("state", "speed")).splitlines(keepends=True)
    with child(trained) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(given[0])
        names = None
        found, held = [], 0
        for place, line in enumerate(given[1:]):
            process.stdin.write(line)
            process.stdin.flush()
            if names is None:
                names = process.stdout.readline().strip().split(",")
            found.append(dict(zip(names, process.stdout.readline().strip().split(","), strict=True)))  # waits for it
            if place == first:
                held = psutil.Process(process.pid).memory_info().rss
        grown = psutil.Process(process.pid).memory_info().rss - held
        process.stdin.close()
        process.stdin = None
        assert process.wait(30) == 0
    assert names == list(wanted[0])
    assert max(apart(one, other) for one, other in zip(wanted, found, strict=True)) <= NEAR
    assert grown < 5e6, f"ten times the steps took {grown / 1e6:.1f} MB more"


def test_sequences_that_follow_each_other_begin_anew(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(table(rows(3, 12, seed=2), ("state", "speed")))
    wanted = run.predict(trained, [tmp_path / "new.csv"]).to_pylist()
    found = list(stream(trained, tmp_path / "new.csv", idle=0.0))
    assert [(row["id"], row["step"], row["frame"]) for row in found] == [
        (row["id"], row["step"], row["frame"]) for row in wanted
    ]
    assert max(abs(one["state:up"] - other["state:up"]) for one, other in zip(found, wanted, strict=True)) <= NEAR
    assert found[0]["id"] == "c0"
    assert [row["step"] for row in found if row["id"] == "c2"] == list(range(1, 13))


def test_a_sequence_that_comes_back_is_told(trained: Path, tmp_path: Path) -> None:
    found = rows(2, 2)
    (tmp_path / "s.csv").write_text(table([found[0], found[2], found[1]]))
    told: list[str] = []
    assert len(list(run.stream(trained, tmp_path / "s.csv", idle=0.1, tell=told.append))) == 3
    assert any(line.startswith("line 4") and "comes back and begins anew" in line for line in told)


def test_a_growing_file_is_followed_until_it_is_idle(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.jsonl"
    path.write_text('{"x": 1, "y": 2}\n{"x": 1.5, "y"')
    with child(trained, str(path), "--idle", "2", "--json") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        with path.open("a") as file:  # the rest of a line, and one that never ends
            file.write(": null}\n[2, 2.5]")
        second, third = json.loads(process.stdout.readline()), json.loads(process.stdout.readline())
        assert process.wait(30) == 0
    assert [each["step"] for each in (first, second, third)] == [1, 2, 3]
    assert set(first) == {"step", "state", "state:down", "state:up", "speed"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_read_until_its_writers_close_it(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    rows = stream(trained, path, idle=0.0)  # waits for whoever writes, however long that takes
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(next, rows)
        with path.open("w") as file:
            file.write("x,y\n1,2\n")
            file.flush()
            assert first.result(30)["step"] == 1
            file.write("2,3\n3,4")
        assert [row["step"] for row in rows] == [2, 3]


def test_ctrl_c_ends_it_without_a_traceback(trained: Path) -> None:
    with child(trained) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("x,y\n1,2\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_lines_that_cannot_be_read_are_told_with_their_number_and_skipped(trained: Path, tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "steps.csv"
    path.write_text("y,x\n2,1\n2,one\n2\n\n2,1,1\n" + '{"x": 3}\n{"x": [1], "y": 1}\n{"x": 1,\nNA,4\n3,2\n')
    found = list(stream(trained, path, idle=0.0, tell=told.append))
    assert [row["step"] for row in found] == [1, 2, 3]  # a missing y is filled: training had such
    skipped = [said for said in told if "skipped" in said]
    assert [said.split(" is skipped: ")[0] for said in skipped] == [f"line {line}" for line in (3, 4, 6, 7, 8, 9)]
    assert "x:" in skipped[0]
    assert "has 1 value, expected 2" in skipped[1]
    assert "has no y" in skipped[3]
    assert "is no JSON" in skipped[5]
    path.write_text("x,y\nNA,1\n")
    with pytest.raises(DataError, match="not one step could be answered"):
        list(stream(trained, path, idle=0.0, tell=told.append))
    assert "x:" in told[-1]


def test_a_number_too_large_to_compute_with_is_skipped_and_spoils_nothing(trained: Path, tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "steps.csv"
    path.write_text("x,y\n1,2\n-1e300,2\n1e400,2\n" + "9" * 500 + ',2\n{"x": 1e200, "y": 2}\n-1e149,2\n3,2\n')
    found = list(stream(trained, path, idle=0.0, tell=told.append))
    assert len(found) == 3
    assert all(np.isfinite(value) for row in found for value in row.values() if isinstance(value, float))
    skipped = [said for said in told if "is too large, expected a number of at most 1e+150" in said]
    assert [said.partition(" is")[0] for said in skipped] == ["line 3", "line 4", "line 5", "line 6"]
    assert max(map(len, skipped)) < 150


def test_a_header_must_name_all_that_is_needed(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "steps.csv").write_text("x,z\n1,2\n")
    with pytest.raises(SpecError, match=r"the first line names no column y\."):
        list(stream(trained, tmp_path / "steps.csv", idle=0.0))
    with pytest.raises(DataError, match="no such file to follow"):
        list(stream(trained, tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ("gru 8 both yes", "gru 8 both yes reads from the end to the beginning as well"),
        ("conv1d 8x3, gru 8", "conv1d 8x3 sees 1 of the steps to come"),
    ],
)
def test_a_model_that_looks_ahead_is_refused_with_the_cure(tmp_path: Path, layers: str, says: str) -> None:
    (tmp_path / "clips.csv").write_text(table(rows(8, 6)))
    values = {"data.path": str(tmp_path / "clips.csv"), "model": f'{{layers: "{layers}"}}', "training.stop.epochs": "1"}
    folder = run.train(spec.override(spec.load(TEXT), values), out=tmp_path / "run").run
    with pytest.raises(SpecError, match=says) as raised:
        stream(folder)
    assert raised.value.cure == "Train it with model.causal: true, which binds every layer to what has been."


def test_lines_come_whole_however_they_arrive() -> None:
    text = b"\xef\xbb\xbfa\r\nb\n\n" + b"x" * 2**21 + b"\nend"
    pieces = [text[place : place + 1000] for place in range(0, len(text), 1000)]
    source = iter([*pieces, b""])
    found = list(lines(lambda most: next(source)))
    assert [(number, line if len(line) < 9 else len(line)) for number, line in found] == [
        (1, "a"),
        (2, "b"),
        (4, "\0"),
        (5, "end"),
    ]


@pytest.mark.parametrize(
    ("tokens", "longest", "pieces"),
    [
        ("characters", 18, [b"to be,\n", b"\r", b"\nor \xc3", b"\xa9t", b"\xc3\xa9 to e", b"\xcc\x81", b" \xcc\x81be"]),
        ("words", 400, [b"to be,\r", b"\nor e", b"\xcc\x81ot\n \n\xc2\xa0\n", b"to be"]),
    ],
)
def test_a_text_is_answered_as_it_comes_with_every_space_and_line_break(
    tokens: str, longest: int, pieces: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"text": ["to be, or not to be", "to  b\u00e9\nor not"] * 15, "y": ["one", "two"] * 15}
    table["text"] = [f"{text} {place}" for place, text in enumerate(table["text"])]
    wanted = f"{{inputs: {{text: {{kind: text, tokens: {tokens}, longest: {longest}}}}}, "
    table["y"] = [["one" if k % 3 else "two" for k in range(steps(text, tokens))] for text in table["text"]]
    wanted += "outputs: {y: {per: text}}, model: {layers: 'gru 8', causal: true}, training: {stop: {epochs: 1}}}"
    trained = run.train(spec.load(wanted), data=table, out=tmp_path / "run").run
    whole = b"".join(pieces).decode()
    together = run.predict(trained, {"text": [whole]}).to_pylist()
    path = tmp_path / "new.txt"
    path.write_bytes(b"".join(pieces))
    told: list[str] = []
    followed = list(stream(trained, path, idle=0.0))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Torn(pieces))))
    found = list(stream(trained, tell=told.append))
    assert [row["y"] for row in followed] == [row["y"] for row in found]
    length = steps(unicodedata.normalize("NFC", whole.replace("\r\n", "\n")), tokens)
    assert (len(found), len(together)) == (length, min(length, longest))
    beyond = f"step 19: a whole sequence is read up to {longest} steps (inputs.text.longest), a stream goes on"
    assert [said for said in told if "whole sequence" in said] == [beyond] * (length > longest)
    for one, other in zip(together, found[:longest], strict=True):
        assert one["y"] == other["y"]
        assert one["y:one"] == pytest.approx(other["y:one"], abs=NEAR)
    source = iter([*pieces, b""])
    assert tokens == "words" or "".join(characters(lambda most: next(source))) == whole


@pytest.mark.parametrize(
    ("pieces", "given"),
    [
        (["ab", "c"], ["a", "b", "c"]),
        (["ab\n", "c "], ["ab\n", "c ", ""]),  # nothing is waited for behind white space
        (["a\r", "\nb", "\r"], ["a", "\r\n", "b", "\r"]),
        (["e", "\u0301", "\u0323", "x"], ["", "", "", "e\u0301\u0323", "x"]),
        (["\u1112", "\u1161", "\u11ab", "a"], ["", "", "", "\u1112\u1161\u11ab", "a"]),
        (["\n", "\u0301", "a"], ["\n", "", "\u0301", "a"]),
        ([], [""]),
    ],
)
def test_what_may_still_change_is_held_back(pieces: list[str], given: list[str]) -> None:
    assert list(settled(pieces)) == given


class Torn(io.RawIOBase):
    """Gives its pieces one at a time."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces, self.mode, self.name = iter(pieces), "rb", "torn"

    def readable(self) -> bool:
        return True

    def readinto(self, room: memoryview) -> int:  # type: ignore[override]
        piece = next(self._pieces, b"")
        room[: len(piece)] = piece
        return len(piece)


def steps(text: str, tokens: str) -> int:
    """How many tokens a text has."""
    return len(text) if tokens == "characters" else len(re.findall(r"\w+|[^\w\s]", text))


def test_samples_of_odd_pieces_are_whole() -> None:
    values = np.array([0, 1, -1, 32767, -32768], dtype="<i2")
    source = iter([values.tobytes()[:3], values.tobytes()[3:4], values.tobytes()[4:], b""])
    assert np.concatenate(list(samples(lambda most: next(source)))).tolist() == (values / 32768).tolist()
    with pytest.raises(DataError, match="this is a WAV file"):
        list(samples(lambda most: b"RIFF...."))


def test_values_without_a_header_stand_in_the_order_of_the_model() -> None:
    plain = Table(("x", "y"))
    assert plain.cells("1;2") == {"x": "1", "y": "2"}
    assert plain.cells("[3, null]") == {"x": 3, "y": None}
