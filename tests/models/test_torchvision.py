"""Networks of torchvision, where it is installed: their weights in our networks give equal answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from netwright import registry
from netwright.model_file import foreign
from netwright.models import torchvision_here
from netwright.models.build import build, outline
from netwright.spec import ModelSpec

MODELS = torchvision_here.models()
NETS = [
    ("alexnet", "alexnet", {}),
    ("vgg11", "vgg", {"depth": 11}),
    ("vgg11_bn", "vgg", {"depth": 11, "batch_norm": True}),
    ("googlenet", "googlenet", {"batch_norm": True}),
    ("googlenet", "googlenet", {"batch_norm": True, "auxiliary": True}),
    ("resnet18", "resnet18", {}),
    ("resnet34", "resnet", {"depth": 34}),
    ("resnet50", "resnet50", {}),
]
pytestmark = pytest.mark.skipif(MODELS is None, reason="torchvision is not installed (pip install netwright[zoo])")


@pytest.mark.parametrize(("theirs", "ours", "options"), NETS)
def test_their_weights_give_equal_answers(theirs: str, ours: str, options: dict[str, int | bool]) -> None:
    make: Callable[..., nn.Module] = getattr(MODELS, theirs)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        more = {"init_weights": False, "aux_logits": True} if theirs == "googlenet" else {}
        model = make(num_classes=7, **more)
        model.train()
        with torch.no_grad():
            model(torch.randn(4, 3, 224, 224))  # running means of their own
        model.eval()
        x = torch.randn(2, 3, 224, 224)
    text = registry.resolve("net", ours)((3, 224, 224), **options)
    network = build(ModelSpec(layers=text), {"image": (3, 224, 224)}, {"category": 7}, 1).eval()
    told, *_ = foreign.adopt(network, model.state_dict())
    assert told.endswith("layers taken")
    with torch.no_grad():
        torch.testing.assert_close(network({"image": x})["category"], model(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "resnet101", "resnet152"])
def test_the_largest_fit_layer_by_layer(name: str) -> None:
    """Without memory for their weights: shapes and counts alone."""
    text = registry.resolve("net", name)((3, 224, 224))
    with torch.device("meta"):
        model = getattr(MODELS, name)()
    network = outline(ModelSpec(layers=text), {"image": (3, 224, 224)}, {"category": 1000})
    told = foreign.adopt(network, model.state_dict())
    layers = sum(isinstance(each, nn.Conv2d | nn.Linear | nn.BatchNorm2d) for each in model.modules())
    assert told == [f"{layers} of {layers} layers taken"]
