"""One step of gradient descent: the loss before and after, the slope, and weights by name."""

import re
from pathlib import Path

import pytest

from netwright import run
from netwright.errors import SpecError
from netwright.run.folder import RunFolder


def test_a_small_step_on_the_steepest_weights_goes_down(done_run: Path) -> None:
    step = run.step_view(done_run, lr=0.01)
    assert step.view.loss_after < step.view.loss_before
    slope = sum(value * value for value in step.view.slopes)
    assert step.view.loss_before - step.view.loss_after == pytest.approx(0.01 * slope, rel=0.2)
    assert step.page.read_text(encoding="utf-8").startswith("<!")
    assert f"loss before {step.view.loss_before:.6f}, after {step.view.loss_after:.6f}" in "\n".join(step.text)


def test_weights_are_named_by_layer_and_place(done_run: Path) -> None:
    step = run.step_view(done_run, weights=["dense1.weight[0,3]", "class.weight[0,7]"])
    assert step.names == ("dense1.weight[0,3]", "class.weight[0,7]")


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (["dense1.weight[0,3]"], "1 weights were named"),
        (["dens1.weight[0,3]", "class.weight[0,0]"], r'is no weight \(did you mean "dense1.weight"\?\)\. Known'),
        (["dense1.weight[0,99]", "class.weight[0,0]"], r"dense1.weight has shape \[8, 4\]"),
        (["dense1.weight[0]", "class.weight[0,0]"], r"dense1.weight has shape \[8, 4\]"),
        (["dense1.weight", "class.weight[0,0]"], "is no weight"),
    ],
)
def test_a_wrong_name_comes_with_the_right_ones(done_run: Path, weights: list[str], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        run.step_view(done_run, weights=weights)


def test_an_unfinished_run_is_looked_into_at_its_newest_checkpoint(done_run: Path) -> None:
    whole = run.step_view(done_run)
    RunFolder(done_run).model.unlink()
    assert all(re.fullmatch(r"\w+\.(weight|bias)\[[\d, ]+\]", name) for name in run.step_view(done_run).names)
    assert whole.names
    for place in RunFolder(done_run).checkpoints.iterdir():
        for file in place.iterdir():
            file.unlink()
        place.rmdir()
    with pytest.raises(SpecError, match="has no model yet"):
        run.step_view(done_run)
