"""One unit: the terms of a net whose weights are known, and what a run says of a real example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from netwright import run, spec
from netwright.errors import SpecError
from netwright.lens.unit import learned, unit_view
from netwright.models.build import build
from netwright.report.facts import Facts
from netwright.run.folder import RunFolder
from netwright.spec import ModelSpec


def test_a_known_neuron() -> None:
    network = build(ModelSpec(layers="dense 2, relu"), {"table": (3,)}, {"price": 1}, 0).eval()
    dense = network.module("dense1")
    with torch.no_grad():
        dense.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, -1.0]]))
        dense.bias.copy_(torch.tensor([0.5, 0.0]))
    x = {"table": torch.tensor([[1.0, -1.0, 2.0]])}
    found = unit_view(network, x, "dense1", 0)
    assert (found.weights, found.inputs, found.bias) == ((1, 2, 3), (1, -1, 2), 0.5)
    assert (found.activation, found.added, found.function, found.output) == (5.5, 5.5, "relu", 5.5)
    asleep = unit_view(network, x, "dense1", 1)
    assert (asleep.activation, asleep.output) == (-2, 0)
    assert unit_view(network, x, "price", 0).function == "identity"


def test_a_known_maxout_unit_is_a_bent_line() -> None:
    network = build(ModelSpec(layers="maxout 2 group 3"), {"table": (2,)}, {"price": 1}, 0).eval()
    maxout = network.module("maxout1")
    with torch.no_grad():
        maxout.weight.zero_()
        maxout.weight[3:, 0] = torch.tensor([1.0, -1.0, 0.0])  # max(x, -x, 0.5) of the second unit
        maxout.bias.zero_()
        maxout.bias[5] = 0.5
    found = unit_view(network, {"table": torch.tensor([[-2.0, 7.0]])}, "maxout1", 1)
    assert (found.weights, found.activation, found.added, found.smaller) == ((-1, 0), 2, 2, (0.5, -2))
    function = learned(
        network, {"table": torch.randn(400, 2, generator=torch.Generator().manual_seed(0))}, "maxout1", 1
    )
    assert torch.equal(function.output, function.sums.max(dim=0).values)
    bends = function.sums.argmax(dim=0).diff().count_nonzero()
    assert bends == 2
    assert float(function.output.min()) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("layer", "place", "told"), [("relu1", 0, '"relu1" is no layer of weighted'), ("dense1", 2, "units 0 to 1, not 2")]
)
def test_what_is_no_unit_is_refused(layer: str, place: int, told: str) -> None:
    network = build(ModelSpec(layers="dense 2, relu"), {"table": (3,)}, {"price": 1}, 0)
    with pytest.raises(SpecError, match=told):
        unit_view(network, {"table": torch.zeros(1, 3)}, layer, place)


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """y = 3 a - 2 b + 10, learned by a linear net."""
    draw, path = torch.Generator().manual_seed(0), tmp_path_factory.mktemp("line") / "line.csv"
    rows = [f"{a:.4f},{100 * b:.4f},{3 * a - 2 * b + 10:.4f}" for a, b in torch.randn(300, 2, generator=draw).tolist()]
    path.write_text("a,b,y\n" + "\n".join(rows) + "\n", encoding="utf-8")
    text = (
        "{data: {path: %s}, outputs: [y], model: {layers: ''}, training: {optimizer: {lr: 0.05}, stop: {epochs: 40}}}"
    )
    return run.train(spec.load(text % path), out=path.parent / "run").run


def test_coefficients_are_those_of_the_line_in_its_own_units(linear: Path) -> None:
    facts = Facts.read(RunFolder(linear).facts)
    assert {each.name: each.own for each in facts.coefficients[:2]} == {
        "a": pytest.approx(3, abs=0.01),
        "b": pytest.approx(-0.02, abs=0.0001),
    }
    assert facts.coefficients[-1].name == "intercept"
    assert "What each column adds" in RunFolder(linear).report.read_text(encoding="utf-8")


def test_a_unit_of_a_run_on_an_example_by_name(linear: Path, netwright: Callable) -> None:
    view = run.one_unit(linear, "y[0]", example="row 7")
    assert view.names == ("a", "b")
    assert view.unit.activation == pytest.approx(view.unit.added, abs=1e-6)
    said = netwright("look", "unit", str(linear), "y[0]")
    assert said.returncode == 0, said.stderr
    assert "bias:" in said.stdout
    assert "Unit y[0]" in view.page.read_text(encoding="utf-8")
    with pytest.raises(SpecError, match='no example is called "row 7000"'):
        run.one_unit(linear, "y[0]", example="row 7000")
    with pytest.raises(SpecError, match='"y" names no unit'):
        run.one_unit(linear, "y")
