"""Initialisers: the printed bounds and spreads, and what every registered one keeps to."""

from __future__ import annotations

import math

import pytest
import torch

from netwright import registry
from netwright.models.build import build
from netwright.models.initialisers import Draw, rule_of
from netwright.spec import ModelSpec

INPUTS, UNITS = 100, 60


def drawn(name: str, seed: int = 0, **options: float) -> torch.Tensor:
    weight = torch.empty(UNITS, INPUTS)
    Draw(rule_of(name, options), torch.Generator().manual_seed(seed))(weight)
    return weight


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("he", math.sqrt(6 / INPUTS)),
        ("glorot", math.sqrt(6 / (INPUTS + UNITS))),
        ("glorot_printed", 6 / math.sqrt(INPUTS + UNITS)),
        ("fan_in", 1 / math.sqrt(INPUTS)),
    ],
)
def test_a_uniform_rule_fills_its_printed_range(name: str, bound: float) -> None:
    weight = drawn(name)
    assert 0.99 * bound < float(weight.abs().max()) <= bound
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.02)


def test_the_two_readings_of_glorot_at_a_hundred_and_a_hundred() -> None:
    bounds = []
    for name in ("glorot", "glorot_printed"):
        weight = torch.empty(100, 100)
        Draw(rule_of(name, {}), torch.Generator().manual_seed(0))(weight)
        bounds.append(float(weight.abs().max()))
    assert bounds == pytest.approx([0.173, 0.424], abs=0.001)


def test_normal_has_the_spread_asked_for() -> None:
    assert float(drawn("normal").std()) == pytest.approx(0.01, rel=0.03)
    assert float(drawn("normal", spread=0.5).std()) == pytest.approx(0.5, rel=0.03)


def test_orthogonal_rows_have_length_one_and_right_angles() -> None:
    weight = drawn("orthogonal")
    torch.testing.assert_close(weight @ weight.T, torch.eye(UNITS), rtol=0, atol=1e-5)


def test_dirac_filters_pass_their_channels_on_and_the_others_are_drawn() -> None:
    weight = torch.empty(7, 4, 3, 3)
    Draw(rule_of("dirac", {}), torch.Generator().manual_seed(0))(weight)
    pictures = torch.rand(2, 4, 5, 5)
    torch.testing.assert_close(torch.conv2d(pictures, weight, padding=1)[:, :4], pictures)
    assert float(weight[4:].abs().max()) == pytest.approx(1 / 6, rel=0.05)
    assert float(drawn("dirac").abs().max()) == pytest.approx(1 / math.sqrt(INPUTS), rel=0.01)


@pytest.mark.parametrize("name", registry.parts("initialiser"))
def test_every_initialiser_draws_from_its_generator_alone(name: str) -> None:
    state = torch.random.get_rng_state()
    assert torch.equal(drawn(name), drawn(name))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert name == "zeros" or not torch.equal(drawn(name), drawn(name, seed=1))


@pytest.mark.parametrize("name", registry.parts("initialiser"))
def test_every_initialiser_can_be_asked_for_and_fills_every_layer(name: str) -> None:
    wanted = ModelSpec.model_validate({"layers": "conv 4x3, relu, maxout 8, dense 5", "initialiser": name})
    network = build(wanted, {"x": (3, 8, 8)}, {"out": 2}, seed=0)
    sizes = [float(weight.detach().abs().max()) for weight in network.parameters() if weight.ndim > 1]
    assert all(size == 0 for size in sizes) if name == "zeros" else all(0 < size < 3 for size in sizes)


def test_five_layers_of_tanh_saturate_with_the_misprinted_rule_only() -> None:
    """What the 2.4 times wider draw does: most units of the last layer lie beyond 0.9."""
    x, shares = {"x": torch.randn(500, 100, generator=torch.Generator().manual_seed(1))}, {}
    for name in ("glorot", "glorot_printed"):
        wanted = ModelSpec.model_validate({"layers": "x5 {dense 100, tanh}", "initialiser": name})
        network = build(wanted, {"x": (100,)}, {"out": 1}, seed=0)
        value = x["x"]
        for node in network.nodes[1:-1]:
            value = network.module(node.name)(value)
        shares[name] = float((value.abs() > 0.9).float().mean())
    assert shares["glorot"] < 0.05
    assert shares["glorot_printed"] > 0.3
