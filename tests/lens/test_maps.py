"""Maps of layers whose weights are known, and how many of them are shown of a deep network."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from netwright.errors import SpecError
from netwright.lens.maps import layer_maps, layers_with_maps, unit_map
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec, PartSpec

PICTURE = torch.arange(-8.0, 8.0).reshape(1, 1, 4, 4)


def net(layers: str, shape: tuple[int, ...] = (1, 4, 4)) -> Network:
    return build(ModelSpec(layers=layers), {"image": shape}, {"category": 2}, 0)


def filled(network: Network, name: str, weight: torch.Tensor, bias: float) -> Network:
    with torch.no_grad():
        module = network.module(name)
        module.weight.copy_(weight)  # type: ignore[operator,union-attr]
        module.bias.fill_(bias)  # type: ignore[operator,union-attr]
    return network


def test_a_filter_with_a_one_in_its_middle_gives_the_picture_and_a_function_what_it_makes_of_it() -> None:
    weight = torch.zeros(2, 1, 3, 3)
    weight[1, 0, 1, 1] = 1.0
    network = filled(net("conv 2x3 pad 1, relu, pool 2"), "conv1", weight, 0.5)
    found = unit_map(network, {"image": PICTURE}, "conv1", 1)
    assert [stage.node.name for stage in found.stages] == ["conv1", "relu1"]
    assert torch.equal(found.stages[0].map, PICTURE[0, 0] + 0.5)
    assert torch.equal(found.stages[1].map, (PICTURE[0, 0] + 0.5).clamp(min=0))
    assert found.filter is not None
    assert torch.equal(found.filter.weights, weight[1])
    assert (found.filter.bias, found.filter.value, found.filter.added) == (0.5, 7.5, 7.5)
    assert found.filter.place == (3, 3)
    assert found.filter.patch == (2, 2, 5, 5)  # beyond the lower border lies a row of zeros
    assert found.filter.reads == "input:image"
    assert unit_map(network, {"image": PICTURE}).unit == 1  # the one that reaches highest


def test_a_stride_is_counted_in_the_place_that_a_filter_covers() -> None:
    weight = torch.ones(1, 1, 2, 2)
    found = unit_map(filled(net("conv 1x2 stride 2"), "conv1", weight, 0.0), {"image": PICTURE}).filter
    assert found is not None
    assert (found.place, found.patch) == ((1, 1), (2, 2, 4, 4))
    assert found.value == found.added == 2 + 3 + 6 + 7


def test_a_depthwise_filter_reads_its_own_channel_and_any_sum_is_added_again() -> None:
    picture = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    network = net("depthwise 3 pad 1, batch_norm, tanh, conv 5x3 stride 2", (3, 8, 8))
    for layer, unit in (("depthwise1", 2), ("conv1", 4)):
        found = unit_map(network, {"image": picture}, layer, unit)
        assert found.filter is not None
        assert found.filter.added == pytest.approx(found.filter.value, abs=1e-5)
    assert [stage.node.name for stage in unit_map(network, {"image": picture}, "depthwise1", 2).stages] == [
        *("depthwise1", "batch_norm1", "tanh1")
    ]


def test_a_pool_has_a_map_and_no_filter_and_a_branch_ends_what_follows() -> None:
    network = net("{conv 2x3 pad 1 | conv 2x1} add, relu, pool 2")
    assert unit_map(network, {"image": PICTURE}, "pool1", 0).filter is None
    assert [stage.node.name for stage in unit_map(network, {"image": PICTURE}, "conv1", 0).stages] == ["conv1"]


def test_columns_hold_the_first_maps_and_what_all_of_them_are() -> None:
    network = net("conv 12x3 pad 1, relu, dropout 0.5, pool 2, dense 3, relu")
    found = layer_maps(network, {"image": PICTURE})
    assert [each.node.name for each in found] == ["input:image", "conv1", "relu1", "pool1"]
    assert [tuple(each.maps.shape) for each in found] == [(1, 4, 4), (10, 4, 4), (10, 4, 4), (10, 2, 2)]
    assert torch.equal(found[2].maps, found[1].maps.clamp(min=0))
    assert (found[0].lowest, found[0].highest, found[0].zeros) == (-8, 7, 1 / 16)
    assert found[2].lowest == 0 < found[2].zeros < 1


def test_a_deep_network_has_a_bounded_number_of_columns_from_the_first_to_the_last() -> None:
    model = ModelSpec(net=PartSpec(name="resnet50"))
    network = build(model, {"image": (3, 32, 32)}, {"category": 10}, 0)
    every = [node.name for node in layers_with_maps(network)]
    found = [each.node.name for each in layer_maps(network, {"image": torch.zeros(1, 3, 32, 32)})]
    assert len(every) > 100
    assert len(found) == 16
    assert (found[0], found[1], found[-1]) == ("input:image", every[round((len(every) - 1) / 15)], every[-1])
    gaps = [every.index(after) - every.index(before) for before, after in pairwise(found)]
    assert max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    ("layer", "unit", "told"),
    [("conv9", 0, '"conv9" is no layer that gives maps'), ("conv1", 2, "conv1 gives maps 0 to 1, not 2")],
)
def test_what_is_no_map_is_refused(layer: str, unit: int, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        unit_map(net("conv 2x3"), {"image": PICTURE}, layer, unit)


def test_networks_without_maps_are_refused() -> None:
    table = build(ModelSpec(layers="dense 2, relu"), {"table": (3,)}, {"price": 1}, 0)
    with pytest.raises(SpecError, match="no picture goes into this network"):
        layer_maps(table, {"table": torch.zeros(1, 3)})
    with pytest.raises(SpecError, match="reads its pictures as plain numbers"):
        layer_maps(net("dense 4, relu"), {"image": PICTURE})
