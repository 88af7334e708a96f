"""Stages found where they are, and classifiers whose scores are known: on what is separable, and on noise."""

from __future__ import annotations

import numpy as np
import pytest

from netwright.lens.probes import MOST_NUMBERS, probe, stages
from netwright.models.build import build, outline
from netwright.spec import ModelSpec, PartSpec

PICTURE = {"image": (3, 32, 32)}


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ("", []),
        ("dense 8, relu", ["relu1"]),
        ("dense 8, tanh, dense 8, tanh, dropout 0.5", ["tanh1", "dropout1"]),
        ("conv 4x5 pad 2, relu, pool 2, conv 4x5 pad 2, relu, pool 2, dense 9, relu", ["pool1", "pool2", "relu3"]),
        ("conv 4x5, relu, pool 2, conv 8x5, relu, pool 2", ["pool1", "pool2"]),
        ("conv 4x3 stride 2 pad 1, relu, conv 8x3 stride 2 pad 1, relu, global_pool", ["relu1", "global_pool1"]),
        ("conv 4x3 pad 1, relu, {conv 4x3 pad 1, relu | same} add, pool 4, dense 5, relu", ["pool1", "relu3"]),
        ("conv 4x3 pad 1, {conv 4x3 pad 1 stride 2, pool 2 | pool 4} concat, global_pool", ["conv1", "global_pool1"]),
    ],
)
def test_stages_of_a_network(layers: str, found: list[str]) -> None:
    network = build(ModelSpec(layers=layers), PICTURE, {"class": 3}, 0)
    assert stages(network, "class") == ["input:image", *found]


def test_stages_of_a_residual_network_end_where_it_shrinks() -> None:
    model = ModelSpec(net=PartSpec(name="cifar_resnet", options={"depth": 20}))
    network = outline(model, PICTURE, {"class": 10})
    shapes = {node.name: node.shape for node in network.nodes}
    assert [shapes[name] for name in stages(network, "class")] == [(3, 32, 32), (16, 32, 32), (32, 16, 16), (64,)]


def test_stages_follow_the_picture_where_a_table_joins_it() -> None:
    groups = {"image": (1, 8, 8), "table": (3,)}
    network = build(ModelSpec(layers="conv 4x3 pad 1, relu, pool 2, dense 6, relu"), groups, {"class": 3}, 0)
    assert stages(network, "class") == ["input:image", "pool1", "concat1", "relu2"]


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on a plane, classes by the sign of their product: no line can tell them apart."""
    points = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return points, (points[:, 0] * points[:, 1] > 0).astype(np.int64)


def test_a_stage_that_lays_the_answer_open_is_read_and_one_that_hides_it_is_not() -> None:
    (train, known), (asked, truth) = drawn(2000, 0), drawn(1000, 1)
    hidden = probe("input", (2,), (train, known), (asked, truth))
    assert hidden.accuracy < 0.7  # a line that cuts one corner off is right in two thirds at best
    product = [np.column_stack([each, np.sign(each.prod(axis=1))]).astype(np.float32) for each in (train, asked)]
    open_ = probe("product", (3,), (product[0], known), (product[1], truth))
    assert (open_.accuracy, open_.interval[1]) == (1.0, 1.0)
    assert (open_.layer, open_.numbers, open_.settled) == ("product", 3, True)
    assert MOST_NUMBERS >= 512


def test_one_class_only_is_always_answered() -> None:
    train, asked = np.ones((5, 2), np.float32), np.ones((4, 2), np.float32)
    found = probe("input", (2,), (train, np.zeros(5, np.int64)), (asked, np.array([0, 0, 0, 1])))
    assert found.accuracy == 0.75
