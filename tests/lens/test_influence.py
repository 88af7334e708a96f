"""What words add to an answer, of a network whose state is the sum of what its words are worth."""

from __future__ import annotations

import pytest
import torch

from netwright.field import STEPS
from netwright.lens.influence import influences
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec

WORTH = torch.tensor([[0.0], [1.0], [2.0], [3.0]])


def summing(units: int) -> Network:
    network = build(
        ModelSpec(layers="rnn 1 activation relu, last"), {"text": (STEPS, 4)}, {"category": units}, 0, {"text": 1}
    )
    with torch.no_grad():
        for name, of in network.named_parameters():
            if "embed" in name:
                of.copy_(WORTH)
            elif name.endswith("bias"):
                of.zero_()
            else:
                of.fill_(1.0)
        if units == 3:
            head = network.module("category")
            head.weight.copy_(torch.tensor([[1.0], [0.0], [0.0]]))  # type: ignore[operator,union-attr]
            head.bias.copy_(torch.tensor([0.0, 0.0, -1e3]))  # type: ignore[operator,union-attr]
    return network


@pytest.mark.parametrize("units", [1, 3])
def test_a_word_is_worth_what_it_adds(units: int) -> None:
    texts = [torch.tensor([3, 0, 1]), torch.tensor([2]), torch.tensor([1, 1, 1, 2, 3])]
    told: list[int] = []
    network = summing(units)
    network.train()
    found = influences(network, "text", "category", texts, told.append)
    assert network.training
    assert told == [3]
    yes = 1 if units == 1 else 0
    for text, each in zip(texts, found, strict=True):
        worth = WORTH[text, 0]
        assert float(each.odds[yes]) == pytest.approx(float(worth.sum()), abs=1e-4)
        assert each.left_out[:, yes].tolist() == pytest.approx(worth.tolist(), abs=1e-4)
        assert each.left_out[:, 1 - yes].tolist() == pytest.approx((-worth).tolist(), abs=1e-4)
        assert each.slope is not None
        assert each.slope.tolist() == pytest.approx(worth.tolist(), abs=1e-4)


def test_many_texts_are_done_a_few_at_a_time_and_come_back_in_their_order() -> None:
    texts = [torch.randint(0, 4, (1 + at % 17,), generator=torch.Generator().manual_seed(at)) for at in range(150)]
    told: list[int] = []
    found = influences(summing(1), "text", "category", texts, told.append)
    assert len(told) > 2
    assert told[-1] == 150
    for text, each in zip(texts, found, strict=True):
        assert each.left_out[:, 1].tolist() == pytest.approx(WORTH[text, 0].tolist(), abs=1e-4)
