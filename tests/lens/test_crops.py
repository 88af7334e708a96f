"""Crops of pictures whose parts are known, and errors of answers known by thought."""

from __future__ import annotations

import pytest
import torch

from netwright.errors import SpecError
from netwright.lens.crops import Crop, crops, seen, wrong

PICTURE = torch.arange(64.0).reshape(1, 1, 8, 8)


def test_one_crop_is_the_picture_and_two_are_it_and_its_mirror_image() -> None:
    plain, mirrored = crops(2)
    assert crops(1) == [plain]
    assert seen(PICTURE, plain) is PICTURE
    assert torch.allclose(seen(PICTURE, mirrored), PICTURE.flip(-1), atol=1e-4)


@pytest.mark.parametrize("count", [10, 48])
def test_crops_lie_within_the_picture_on_both_sides_alike(count: int) -> None:
    found = crops(count)
    assert len(found) == count
    assert len(set(found)) == (10 if count == 10 else 42)  # the whole picture is in every scale
    assert all(abs(each.right) + each.share <= 1 + 1e-9 and abs(each.down) + each.share <= 1 + 1e-9 for each in found)
    assert sum(each.mirrored for each in found) == count / 2
    assert sum(each.right for each in found) == pytest.approx(0)


def test_a_corner_is_that_quarter_of_the_picture() -> None:
    corner = torch.zeros(1, 1, 8, 8)
    corner[:, :, 4:, :4] = 1
    lower_left = Crop(0.5, -0.5, 0.5, mirrored=False)
    assert torch.allclose(seen(corner, lower_left)[:, :, 1:, :7], torch.ones(1, 1, 7, 7), atol=1e-5)
    assert float(seen(corner, Crop(0.5, 0.5, -0.5, mirrored=True)).sum()) == pytest.approx(0, abs=0.3)


def test_errors_of_known_answers() -> None:
    answers = torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.1, 0.2, 0.7]])
    truth = torch.tensor([0, 1, 2, 0])
    assert [wrong(answers, truth, top) for top in (1, 2, 3)] == [0.5, 0.25, 0.0]


def test_other_numbers_are_refused() -> None:
    with pytest.raises(SpecError, match="--crops is 7"):
        crops(7)
