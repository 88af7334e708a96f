"""The gradient as a sum over steps, and what shorter ways back leave of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.lens.bptt import terms, truncated
from netwright.lens.recurrence import one_layer
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec

X = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(1))
WANTED = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(2))


def net(layers: str) -> Network:
    return build(ModelSpec(layers=layers), {"ink": (STEPS, 3)}, {"y": 2}, 0, each_step=["y"])


def errors(outputs: dict[str, Tensor]) -> Tensor:
    return (outputs["y"] - WANTED).square().sum(dim=2)[0]


@pytest.mark.parametrize("layers", ["rnn 4", "rnn 4 form before", "lstm 4", "gru 4", "lstm 4, gru 3"])
@pytest.mark.parametrize("first", [False, True])
def test_the_terms_add_up_to_the_gradient(layers: str, first: bool) -> None:
    network = net(layers)
    _, layer = one_layer(network, f"{layers.split()[0]}1" if first else "")
    found = terms(network, {"ink": X}, errors, range(6), errors(network({"ink": X})).sum(), layer)
    assert found.apart_sum < 1e-5
    assert found.apart_parts < 1e-5
    assert found.at == (0, 1, 2, 3, 4, 5)
    assert found.parts.shape == (6, 6)
    assert bool(found.parts.isnan().equal(torch.ones(6, 6).triu(1).bool()))
    assert len(found.errors) == len(found.norms) == 6
    if layers != "rnn 4 form before":  # whose function gives no 0 at an empty state but for tanh
        assert float(found.parts[0, 0]) == 0.0  # nothing was kept yet: the recurrent weights met zeros


def test_one_step_back_is_what_a_hand_would_write_down() -> None:
    network = net("rnn 1")
    _, layer = one_layer(network)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0, 0.0]]))  # type: ignore[operator,union-attr]
        layer.recurrent.fill_(0.5)  # type: ignore[operator,union-attr]
        layer.bias.zero_()  # type: ignore[operator,union-attr]
    x = torch.zeros(1, 3, 3)
    x[0, 0, 0] = 0.4

    head = network.module("y")
    with torch.no_grad():
        head.weight.fill_(1.0)  # type: ignore[operator,union-attr]

    def last(outputs: dict[str, Tensor]) -> Tensor:
        return outputs["y"][0, 2:, 0]

    found = terms(network, {"ink": x}, last, [2], last(network({"ink": x})).sum(), layer)
    one, two = torch.tanh(torch.tensor(0.4)), torch.tanh(0.5 * torch.tanh(torch.tensor(0.4)))
    three = torch.tanh(0.5 * two)
    here = float((1 - three**2) * two)  # h_3 = tanh(w h_2): through the weights of step 3
    before = float((1 - three**2) * 0.5 * (1 - two**2) * one)  # and of step 2
    assert found.parts[0].tolist() == pytest.approx([0.0, before, here], abs=1e-6)
    assert found.whole == pytest.approx(here + before, abs=1e-6)


def test_pieces_lose_what_lies_before_them_and_keep_less_in_memory() -> None:
    network = net("lstm 8")
    _, layer = one_layer(network)
    x, wanted = torch.randn(4, 16, 3), torch.randn(4, 16, 2)

    def loss(outputs: dict[str, Tensor], start: int, end: int) -> Tensor:
        return (outputs["y"] - wanted[:, start:end]).square().sum() / wanted.numel()

    found = truncated(network, {"ink": x}, loss, layer, [2, 4, 99])
    assert [each.steps for each in found] == [2, 4, 16]
    assert found[-1].share == pytest.approx(1, abs=1e-5)
    assert found[-1].apart < 1e-5
    assert found[0].apart > found[1].apart > 1e-3
    assert found[0].kept_bytes < found[1].kept_bytes < found[2].kept_bytes
    assert all(each.seconds > 0 for each in found)
    network.zero_grad()
    gradient = torch.zeros_like(layer.ahead.weight_hh_l0)  # type: ignore[union-attr,arg-type]
    carried: dict = {}
    for start in range(0, 16, 2):  # the same by hand
        share = loss(network({"ink": x[:, start : start + 2]}, carried), start, start + 2)
        gradient += torch.autograd.grad(share, layer.ahead.weight_hh_l0)[0]  # type: ignore[union-attr,arg-type]
        carried = {layer: tuple(part.detach() for part in carried[layer])}
    (whole,) = torch.autograd.grad(loss(network({"ink": x}), 0, 16), layer.ahead.weight_hh_l0)  # type: ignore[union-attr,arg-type]
    assert found[0].apart == pytest.approx(float((gradient - whole).norm() / whole.norm()), rel=1e-3)
    assert found[0].share == pytest.approx(float((gradient * whole).sum() / whole.square().sum()), rel=1e-3)


def test_what_cannot_be_followed_back_is_refused() -> None:
    both = net("gru 3 both yes")
    with pytest.raises(SpecError, match="reads both ways has no first step"):
        terms(both, {"ink": X}, errors, range(6), errors(both({"ink": X})).sum(), one_layer(both)[1])
    torn = net("conv1d 4x3, lstm 4")

    def loss(outputs: dict[str, Tensor], start: int, end: int) -> Tensor:
        return (outputs["y"] - WANTED[:, start:end]).square().sum()

    with pytest.raises(SpecError, match="a convolution that sees what comes cannot go on where a piece ended"):
        truncated(torn, {"ink": X}, loss, one_layer(torn)[1], [1])
