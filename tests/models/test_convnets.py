"""Networks with a name: parameters as published, shapes as in the papers' tables, a form for small pictures."""

from __future__ import annotations

import inspect
import re

import pytest

from netwright import registry
from netwright.errors import SpecError
from netwright.models.build import outline
from netwright.models.defaults import default_layers
from netwright.models.network import Network
from netwright.spec import ModelSpec, PartSpec

PUBLISHED = [
    ("lenet", {}, 28, 10, 61_706),
    ("convnetjs", {}, 32, 10, 22_466),
    ("alexnet", {}, 224, 1000, 61_100_840),
    ("vgg16", {}, 224, 1000, 138_357_544),
    ("vgg19", {}, 224, 1000, 143_667_240),
    ("vgg", {"depth": 11, "batch_norm": True}, 224, 1000, 132_868_840),
    ("googlenet", {}, 224, 1000, 6_998_552),
    ("googlenet", {"batch_norm": True}, 224, 1000, 6_624_904),
    ("googlenet", {"batch_norm": True, "auxiliary": True}, 224, 1000, 13_004_888),
    ("resnet18", {}, 224, 1000, 11_689_512),
    ("resnet34", {}, 224, 1000, 21_797_672),
    ("resnet101", {}, 224, 1000, 44_549_160),
    ("resnet", {"depth": 34}, 224, 1000, 21_797_672),
    ("resnet50", {}, 224, 1000, 25_557_032),
    ("resnet", {"depth": 101}, 224, 1000, 44_549_160),
    ("resnet152", {}, 224, 1000, 60_192_808),
    ("mobilenet", {}, 224, 1000, 4_231_976),
    ("cifar_resnet", {}, 32, 10, 269_722),
    ("cifar_resnet", {"depth": 110}, 32, 10, 1_727_962),
    ("wide_resnet", {"depth": 28, "width": 10}, 32, 10, 36_479_194),
]


def _text(name: str, side: int, channels: int = 3, **options: object) -> str:
    return registry.resolve("net", name)((channels, side, side), **options)


def _outlined(name: str, side: int, classes: int = 10, channels: int = 3, **options: object) -> Network:
    text = _text(name, side, channels, **options)
    return outline(ModelSpec(layers=text), {"image": (channels, side, side)}, {"category": classes})


@pytest.mark.parametrize(("name", "options", "side", "classes", "parameters"), PUBLISHED)
def test_it_has_as_many_parameters_as_published(
    name: str, options: dict[str, object], side: int, classes: int, parameters: int
) -> None:
    network = _outlined(name, side, classes, 1 if name == "lenet" else 3, **options)
    assert sum(weight.numel() for weight in network.parameters()) == parameters


def _shapes(network: Network, part: str) -> list[tuple[int, ...]]:
    return [node.shape for node in network.nodes if node.part == part]


def test_the_shapes_are_those_of_the_papers() -> None:
    assert _shapes(_outlined("convnetjs", 32), "pool") == [(16, 16, 16), (20, 8, 8), (20, 4, 4)]
    assert _shapes(_outlined("alexnet", 224, 1000), "pool") == [(64, 27, 27), (192, 13, 13), (256, 6, 6)]
    assert _shapes(_outlined("vgg16", 224, 1000), "pool")[-1] == (512, 7, 7)
    concats = [(256, 28, 28), (480, 28, 28), *[(512, 14, 14)] * 3, (528, 14, 14), (832, 14, 14), (832, 7, 7)]
    assert _shapes(_outlined("googlenet", 224, 1000), "concat") == [*concats, (1024, 7, 7)]
    by_steps = [(256, 28, 28), (320, 28, 28), (576, 14, 14), *[(576, 14, 14)] * 4, *[(1024, 7, 7)] * 3]
    assert _shapes(_outlined("bn_inception", 224, 1000), "concat") == by_steps
    assert _shapes(_outlined("airbench", 32), "pool") == [(64, 15, 15), (256, 7, 7), (256, 3, 3), (256, 1, 1)]
    pairs = [(64, 112), (128, 56), (128, 56), (256, 28), (256, 28), *[(512, 14)] * 6, *[(1024, 7)] * 2]
    blocks = [(filters, side, side) for filters, side in pairs]
    assert _shapes(_outlined("mobilenet", 224, 1000), "conv") == [(32, 112, 112), *blocks]
    sums = _shapes(_outlined("resnet50", 224, 1000), "add")
    assert [sums[block] for block in (0, 3, 7, 13)] == [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]
    assert _shapes(_outlined("cifar_resnet", 32, depth=20), "add") == [
        *[(16, 32, 32)] * 3, *[(32, 16, 16)] * 3, *[(64, 8, 8)] * 3
    ]  # fmt: skip


