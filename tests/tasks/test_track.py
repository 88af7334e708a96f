import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.field import Field
from netwright.spec import OutputSpec
from netwright.tasks.task import Coded, task_for
from netwright.tasks.track import Track

PLAIN = {"onward": "path", "horizon": 3, "step": 2.0, "columns": "x, y"}
FIELD = Field(
    name="next", kind="track", source="next", shape=(2,), dtype="float64", ragged=True,
    mean=(100.0, 50.0), std=(1.0, 1.0), options=PLAIN,
)  # fmt: skip
TARGETS = torch.tensor([[[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], [[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]])


def made(**wish: object) -> Track:
    task = task_for("next", FIELD, OutputSpec.model_validate({"of": "path", "horizon": 3, **wish}))
    assert isinstance(task, Track)
    return task


def test_answers_lie_where_the_data_lies_and_distances_are_in_its_unit() -> None:
    task = made()
    answers = task.answers(TARGETS.flatten(1))
    assert answers[0].tolist() == [[101, 50], [102, 50], [103, 50]]
    assert task.score(answers, TARGETS) == {"ade": 0.0, "fde": 0.0}
    off = answers + torch.tensor([[0.0, 0.0], [0.0, 3.0], [4.0, 0.0]])
    assert task.score(off, TARGETS) == {"ade": pytest.approx(7 / 3), "fde": 4.0}
    assert task.decode(answers)[0] == "(101, 50) (102, 50) (103, 50)"
    assert task.words(TARGETS) == task.decode(answers)
    assert task.columns(answers)["_y_3"] == [50.0, 53.0]


def test_the_loss_is_the_mean_distance_in_usual_steps() -> None:
    off = (TARGETS + torch.tensor([3.0, 4.0])).flatten(1)
    assert made().terms(off, TARGETS).tolist() == pytest.approx([2.5, 2.5], abs=1e-3)
    assert made(loss="squared").terms(off, TARGETS).tolist() == pytest.approx([3.125, 3.125])


def test_losses_units_and_bases_that_fit_no_track_are_refused_together() -> None:
    with pytest.raises(SpecError, match="hinge compares classes") as no:
        made(loss="hinge", unit="softmax", base="season")
    assert "points may lie anywhere" in no.value.message
    assert "season is for a series" in no.value.message


def test_intervals_draw_whole_tracks() -> None:
    task = made()
    truth = torch.zeros(40, 3, 2)
    off = torch.zeros(40, 3, 2, dtype=torch.float64) + torch.tensor([100.0, 50.0])
    off[:20, :, 0] += 1
    by_window = task.interval(off, truth)["ade"]
    by_track = task.interval(off, truth, np.arange(40) // 20)["ade"]
    assert by_track == (0.0, 1.0)
    assert 0.2 < by_window[0] < by_window[1] < 0.8


def test_baselines_are_standing_the_last_step_and_a_straight_line() -> None:
    task = made()
    seen = torch.tensor([[[-2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], [[0.0, -1.0], [0.0, 0.0], [torch.nan, torch.nan]]])
    coded = Coded({"path": torch.zeros(2, 1)}, TARGETS, steps={"path": seen})
    found = {each.name: each.scores for each in task.baselines(coded, coded, 0)}
    assert found["standing"] == {"ade": pytest.approx(2), "fde": pytest.approx(3)}
    assert found["constant_velocity"]["ade"] == pytest.approx(0, abs=1e-6)
    assert found["straight_line"]["ade"] == pytest.approx(0, abs=1e-6)
    bent = Coded({"path": torch.zeros(1, 1)}, TARGETS[:1], steps={"path": torch.tensor([[[0.0, 0], [0, 0], [3, 0]]])})
    line = {each.name: each.scores for each in task.baselines(bent, bent, 0)}["straight_line"]
    assert line["fde"] == pytest.approx(1 + 1.5 * 4 - 3)  # through (1, 1), 1.5 a step


def test_on_the_globe_distances_are_metres_and_longitudes_end_at_180() -> None:
    field = FIELD.model_copy(update={"mean": (179.99, 60.0), "options": {**PLAIN, "geographic": True, "step": 100.0}})
    task = task_for("next", field, OutputSpec.model_validate({"of": "path", "horizon": 3}))
    answers = task.answers(torch.tensor([[0.0, 0.0, 5_000.0, 0.0, 0.0, 1_000.0]]))
    assert float(answers[0, 1, 0]) == pytest.approx(-179.92, abs=0.01)
    assert float(answers[0, 2, 1]) == pytest.approx(60 + 1_000 / 111_195, abs=1e-4)
    assert task.score(answers, torch.tensor([[[0.0, 0.0], [5_000.0, 0.0], [0.0, 1_000.0]]]))["ade"] < 0.01
    assert task.remarks() == ["ade and fde are in metres, the answers in degrees"]
