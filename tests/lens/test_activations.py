"""What a node gives: the same as hooks see, nothing behind it computed, maps pooled to a bounded size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from netwright.errors import SpecError
from netwright.lens.activations import activations, gathered, last_before_head, pooled
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec

PICTURES = "conv 4x3 pad 1, relu, {conv 4x3 pad 1, relu | same} add, pool 2, dense 5, tanh, dropout 0.5"


def network(layers: str = PICTURES) -> Network:
    return build(ModelSpec(layers=layers), {"image": (1, 6, 6)}, {"class": 3}, 0)


def pictures(count: int = 300) -> Tensor:
    return torch.randn(count, 1, 6, 6, generator=torch.Generator().manual_seed(1))


def test_every_node_gives_what_a_hook_sees() -> None:
    net, x = network().eval(), pictures()
    seen: dict[str, Tensor] = {}
    for node in net.nodes:
        if node.inputs:

            def keep(_: nn.Module, given: tuple[Tensor, ...], value: Tensor, name: str = node.name) -> None:
                seen[name] = value

            net.module(node.name).register_forward_hook(keep)
    with torch.no_grad():
        net({"image": x})
    expected = dict(seen)
    for node in net.nodes:
        found = activations(net, {"image": x}, node.name)
        # Batches of 256 and of 300 may be added up in another order.
        torch.testing.assert_close(found, expected[node.name] if node.inputs else x)
        assert found.shape[1:] == node.shape


def test_what_lies_behind_is_not_computed_and_the_mode_is_left() -> None:
    net, ran = network(), []
    for node in net.nodes:
        if node.inputs:
            net.module(node.name).register_forward_hook(lambda *_, name=node.name: ran.append(name))
    assert net.training
    found = activations(net, {"image": pictures(2)}, "relu1")
    assert ran == ["conv1", "relu1"]
    assert net.training
    assert not found.requires_grad
    ran.clear()
    activations(net, {"image": pictures(2)}, "input:image")
    assert ran == []


def test_dropout_is_off() -> None:
    net, x = network().train(), {"image": pictures(4)}
    torch.testing.assert_close(activations(net, x, "dropout1"), activations(net, x, "tanh1"))


def test_large_maps_are_averaged_and_small_ones_kept() -> None:
    maps = torch.arange(32.0).reshape(1, 2, 4, 4)
    assert pooled(maps, 32).tolist() == [list(range(32))]
    assert pooled(maps, 8).tolist() == [[2.5, 4.5, 10.5, 12.5, 18.5, 20.5, 26.5, 28.5]]
    assert pooled(maps, 1).tolist() == [[7.5, 23.5]]  # one of each channel at least
    assert pooled(torch.ones(3, 7), 2).shape == (3, 7)


def test_several_layers_in_one_pass() -> None:
    net, x = network(), pictures(10)
    found = gathered(net, [{"image": x[:6]}, {"image": x[6:]}], ["relu1", "class"], most=4)
    torch.testing.assert_close(found["relu1"], activations(net, {"image": x}, "relu1").mean(dim=(2, 3)))
    assert found["class"].shape == (10, 3)


def test_the_last_before_the_head_and_unknown_layers() -> None:
    assert last_before_head(network(), "class") == "dropout1"
    assert last_before_head(network("conv 4x3, relu, pool 2"), "class") == "pool1"
    assert last_before_head(network(""), "class") == "input:image"
    with pytest.raises(SpecError, match=r'no layer "relu9" \(did you mean "relu\d"\?\)'):
        activations(network(), {"image": pictures(2)}, "relu9")