@pytest.mark.parametrize("name", registry.parts("net"))
def test_it_fits_small_pictures_of_any_colour_and_names_its_source(name: str) -> None:
    for side, channels in ((32, 3), (28, 1)):
        needed = {"model": "test_efficientnet"} if name == "timm" else {}
        network = _outlined(name, side, channels=channels, **needed)
        assert network.nodes[-1].shape == (10,)
    assert "Source:" in (inspect.getdoc(registry.resolve("net", name)) or "")


@pytest.mark.parametrize(
    "name", ["lenet", "convnetjs", "googlenet", "inception", "airbench", "resnet18", "wide_resnet"]
)
def test_it_fits_the_smallest_pictures(name: str) -> None:
    assert _outlined(name, 8, channels=1).nodes[-1].shape == (10,)


def test_depths_with_their_own_name_are_the_general_ones() -> None:
    assert _text("resnet50", 224) == _text("resnet", 224, depth=50)
    assert _text("vgg19", 224) == _text("vgg", 224, depth=19)


def test_without_shortcuts_the_same_layers_stand_in_a_row() -> None:
    plain, short = (_outlined("cifar_resnet", 32, depth=20, width=0.5, shortcut=keep) for keep in (False, True))
    assert _shapes(plain, "add") == []
    assert _shapes(plain, "conv") == _shapes(short, "conv")
    assert sum(w.numel() for w in plain.parameters()) == sum(w.numel() for w in short.parameters())


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (
            PartSpec(name="resnet", options={"depth": 19}),
            "model.net: depth is 19, expected one of 18, 34, 50, 101, 152.",
        ),
        (PartSpec(name="cifar_resnet", options={"depth": 21}), "model.net: depth is 21, expected 6 n + 2"),
        (PartSpec(name="cifar_resnet", options={"width": 0.01}), "model.net: width is 0.01, expected enough"),
        (PartSpec(name="airbench", options={"width": 0.001}), "model.net: width is 0.001, expected enough"),
        (PartSpec(name="mobilenet", options={"width": 0.01}), "model.net: width is 0.01, expected enough"),
        (PartSpec(name="wide_resnet", options={"depth": 17}), "model.net: depth is 17, expected 6 n + 4"),
        (PartSpec(name="wide_resnet", options={"width": 0}), "model.net: width is 0, expected at least 1"),
        (PartSpec(name="vgg", options={"depth": 12}), "model.net: depth is 12, expected one of 11, 13, 16, 19."),
        (
            PartSpec(name="vgg", options={"deep": 11}),
            'model.net: net "vgg" has no option "deep" (did you mean "depth"?)',
        ),
        (PartSpec(name="resnet81"), 'unknown net "resnet81" (did you mean "resnet'),
    ],
)
def test_what_there_is_not_is_said(net: PartSpec, said: str) -> None:
    with pytest.raises(SpecError, match=f"^{re.escape(said)}"):
        default_layers(ModelSpec(net=net), {"image": (3, 32, 32)})


def test_a_network_for_pictures_needs_one() -> None:
    with pytest.raises(SpecError, match=r"model\.net: lenet looks at pictures, and none goes in\."):
        default_layers(ModelSpec(net=PartSpec(name="lenet")), {"table": (4,)})


@pytest.mark.parametrize("side", [16, 24, 32, 63, 64, 71, 78, 96, 224])
def test_googlenet_has_its_auxiliary_heads_at_every_size(side: int) -> None:
    network = _outlined("googlenet", side, auxiliary=True)
    assert [each.output for each in network.auxiliary] == ["category", "category"]
    shapes = [node.shape for node in network.nodes if node.name.startswith("aside_pool")]
    assert len(shapes) == 2
    if side == 224:
        assert shapes == [(512, 4, 4), (528, 4, 4)]  # as the paper has them


@pytest.mark.parametrize(("side", "told"), [(32, False), (64, True), (127, True), (128, False), (224, False)])
def test_where_pictures_are_rather_small_it_is_told_which_form_they_get(side: int, told: bool) -> None:
    for name in ("resnet18", "lenet"):
        _, (reason,) = default_layers(ModelSpec(net=PartSpec(name=name)), {"image": (3, side, side)})
        assert f"its layers for pictures of {side} x {side}" in reason.why
        assert ("in its form for large ones; below 64 it has another" in reason.why) == (told and name == "resnet18")
