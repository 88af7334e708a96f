"""Moved pictures: a network that cannot tell where things are keeps its score, one that looks at one place loses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from netwright import spec
from netwright.data.augment import Draw
from netwright.data.augment.geometry import Shift, moved
from netwright.data.batches import Batch
from netwright.errors import SpecError
from netwright.field import Field
from netwright.lens.shifts import shift_scores
from netwright.model_file import Model, assemble
from netwright.spec import Spec

SIDE = 9


def model(layers: str) -> Model:
    made = spec.load(
        "{inputs: {image: {kind: image}}, outputs: {class: {unit: softmax}}, model: {layers: '%s'}}" % layers  # noqa: UP031
    )
    assert isinstance(made, Spec)
    image = Field(name="image", kind="image", source="image", shape=(SIDE, SIDE, 1), dtype="uint8")
    label = Field(name="class", kind="category", source="class", vocabulary=("none", "dot"), dtype="int32", shape=())
    return assemble(made, {"image": image}, {"class": label}, 0)


def dots() -> Iterator[Batch]:
    """Every second picture has a dot in its middle; the others are empty."""
    for start in (0, 4):
        pixels, targets = torch.zeros(4, 1, SIDE, SIDE), torch.tensor([0, 1, 0, 1])
        pixels[1::2, :, SIDE // 2, SIDE // 2] = 1
        yield Batch({"image": pixels}, {"class": targets}, torch.arange(start, start + 4))


def head(made: Model, weight: torch.Tensor) -> None:
    with torch.no_grad():
        dense = made.network.module("class")
        dense.weight.copy_(torch.stack([-weight, weight]))
        dense.bias.copy_(torch.tensor([0.5, -0.5]) * float(weight.max()))


def test_a_network_that_pools_everything_keeps_its_score() -> None:
    made = model("global_pool max")
    head(made, torch.tensor([1.0]))
    found = shift_scores(made, "class", dots(), 4)
    assert [(each.px, each.score, each.changed) for each in found] == [(px, 1.0, 0.0) for px in range(5)]
    assert all(0 <= each.interval[0] <= 1 == each.interval[1] for each in found)


def test_a_network_that_looks_at_one_place_loses_it() -> None:
    made = model("")
    weight = torch.zeros(SIDE, SIDE)
    weight[SIDE // 2, SIDE // 2] = 1
    head(made, weight.flatten())
    found = shift_scores(made, "class", dots(), 3)
    assert [each.score for each in found] == [1.0, 0.5, 0.5, 0.5]  # the dots are missed, the empty ones are not
    assert [each.changed for each in found] == [0.0, 0.5, 0.5, 0.5]


def test_all_four_directions_count() -> None:
    made = model("")
    weight = torch.zeros(SIDE, SIDE)
    weight[SIDE // 2, SIDE // 2 + 2] = 1  # sees a dot that moved two pixels to the right
    head(made, weight.flatten())
    found = shift_scores(made, "class", dots(), 2)
    assert [each.score for each in found] == [0.5, 0.5, 0.5 + 0.5 / 4]
    assert [each.changed for each in found] == [0.0, 0.0, 0.5 / 4]


def test_pictures_move_as_the_transform_moves_them() -> None:
    pixels = torch.randn(40, 2, 6, 7, generator=torch.Generator().manual_seed(0))
    draw = Draw(0, "shift", 0, torch.arange(40))
    steps = 3 - torch.stack(Shift(3)._steps(draw))
    assert torch.equal(moved(pixels, *steps), Shift(3).image(pixels, draw))
    down = moved(pixels, torch.full((40,), 2), torch.zeros(40, dtype=torch.int64))
    assert torch.equal(down[:, :, 2:], pixels[:, :, :-2])
    assert torch.equal(down[:, :, 0], pixels[:, :, 2])  # what lay inside, reflected


def test_too_far_and_nothing_to_move() -> None:
    with pytest.raises(SpecError, match=r"cannot be moved by 9 pixels\. Use 8 or less"):
        shift_scores(model(""), "class", dots(), SIDE)
