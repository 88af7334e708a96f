"""Tracks from a user's tables to points that come: training, the model file, answers, the report."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from netwright import model_file, recipes, run, spec
from netwright.data.augment import Draw
from netwright.data.augment.geometry import Mirror
from netwright.errors import SpecError
from netwright.resolved import load_resolved
from netwright.training.strategies.augment import moved

TURN = 0.25  # radians a step, of those whose last column says so


def circles(folder: Path, count: int = 90, steps: int = 24) -> Path:
    """People who turn left or right all the time; a column says which, and their path too."""
    chance = np.random.default_rng(0)
    rows = ["time id x y side"]
    for k in range(count):
        side, angle = 1 if k % 2 else -1, chance.uniform(0, 6)
        place = chance.uniform(-20, 20, 2)
        for step in range(steps):
            rows.append(f"{step} {k} {place[0]:.5f} {place[1]:.5f} {side}")
            place = place + 0.8 * np.array([np.cos(angle), np.sin(angle)])
            angle += side * TURN
    (folder / "walks.txt").write_text("\n".join(rows))
    return folder / "walks.txt"


QUICK = "training: {threads: 1, batch_size: 64, optimizer: {lr: 0.02}, stop: {epochs: 12}}, model: {layers: gru 8}"


def asked(path: Path, **values: str) -> spec.Spec:
    text = (
        f"{{data: {{window: {{past: 4, least: 2}}}}, inputs: {{path: {{kind: track}}}}, "
        f"outputs: {{next: {{of: path, horizon: 3}}}}, {QUICK}}}"
    )
    given = {"data.path": f'"{path}"', **{name.replace("__", "."): value for name, value in values.items()}}
    return spec.override(spec.load(text), given)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> run.Outcome:
    folder = tmp_path_factory.mktemp("tracks")
    return run.train(asked(circles(folder)), out=folder / "run")


def test_who_turns_is_followed_and_the_last_step_is_not(outcome: run.Outcome) -> None:
    scores = outcome.scores["next"]["test"]
    facts = json.loads((outcome.run / "facts.json").read_text())
    baselines = {each["name"]: each["scores"]["ade"] for each in facts["outputs"][0]["baselines"]}
    assert set(baselines) == {"standing", "constant_velocity", "straight_line"}
    assert scores["ade"] < 0.5 * min(baselines.values())
    assert facts["outputs"][0]["intervals"]["ade"][0] < scores["ade"] < facts["outputs"][0]["intervals"]["ade"][1]
    assert "match" in str(model_file.load(outcome.model).replayed)


def test_the_report_draws_held_out_tracks_with_all_four_ways(outcome: run.Outcome) -> None:
    facts = json.loads((outcome.run / "facts.json").read_text())
    tracks = facts["outputs"][0]["tracks"]
    assert len(tracks) == 12
    assert len({each["id"].split()[0] for each in tracks}) == 12  # each of another track
    assert {len(each["true"]) for each in tracks} == {len(each["answer"]) for each in tracks} == {3}
    page = outcome.report.read_text()
    assert page.count("points seen; the net is off by") == 12
    assert "Where they went" in page


def test_the_last_points_of_each_track_are_gone_on_with(outcome: run.Outcome, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("time id x y\n0 a 0 0\n1 a 1 0\n2 a 2 0\n0 b 5 5\n1 b 5 6\n0 c 1 1\n")
    answers = run.predict(outcome.run, [tmp_path / "new.txt"]).to_pylist()
    assert [(each["id"], each["problem"]) for each in answers if each.get("problem")] == [
        ("c", "refused: has 1 step in the end, 2 are needed.")
    ]
    (a,) = (each for each in answers if each["id"] == "a at 2")
    assert 2.2 < a["next_x_1"] < 3.5
    assert list(a)[1:7] == ["next_x_1", "next_y_1", "next_x_2", "next_y_2", "next_x_3", "next_y_3"]


def test_new_tracks_without_a_header_are_read_as_those_of_training(tmp_path: Path) -> None:
    """Two side by side are nearer to each other than to where they were: by content frame and id are swapped."""
    rows = [f"{who} {frame} {frame * 0.5 + 0.25} {50 * who}.5" for who in range(8) for frame in range(12)]
    (tmp_path / "walks.txt").write_text("\n".join(rows), encoding="utf-8")
    text = "{data: {path: %s, window: 4}, outputs: {next: {of: path, horizon: 2}}, inputs: {path: {kind: track}}}"
    wish = spec.override(spec.load(text % (tmp_path / "walks.txt")), {"training.stop.epochs": "1"})
    out = run.train(wish, out=tmp_path / "run")
    both = "\n".join(f"{who} {frame} {frame * 0.5 + 0.25} 3.5{who}" for who in (3, 4) for frame in range(5))
    (tmp_path / "new.txt").write_text(both, encoding="utf-8")
    assert [each["id"] for each in run.predict(out.run, [tmp_path / "new.txt"]).to_pylist()] == ["3 at 4", "4 at 4"]


def test_predictions_of_held_out_tracks_lie_where_the_data_lies(outcome: run.Outcome) -> None:
    table = pq.read_table(outcome.run / "predictions.parquet").to_pylist()
    first = table[0]
    truth = [float(value.strip("()")) for value in first["next_truth"].split(") (")[0].split(",")]
    assert abs(first["next_x_1"] - truth[0]) < 1.5


def test_other_recordings_are_scored(outcome: run.Outcome, tmp_path: Path) -> None:
    found = run.evaluate(outcome.run, data=circles(tmp_path, count=2))
    assert found.examples == 2 * (24 - 2 - 3 + 1)
    assert found.scores["next"]["ade"] < 0.3
    assert found.intervals["next"]["ade"][0] < found.scores["next"]["ade"]


def test_a_resumed_run_reads_the_same_windows(tmp_path: Path) -> None:
    path = circles(tmp_path, count=24)
    whole = run.train(asked(path, training__stop__epochs="2"), out=tmp_path / "whole")
    again = run.train(load_resolved(whole.run / "resolved.yaml"), out=tmp_path / "again")
    assert whole.scores == again.scores


def test_columns_beside_the_coordinates_go_in(tmp_path: Path) -> None:
    path = circles(tmp_path, count=40)
    wish = asked(path, inputs__path="{kind: track, from: [x, y, side]}", data__window="{past: 2}")
    beside = run.train(wish, out=tmp_path / "beside").scores["next"]["test"]["ade"]
    alone = run.train(asked(path, data__window="{past: 2}"), out=tmp_path / "alone").scores["next"]["test"]["ade"]
    assert beside < 0.7 * alone  # two points do not tell the side; the column does


def test_a_mirrored_track_and_what_comes_of_it_move_alike() -> None:
    points = torch.tensor([[[1.0, 2.0, 0.6, 0.8, 5.0]]]).expand(64, 3, 5)
    matrix = Mirror().plane(Draw(0, "augment/mirror", 0, torch.arange(64)))
    seen = moved(points, matrix, 2)
    sides = matrix[:, 0, 0]
    assert set(sides.tolist()) == {-1.0, 1.0}
    assert torch.equal(seen[:, 0], torch.stack([sides, sides * 0 + 2, 0.6 * sides, sides * 0 + 0.8, sides * 0 + 5], 1))


def test_what_moves_no_track_is_refused(tmp_path: Path) -> None:
    path = circles(tmp_path, count=12)
    with pytest.raises(SpecError, match="colour leaves track as it is"):
        run.train(asked(path, inputs__path__augment="[mirror, colour]"), out=tmp_path / "run")


def test_the_recipe_and_the_words_of_the_command_line(
    tmp_path: Path, netwright: Callable[..., CompletedProcess[str]]
) -> None:
    wanted = recipes.load("path")
    assert wanted.outputs["next"].horizon == 12
    path = circles(tmp_path, count=24)
    ran = netwright(
        "train", str(path), "--in", "track", "--out", "next", "--epochs", "1", "--layers", "lstm 4", "--to", "r"
    )
    assert ran.returncode == 0, ran.stderr
    assert "mean distance" in ran.stdout.casefold()
    assert "id: which track a row belongs to" in ran.stderr + ran.stdout
    table = tmp_path / "named.csv"
    table.write_text("track,frame,x,y\n" + "\n".join(f"{k},{j},{j},{k}" for k in range(9) for j in range(25)))
    ran = netwright("train", str(table), "--in", "track", "--out", "next")
    assert ran.returncode == 2
    assert "is a column of" in ran.stderr
    assert "--in path:track" in ran.stderr
