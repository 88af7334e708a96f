"""What every registered transform keeps to: it is repeatable, alone with each example, and leaves pictures pictures."""

from __future__ import annotations

import inspect

import pytest
import torch

from netwright import registry
from netwright.data.augment import Draw, Transform
from netwright.field import Field
from netwright.readers.kinds.image import Image

EPOCHS = range(6)


ALL = {name: registry.resolve("transform", name)() for name in registry.parts("transform")}


@pytest.fixture(params=[name for name, made in ALL.items() if made.changes("image")])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def transform(name: str) -> Transform:
    return ALL[name]


def _sounds(count: int = 9) -> torch.Tensor:
    sounds = torch.rand(count, 60, 12, generator=torch.Generator().manual_seed(0)) + 1
    return torch.where(torch.arange(60)[:, None] < torch.arange(count)[:, None, None] % 5 * 10 + 20, sounds, torch.nan)


def _pictures(count: int = 9) -> torch.Tensor:
    return torch.rand(count, 3, 8, 10, generator=torch.Generator().manual_seed(0))


def _draw(name: str, epoch: int, index: torch.Tensor) -> Draw:
    return Draw(5, f"augment/{name}", epoch, index)


def test_the_same_seed_epoch_and_example_give_the_same_picture_whatever_the_batch(
    name: str, transform: Transform
) -> None:
    pictures, index = _pictures(), torch.arange(100, 109)
    for epoch in EPOCHS:
        whole = transform.image(pictures, _draw(name, epoch, index))
        assert torch.equal(whole, transform.image(pictures, _draw(name, epoch, index)))
        for pick in (slice(0, 1), slice(4, 7)):
            assert torch.equal(whole[pick], transform.image(pictures[pick], _draw(name, epoch, index[pick])))


def test_epochs_examples_and_seeds_differ(name: str, transform: Transform) -> None:
    pictures, index = _pictures(1).expand(64, -1, -1, -1), torch.arange(64)
    one = transform.image(pictures, _draw(name, 0, index))
    assert len({tuple(picture.flatten().tolist()) for picture in one}) > 1
    assert not torch.equal(one, transform.image(pictures, _draw(name, 1, index)))
    assert not torch.equal(one, transform.image(pictures, Draw(6, f"augment/{name}", 0, index)))


def test_pictures_keep_their_shape_range_layout_and_original(name: str, transform: Transform) -> None:
    for layout in (torch.contiguous_format, torch.channels_last):
        pictures = _pictures().contiguous(memory_format=layout)
        before = pictures.clone()
        seen = transform.image(pictures, _draw(name, 1, torch.arange(9)))
        assert (seen.shape, seen.dtype) == (pictures.shape, pictures.dtype)
        assert seen.is_contiguous(memory_format=layout)
        assert torch.isfinite(seen).all()
        if type(transform).points is not Transform.points:  # what only moves is neither darker nor lighter
            assert seen.min() >= -1e-6
            assert seen.max() <= 1 + 1e-6
        assert torch.equal(pictures, before)


