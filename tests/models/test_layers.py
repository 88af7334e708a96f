"""Layers of learned bends, places and chance, with answers known by thought."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from netwright.errors import SpecError
from netwright.models import initialisers
from netwright.models.build import build, table
from netwright.models.convolution import Depthwise, GlobalPool, Pad, Pool, Whiten, Widen
from netwright.models.layers import BatchNorm, Dropout, Maxout, Rbf
from netwright.models.network import Network
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


def _conv_net(text: str, shape: tuple[int, ...] = (3, 8, 10)) -> Network:
    return build(ModelSpec(layers=text), {"x": shape}, {"out": 2}, 0)


def test_batch_norm_is_torchs_while_training_and_afterwards() -> None:
    torch.manual_seed(0)
    for shape, theirs in (((5,), nn.BatchNorm1d(5)), ((5, 4, 3), nn.BatchNorm2d(5))):
        ours = BatchNorm(shape)
        ours.initialise(initialisers.Draw(initialisers.rule_of("he", {}), torch.Generator(), 1.0))
        for _ in range(3):
            x = torch.randn(8, *shape) * 3 + 1
            torch.testing.assert_close(ours(x), theirs(x))
        assert torch.allclose(ours.mean, theirs.running_mean)
        assert torch.allclose(ours.variance, theirs.running_var)
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
        torch.testing.assert_close(ours(x[:1]), ours(x)[:1])


def test_batch_norm_answers_a_batch_with_one_value_per_channel_from_its_running_means() -> None:
    network = build(ModelSpec(layers="dense 4, batch_norm, relu"), {"x": (3,)}, {"out": 2}, 0)
    norm = network.module("batch_norm1")
    before = {name: values.clone() for name, values in norm.named_buffers()}
    assert torch.isfinite(network.train()({"x": torch.randn(1, 3)})["out"]).all()
    assert all(torch.equal(values, before[name]) for name, values in norm.named_buffers())
    network({"x": torch.randn(2, 3)})
    assert not torch.equal(norm.mean, before["mean"])


def test_a_conv_before_a_batch_norm_needs_no_bias() -> None:
    with_bias, without = (table(_conv_net(f"conv 4x3 bias {word}, batch_norm"), 1)[1] for word in ("yes", "no"))
    assert (with_bias.parameters, without.parameters) == (4 * 27 + 4, 4 * 27)


@pytest.mark.parametrize(("how", "value"), [("max", 4.0), ("avg", 2.5), ("sum", 10.0)])
def test_pools_of_a_window_and_of_the_whole_map(how: str, value: float) -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert Pool((1, 2, 2), 2, how)(x).flatten().tolist() == [value]  # type: ignore[arg-type]
    assert GlobalPool((1, 2, 2), how)(x).tolist() == [[value]]  # type: ignore[arg-type]


def test_a_padded_sum_counts_nothing_for_what_lies_outside() -> None:
    x = torch.ones(1, 1, 2, 2)
    assert Pool((1, 2, 2), 3, "sum", stride=1, pad=1)(x).flatten().tolist() == [4.0] * 4


def test_a_shortcut_without_weights_adds_empty_channels_and_skips_places() -> None:
    x = torch.arange(2 * 2 * 3 * 4, dtype=torch.float32).reshape(2, 2, 3, 4)
    wide = Widen((2, 3, 4), 5, stride=2)(x)
    assert wide.shape == (2, 5, 2, 2)
    assert torch.equal(wide[:, 1:3], x[:, :, ::2, ::2])
    assert wide[:, [0, 3, 4]].abs().sum() == 0
    with pytest.raises(SpecError, match="channels is 1; the least is 2"):
        Widen((2, 3, 4), 1)


def test_a_residual_block_of_a_picture_is_written_as_text() -> None:
    half = "conv 8x3 stride 2 pad 1 bias no, batch_norm, relu, conv 8x3 pad 1 bias no, batch_norm"
    network = _conv_net(f"conv 4x3 pad 1, {{{half} | widen 8 stride 2}} add, relu, global_pool")
    assert [node.shape for node in network.nodes if node.part in {"add", "global_pool"}] == [(8, 4, 5), (8,)]
    assert network({"x": torch.randn(2, 3, 8, 10)})["out"].shape == (2, 2)


def test_a_depthwise_filter_sees_its_own_channel_alone() -> None:
    layer = Depthwise((2, 3, 3), 3, bias=False)
    with torch.no_grad():
        layer.weight[0].fill_(1.0)
        layer.weight[1].fill_(-2.0)
    x = torch.stack([torch.ones(3, 3), torch.full((3, 3), 0.5)])[None]
    assert layer(x).flatten().tolist() == [9.0, -9.0]
    assert layer.multiply_adds == 2 * 9
    assert Depthwise((4, 8, 8), 3, pad=1, stride=2).out_shape == (4, 4, 4)


def test_pad_puts_zeros_on_each_side_as_told() -> None:
    layer = Pad((1, 2, 2), 0, 1)
    assert layer.out_shape == (1, 3, 3)
    assert layer(torch.ones(1, 1, 2, 2))[0, 0].tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_whitened_patches_are_uncorrelated_and_alike_in_size() -> None:
    draw = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.avg_pool2d(torch.randn(200, 3, 12, 12, generator=draw), 3, 1)  # neighbours are alike
    layer = Whiten((3, 10, 10), 2, epsilon=1e-9)
    torch.nn.init.zeros_(layer.bias)
    layer.meet(smooth)
    given = layer(smooth)[:, :12].permute(0, 2, 3, 1).flatten(0, 2)
    torch.testing.assert_close(given.T @ given / len(given), torch.eye(12), atol=2e-3, rtol=0)
    assert layer.out_shape == (24, 9, 9)
    assert torch.equal(layer.weight[12:], -layer.weight[:12])
    assert [name for name, _ in layer.named_parameters()] == ["bias"]
