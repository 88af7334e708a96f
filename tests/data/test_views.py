"""Views: how many, where they lie, and that mirroring and cutting do what a ruler says."""

import numpy as np
import pytest

from netwright.data.views import SCHEMES, TOLD, Crop, cut


@pytest.mark.parametrize("many", SCHEMES)
def test_a_scheme_has_as_many_views_as_it_is_called(many: int) -> None:
    assert sum(len(reading.crops) * reading.weight for reading in SCHEMES[many]) == many
    assert many in TOLD


@pytest.mark.parametrize("many", [2, 10, 144])
def test_every_view_has_its_mirror_image(many: int) -> None:
    for reading in SCHEMES[many]:
        plain = {(crop.top, crop.left) for crop in reading.crops if not crop.mirrored}
        assert plain == {(crop.top, crop.left) for crop in reading.crops if crop.mirrored}
        assert len(reading.crops) == 2 * len(plain)


def test_sizes_are_those_that_were_published_for_224() -> None:
    sizes = {reading.frame((224, 224, 3)).height for reading in SCHEMES[144]}
    assert sizes == {224, 256, 288, 320, 352}
    (ten,) = SCHEMES[10]
    assert (ten.frame((224, 224, 3)).height, ten.frame((224, 112, 1)).width) == (256, 128)
    assert {reading.place for reading in SCHEMES[144]} == {0.0, 0.5, 1.0}


def test_corners_and_middle_are_where_they_are() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    seen = {
        (crop.top, crop.left, crop.mirrored): cut(pixels, crop, 2, 2)[0, :, :, 0].tolist()
        for crop in SCHEMES[10][0].crops
    }
    assert seen[0, 0, False] == [[0, 1], [4, 5]]
    assert seen[0, 1, False] == [[2, 3], [6, 7]]
    assert seen[1, 0, False] == [[8, 9], [12, 13]]
    assert seen[1, 1, False] == [[10, 11], [14, 15]]
    assert seen[0.5, 0.5, False] == [[5, 6], [9, 10]]
    assert seen[1, 1, True] == [[11, 10], [15, 14]]
    assert len(seen) == 10


def test_a_crop_of_the_whole_is_the_whole() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3, 1)
    assert np.array_equal(cut(pixels, Crop(), 2, 3), pixels)
