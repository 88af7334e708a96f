"""Features made by hand, with answers that can be seen in the picture."""

import pytest
import torch
from torch import Tensor

from netwright.tasks.gradients import DIRECTIONS, colours, described, most_looked_at, oriented_gradients, pictures_among
from netwright.tasks.task import Coded, Whole


def by_direction(pictures: Tensor, cells: int = 8) -> Tensor:
    """(picture, direction, row, column)."""
    return oriented_gradients(pictures).reshape(len(pictures), DIRECTIONS, cells, cells)


def edge(side: int = 32) -> Tensor:
    """Dark on the left, bright on the right."""
    picture = torch.zeros(1, 1, side, side)
    picture[:, :, :, side // 2 :] = 1
    return picture


def test_a_vertical_edge_has_one_direction_in_the_cells_beside_it() -> None:
    found = by_direction(edge())[0]
    assert bool((found[0, :, 3:5] > 0.1).all())
    assert found[1:].abs().max() == 0
    assert found[0, :, :3].abs().max() == 0
    assert found[0, :, 5:].abs().max() == 0


def test_the_sign_of_an_edge_does_not_count_but_its_direction_does() -> None:
    torch.testing.assert_close(by_direction(-edge()), by_direction(edge()))
    level = by_direction(edge().transpose(2, 3))[0]
    assert level[DIRECTIONS // 2].sum() > 1
    assert level[: DIRECTIONS // 2].abs().max() == level[DIRECTIONS // 2 + 1 :].abs().max() == 0


def test_half_way_between_two_directions_votes_for_both() -> None:
    half = torch.pi / DIRECTIONS / 2
    across = torch.arange(32.0)
    slope = torch.cos(torch.tensor(half)) * across[None, :] + torch.sin(torch.tensor(half)) * across[:, None]
    inner = by_direction(slope[None, None])[0, :, 2:6, 2:6]
    torch.testing.assert_close(inner[0], inner[1], rtol=1e-3, atol=1e-3)
    assert inner[2:].abs().max() < 1e-4


def test_a_quarter_turn_turns_cells_and_exchanges_directions() -> None:
    pictures = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    turned = by_direction(torch.rot90(pictures, 1, (2, 3)))
    expected = torch.rot90(by_direction(pictures), 1, (2, 3)).roll(DIRECTIONS // 2, dims=1)
    torch.testing.assert_close(turned, expected, rtol=1e-4, atol=1e-5)


def test_a_constant_picture_has_no_gradients_and_one_colour() -> None:
    flat = torch.full((2, 3, 16, 16), 0.7)
    assert oriented_gradients(flat).abs().max() == 0
    shares = colours(flat)
    assert shares.shape == (2, 64)
    assert sorted(shares[0].tolist())[-2:] == [0.0, 1.0]


def test_contrast_hardly_counts() -> None:
    pictures = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(by_direction(5 * pictures), by_direction(pictures), rtol=1e-2, atol=1e-3)


def test_a_strong_edge_does_not_silence_a_faint_one_beside_it() -> None:
    picture = 10 * edge() + edge().transpose(2, 3)
    cell = by_direction(picture)[0, :, 3, 3]
    assert 2 < float(cell[0] / cell[DIRECTIONS // 2]) < 6  # ten to one without a limit for what one direction counts


def test_of_several_channels_the_one_with_the_longest_gradient_counts() -> None:
    faint, strong = 0.5 * edge().transpose(2, 3), edge()
    both = torch.cat([faint, strong, torch.zeros_like(strong)], dim=1)
    found = by_direction(both)[0]
    assert found[0, 0, 3] > 0.1  # the vertical edge of the second channel
    assert found[0, 3, 3] > found[DIRECTIONS // 2, 3, 3]  # where both are


def test_levels_of_grey_are_shares_of_the_pixels() -> None:
    picture = torch.tensor([-2.0, -0.5, 0.5, 0.5]).reshape(1, 1, 2, 2)
    assert colours(picture).tolist() == [[0.25, 0.25, 0.5, 0.0]]


@pytest.mark.parametrize(("size", "cells"), [((8, 8), 2), ((28, 28), 7), ((13, 30), 3), ((224, 224), 8)])
def test_any_size_has_cells_of_four_pixels_or_more(size: tuple[int, int], cells: int) -> None:
    found = oriented_gradients(torch.randn(1, 1, *size))
    assert found.shape[1] == DIRECTIONS * cells * (min(8, size[1] // 4))
    assert bool(torch.isfinite(found).all())


def test_only_pictures_are_described() -> None:
    inputs = {
        "photo": torch.zeros(4, 3, 16, 16),
        "table": torch.zeros(4, 3),
        "dot": torch.zeros(4, 1, 4, 4),
        "maps": torch.zeros(4, 16, 16, 16),
    }
    part = Coded(inputs, torch.arange(4))
    assert pictures_among(part) == ["photo"]
    assert described(part, ["photo"]).inputs["by hand"].shape == (4, 8 * 16 + 64)


def test_all_of_a_part_is_described_up_to_a_limit() -> None:
    pictures, targets = torch.randn(1300, 1, 8, 8), torch.arange(1300)
    chunks = [({"image": pictures[at : at + 600]}, targets[at : at + 600]) for at in range(0, 1300, 600)]
    part = Coded({"image": pictures[:5]}, targets[:5], whole=Whole(1300, lambda: iter(chunks)))
    whole = described(part, ["image"])
    assert whole.targets.tolist() == list(range(1300))
    torch.testing.assert_close(
        whole.inputs["by hand"], torch.cat([oriented_gradients(pictures), colours(pictures)], dim=1)
    )
    some = described(part, ["image"], most=700)
    assert some.targets.tolist() == list(range(700))
    assert len(some.inputs["by hand"]) == 700


def test_large_pictures_are_fewer() -> None:
    def most(side: int) -> int:
        return most_looked_at(Coded({"image": torch.zeros(1, 3, side, side)}, torch.zeros(1)), ["image"])

    assert most(32) > 50_000
    assert most(64) == most(32) // 4
    assert most(2048) == 512
