import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.field import STEPS, Field
from netwright.models.ahead import Frame, Going, level, season_ago, season_on
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec, OutputSpec
from netwright.tasks.series import Series
from netwright.tasks.task import Coded, task_for

FIELD = Field(
    name="next", kind="series", source="next", shape=(1,), dtype="float64", ragged=True,
    mean=(100.0,), std=(10.0,), options={"onward": "series", "horizon": 4, "season": 3, "columns": "sold"},
)  # fmt: skip
SEEN = torch.tensor([[0.0, 1.0, 2.0, 1.0, 2.0, 3.0]])[..., None]  # a season of three, and one more each


def made(field: Field = FIELD, **wish: object) -> Series:
    task = task_for("next", field, OutputSpec.model_validate({"of": "series", "horizon": 4, **wish}))
    assert isinstance(task, Series)
    return task


def network(name: str = "season", season: int = 3) -> Network:
    frame = Frame("series", 1.0, 1.0, season=season, going={"next": Going(4, name)})
    return build(ModelSpec(layers="gru 4"), {"series": (STEPS, 1)}, {"next": 4}, 0, frames={"series": frame}).eval()


def test_answers_and_scores_are_in_the_series_own_units() -> None:
    task, coded = made(), torch.tensor([[0.0, 1.0, -1.0, 2.0]])
    answers = task.answers(coded)
    assert answers.flatten().tolist() == [100, 110, 90, 120]
    scores = task.score(answers + torch.tensor([3.0]), coded[..., None])
    assert scores == {"rmse": pytest.approx(3.0), "mae": pytest.approx(3.0)}
    assert task.decode(answers) == [[100, 110, 90, 120]]
    assert list(task.columns(answers)) == ["_sold_1", "_sold_2", "_sold_3", "_sold_4"]
    assert task.words(coded[..., None]) == ["100, 110, 90, 120"]


def test_a_season_ago_and_what_has_grown_since() -> None:
    count = torch.tensor([6])
    assert season_ago(SEEN, count, 3, 4).flatten().tolist() == [1, 2, 3, 1]
    assert season_on(SEEN, count, 3, 4).flatten().tolist() == [2, 3, 4, 2]
    assert season_on(SEEN[:, :3], torch.tensor([3]), 3, 4).flatten().tolist() == [0, 1, 2, 0]
    assert season_ago(SEEN[:, :2], torch.tensor([2]), 3, 4).flatten().tolist() == [1, 0, 1, 1]


def test_baselines_follow_from_what_was_seen() -> None:
    truth = torch.tensor([[2.0, 3.0, 4.0, 3.0]])[..., None]
    coded = Coded({"series": torch.zeros(1, 1)}, truth, steps={"series": SEEN})
    found = {each.name: each.scores["mae"] for each in made().baselines(coded, coded, 0)}
    assert found == {
        "last_value": pytest.approx(5.0),
        "season_ago": pytest.approx(12.5),
        "season_and_growth": pytest.approx(2.5),
    }
    plain = FIELD.model_copy(update={"options": {**FIELD.options, "season": 0}})
    assert {each.name for each in made(plain).baselines(coded, coded, 0)} == {"last_value", "last_step"}


def test_a_base_that_a_series_has_not_is_refused() -> None:
    with pytest.raises(SpecError, match="base: motion is for a track"):
        made(base="motion")
    with pytest.raises(SpecError, match="base: season is not known"):
        made(FIELD.model_copy(update={"options": {**FIELD.options, "season": 0}}), base="season")
    with pytest.raises(SpecError, match="compares points of a track"):
        made(loss="displacement")


def test_a_head_that_adds_nothing_answers_as_its_base() -> None:
    for base, wanted in (("season", [2.0, 3.0, 4.0, 2.0]), ("last", [3.0] * 4)):
        net = network(base)
        with torch.no_grad():
            for weight in net.module("next").parameters():
                weight.zero_()
        assert net({"series": SEEN})["next"].flatten().tolist() == wanted


def test_a_series_twice_as_high_is_answered_twice_as_high() -> None:
    net = network()
    seen = torch.randn(5, 9, 1, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net({"series": 2 * seen + 3})["next"], 2 * net({"series": seen})["next"] + 3)
    assert level(seen, None).spread.shape == (5, 1, 1)


def test_padding_and_batch_mates_change_nothing() -> None:
    net = network()
    seen = torch.randn(2, 9, 1, generator=torch.Generator().manual_seed(0))
    short = seen[1:, :2]
    both = torch.cat([seen[:1], torch.cat([short, torch.full((1, 7, 1), torch.nan)], dim=1)])
    together = net({"series": both})["next"]
    torch.testing.assert_close(together[:1], net({"series": seen[:1]})["next"])
    torch.testing.assert_close(together[1:], net({"series": short})["next"])


def test_several_columns_are_said_to_be_mixed() -> None:
    two = FIELD.model_copy(update={"shape": (2,), "mean": (0.0, 0.0), "std": (1.0, 1.0)})
    assert made(two).remarks(torch.zeros(1, 4, 2)) == [
        "scores are means over columns in their own units",
        "forecasts from neighbouring origins share steps: the true interval is wider",
    ]
    assert np.isfinite(list(made(two).score(torch.zeros(1, 4, 2).double(), torch.zeros(1, 4, 2)).values())).all()
