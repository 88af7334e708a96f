import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from netwright.data import duplicates
from netwright.errors import DataError


def pictures(count: int, side: int = 32, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)
    large = [np.asarray(Image.fromarray(c).resize((side, side), Image.Resampling.BICUBIC)) for c in coarse]
    return np.stack(large)


def recompressed(picture: np.ndarray, quality: int = 85) -> np.ndarray:
    data = io.BytesIO()
    side = picture.shape[0]
    Image.fromarray(picture).resize((side + 7, side + 7)).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data).resize((side, side)))


def test_equal_rows_and_only_they_have_equal_hashes() -> None:
    numbers = np.array([0.5, -0.0, 0.5, 0.0, 1.5])
    codes = np.array([1, 2, 1, 2, 1], dtype=np.int32)
    first = duplicates.first_copies(duplicates.digest([numbers, codes]))
    assert first.tolist() == [0, 1, 0, 1, 4]


def test_order_of_columns_matters() -> None:
    a, b = np.array([1.0, 2.0]), np.array([2.0, 1.0])
    assert (duplicates.digest([a, b])[0] != duplicates.digest([b, a])[0]).any()


def test_million_rows_of_small_numbers_do_not_collide() -> None:
    grid = np.stack(np.meshgrid(np.arange(1000.0), np.arange(1000.0)), axis=-1).reshape(-1, 2)
    hashed = duplicates.digest([grid])
    assert len(np.unique(hashed[:, 0])) == len(np.unique(hashed[:, 1])) == len(grid)


def test_pictures_are_hashed_by_their_pixels() -> None:
    some = pictures(4)
    again = np.concatenate([some, some[2:3]])
    assert duplicates.first_copies(duplicates.digest([again])).tolist() == [0, 1, 2, 3, 2]


def test_copies_follow_the_first_and_the_parts_keep_their_sizes() -> None:
    first = np.arange(100)
    first[90:] = np.arange(10)  # the last ten are copies of the first ten
    codes = np.zeros(100, dtype=np.int8)
    codes[60:80], codes[80:] = 1, 2
    moved = duplicates.together(codes, first, np.zeros(100, dtype=np.int64), 0)
    assert (moved == moved[first]).all()
    assert np.bincount(moved).tolist() == [60, 20, 20]
    assert not len(duplicates.across(moved, first))


def test_evening_out_keeps_class_shares() -> None:
    labels = np.arange(200) % 2
    first = np.arange(200)
    first[180:] = np.arange(20)
    codes = np.repeat(np.array([0, 1, 2], dtype=np.int8), [140, 30, 30])
    moved = duplicates.together(codes, first, labels, 0)
    for label in (0, 1):
        assert np.bincount(moved[labels == label]).tolist() == np.bincount(codes[labels == label]).tolist()


def test_copies_across_parts_are_listed_with_their_parts() -> None:
    codes = np.array([0, 1, 2, 0], dtype=np.int8)
    pairs = duplicates.across(codes, np.array([0, 1, 0, 0]))
    assert pairs.tolist() == [[0, 2]]
    ids = pa.chunked_array([["a.jpg", "b.jpg", "c.jpg", "d.jpg"]])
    with pytest.raises(DataError, match=r"a\.jpg \(train\) = c\.jpg \(test\)[^$]*data\.duplicates: accept"):
        duplicates.refuse_or_tell(pairs, codes, ids, accept=False)
    assert "accepted" in duplicates.refuse_or_tell(pairs, codes, ids, accept=True)[0]
    assert duplicates.refuse_or_tell(pairs[:0], codes, ids, accept=False) == []


def test_recompressed_and_resized_copy_is_a_near_twin() -> None:
    some = pictures(300)
    copies = np.stack([recompressed(picture) for picture in some[:20]])
    found = duplicates.near_twins(np.concatenate([some, copies]))
    assert found.pairs[:, 1].tolist() == (300 + found.pairs[:, 0]).tolist()  # nothing else is a twin
    assert len(found.pairs) >= 18  # a hash with a differing bit in each of the four bands is not proposed
    assert (found.correlation >= duplicates.CORRELATION).all()
    assert found.capped == ""


def test_other_pictures_are_no_twins() -> None:
    assert len(duplicates.near_twins(pictures(500)).pairs) == 0


def test_blank_pictures_are_no_twins_of_each_other() -> None:
    blank = np.full((50, 16, 16, 1), 255, dtype=np.uint8)
    assert len(duplicates.near_twins(blank).pairs) == 0


def test_difference_hash_sees_the_falling_edge() -> None:
    falling = np.linspace(255, 0, 18).astype(np.uint8)[None, None, :, None] * np.ones((1, 16, 1, 1), dtype=np.uint8)
    assert duplicates.difference_hashes(falling)[0] == 2**64 - 1
    assert duplicates.difference_hashes(falling[:, :, ::-1])[0] == 0


def test_many_alike_pictures_stay_within_the_cap_and_say_so() -> None:
    one = pictures(1, side=12)[0]
    noise = np.random.default_rng(0).integers(-1, 2, (400, *one.shape))
    crowd = np.clip(one.astype(int) + noise, 0, 255).astype(np.uint8)
    found = duplicates.near_twins(crowd)
    assert len(found.pairs) <= 4 * 32 * 400
    assert "only the nearest were compared" in found.capped


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_pictures_are_no_trouble(count: int) -> None:
    assert len(duplicates.near_twins(np.zeros((count, 8, 8, 3), dtype=np.uint8)).pairs) == 0
