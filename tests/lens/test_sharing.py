"""Convolutions beside dense layers, with counts that can be worked out on paper."""

from __future__ import annotations

import pytest
import torch

from netwright.errors import SpecError
from netwright.lens import sharing as lens
from netwright.lens.sharing import sharing
from netwright.models.build import build, outline
from netwright.spec import ModelSpec


def test_counts_on_paper() -> None:
    """16 filters of 5 x 5 over 28 x 28 pixels, padded, and a second layer without bias on 14 x 14."""
    layers = "conv 16x5 pad 2, relu, pool 2, conv 20x3 bias no, relu"
    found = sharing(build(ModelSpec(layers=layers), {"image": (1, 28, 28)}, {"class": 10}, 0), 2)
    first, second = found
    assert (first.layer, first.takes, first.gives) == ("conv1", (1, 28, 28), (16, 28, 28))
    assert (first.conv.parameters, first.conv.multiply_adds) == (16 * 25 + 16, 16 * 28 * 28 * 25)
    dense = 28 * 28 * 16 * 28 * 28
    assert (first.dense.parameters, first.dense.multiply_adds) == (dense + 16 * 28 * 28, dense)
    assert second.conv.parameters == 20 * 16 * 9
    assert second.dense.parameters == second.dense.multiply_adds == 16 * 14 * 14 * 20 * 12 * 12
    assert all(cost.seconds and cost.seconds > 0 for each in found for cost in (each.conv, each.dense))
    assert first.dense.gigabytes == pytest.approx(4e-9 * first.dense.parameters)


def test_the_dense_layer_can_do_what_the_convolution_does() -> None:
    """The matrix whose columns are the convolution of single pixels has as many numbers as are counted."""
    network = build(ModelSpec(layers="conv 3x3 pad 1"), {"image": (2, 5, 5)}, {"class": 2}, 0)
    (found,) = sharing(network, 1)
    conv, pictures = network.module("conv1"), torch.randn(4, 2, 5, 5)
    with torch.no_grad():
        matrix = (conv(torch.eye(50).reshape(50, 2, 5, 5)) - conv.bias[:, None, None]).flatten(1).T
        answers = pictures.flatten(1) @ matrix.T + conv.bias.repeat_interleave(25)
        torch.testing.assert_close(answers, conv(pictures).flatten(1))
    assert found.dense.parameters == matrix.numel() + 75


def test_what_is_too_large_is_computed_and_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens, "LARGEST_BYTES", 4e4)
    network = build(ModelSpec(layers="conv 4x3 pad 1, relu, conv 2x3"), {"image": (1, 8, 8)}, {"class": 2}, 0)
    first, second = sharing(network, 1)
    assert (first.dense.parameters, first.dense.seconds) == (64 * 256 + 256, None)
    assert first.conv.seconds is not None
    assert (second.dense.parameters, second.dense.seconds) == (256 * 72 + 72, None)


def test_layers_of_one_form_are_measured_once() -> None:
    network = build(
        ModelSpec(layers="conv 2x3 pad 1, relu, x3 {conv 2x3 pad 1, relu}"), {"image": (1, 6, 6)}, {"class": 2}, 0
    )
    seconds = [each.conv.seconds for each in sharing(network, 1)]
    assert seconds[1] == seconds[2] == seconds[3]


def test_a_network_without_convolutions_is_refused() -> None:
    with pytest.raises(SpecError, match="no convolution, so it shares no weights"):
        sharing(outline(ModelSpec(layers="dense 4"), {"table": (3,)}, {"y": 1}), 1)
