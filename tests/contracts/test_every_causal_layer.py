"""What every layer over time keeps to: it says of itself whether it looks ahead, and what it says is so."""

from __future__ import annotations

import pytest
import torch

from netwright import registry
from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.build import build
from netwright.models.network import Network
from netwright.models.recurrent import Carried
from netwright.spec import ModelSpec

DIM, TIME, CUT = 6, 9, 4
LAYERS = [
    layer.example
    for name in registry.parts("layer")
    if (layer := registry.resolve("layer", name)).takes in {"sequence", "places", "vector", "any"} and layer.stepwise
]
MORE = [
    "conv1d 8x5 causal yes",
    "conv1d 8x4",
    "lstm 8 both yes",
    "gru 8 both yes",
    "rnn 8 both yes",
    "rnn 8 form before",
]
FUNCTIONS = list(registry.parts("activation"))
BLOCKS = ["{lstm 6, tanh | conv1d 6x3 | same} add", "{gru 4 | dense 3, relu} concat, conv1d 5x3, dropout 0.5"]


def made(text: str, causal: bool | None) -> Network:
    """A network that ends in a sequence, or in a vector where the layer makes one."""
    ends = text.startswith(("last", "global_pool"))
    model = ModelSpec(layers=f"lstm 5, {text}" if ends else text, causal=causal)
    return build(model, {"x": (STEPS, DIM)}, {"out": 3}, 0, each_step=() if ends else ("out",)).eval()


def moved(network: Network) -> float:
    """How much the future moves what any layer over time gave before it."""
    x = torch.randn(2, TIME, DIM, generator=torch.Generator().manual_seed(0))
    other = torch.cat([x[:, :CUT], x[:, CUT:] + 3], dim=1)
    names = [node.name for node in network.nodes if node.inputs and node.shape[0] == STEPS]
    with torch.no_grad():
        before, after = network.values({"x": x}, names), network.values({"x": other}, names)
    return max(float((before[name] - after[name])[:, :CUT].abs().max()) for name in names)


@pytest.mark.parametrize("text", LAYERS + MORE + FUNCTIONS + BLOCKS)
def test_what_a_layer_says_of_the_future_is_so(text: str) -> None:
    network = made(text, None)
    if text.startswith("global_pool"):
        assert network.foresees  # it gives no value at any step, so that nothing can be compared
    elif network.foresees:
        assert moved(network) > 1e-3, f"{text} says that it looks ahead, and does not"
    else:
        assert moved(network) <= 1e-6, f"{text} looks ahead, and does not say so"


@pytest.mark.parametrize("text", LAYERS + MORE + FUNCTIONS + BLOCKS)
def test_a_causal_model_holds_no_layer_that_looks_ahead(text: str) -> None:
    if "both yes" in text or text.startswith("global_pool"):
        with pytest.raises(SpecError, match=r"which model\.causal rules out") as raised:
            made(text, True)
        assert raised.value.cure.startswith("Leave")
        return
    network = made(text, True)
    assert not network.foresees
    assert moved(network) <= 1e-6


def test_a_causal_convolution_must_not_be_told_to_look_ahead() -> None:
    with pytest.raises(SpecError, match=r"sees 2 of the steps to come, which model\.causal rules out"):
        made("conv1d 8x5 causal no", True)


@pytest.mark.parametrize("text", [each for each in LAYERS + MORE + FUNCTIONS + BLOCKS if not each.startswith("global")])
def test_step_by_step_comes_out_what_the_whole_gives(text: str) -> None:
    """With what layers carry from step to step; the steps of one example end before those of the other."""
    if "both yes" in text:
        return
    network = made(text, True)
    x = torch.randn(1, TIME, DIM, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = network({"x": x})["out"]
        carried: Carried = {}
        steps = [network({"x": x[:, place : place + 1]}, carried)["out"] for place in range(TIME)]
        pieces: Carried = {}
        both = torch.cat([x, x.roll(1, dims=1)])
        both[1, 3:4] = torch.nan
        first = network({"x": both[:, :4]}, pieces)["out"]
        second = network({"x": both[:, 4:]}, pieces)["out"]
    if whole.ndim == 2:
        torch.testing.assert_close(steps[-1], whole, atol=1e-5, rtol=0)
        torch.testing.assert_close(second[:1], whole, atol=1e-5, rtol=0)
        return
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat([first, second], dim=1)[:1], whole, atol=1e-5, rtol=0)
    with torch.inference_mode():  # of the other example, the steps that are there
        apart = network({"x": torch.cat([both[1:, :3], both[1:, 4:]], dim=1)})["out"]
    torch.testing.assert_close(torch.cat([first[1:, :3], second[1:]], dim=1), apart, atol=1e-5, rtol=0)


def test_a_convolution_that_leaves_steps_out_cannot_go_on() -> None:
    network = made("conv1d 8x3 stride 2 causal yes", None)
    with pytest.raises(SpecError, match="leaves steps out cannot go on where a piece ended"):
        network({"x": torch.zeros(1, 4, DIM)}, {})
