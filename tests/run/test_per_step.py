"""Runs that answer at every step: from rows, sounds, ink and texts to a table with a row for each step."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from netwright import model_file, run, spec
from netwright.errors import SpecError
from netwright.resolved import load_resolved
from netwright.run.stream import stream

QUICK = "training: {threads: 1, batch_size: 8, optimizer: {lr: 0.02}, stop: {epochs: 12}}"


def walks(folder: Path, people: int = 12) -> Path:
    """Paths up and down between two heights: what is done is told by the way from the step before."""
    chance, rows = np.random.default_rng(0), []
    for clip in range(2 * people):
        height, up = 0.0, True
        for frame in range(int(chance.integers(15, 30))):
            up = height < 2 if abs(height) > 2 else up
            height += chance.uniform(0.5, 1.5) * (1 if up else -1)
            rows.append([f"clip {clip}", f"p{clip // 2}", frame, f"{height:.3f}", "up" if up else "down"])
    with (folder / "walks.csv").open("w", newline="") as sink:
        csv.writer(sink).writerows([["clip", "person", "frame", "height", "doing"], *rows])
    return folder / "walks.csv"


def trained(text: str, out: Path, path: Path, **values: str) -> run.Outcome:
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return run.train(spec.override(spec.load(text), {"data.path": f'"{path}"', **changes}), out=out)


WALK = (
    "{data: {group: clip, order: frame, split: {by: group, column: person, parts: [0.7, 0.1, 0.2]}}, "
    "outputs: {doing: {per: signal}, height: {kind: number, per: signal, weight: 0.1}}, "
    "inputs: {signal: {kind: signal, from: [height]}}, "
    f"model: {{layers: 'conv1d 16x3, relu', causal: true}}, {QUICK.replace('epochs: 12', 'epochs: 60')}}}"
).replace("height: {kind: number, per: signal, weight: 0.1}", "level: {kind: number, from: height, per: signal}")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> tuple[run.Outcome, Path]:
    folder = tmp_path_factory.mktemp("walks")
    table = walks(folder)
    return trained(WALK, folder / "run", table), table


def test_a_class_and_a_number_at_every_step_of_people_never_seen(walked: tuple[run.Outcome, Path]) -> None:
    outcome, _ = walked
    scores = outcome.scores["doing"]["test"]
    assert scores["accuracy"] > 0.95
    assert scores["balanced_accuracy"] > 0.95
    assert outcome.scores["level"]["test"]["r2"] > 0.9
    facts = json.loads((outcome.run / "facts.json").read_text(encoding="utf-8"))
    first = facts["outputs"][0]
    beside = {each["name"]: each["scores"]["accuracy"] for each in first["baselines"]}
    assert beside["linear"] < 0.75 < scores["accuracy"]  # the height alone does not tell the way
    assert sum(map(sum, first["confusion"])) == first["steps"] > 50
    assert "steps of 6 held-out examples right" in outcome.text[0]
    (future,) = [each for each in facts["findings"] if each["name"] == "future"]
    assert future["state"] == "good"
    assert str(model_file.load(outcome.model).replayed).startswith("6 of 6 match")


def test_long_sequences_are_learned_from_in_pieces_and_answered_whole(
    walked: tuple[run.Outcome, Path], tmp_path: Path
) -> None:
    whole, table = walked
    for name, layers in (("forwards", "conv1d 8x3 causal yes, gru 8"), ("both", "gru 8 both yes")):
        model = {"model.layers": f"'{layers}'", "model.causal": "false", "training.stop.epochs": "20"}
        found = trained(WALK, tmp_path / name, table, **model, data__window="6")
        assert found.scores["doing"]["test"]["accuracy"] > 0.9
        one, other = (pq.read_table(each.run / "predictions.parquet") for each in (whole, found))
        assert one.column("doing_truth").equals(other.column("doing_truth"))
        history = [json.loads(line) for line in (found.run / "history.jsonl").read_text().splitlines()]
        assert max(line["step"] for line in history) == 20 * _batches_of_pieces(table, found.run, 6, 8)
        told = {reason.path: reason for reason in load_resolved(found.run / "resolved.yaml").reasons}
        assert told["data.window"].value == "6"


def _batches_of_pieces(table: Path, folder: Path, past: int, size: int) -> int:
    with table.open(newline="") as file:
        frames = Counter(row["clip"] for row in csv.DictReader(file))
    trained_on = [row["id"] for row in pq.read_table(folder / "ledger.parquet").to_pylist() if row["split"] == "train"]
    return -(-sum(-(-frames[clip] // past) for clip in trained_on) // size)


def test_held_out_answers_are_kept_with_a_row_for_each_step(walked: tuple[run.Outcome, Path]) -> None:
    outcome, table = walked
    kept = pq.read_table(outcome.run / "predictions.parquet").to_pylist()
    with table.open(newline="") as file:
        truths = [(row["clip"], row["doing"], float(row["height"])) for row in csv.DictReader(file)]
    of = [(row["id"], row["doing_truth"], pytest.approx(row["level_truth"], abs=1e-4)) for row in kept]
    assert {row["part"] for row in kept} == {"validation", "test"}
    for clip in {row["id"] for row in kept}:
        assert [each for each in of if each[0] == clip] == [each for each in truths if each[0] == clip]
        assert [row["step"] for row in kept if row["id"] == clip] == list(
            range(1, len([t for t in truths if t[0] == clip]) + 1)
        )


def test_new_rows_are_answered_row_by_row_and_broken_sequences_told(
    walked: tuple[run.Outcome, Path], tmp_path: Path
) -> None:
    outcome, _ = walked
    rows = ["frame,clip,height", *[f"{place},a,{place}" for place in (2, 1, 3)], "1,b,0", "2,b,high", "1,c,0.5"]
    (tmp_path / "new.csv").write_text("\n".join(rows))
    found = run.predict(outcome.run, [tmp_path / "new.csv"], out=tmp_path / "out.csv").to_pylist()
    assert [(row["id"], row["step"]) for row in found] == [("a", 1), ("a", 2), ("a", 3), ("b", None), ("c", 1)]
    assert [row["doing"] for row in found[1:3]] == ["up", "up"]
    assert found[3]["doing"] is None
    assert "step 2:" in found[3]["problem"]
    named = [f"{row},p{k % 2}" if k else f"{row},id" for k, row in enumerate(rows[:4])]  # not whose sequence it is
    (tmp_path / "named.csv").write_text("\n".join(named))
    assert run.predict(outcome.run, [tmp_path / "named.csv"]).column("id").to_pylist() == ["a", "a", "a"]
    (tmp_path / "plain.csv").write_text("height\n0\n1.2\n0.1\n")  # no column says what belongs together: one sequence
    plain = run.predict(outcome.run, [tmp_path / "plain.csv"]).to_pylist()
    assert [(row["id"], row["step"], row["doing"]) for row in plain][1:] == [("plain", 2, "up"), ("plain", 3, "down")]


def test_dates_of_new_rows_are_read_as_those_of_training(tmp_path: Path) -> None:
    days = [
        f"{clip},{day:02}/01/2024,{day % 7},{'up' if day % 2 else 'down'}" for clip in range(12) for day in (3, 9, 20)
    ]
    table, new = tmp_path / "days.csv", tmp_path / "new.csv"
    table.write_text("\n".join(["clip,day,height,doing", *days]), encoding="utf-8")
    text = (
        WALK.replace("order: frame", "order: day")
        .replace("column: person", "column: clip")
        .replace("epochs: 60", "epochs: 1")
    )
    outcome = trained(text.replace(", level: {kind: number, from: height, per: signal}", ""), tmp_path / "run", table)
    new.write_text("clip,day,height\na,02/03/2024,1\na,03/02/2024,2\n", encoding="utf-8")
    assert [row["day"] for row in run.predict(outcome.run, [new]).to_pylist()] == ["03/02/2024", "02/03/2024"]


def test_other_rows_are_scored_as_sequences(walked: tuple[run.Outcome, Path], tmp_path: Path) -> None:
    outcome, table = walked
    lines = table.read_text().splitlines()
    (tmp_path / "other.csv").write_text("\n".join([lines[0], *[line.replace("clip", "new") for line in lines[1:200]]]))
    found = run.evaluate(outcome.run, data=tmp_path / "other.csv")
    assert found.scores["doing"]["accuracy"] > 0.9
    low, high = found.intervals["doing"]["accuracy"]
    assert low <= found.scores["doing"]["accuracy"] <= high


def test_features_of_a_table_are_those_of_its_sequences(walked: tuple[run.Outcome, Path], tmp_path: Path) -> None:
    outcome, table = walked
    own, other = (
        run.features(outcome.run, given, out=tmp_path / f"{name}.parquet").table.sort_by("id")
        for name, given in (("own", []), ("other", [table]))
    )
    assert own["id"].to_pylist() == other["id"].to_pylist()
    for name in own.column_names:
        if name.startswith("feature_"):
            assert np.allclose(own[name].to_numpy(), other[name].to_numpy(), atol=1e-6)


def test_without_causal_the_default_reads_both_ways(tmp_path: Path) -> None:
    text = (
        WALK.replace(", causal: true", "")
        .replace("layers: 'conv1d 16x3, relu'", "width: 8")
        .replace("epochs: 60", "epochs: 1")
    )
    outcome = trained(text, tmp_path / "run", walks(tmp_path, 6))
    assert model_file.load(outcome.model).spec.model.layers == "lstm 8 both yes"
    with pytest.raises(SpecError, match="reads from the end to the beginning as well"):
        stream(outcome.run)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model__layers": "lstm 8 both yes"}, r"which model\.causal rules out"),
        ({"model__layers": "gru 8, last"}, "doing answers at every step, and the layers end in a vector"),
        (
            {"model__layers": "conv1d 8x3 stride 2"},
            r"conv1d 8x3 stride 2 leaves steps out, and doing answers at every step",
        ),
        ({"inputs": "{clip: {}}", "outputs": "{doing: {per: clip}}"}, "there are no steps to answer at"),
        ({"outputs.doing.calibrate": "true"}, "answers at every step are not calibrated"),
        ({"outputs.doing.positive": "up"}, "doing is answered at every step, where none is sought"),
        ({"outputs": "{person: {}}", "model__causal": "null", "data__split__by": "random"}, ""),
    ],
)
def test_what_cannot_be_answered_at_every_step_is_told(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    text = WALK.replace("epochs: 60", "epochs: 1")
    if not says:  # one class for each sequence of rows works as well
        outcome = trained(text, tmp_path / "run", walks(tmp_path), **{**changes, "data__split": "{by: random}"})
        assert "held-out examples right" in outcome.text[0]
        return
    with pytest.raises(SpecError, match=says):
        trained(text, tmp_path / "run", walks(tmp_path, 6), **changes)


def test_a_class_for_each_frame_of_a_sound_and_raw_sound_streamed(tmp_path: Path) -> None:
    chance, lines = np.random.default_rng(0), ["file,voice"]
    for place in range(30):
        quiet, loud = (int(chance.integers(10, 30)) for _ in range(2))
        time = np.arange(loud * 80) / 8000
        sound = np.concatenate([np.zeros(quiet * 80), 0.3 * np.sin(2 * np.pi * 440 * time)]) + chance.normal(
            0, 0.003, (quiet + loud) * 80
        )
        soundfile.write(tmp_path / f"{place}.wav", sound, 8000, subtype="PCM_16")
        frames = (len(sound) - 256) // 80 + 1
        lines.append(f"{place}.wav,{' '.join('on' if frame >= quiet - 1 else 'off' for frame in range(frames))}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    wish = "inputs: {file: {kind: audio}}, outputs: {voice: {per: file}}, model: {layers: 'gru 8', causal: true}"
    text = f"{{{wish}, {QUICK}}}"
    outcome = trained(text, tmp_path / "run", tmp_path / "table.csv")
    assert outcome.scores["voice"]["test"]["accuracy"] > 0.9
    (tmp_path / "raw.pcm").write_bytes(soundfile.read(tmp_path / "0.wav", dtype="int16")[0].tobytes())
    whole = run.predict(outcome.run, [tmp_path / "0.wav"]).to_pylist()
    pieces = list(stream(outcome.run, tmp_path / "raw.pcm", idle=0.0))
    assert [row["step"] for row in pieces] == [row["step"] for row in whole]
    assert max(abs(one["voice:on"] - other["voice:on"]) for one, other in zip(pieces, whole, strict=True)) <= 1e-5


def test_a_class_for_each_point_of_ink_and_each_word_of_a_text(tmp_path: Path) -> None:
    chance, ink, words = np.random.default_rng(0), ["ink,side"], ["text,sort"]
    names, verbs = ("ann", "bo", "cy"), ("runs", "sees", "eats")
    for _ in range(60):
        points = chance.integers(-9, 9, (int(chance.integers(3, 8)), 2))
        points = np.concatenate([points, points[-1:]])  # the pen stands still: that point is answered, too
        sides = ["left" if x < points[:, 0].mean() else "right" for x in points[:, 0]]
        ink.append(f'"{json.dumps(points.tolist())}","{" ".join(sides)}"')
        said = [str(chance.choice(names if place % 2 == 0 else verbs)) for place in range(int(chance.integers(2, 6)))]
        words.append(f"{' '.join(said)},{' '.join('name' if word in names else 'verb' for word in said)}")
    for name, lines, wish, layers in (
        ("ink", ink, "inputs: {ink: {kind: ink}}, outputs: {side: {per: ink}}", "dense 16, relu"),
        ("text", words, "inputs: {text: {kind: text, tokens: words, embed: 4}}, outputs: {sort: {per: text}}", "gru 4"),
    ):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
        text = f"{{data: {{duplicates: accept}}, {wish}, model: {{layers: '{layers}'}}, {QUICK}}}"
        outcome = trained(text, tmp_path / f"run {name}", tmp_path / f"{name}.csv")
        (scores,) = outcome.scores.values()
        assert scores["test"]["accuracy"] > 0.85, name
        assert "60 of 60" not in str(outcome.text)  # none was set aside


def test_causal_needs_a_sequence_whose_steps_stay_as_they_are(tmp_path: Path) -> None:
    ink = [f'"[[0,{place}],[{place % 3},1]]",{"ab"[place % 2]}' for place in range(30)]
    (tmp_path / "ink.csv").write_text("\n".join(["ink,y", *ink]))
    text = "{data: {duplicates: accept}, inputs: {ink: {kind: ink}}, outputs: {y: {}}, model: {causal: true}}"
    with pytest.raises(SpecError, match="ink is placed in a frame of all its points"):
        trained(text, tmp_path / "run", tmp_path / "ink.csv")
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{place},{'ab'[place % 2]}\n" for place in range(30)))
    with pytest.raises(SpecError, match="no sequence goes in"):
        trained(
            "{data: {duplicates: accept}, outputs: {y: {}}, model: {causal: true}}",
            tmp_path / "run",
            tmp_path / "table.csv",
        )
