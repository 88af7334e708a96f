"""What every registered layer and activation keeps to; a new one is tested here by being registered."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from netwright import registry
from netwright.field import STEPS
from netwright.models.build import build
from netwright.models.layers import Layer
from netwright.models.network import Network
from netwright.models.text import parse
from netwright.spec import ModelSpec

SHAPES = {"image": (3, 8, 9), "vector": (12,), "sequence": (STEPS, 12)}
LENGTHS = (7, 3, 5, 7, 1, 6)


def _texts() -> list[tuple[str, str]]:
    """A text with one registered part, and the kind of input it is tried on."""
    found = []
    for name in registry.parts("layer"):
        layer = registry.resolve("layer", name)
        kinds = [kind for kind in SHAPES if layer.takes in {kind, "any"}]
        kinds += ["image", "sequence"] if layer.takes == "places" else []
        kinds += ["sequence"] if layer.takes == "vector" else []
        found += [(layer.example, kind) for kind in kinds if kind != "sequence" or layer.stepwise]
    return found + [(name, kind) for name in registry.parts("activation") for kind in SHAPES]


every_part = pytest.mark.parametrize(("text", "kind"), _texts())


def made(text: str, kind: str, seed: int = 0) -> Network:
    return build(ModelSpec(layers=text), {"x": SHAPES[kind]}, {"out": 3}, seed).eval()


def batch(kind: str, count: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    if kind != "sequence":
        return {"x": torch.randn(count, *SHAPES[kind], generator=generator)}
    x = torch.randn(count, max(LENGTHS), 12, generator=generator)
    for row, length in zip(x, LENGTHS * 2, strict=False):
        row[length:] = torch.nan  # what is not there
    return {"x": x}


@pytest.mark.parametrize("name", registry.parts("layer"))
def test_a_layer_has_an_example_and_every_option_a_type(name: str) -> None:
    layer = registry.resolve("layer", name)
    assert issubclass(layer, Layer)
    assert layer.takes in {"vector", "image", "sequence", "places", "any"}
    (step,) = parse(layer.example)
    assert step.part == name
    signature = inspect.signature(layer).parameters
    assert next(iter(signature)) == "in_shape"
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.values())


@every_part
def test_the_shape_that_comes_out_is_the_one_declared(text: str, kind: str) -> None:
    network = made(text, kind)
    values = network.values(batch(kind), [node.name for node in network.nodes])
    for node in network.nodes:
        wanted = tuple(size for size in node.shape if size != STEPS)
        found = tuple(values[node.name].shape)
        assert (found[0], found[len(found) - len(wanted) :]) == (6, wanted)
        assert len(found) == 1 + len(node.shape)


@every_part
def test_every_parameter_and_the_input_get_a_gradient(text: str, kind: str) -> None:
    network, inputs = made(text, kind), batch(kind)
    inputs["x"].requires_grad_()
    network(inputs)["out"].square().sum().backward()
    assert all(float(weight.grad.abs().sum()) > 0 for weight in network.parameters())
    assert float(inputs["x"].grad.abs().sum()) > 0
    assert inputs["x"].grad.isfinite().all()


@every_part
def test_batch_mates_change_nothing(text: str, kind: str) -> None:
    network, inputs = made(text, kind), batch(kind)
    together = network(inputs)["out"]
    alone = torch.cat([network({"x": row[None]})["out"] for row in inputs["x"]])
    torch.testing.assert_close(alone, together, rtol=1e-6, atol=1e-6)


@every_part
def test_answering_draws_no_chance(text: str, kind: str) -> None:
    network, state = made(text, kind), torch.random.get_rng_state()
    assert torch.equal(network(batch(kind))["out"], network(batch(kind))["out"])
    assert torch.equal(torch.random.get_rng_state(), state)


@every_part
def test_saved_and_loaded_is_the_same(text: str, kind: str) -> None:
    network, fresh, inputs = made(text, kind), made(text, kind, seed=1), batch(kind)
    fresh.load_state_dict(network.state_dict())
    assert torch.equal(fresh(inputs)["out"], network(inputs)["out"])


@every_part
def test_the_same_seed_gives_the_same_bits(text: str, kind: str) -> None:
    state = torch.random.get_rng_state()
    first, second = made(text, kind).state_dict(), made(text, kind).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.random.get_rng_state(), state)


@every_part
def test_no_parameter_is_left_without_a_first_value(text: str, kind: str) -> None:
    assert all(torch.isfinite(weight).all() and weight.abs().max() < 100 for weight in made(text, kind).parameters())


@every_part
def test_eight_examples_are_learned_by_heart(text: str, kind: str) -> None:
    layers = f"{text}, dense 32, relu" if kind != "vector" or text == "flatten" else f"dense 32, {text}"
    network, inputs, targets = made(layers, kind), batch(kind, 8), torch.arange(8) % 3
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(150):
        if torch.equal(network.eval()(inputs)["out"].argmax(dim=1), targets):
            return
        optimizer.zero_grad()
        nn.functional.cross_entropy(network.train()(inputs)["out"], targets).backward()
        optimizer.step()
    pytest.fail(f"{layers}: eight examples were not learned in 150 steps")


@pytest.mark.parametrize("name", registry.parts("activation"))
def test_an_activation_keeps_the_shape_and_has_the_derivative_of_its_value(name: str) -> None:
    function = registry.resolve("activation", name)
    x = torch.linspace(-3, 3, 40, dtype=torch.float64).reshape(4, 10).add(0.01).requires_grad_()
    assert function(x).shape == x.shape
    if "derivative" in registry.part("activation", name).facts:  # a declared stand-in: where it lets learning through
        function(x).sum().backward()
        assert 0 < float((x.grad != 0).double().mean()) < 1
    else:
        assert torch.autograd.gradcheck(function, x)
    assert torch.isfinite(function(torch.tensor([-1000.0, 1000.0]))).all()
    assert registry.part("activation", name).facts.get("initialiser", "glorot") in registry.parts("initialiser")
