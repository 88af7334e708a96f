"""Purity of clusters that are far apart, of labels drawn by chance, and maps that come out the same again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from netwright.errors import DataError
from netwright.lens.map import map_view, same_class

CLASSES = np.repeat(np.arange(3), 40)


def clusters(apart: float) -> torch.Tensor:
    """Three groups of forty examples in a hundred dimensions."""
    draw = np.random.default_rng(0)
    middles = apart * np.eye(3, 100)
    return torch.from_numpy((middles[CLASSES] + draw.normal(size=(120, 100))).astype(np.float32))


def test_clusters_far_apart_are_pure_and_stay_so_on_the_map() -> None:
    view = map_view(clusters(50.0), CLASSES)
    assert (view.original.share, view.drawn.share) == (1.0, 1.0)
    assert view.neighbours == 10
    assert view.chance == pytest.approx(39 / 119)
    assert view.places.shape == (120, 2)
    assert np.abs(view.places).max() == pytest.approx(1.0)


def test_classes_that_mean_nothing_come_near_chance() -> None:
    mixed = np.random.default_rng(1).permutation(CLASSES)
    view = map_view(clusters(50.0), mixed)
    assert view.original.share == pytest.approx(view.chance, abs=0.06)
    assert view.drawn.share == pytest.approx(view.chance, abs=0.06)


def test_the_same_examples_give_the_same_map_whatever_the_threads() -> None:
    before, first = torch.get_num_threads(), map_view(clusters(2.0), CLASSES)
    try:
        torch.set_num_threads(before + 1)
        second = map_view(clusters(2.0), CLASSES)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(first.places, second.places)


def test_neighbours_counted_on_a_line() -> None:
    """An example is not its own neighbour, and more examples than are compared at once are compared all the same."""
    line, classes = torch.arange(1400.0)[:, None], np.arange(1400) // 700
    shares = same_class(line, classes, 2)
    assert shares[[0, 5, 699, 700, 1399]].tolist() == [1.0, 1.0, 0.5, 0.5, 1.0]
    assert shares.sum() == 1399


def test_few_dimensions_are_laid_out_too() -> None:
    line = torch.cat([torch.zeros(20, 1), torch.ones(20, 1)]) + 0.01 * torch.arange(40.0)[:, None]
    view = map_view(line, np.repeat([0, 1], 20))
    assert view.original.share == 1.0
    assert np.isfinite(view.places).all()


def test_nothing_to_lay_out() -> None:
    with pytest.raises(DataError, match="11 examples are too few"):
        map_view(torch.randn(11, 3), np.zeros(11, dtype=np.int64))
    with pytest.raises(DataError, match="the same for every example"):
        map_view(torch.ones(20, 3), np.zeros(20, dtype=np.int64))
