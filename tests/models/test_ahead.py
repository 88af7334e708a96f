import math

import pytest
import torch
from torch import Tensor

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.ahead import Ahead, Frame, Framed, Going, back, pose, turned
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec

SHAPE = (STEPS, 2)


def frame(name: str = "heading", horizon: int = 3, base: str = "motion", pairs: int = 0) -> Frame:
    return Frame(name, step=1.0, extent=10.0, pairs=pairs, going={"next": Going(horizon, base)})


def network(layers: str = "lstm 4", of: Frame | None = None, shape: tuple[int, int] = SHAPE) -> Network:
    seen = of or frame()
    return build(
        ModelSpec(layers=layers), {"path": shape}, {"next": 2 * seen.going["next"].horizon}, 0, frames={"path": seen}
    ).eval()


def walk(count: int = 5, steps: int = 6, width: int = 2) -> Tensor:
    return torch.randn(count, steps, width, generator=torch.Generator().manual_seed(0)).cumsum(dim=1)


def silent(net: Network) -> Network:
    """Whose head adds nothing to its base."""
    with torch.no_grad():
        for weight in net.module("next").parameters():
            weight.zero_()
    return net


def test_a_head_that_adds_nothing_goes_on_by_the_last_step_or_stays() -> None:
    points = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]])
    moving = silent(network())({"path": points})["next"].unflatten(1, (3, 2))
    assert moving.tolist() == [[[1.0, 4.0], [1.0, 6.0], [1.0, 8.0]]]
    staying = silent(network(of=frame(base="last")))({"path": points})["next"].unflatten(1, (3, 2))
    assert staying.tolist() == [[[1.0, 2.0]] * 3]


def test_a_fresh_network_answers_nearly_as_its_base() -> None:
    points = walk()
    base = silent(network())({"path": points})["next"]
    apart = (network()({"path": points})["next"] - base).abs().max()
    assert 0 < apart.item() < 0.5


def test_who_starts_elsewhere_or_walks_in_another_direction_is_answered_alike() -> None:
    points, angle = walk(), 2.0
    spin = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    net = network("lstm 4", frame())
    here = net({"path": points})["next"].unflatten(1, (3, 2))
    there = net({"path": points @ spin.T + 7})["next"].unflatten(1, (3, 2))
    torch.testing.assert_close(here @ spin.T + 7, there, atol=1e-4, rtol=1e-4)
    moved = network("lstm 4", frame("position"))
    here, there = (moved({"path": given})["next"].unflatten(1, (3, 2)) for given in (points, points + 7))
    torch.testing.assert_close(here + 7, there, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(here @ spin.T, moved({"path": points @ spin.T})["next"].unflatten(1, (3, 2)), atol=1e-3)


def test_the_frame_world_shows_places_alone_so_that_a_last_point_knows_of_no_movement() -> None:
    net = network("last, dense 4, relu", frame("world", base="last"))
    same_end = torch.cat([torch.randn(4, 5, 2), torch.ones(4, 1, 2)], dim=1)
    answers = net({"path": same_end})["next"]
    torch.testing.assert_close(answers, answers[:1].expand(4, -1))
    recurrent = network("lstm 4", frame("world", base="last"))({"path": same_end})["next"]
    assert not torch.allclose(recurrent, recurrent[:1].expand(4, -1))


def test_a_net_of_fixed_length_is_refused_with_the_reason_and_the_way_out() -> None:
    with pytest.raises(
        SpecError, match="cannot follow a sequence, whose examples have different numbers of steps"
    ) as no:
        network("flatten, dense 4")
    assert "Put last or global_pool before it" in no.value.cure


def test_turning_and_turning_back_change_nothing() -> None:
    vectors, ahead = walk(7, 1)[:, 0], torch.nn.functional.normalize(walk(7, 2)[:, 1], dim=1)
    torch.testing.assert_close(back(turned(vectors, ahead), ahead), vectors)
    torch.testing.assert_close(turned(ahead, ahead), torch.tensor([[1.0, 0.0]]).expand(7, -1), atol=1e-6, rtol=0)


def test_who_stands_is_turned_as_the_whole_track_was_or_not_at_all() -> None:
    stopped = torch.tensor([[[0.0, 0.0], [0.0, 3.0], [0.0, 3.0]], [[5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]])
    end = pose(stopped, None, frame())
    assert end.ahead.tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert end.pace.tolist() == [[1.5], [0.25]]


def test_directions_turn_with_the_frame_and_other_numbers_stay() -> None:
    layer = Framed((STEPS, 5), frame(pairs=1))
    x = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 7.0], [0.0, 2.0, 0.0, 1.0, 7.0]]])
    seen = layer(x)
    assert layer.out_shape == (STEPS, 8)
    torch.testing.assert_close(seen[0, :, 5:], torch.tensor([[1.0, 0.0, 7.0], [1.0, 0.0, 7.0]]))
    torch.testing.assert_close(seen[0, 1, :5], torch.tensor([0.0, 0.0, 1.0, 0.0, math.log(2.0)]), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["heading", "position", "world"])
def test_padding_and_batch_mates_change_nothing(name: str) -> None:
    net = network("lstm 4", frame(name))
    long, short = walk(1, 6), walk(2, 6)[1:, :3]
    one = walk(3, 6)[2:, :1]
    gap = [torch.full((1, missing, 2), torch.nan) for missing in (3, 5)]
    both = torch.cat([long, torch.cat([short, gap[0]], dim=1), torch.cat([one, gap[1]], dim=1)])
    together = net({"path": both})["next"]
    for row, alone in enumerate((long, short, one)):
        torch.testing.assert_close(together[row : row + 1], net({"path": alone})["next"], atol=1e-6, rtol=1e-5)


def test_every_weight_gets_a_gradient() -> None:
    net = network()
    net({"path": walk()})["next"].square().sum().backward()
    assert all(weight.grad is not None and float(weight.grad.abs().sum()) > 0 for weight in net.parameters())


def test_the_table_names_frame_and_head_with_their_weights() -> None:
    nodes = {node.name: node for node in network().nodes}
    assert nodes["next"].inputs == ("input:path", "last1")
    assert (nodes["next"].shape, nodes["next"].parameters) == ((6,), 4 * 6 + 6)
    assert nodes["frame1"].shape == (STEPS, 5)
    assert Ahead((4,), frame(), Going(3, "motion")).multiply_adds == 24
