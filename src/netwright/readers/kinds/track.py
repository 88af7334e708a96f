"""Tracks: where somebody was, step by step, and what else was known of each step, e.g. where they looked.

What is cached is the numbers as they are, in float64. The network gets places from the middle of the training part, of
longitudes and latitudes in metres, directions as cosine and sine, and other numbers standardised; how it looks at them,
from the last point in the direction of the movement, is the network's first layer (`models/ahead.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from netwright.errors import CellError, SpecError
from netwright.field import Field, Reason, Scalar
from netwright.readers import padding
from netwright.readers.columns import Arrays, Column, Cut, Found
from netwright.readers.kinds.kind import Cell, source_of
from netwright.readers.kinds.sequence import Sequence
from netwright.readers.marks import NAMES
from netwright.spec import InputSpec, OutputSpec

AXES = 2
_HUGE = 1e9  # of a number
_SOME = 200  # tracks looked at to know whether directions are in degrees
_METRES = 6_371_008.8 * math.pi / 180  # of a degree of latitude, on a sphere as large as the earth
_MATHEMATICAL = {"heading", "yaw", "theta", "orientation", "angle", "head", "gaze", "body"}  # from x on, anticlockwise
_COMPASS = {"course", "cog", "bearing"}  # from north on, clockwise


class Track(Sequence):
    """Places step by step, cached as x, y and the other numbers of each step."""

    name: ClassVar[str] = "track"
    settings: ClassVar[tuple[str, ...]] = ("frame", "augment")

    def plan(self, name: str, column: Column, spec: InputSpec | OutputSpec, found: Found) -> tuple[Field, list[Reason]]:
        """Windows of a table in time, or cells that each hold a track.

        Raises:
            SpecError: An output says nothing about what it goes on with.
        """
        cut = found.cut or Cut(("x", "y"), 0)
        if isinstance(spec, OutputSpec):
            return self._following(name, spec, cut), []
        rows, plain, turned, compass = list(cut.columns[:AXES]), [], [], []
        for place, title in enumerate(cut.columns[AXES:], start=AXES):
            word = title.strip().casefold().split("_")[0]
            (turned if word in _MATHEMATICAL | _COMPASS else plain).append(place)
            compass += [place] if word in _COMPASS else []
        known, reasons = read_as(cut)
        options: dict[str, str | int | float | bool] = {
            "columns": json.dumps(cut.columns),
            "past": cut.past,
            "divided": cut.divided,
            "frame": spec.frame or "heading",
            **known,
        }
        if cut.geographic:
            options["geographic"] = True
            why = f"{rows[0]} and {rows[1]}, in metres on a sphere"
            reasons.append(Reason(path=f"inputs.{name}", value="on the globe", why=why))
        if turned:
            degrees = _in_degrees(column, turned)
            options |= {"turned": " ".join(map(str, turned)), "degrees": degrees}
            options |= {"compass": " ".join(map(str, compass))} if compass else {}
            titles = ", ".join(cut.columns[place] for place in turned)
            unit = "degrees" if degrees else "radians"
            sense = "clockwise from north" if compass else "anticlockwise from the first axis"
            reasons.append(Reason(path=f"inputs.{name}: {titles}", value="direction", why=f"by name; {unit}, {sense}"))
        if spec.frame is None:
            why = (
                "seen from the last point in the direction of movement, so that places and directions need no learning"
            )
            reasons.append(Reason(path=f"inputs.{name}.frame", value="heading", why=why))
        width = len(cut.columns)
        return self._field(name, spec, width, options), reasons

    def _field(
        self, name: str, spec: InputSpec | OutputSpec, width: int, options: dict[str, str | int | float | bool]
    ) -> Field:
        return Field(
            name=name,
            kind=self.name,
            source=source_of(name, spec),
            shape=(width,),
            dtype="float64",
            ragged=True,
            options=options,
        )

    def _following(self, name: str, spec: OutputSpec, cut: Cut) -> Field:
        if spec.of is None or spec.horizon is None:
            raise SpecError(
                f"outputs.{name}: a track goes on with one that goes in.",
                f"Write outputs: {{{name}: {{of: INPUT, horizon: 12}}}}",
            )
        options: dict[str, str | int | float | bool] = {
            "onward": spec.of,
            "horizon": spec.horizon,
            "columns": json.dumps(cut.columns[:AXES]),
        }
        if cut.geographic:
            options["geographic"] = True
        return self._field(name, spec, AXES, options)

    def one(self, raw: Cell, field: Field) -> np.ndarray:
        """`(time, number)`: the numbers of each step.

        Raises:
            CellError: No track, no point, or a number that is none.
        """
        values = rows_of(raw, field.shape[0], "track")
        if not len(values):
            raise CellError("holds no point.")
        if not np.isfinite(values).all() or np.abs(values).max() > _HUGE:
            raise CellError(f"holds a coordinate that is no number, or beyond {_HUGE:.0e}.")
        return values

    def fit(self, values: np.ndarray, field: Field) -> Field:
        """Mean and spread of each number, the usual length of a step, and how far places lie apart."""
        if not len(values):
            return field
        steps = np.concatenate(list(values))
        mean, std = steps.mean(axis=0), steps.std(axis=0)
        if field.options.get("geographic"):  # around the globe 179 and -179 are neighbours
            mean[0] = math.degrees(np.angle(np.exp(1j * np.radians(steps[:, 0])).mean()))
        std = np.where(std > 1e-9 * np.maximum(1, np.abs(mean)), std, 1.0)
        known = field.model_copy(update={"mean": tuple(mean.tolist()), "std": tuple(std.tolist())})
        ways = [np.diff(local(row[:, :AXES], known), axis=0) for row in values]
        step = math.sqrt(float(np.mean(np.sum(np.concatenate(ways) ** 2, axis=1)))) if any(map(len, ways)) else 0.0
        extent = float(np.sqrt((np.concatenate([local(row[:, :AXES], known) for row in values]) ** 2).mean()))
        return known.model_copy(update={"options": {**field.options, "step": step or 1.0, "extent": extent or 1.0}})

    def following(self, field: Field, of: Field) -> Field:
        """Where the middle is and how long a step is, as of the input."""
        options = {**field.options, **{name: of.options[name] for name in ("step", "extent") if name in of.options}}
        return field.model_copy(update={"mean": of.mean[:AXES], "std": of.std[:AXES], "options": options})

    def width(self, field: Field) -> int:
        """Mean and spread of each number, and how many points there are."""
        return 2 * self.dim(field) + 1

    def dim(self, field: Field) -> int:
        """Coordinates, two numbers for a direction, one for everything else."""
        return field.shape[0] + len(_places(field, "turned"))

    def coder(self, field: Field) -> Callable[[np.ndarray], np.ndarray]:
        """`(time, dim)`: places from the middle, then cosine and sine of directions, then other numbers."""
        turned, compass = _places(field, "turned"), set(_places(field, "compass"))
        plain = [place for place in range(AXES, field.shape[0]) if place not in turned]
        mean, std = (
            np.asarray(each or (given,) * field.shape[0]) for each, given in ((field.mean, 0.0), (field.std, 1.0))
        )

        def coded(steps: np.ndarray) -> np.ndarray:
            found = [local(steps[:, :AXES], field)]
            for place in turned:
                angle = np.radians(steps[:, place]) if field.options.get("degrees") else steps[:, place]
                angle = math.pi / 2 - angle if place in compass else angle
                found.append(np.column_stack([np.cos(angle), np.sin(angle)]))
            found.append((steps[:, plain] - mean[plain]) / std[plain])
            return np.concatenate(found, axis=1).astype(np.float32)

        return coded

    def flat(self, coded: torch.Tensor, field: Field) -> torch.Tensor:
        """Mean and spread of each number over time, and the logarithm of the points."""
        del field
        return padding.moments(coded)

    def preview(self, value: np.ndarray | np.generic, field: Field) -> str:
        """How many points there are, from where to where."""
        del field
        points = np.asarray(value)
        first, last = (f"({points[k, 0]:.6g}, {points[k, 1]:.6g})" for k in (0, -1))
        return f"{len(points)} points from {first} to {last}"


def pairs(field: Field) -> int:
    """How many directions a step has, each as cosine and sine behind the coordinates."""
    return len(_places(field, "turned"))


def local(points: np.ndarray, field: Field) -> np.ndarray:
    """Points from the middle of the training part, those on the globe in metres.

    Args:
        points: `(time, 2)`.
        field: The fitted field.
    """
    middle, factor = _middle(field)
    apart = points - middle
    if field.options.get("geographic") and len(apart):
        apart[:, 0] -= 360 * np.rint(apart[0, 0] / 360)
    return apart * factor


def outer(points: torch.Tensor, field: Field) -> torch.Tensor:
    """What `local` took the points from, float64.

    Args:
        points: `(..., 2)`.
        field: The fitted field.
    """
    middle, factor = (torch.from_numpy(each) for each in _middle(field))
    found = points.double() / factor.to(points.device) + middle.to(points.device)
    if field.options.get("geographic"):
        found[..., 0] = (found[..., 0] + 180) % 360 - 180
    return found


def again(points: torch.Tensor, field: Field) -> torch.Tensor:
    """`local` of a tensor, float64, each point for itself.

    Args:
        points: `(..., 2)`.
        field: The fitted field.
    """
    middle, factor = (torch.from_numpy(each).to(points.device) for each in _middle(field))
    apart = points.double() - middle
    if field.options.get("geographic"):
        apart[..., 0] -= 360 * torch.round(apart[..., 0] / 360)
    return apart * factor


def unit(field: Field) -> str:
    """What distances are measured in, where that is known."""
    return "m" if field.options.get("geographic") else ""


def _middle(field: Field) -> tuple[np.ndarray, np.ndarray]:
    """Where the middle is, and what a unit of each axis is long."""
    middle = np.asarray(field.mean[:AXES] or (0.0, 0.0))
    if not field.options.get("geographic"):
        return middle, np.ones(AXES)
    return middle, np.array([_METRES * math.cos(math.radians(middle[1])), _METRES])


def _places(field: Field, name: str) -> list[int]:
    return [int(place) for place in str(field.options.get(name, "")).split()]


def _in_degrees(column: Column, places: list[int]) -> bool:
    """Whether some direction is beyond a full turn in radians."""
    if not isinstance(column, Arrays):
        return False
    some = np.unique(np.linspace(0, len(column) - 1, min(len(column), _SOME)).astype(np.int64))
    most = [np.abs(np.asarray(column.values[row])[:, places]).max() for row in some if len(column.values[row])]
    return bool(most) and float(np.nanmax(most)) > 2 * math.pi + 1e-6


def read_as(cut: Cut) -> tuple[dict[str, Scalar], list[Reason]]:
    """How dates and numbers of steps were read and how far these lie apart, for other tables; what of it is to be told.

    Args:
        cut: How rows in time became windows.
    """
    known: dict[str, Scalar] = {"usual": cut.usual} if cut.usual else {}
    known |= dict(zip(("group", "order"), cut.unnamed, strict=False))
    reasons = []
    if cut.decimal:
        known["decimal"] = NAMES[cut.decimal]
    if cut.decimal == ",":
        reasons.append(Reason(path="data.decimal", value="comma", why="fits every number of the table"))
    if cut.day_first is not None:
        known["day_first"] = cut.day_first
        why = "the other order fits fewer cells"
        reasons.append(Reason(path="data.day_first", value=str(cut.day_first).lower(), why=why))
    return known, reasons


def titles(field: Field) -> list[str]:
    """The columns that the numbers of a step came from.

    Args:
        field: Of tracks or series.
    """
    told = str(field.options.get("columns", ""))
    return json.loads(told) if told.startswith("[") else told.split(", ")  # older model files have them in a row


def rows_of(raw: Cell, width: int, kind: str) -> np.ndarray:
    """`(time, width)` float64 of a cell: an array, or JSON.

    Args:
        raw: The cell.
        width: Numbers of a step.
        kind: What is expected, for messages.

    Raises:
        CellError: It holds no rows of so many numbers.
    """
    if isinstance(raw, str):
        try:
            raw = np.array(json.loads(raw), dtype=np.float64)
        except (ValueError, TypeError) as exc:
            raise CellError("is no JSON of points: [[x, y], ...].") from exc
    if not isinstance(raw, np.ndarray):
        raise CellError(f"the cell has no value, expected a {kind}.")
    try:
        values = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise CellError("its points are no numbers.") from exc
    if values.size == 0:
        return values.reshape(0, width)
    if values.ndim != 2 or values.shape[1] != width:
        raise CellError(f"has shape {values.shape}, expected a row of {width} numbers for each step.")
    return values
