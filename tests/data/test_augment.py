"""The transforms against what they do by definition, and the chance behind them."""

from __future__ import annotations

import pytest
import torch

from netwright.data.augment import Draw, made
from netwright.data.augment.geometry import Mirror, Shift
from netwright.spec import InputSpec


def _draw(epoch: int = 0, count: int = 5, purpose: str = "test") -> Draw:
    return Draw(3, purpose, epoch, torch.arange(count))


def test_chance_is_even_between_0_and_1_and_columns_epochs_and_neighbours_know_nothing_of_each_other() -> None:
    drawn = torch.stack([_draw(epoch, 20_000).uniform(2) for epoch in range(3)], dim=2).reshape(20_000, 6)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = torch.stack([torch.histc(column, 20, 0, 1) for column in drawn.T])
    assert ((counts - 1000).square().sum(dim=1) / 1000).max() < 50  # chi-square, 19 degrees: 43.8 at 0.1 %
    others = torch.cat([drawn[:-1], drawn[1:]], dim=1)
    apart = torch.corrcoef(others.T) - torch.eye(12)
    assert apart.abs().max() < 0.03


def test_a_purpose_has_its_own_chance() -> None:
    assert not torch.equal(_draw(purpose="one").uniform(1), _draw(purpose="other").uniform(1))


def test_a_mirror_shows_both_sides_in_two_epochs_and_begins_with_either() -> None:
    pictures = torch.rand(200, 1, 4, 6)
    first, second, third = (Mirror().image(pictures, _draw(epoch, 200)) for epoch in range(3))
    turned = (first == pictures.flip(-1)).flatten(1).all(1)
    assert 70 < int(turned.sum()) < 130
    assert torch.equal(torch.where(turned[:, None, None, None], first, second), pictures.flip(-1))
    assert torch.equal(torch.where(turned[:, None, None, None], second, first), pictures)
    assert torch.equal(third, first)


def test_a_mirrored_number_changes_its_sign_where_its_picture_is_mirrored() -> None:
    values = torch.arange(1.0, 51.0)
    pictures = values[:, None, None, None] * torch.tensor([1.0, 2.0])
    for epoch in range(2):
        draw = _draw(epoch, 50)
        turned = Mirror().image(pictures, draw)[:, 0, 0, 0] > values
        assert torch.equal(Mirror().number(values, draw), torch.where(turned, -values, values))


def test_a_shift_moves_every_picture_to_one_of_its_places() -> None:
    picture = torch.arange(48.0).reshape(1, 1, 6, 8)
    wide = torch.nn.functional.pad(picture, (2, 2, 2, 2), mode="reflect")[0, 0]
    places = {tuple(wide[y : y + 6, x : x + 8].flatten().tolist()) for y in range(5) for x in range(5)}
    seen = Shift(2).image(picture.expand(1000, 1, 6, 8), _draw(0, 1000))
    found = [tuple(one.flatten().tolist()) for one in seen]
    assert set(found) == places
    assert max(found.count(place) for place in places) < 80  # 40 each by chance


def test_what_a_shift_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="px is 0, expected at least 1"):
        made(InputSpec.model_validate({"augment": {"name": "shift", "px": 0}}))
    assert Shift(6).fits((28, 6, 1)) == "px is 6, but pictures are 28 x 6"


def test_one_transform_needs_no_list() -> None:
    one, several = (InputSpec.model_validate({"augment": given}) for given in ("mirror", ["mirror"]))
    assert one == several
    assert [name for name, _ in made(one)] == ["mirror"]
