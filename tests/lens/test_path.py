"""Ways on a known bowl, and the ways of a real run: the more momentum, the straighter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import run, spec
from netwright.errors import SpecError
from netwright.lens.path import path_view


def test_two_ways_in_a_plane_are_drawn_whole_and_their_turns_measured() -> None:
    """One goes straight, one along three sides of a square, in the first two of four weights."""
    straight = torch.tensor([[2.0, 0, 1, 1], [1.0, 0, 1, 1], [0.0, 0, 1, 1]])
    square = torch.tensor([[2.0, 0, 1, 1], [2.0, 1, 1, 1], [1.0, 1, 1, 1], [1.0, 0, 1, 1]])
    view = path_view([straight, square], lambda flat: float(flat[:2].square().sum()))
    assert view.turns == pytest.approx((1.0, 0.0), abs=1e-6)
    assert view.share == pytest.approx(1.0)
    lengths = [np.linalg.norm(np.diff(shadow, axis=0), axis=1) for shadow in view.shadows]
    assert np.concatenate(lengths) == pytest.approx(np.ones(5))
    assert view.shadows[0][-1] == pytest.approx(np.zeros(2), abs=1e-6)  # the plane's middle
    row, column = np.unravel_index(view.surface.argmin(), view.surface.shape)
    assert abs(view.first[column]) + abs(view.second[row]) < 0.2  # the bowl's bottom lies at the first way's end


def test_more_momentum_keeps_its_direction(tmp_path: Path, netwright: Callable) -> None:
    text = (
        "{data: {path: 'sklearn:diabetes'}, outputs: [target], model: {layers: 'dense 6, tanh'}, "
        "training: {stop: {epochs: 1}}}"
    )
    folder = run.train(spec.load(text), out=tmp_path / "run").run
    found = run.paths(folder, momenta=(0.0, 0.5, 0.9), steps=40)
    assert list(found.view.turns) == sorted(found.view.turns)
    assert found.view.turns[2] > 0.8 > 0.3 > found.view.turns[0]
    assert "momentum 0.9" in found.page.read_text(encoding="utf-8")
    said = netwright("look", "path", str(folder), "--momenta", "0", "0.9", "--steps", "5")
    assert said.returncode == 0, said.stderr
    assert "cosine of a step with the next" in said.stdout
    with pytest.raises(SpecError, match="two to six momenta"):
        run.paths(folder, momenta=(1.0, 0.5))