def test_a_bright_spot_and_its_place_move_together(name: str, transform: Transform) -> None:
    if type(transform).points is Transform.points:
        places = torch.rand(9, 2, 2)
        assert torch.equal(transform.points(places, _draw(name, 0, torch.arange(9)), (8, 10)), places)
        return
    size_px, count = (48, 64), 40
    place = torch.tensor([27.5, 20.5])
    rows, columns = torch.meshgrid(torch.arange(48) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    spot = torch.exp(-((columns - place[0]) ** 2 + (rows - place[1]) ** 2) / 8)
    draw = _draw(name, 0, torch.arange(count))
    seen = transform.image(spot.expand(count, 1, -1, -1), draw)[:, 0]
    told = transform.points(place.expand(count, 1, -1), draw, size_px)[:, 0]
    inside = ((told > 8) & (told < torch.tensor([56.0, 40.0]))).all(dim=1)
    assert inside.sum() > 10
    weight = seen.sum(dim=(1, 2))
    found = torch.stack([(seen * columns).sum(dim=(1, 2)) / weight, (seen * rows).sum(dim=(1, 2)) / weight], dim=1)
    assert (found - told)[inside].norm(dim=1).max() < 1  # a bent spot has no exact middle
    assert (told - place).norm(dim=1).max() > 0.5


def test_a_box_holds_what_is_drawn_in_it(name: str, transform: Transform) -> None:
    size_px, count = (48, 64), 40
    inside = torch.tensor([[24.0, 17.0], [31.0, 24.0], [24.0, 24.0], [31.0, 17.0]])
    box = torch.tensor([[[23.0, 16.0, 32.0, 25.0]]])
    draw = _draw(name, 0, torch.arange(count))
    found = transform.boxes(box.expand(count, 1, 4), draw, size_px)
    limits = torch.tensor([64.0, 48.0])
    moved = transform.points(inside.expand(count, 4, 2), draw, size_px).clamp(min=0).minimum(limits)
    assert found.shape == (count, 1, 4)
    assert (moved >= found[..., :2] - 1).all()  # a bent side has no straight edge
    assert (moved <= found[..., 2:] + 1).all()
    assert ((found >= 0) & (found <= limits.repeat(2))).all()


def test_a_track_keeps_its_form_and_is_moved_alike_whatever_the_batch(name: str, transform: Transform) -> None:
    index = torch.arange(100, 140)
    draw = _draw(name, 1, index)
    matrix, noise = transform.plane(draw), transform.shaken(draw, 8)
    assert transform.changes("track") == (matrix is not None or noise is not None)
    for found, shape in ((matrix, (40, 2, 2)), (noise, (40, 8, 2))):
        if found is not None:
            again = (transform.plane if found is matrix else lambda few: transform.shaken(few, 8))(
                _draw(name, 1, index[3:5])
            )
            assert found.shape == shape
            assert torch.equal(again, found[3:5])
            assert len({tuple(each.flatten().tolist()) for each in found}) > 1
    if matrix is not None and name in {"mirror", "rotate"}:
        torch.testing.assert_close(matrix @ matrix.mT, torch.eye(2).expand(40, -1, -1))


@pytest.mark.parametrize("name", [name for name, made in ALL.items() if made.changes("audio")])
def test_a_sound_keeps_its_length_and_is_changed_alike_whatever_the_batch(name: str) -> None:
    sounds, index = _sounds(), torch.arange(100, 109)
    before = sounds.clone()
    for epoch in EPOCHS:
        seen = ALL[name].steps(sounds, _draw(name, epoch, index))
        assert torch.equal(seen.isnan(), sounds.isnan())
        assert not torch.equal(seen.nan_to_num(), sounds.nan_to_num())
        for pick in (slice(0, 1), slice(4, 7)):
            longest = int((~sounds[pick, :, 0].isnan()).sum(dim=1).max())  # shorter batch mates, less padding
            alone = ALL[name].steps(sounds[pick, :longest], _draw(name, epoch, index[pick]))
            assert torch.equal(alone.nan_to_num(), seen[pick, :longest].nan_to_num())
    assert torch.equal(sounds.nan_to_num(), before.nan_to_num())
    assert not torch.equal(seen.nan_to_num(), ALL[name].steps(sounds, _draw(name, 9, index)).nan_to_num())


@pytest.mark.parametrize("name", [name for name, made in ALL.items() if not made.changes("image")])
def test_what_is_not_for_pictures_says_so(name: str) -> None:
    assert ALL[name].fits((8, 10, 3))
    assert ALL[name].changes("audio") or ALL[name].changes("track")


def test_it_makes_more_than_one_view_and_no_more_than_it_says(name: str, transform: Transform) -> None:
    index = torch.arange(2000)
    seen = transform.image(_pictures(1).expand(2000, -1, -1, -1), _draw(name, 0, index))
    found = {tuple(picture.flatten().tolist()) for picture in seen}
    assert 1 < len(found) <= transform.views()
    assert transform.fits((8, 10, 3)) == ""


def test_it_has_a_source_and_an_example_on_a_real_field(name: str, transform: Transform) -> None:
    text = inspect.getdoc(type(transform)) or ""
    assert "Source:" in text
    assert "Example:" in text
    field = Field(name="x", kind="image", source="x", shape=(8, 10, 3), dtype="uint8")
    seen = transform.image(_pictures(), _draw(name, 0, torch.arange(9)))
    assert Image().uncode(seen[0], field).shape == (8, 10, 3)
