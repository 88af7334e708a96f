"""What every network with a name keeps to, in a form with a sixteenth of its channels."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn import functional

from netwright import registry
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec

SHARE, LEAST = 16, 4
NEEDED = {"timm": {"model": "test_efficientnet"}}
TOO_DEEP = {"resnet152"}  # to learn by heart in a second; its blocks are those of resnet50


def narrow(name: str, channels: int = 3) -> Network:
    """The form for small pictures with fewer channels everywhere."""
    text = registry.resolve("net", name)((channels, 32, 32), **NEEDED.get(name, {}))
    text = re.sub(r"\b(conv|widen|dense) (\d+)", lambda found: f"{found[1]} {_fewer(int(found[2]))}", text)
    text = re.sub(r"\bdropout [\d.]+", "dropout 0.1", text)  # of so few channels half is too much
    return build(ModelSpec(layers=text), {"image": (channels, 32, 32)}, {"category": 3}, 0)


def _fewer(filters: int) -> int:
    return filters if filters < SHARE else max(LEAST, filters // SHARE)


def pictures(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", registry.parts("net"))
def test_every_weight_is_reached_and_mates_change_nothing(name: str) -> None:
    network, some = narrow(name), pictures(6)
    functional.cross_entropy(network({"image": some})["category"], torch.arange(6) % 3).backward()
    still = [key for key, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    # a bias in front of a batch_norm is taken out again by it, and one relu of a few channels may be shut by chance
    assert len(still) <= 0.1 * len(list(network.parameters())), still
    network.eval()
    together = network({"image": some})["category"]
    alone = torch.cat([network({"image": one[None]})["category"] for one in some])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", sorted({*registry.parts("net")} - TOO_DEEP))
def test_six_pictures_are_learned_by_heart(name: str) -> None:
    network, some, classes = narrow(name), pictures(6), torch.arange(6) % 3
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    torch.manual_seed(0)
    losses = []
    for _ in range(120):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network({"image": some})["category"], classes)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < 0.3 * losses[0]:
            return
    pytest.fail(f"the loss went from {losses[0]:.2f} to {losses[-1]:.2f}")
