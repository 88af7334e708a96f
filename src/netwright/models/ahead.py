"""What goes on: how a network sees the steps of a track or series, and the head that adds to a simple way of going on.

Places come in from the middle of the training part, as they lie in the world. `Framed` turns them so that the last
point is the origin and the last movement leads along the first axis; `Ahead` gives points in the world again: the last
point, moved on by the base, and by what the network adds to each step in that frame. A series is seen at the level of
its window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from netwright.field import STEPS
from netwright.models.initialisers import Draw
from netwright.models.layers import Layer, Shape
from netwright.models.steps import at_end, there, without_rest

AXES = 2
_STANDS = 0.25  # of a usual step; who moves less has no direction of movement, and no pace of their own
_FAR = 4.0  # steps that places are divided by, so that those of a few seconds lie within a few units
_STILL = 0.01  # spreads of the training part; a window that moves less has no measure of its own
_FIRST = 0.01  # reach of a head's first weights: a fresh network answers nearly as its base


@dataclass(frozen=True)
class Going:
    """How an output goes on from an input.

    Args:
        horizon: Steps that come out.
        base: `motion`, the last step over and over; `season`, what was a season ago and has grown
            since; `last`, the last point.
    """

    horizon: int
    base: str


@dataclass(frozen=True)
class Frame:
    """How the steps of an input are seen, and what goes on from them.

    Args:
        name: heading, position or world; or series.
        step: Usual length of a step.
        extent: How far places lie from the middle.
        pairs: Directions behind the coordinates, each as cosine and sine.
        season: Of a series: steps of a season, 0 for none.
        going: Outputs that go on from it.
    """

    name: str
    step: float
    extent: float
    pairs: int = 0
    season: int = 0
    going: Mapping[str, Going] = field(default_factory=dict)


class Pose(NamedTuple):
    """Where tracks end: last point, last step, and the direction of movement, of length 1, all `(batch, 2)`.

    The pace is the mean length of a step, `(batch, 1)`: it is the unit of each track, so that who walks and who runs
    look alike.
    """

    point: Tensor
    way: Tensor
    ahead: Tensor
    pace: Tensor


def pose(points: Float[Tensor, "batch time dim"], steps: Int[Tensor, " batch"] | None, frame: Frame) -> Pose:
    """Where tracks end and whereto they move; who stands is turned as the whole track was, or not at all.

    Args:
        points: Coordinates first.
        steps: How many steps each has; None where all have as many as there are.
        frame: Says what is turned.
    """
    places = points[..., :AXES]
    if steps is None:
        last, before = places[:, -1], places[:, -min(2, places.shape[1])]
    else:
        last, before = at_end(places, steps), at_end(places, (steps - 1).clamp(min=1))
    way = last - before
    upright = torch.zeros_like(way)
    upright[:, 0] = 1
    if frame.name == "world":
        return Pose(last, way, upright, torch.full_like(way[:, :1], frame.step))
    lengths = without_rest(torch.diff(places, dim=1), None if steps is None else steps - 1).norm(dim=2)
    count = lengths.shape[1] if steps is None else (steps - 1)[:, None]
    pace = lengths.sum(dim=1, keepdim=True) / torch.as_tensor(count, device=way.device).clamp(min=1)
    pace = pace.clamp(min=_STANDS * frame.step)
    if frame.name == "position":
        return Pose(last, way, upright, pace)
    whole = last - places[:, 0]
    moved, went = way.norm(dim=1, keepdim=True), whole.norm(dim=1, keepdim=True)
    least = _STANDS * frame.step
    ahead = torch.where(went > least, whole / went.clamp(min=1e-12), upright)
    return Pose(last, way, torch.where(moved > least, way / moved.clamp(min=1e-12), ahead), pace)


def turned(vectors: Float[Tensor, "*#batch 2"], ahead: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*out 2"]:
    """Vectors by how far they lead ahead and to the left.

    Args:
        vectors: In the world.
        ahead: Directions of length 1, that can be broadcast.
    """
    along = (vectors * ahead).sum(dim=-1)
    aside = vectors[..., 1] * ahead[..., 0] - vectors[..., 0] * ahead[..., 1]
    return torch.stack([along, aside], dim=-1)


def back(vectors: Float[Tensor, "*#batch 2"], ahead: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*out 2"]:
    """The inverse of `turned`."""
    x = vectors[..., 0] * ahead[..., 0] - vectors[..., 1] * ahead[..., 1]
    y = vectors[..., 0] * ahead[..., 1] + vectors[..., 1] * ahead[..., 0]
    return torch.stack([x, y], dim=-1)


class Framed(Layer):
    """The steps of a track in a frame of its own: places and steps by its pace, the pace, directions, other numbers.

    Never written in a text: a track that goes in gets one in front of everything else. With the frame `world` places
    stay where they are, and neither steps nor pace are beside them.

    Args:
        in_shape: `(time, dim)`.
        frame: Which frame, and the units.
    """

    def __init__(self, in_shape: Shape, frame: Frame) -> None:
        self.relative = frame.name != "world"
        super().__init__(in_shape, (STEPS, in_shape[1] + (AXES + 1) * self.relative))
        self.frame, self.timed = frame, True

    def forward(
        self, x: Float[Tensor, "batch time dim"], steps: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch time out"]:
        """The steps as they are seen.

        Args:
            x: Places from the middle of the data, then directions, then other numbers.
            steps: How many steps each has; None where all have as many as there are.
        """
        places, rest = x[..., :AXES], x[..., AXES:]
        if not self.relative:
            return without_rest(torch.cat([places / self.frame.extent, rest], dim=2), steps)
        end = pose(x, steps, self.frame)
        ahead = end.ahead[:, None]
        ways = torch.diff(places, dim=1)
        ways = without_rest(ways, None if steps is None else steps - 1)
        ways = torch.cat([ways[:, :1] if ways.shape[1] else torch.zeros_like(places), ways], dim=1)
        pace = end.pace[:, None]
        seen = [
            turned(places - end.point[:, None], ahead) / (_FAR * pace),
            turned(ways, ahead) / pace,
            (pace / self.frame.step).log().expand(-1, x.shape[1], -1),
        ]
        split = AXES * self.frame.pairs
        seen += [turned(pair, ahead) for pair in rest[..., :split].split(AXES, dim=2)] if split else []
        return without_rest(torch.cat([*seen, rest[..., split:]], dim=2), steps)


class _Added(Layer):
    """What the network adds to each of the next steps of a base: a weighted sum of what comes in, at first near 0.

    Args:
        in_shape: `(dim,)` of what the layers give.
        columns: Numbers of a step.
        frame: Of what goes on.
        going: How many steps, and from which base.
    """

    def __init__(self, in_shape: Shape, columns: int, frame: Frame, going: Going) -> None:
        units, (dim,) = columns * going.horizon, in_shape
        super().__init__(in_shape, (units,), multiply_adds=dim * units)
        self.frame, self.going, self.timed = frame, going, True
        self.weight = nn.Parameter(torch.empty(units, dim))
        self.bias = nn.Parameter(torch.empty(units))

    def initialise(self, draw: Draw) -> None:
        """Small weights: at first the base answers."""
        draw.uniform(self.weight, _FIRST)
        nn.init.zeros_(self.bias)

    def _added(self, x: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch step column"]:
        return functional.linear(x, self.weight, self.bias).unflatten(1, (self.going.horizon, -1))


class Ahead(_Added):
    """The next points of a track: its base, and what the network adds to every step.

    p_k = p_0 + Σ_{j<=k} (base step + pace R r_j), with r from a weighted sum of what comes in, and R from the frame
    back into the world. All points come out at once, so that none is built on a mistake of one before it.

    Args:
        in_shape: `(dim,)` of what the layers give.
        frame: Of the track.
        going: How many points, and from which base.
    """

    def __init__(self, in_shape: Shape, frame: Frame, going: Going) -> None:
        super().__init__(in_shape, AXES, frame, going)

    def forward(
        self,
        points: Float[Tensor, "batch time width"],
        x: Float[Tensor, "batch dim"],
        steps: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch units"]:
        """Points in the world, from the middle of the data, one behind the other.

        Args:
            points: The track as it came in.
            x: What the layers make of it.
            steps: How many steps each track has; None where all have as many as there are.
        """
        end = pose(points, steps, self.frame)
        ways = back(self._added(x), end.ahead[:, None]) * end.pace[:, None]
        if self.going.base == "motion":
            ways = ways + end.way[:, None]
        return (end.point[:, None] + ways.cumsum(dim=1)).flatten(1)


# ---- series ----------------------------------------------------------------------------------------------------------


class Level(NamedTuple):
    """Mean and spread of the steps that are seen, `(batch, 1, column)`."""

    mean: Tensor
    spread: Tensor


def level(x: Float[Tensor, "batch time column"], steps: Int[Tensor, " batch"] | None) -> Level:
    """At which level a window lies, and how much it moves; one that hardly moves is not made to look lively.

    Args:
        x: The series.
        steps: How many steps each has; None where all have as many as there are.
    """
    count = torch.full((len(x),), x.shape[1], device=x.device) if steps is None else steps
    kept = there(x, count.clamp(min=1))
    n = count.clamp(min=1)[:, None, None].to(x.dtype)
    mean = torch.where(kept, x, 0.0).sum(dim=1, keepdim=True) / n
    apart = torch.where(kept, x - mean, 0.0)
    return Level(mean, (apart.square().sum(dim=1, keepdim=True) / n).sqrt().clamp(min=_STILL))


class Levelled(Layer):
    """The steps of a series at the level of its window: values, what they were less a step ago and a season ago.

    Never written in a text: a series that goes in gets one in front of everything else.

    Args:
        in_shape: `(time, column)`.
        frame: Says how long a season is.

    Source: the normalisation of Kim et al. 2022, Reversible Instance Normalization, without learned factors.
    """

    def __init__(self, in_shape: Shape, frame: Frame) -> None:
        super().__init__(in_shape, (STEPS, in_shape[1] * (3 if frame.season else 2)))
        self.frame, self.timed = frame, True

    def forward(
        self, x: Float[Tensor, "batch time column"], steps: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch time out"]:
        """The steps as they are seen; what lies before the first counts as no change.

        Args:
            x: The series, standardised.
            steps: How many steps each has; None where all have as many as there are.
        """
        at = level(x, steps)
        lags = [1, self.frame.season] if self.frame.season else [1]
        before = [functional.pad(x[:, lag:] - x[:, :-lag], (0, 0, min(lag, x.shape[1]), 0)) for lag in lags]
        seen = [x - at.mean, *before]
        return without_rest(torch.cat([each / at.spread for each in seen], dim=2), steps)


class SeriesAhead(_Added):
    """The next steps of a series: its base, and what the network adds to every step, in spreads of the window."""

    def forward(
        self,
        series: Float[Tensor, "batch time column"],
        x: Float[Tensor, "batch dim"],
        steps: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch units"]:
        """The next steps, standardised, one behind the other.

        Args:
            series: As it came in.
            x: What the layers make of it.
            steps: How many steps each series has; None where all have as many as there are.
        """
        count = torch.full((len(series),), series.shape[1], device=series.device) if steps is None else steps
        count = count.clamp(min=1)
        seasonal = self.going.base == "season"
        base = season_on if seasonal else season_ago
        base = base(series, count, self.frame.season if seasonal else 1, self.going.horizon)
        return (base + self._added(x) * level(series, steps).spread).flatten(1)


def season_ago(
    seen: Float[Tensor, "batch time column"], count: Int[Tensor, " batch"], season: int, steps: int
) -> Float[Tensor, "batch step column"]:
    """The values a season before each of the next steps; the last value where less than a season was seen.

    Args:
        seen: Padded at the end.
        count: How many steps each example has.
        season: Steps of a season; 1 gives the last value over and over.
        steps: How many come.

    Example:
        >>> season_ago(torch.arange(5.0)[None, :, None], torch.tensor([5]), 3, 4).flatten().tolist()
        [2.0, 3.0, 4.0, 2.0]
    """
    ahead = torch.arange(steps, device=seen.device) % season
    place = count[:, None] - season + ahead
    place = torch.where(place < 0, count[:, None] - 1, place)
    return seen.gather(1, place[..., None].expand(-1, -1, seen.shape[2]))


def season_on(
    seen: Float[Tensor, "batch time column"], count: Int[Tensor, " batch"], season: int, steps: int
) -> Float[Tensor, "batch step column"]:
    """The values a season before, moved by how much the last quarter of a season lies above that a season ago.

    Args:
        seen: Padded at the end.
        count: How many steps each example has; where that is no more than a season, nothing is moved.
        season: Steps of a season.
        steps: How many come.

    Example:
        >>> season_on(torch.arange(6.0)[None, :, None], torch.tensor([6]), 4, 3).flatten().tolist()
        [6.0, 7.0, 8.0]
    """
    back = torch.arange(1, max(season // 4, 1) + 1, device=seen.device)
    now = count[:, None] - back
    known = now - season >= 0
    here, before = (
        seen.gather(1, place.clamp(min=0)[..., None].expand(-1, -1, seen.shape[2])) for place in (now, now - season)
    )
    grown = torch.where(known[..., None], here - before, 0.0).sum(dim=1) / known.sum(dim=1).clamp(min=1)[:, None]
    return season_ago(seen, count, season, steps) + grown[:, None]


def framed(in_shape: Shape, frame: Frame) -> Layer:
    """The layer in front of everything else that sees steps in a frame of theirs.

    Args:
        in_shape: `(time, number)`.
        frame: Which one.
    """
    return Levelled(in_shape, frame) if frame.name == "series" else Framed(in_shape, frame)


def ahead_of(in_shape: Shape, steps: Shape, frame: Frame, going: Going) -> Layer:
    """The head that goes on.

    Args:
        in_shape: `(dim,)` of what the layers give.
        steps: `(time, number)` of what came in.
        frame: How that is seen.
        going: How many steps, and from which base.
    """
    series = frame.name == "series"
    return SeriesAhead(in_shape, steps[1], frame, going) if series else Ahead(in_shape, frame, going)
