"""Evidence: what a look says of nets whose insides are known."""

from __future__ import annotations

import math
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from netwright.field import STEPS
from netwright.models.layers import Activation
from netwright.models.recurrent import Last, Lstm
from netwright.training.evidence import Evidence, _limits, judged_rate, placed, read
from netwright.training.loop import Budget

if TYPE_CHECKING:
    from tests.conftest import Little


def _net(name: str = "relu") -> nn.Sequential:
    """Four units that see one input each with weights 1, the last one never awake."""
    net = nn.Sequential(nn.Linear(3, 4), Activation((4,), name, {}), nn.Linear(4, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.cat([torch.eye(3), torch.zeros(1, 3)]))
        net[0].bias.copy_(torch.tensor([0.0, 0.0, 0.0, -5.0]))
    return net


def _looks(little: Little, tmp_path: Path, net: nn.Module, steps: int = 15) -> list[dict]:
    little(net=net, observers=[Evidence(tmp_path / "e")], optimizer="sgd", budget=Budget(50, steps=steps)).run()
    return read(tmp_path / "e")


def test_it_looks_first_at_powers_of_two_and_last(little: Little, tmp_path: Path) -> None:
    looks = _looks(little, tmp_path, _net())
    assert [look["step"] for look in looks if "layers" in look] == [0, 1, 2, 4, 8, 15]
    assert [look["step"] for look in looks if "moved" in look] == [2, 3, 5, 9]
    assert list(looks[0]["layers"]) == ["0", "1", "2"]


def test_units_that_never_wake_are_named_and_zeros_counted(little: Little, tmp_path: Path) -> None:
    first = placed(_looks(little, tmp_path, _net()), "first")
    assert first["layers"]["1"]["dead"] == [3]
    assert first["layers"]["1"]["units"] == 4
    assert 0.25 < first["layers"]["1"]["zeros"] < 1
    assert first["weights"]["0"]["zeros"] == pytest.approx(9 / 12)
    assert "counts" not in first["layers"]["0"]  # a layer of weights is told by its weights
    assert sum(first["layers"]["1"]["counts"]) == 4 * 4  # a batch of four


def test_values_at_the_limits_of_a_function_are_saturated(little: Little, tmp_path: Path) -> None:
    net = _net("sigmoid")
    first = placed(_looks(little, tmp_path, net), "first")
    assert 0.2 < first["layers"]["1"]["saturated"] < 0.5  # the unit at -5 is


def test_how_far_the_weights_moved_is_measured_over_one_step(little: Little, tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []
    net = _net()

    class Copy(Evidence):
        def step(self, training: object) -> None:
            seen.append(net[2].weight.detach().clone())
            super().step(training)

    little(net=net, observers=[Copy(tmp_path / "e")], optimizer="sgd", budget=Budget(50, steps=3)).run()
    moved = next(look for look in read(tmp_path / "e") if "moved" in look and look["step"] == 3)
    expected = float((seen[2] - seen[1]).norm() / seen[1].norm())
    assert moved["moved"]["2"] == pytest.approx(expected, rel=1e-4)


def test_a_recurrent_layer_has_the_weights_of_all_its_matrices(little: Little, tmp_path: Path) -> None:
    parts = {"one_step": nn.Unflatten(1, (1, 3)), "lstm1": Lstm((STEPS, 3), 4), "last1": Last((STEPS, 4))}
    net = nn.Sequential(OrderedDict(**parts, out=nn.Linear(4, 1)))
    first = placed(_looks(little, tmp_path, net), "first")
    assert set(first["weights"]) == {"lstm1", "out"}
    matrices = [weight for weight in parts["lstm1"].parameters() if weight.ndim == 2]
    assert len(matrices) == 2
    assert sum(first["weights"]["lstm1"]["counts"]) == sum(weight.numel() for weight in matrices) == 16 * 3 + 16 * 4


@pytest.mark.parametrize(
    ("lr", "told"),
    [
        (0.00002, "looks too low: a step moved the weights by 0.0"),
        (0.05, ""),
        (2.0, "learning rate 2 looks too high"),
    ],
)
def test_a_rate_far_outside_its_range_is_named_in_the_first_epoch(
    little: Little, tmp_path: Path, lr: float, told: str
) -> None:
    training = little(net=_net(), observers=[Evidence(tmp_path / "e")], optimizer="sgd", options={"lr": lr})
    training.run()
    notes = [look["text"] for look in read(tmp_path / "e") if look.get("place") == "warning"]
    assert notes == training.notes
    assert (told in notes[0]) if told else notes == []


def test_the_cure_for_a_wrong_rate_is_ten_times_the_other_way() -> None:
    assert "Try 0.1, or lr: auto." in judged_rate(1.0, 0.5, 2.3, 9.0)
    assert "Try 0.001, or lr: auto." in judged_rate(0.0001, 0.0001, 2.3, 2.2)


def test_a_damaged_line_is_passed_over_and_a_repeated_step_counts_once(tmp_path: Path) -> None:
    (tmp_path / "e").write_text('{"step":1,"place":"step","a":1}\n{"st\n{"step":1,"place":"step","a":2}\n', "utf-8")
    assert read(tmp_path / "e") == [{"step": 1, "place": "step", "a": 2}]
    assert read(tmp_path / "none") == []


def test_a_folder_that_is_gone_costs_a_note_and_not_the_training(little: Little, tmp_path: Path) -> None:
    training = little(net=_net(), observers=[Evidence(tmp_path / "gone" / "e")])
    training.run()
    assert training.epoch == 3
    assert any("What goes on inside is not written any more." in note for note in training.notes)


def test_a_limit_may_be_an_option_of_the_function() -> None:
    assert _limits(Activation((3,), "elu", {})) == (-1.0, math.inf)
    assert _limits(Activation((3,), "elu", {"alpha": 0.5})) == (-0.5, math.inf)
    assert _limits(Activation((3,), "relu6", {})) == (0.0, 6.0)
    assert _limits(Activation((3,), "gelu", {})) is None
