"""Layers of learned bends, places and chance, with answers known by thought."""

from __future__ import annotations

import math

import pytest
import torch

from netwright.errors import SpecError
from netwright.models.build import build, table
from netwright.models.layers import Dropout, Maxout, Rbf
from netwright.models.text import parse
from netwright.spec import ModelSpec


def test_maxout_takes_the_largest_sum_of_each_group() -> None:
    layer = Maxout((1,), 2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0], [-1.0], [1.0], [0.0]]))  # |x|, and relu
        layer.bias.zero_()
    assert layer(torch.tensor([[-3.0], [2.0]])).tolist() == [[3.0, 0.0], [2.0, 2.0]]


def test_maxout_multiplies_its_parameters_by_the_group() -> None:
    network = build(ModelSpec(layers="maxout 10 group 3"), {"x": (7,)}, {"out": 1}, 0)
    row = next(row for row in table(network, 1) if row.layer == "maxout1")
    assert row.parameters == 3 * (10 * 7 + 10)
    assert row.shape == (10,)


def test_an_rbf_unit_is_1_at_its_centre_and_falls_off_with_the_squared_distance() -> None:
    layer = Rbf((2,), 1)
    with torch.no_grad():
        layer.centres.copy_(torch.tensor([[1.0, 2.0]]))
        layer.log_width.fill_(math.log(3.0))
    found = layer(torch.tensor([[1.0, 2.0], [1.0, 5.0], [4.0, 6.0]]))[:, 0].tolist()
    assert found == pytest.approx([1.0, math.exp(-1), math.exp(-25 / 9)])


def test_rbf_units_begin_where_standardised_inputs_are_and_feel_them() -> None:
    network = build(ModelSpec(layers="rbf 50"), {"x": (10,)}, {"out": 1}, 0)
    value = network.module("rbf1")(torch.randn(200, 10, generator=torch.Generator().manual_seed(0)))
    assert 0.2 < value.mean().item() < 0.6


def test_rbf_units_tell_a_ring_from_its_middle_where_a_line_cannot() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 2, generator=generator)
    inside = (x.norm(dim=1) < 1.1).long()
    rights = {}
    for layers in ("rbf 8", "dense 8"):
        network = build(ModelSpec(layers=layers), {"x": (2,)}, {"out": 2}, 0)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
        for _ in range(200):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network({"x": x})["out"], inside).backward()
            optimizer.step()
        rights[layers] = float((network({"x": x})["out"].argmax(dim=1) == inside).float().mean())
    assert rights["rbf 8"] > 0.95
    assert rights["dense 8"] < 0.7


def test_dropout_makes_holes_while_training_and_keeps_the_mean() -> None:
    layer, x = Dropout((1000,), 0.25), torch.ones(20, 1000)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        value = layer.train()(x)
    assert float((value == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert float(value.mean()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("share", [0.5, 0.2, 1e-9, 0.99999])
def test_each_number_is_dropped_by_its_own_draw(share: float) -> None:
    """Four numbers share 64 random bits: none of the four places, and no pair of them, may be favoured."""
    layer = Dropout((4, 50), share).train()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        dropped = (layer(torch.ones(5000, 4, 50)) == 0).float().reshape(-1, 4)
    assert dropped.mean(dim=0).tolist() == pytest.approx([share] * 4, abs=0.005)
    if 0.1 < share < 0.9:
        assert (torch.corrcoef(dropped.T) - torch.eye(4)).abs().max() < 0.015


def test_dropout_of_everything_is_refused() -> None:
    with pytest.raises(SpecError, match="share is 1, expected 0 or more and less than 1"):
        build(ModelSpec(layers="dropout 1.0"), {"x": (3,)}, {"out": 1}, 0)


def test_a_group_of_one_is_no_maxout() -> None:
    with pytest.raises(SpecError, match="group is 1; the least is 2"):
        build(ModelSpec(layers="maxout 4 group 1"), {"x": (3,)}, {"out": 1}, 0)


def test_the_words_of_the_text_fill_them() -> None:
    assert [step.options for step in parse("maxout 64 group 3, dropout 0.5, rbf 9, threshold at 0.5")] == [
        (("units", 64), ("group", 3)),
        (("share", 0.5),),
        (("units", 9),),
        (("at", 0.5),),
    ]
