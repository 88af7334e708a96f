"""The next points of a track: scored by how far off they are, beside simple ways to go on.

Outputs are points from the middle of the training part, one behind the other; answers are points as the data has them,
`(example, point, 2)`, float64. Distances are in the data's own unit, on the globe in metres.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from netwright import metrics
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.readers import padding
from netwright.readers.kinds import track
from netwright.registry import resolve
from netwright.spec import OutputSpec
from netwright.tasks.task import Baseline, Coded, Interval, Onward, Task, loss_compares

_BASES = {"motion": "the last step over and over is hard to beat over a few steps", "last": "its last point"}


class Track(Task):
    """The next points of a track.

    Args:
        name: The output's name in the spec.
        field: What it goes on with, how many points, and the middle and usual step of the training part.
        spec: `loss`: displacement, or one of numbers on the coordinates in usual steps; `base`: motion or last.

    Raises:
        SpecError: A loss of classes, a unit, or a base that a track has not.
    """

    headline = "ade"
    unit = "identity"
    watch = ("ade", "min")

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        path, loss, base = f"outputs.{name}", spec.loss or "displacement", spec.base or "motion"
        problems = []
        if spec.unit not in (None, "identity"):
            problems.append(f"{path}.unit: {spec.unit} was asked for, but points may lie anywhere")
        if loss_compares(loss) not in {"points", "values", ""}:
            problems.append(f"{path}.loss: {loss} compares {loss_compares(loss)}, and {name} is made of points")
        if base not in _BASES:
            problems.append(f"{path}.base: {base} is for a series; a track goes on by {' or '.join(_BASES)}")
        if problems:
            raise SpecError("\n".join(f"{problem}." for problem in problems), "Leave them out.")
        self.reasons = (
            [] if spec.unit else [Reason(path=f"{path}.unit", value="identity", why="points may lie anywhere")]
        )
        if spec.loss is None:
            why = "the mean distance is what is scored, and far-off tracks hardly move it"
            self.reasons.append(Reason(path=f"{path}.loss", value=loss, why=why))
        self._of, self._points = str(field.options.get("onward", "")), int(field.options.get("horizon", 1))
        self.units = track.AXES * self._points
        self.goes_on = Onward(self._of, self._points, base)
        self._step = float(field.options.get("step", 1.0))
        self._as_points = loss_compares(loss) != "values"
        self._loss = resolve("loss", loss)

    def compared(self, values: Float[Tensor, "batch *number"]) -> Tensor:
        """Points in usual steps, as the loss is given them: of a loss of numbers all coordinates in a row."""
        steps = values / self._step
        return steps.reshape(len(values), -1, track.AXES) if self._as_points else steps.flatten(1)

    def terms(
        self, outputs: Float[Tensor, "batch unit"], targets: Float[Tensor, "batch point axis"]
    ) -> Float[Tensor, " batch"]:
        """The loss of each example; see `Task.terms`."""
        return self._loss(self.compared(outputs), self.compared(targets))

    def answers(self, outputs: Float[Tensor, "batch unit"]) -> Float[Tensor, "batch point axis"]:
        """Points as the data has them; see `Task.answers`."""
        return track.outer(outputs.reshape(len(outputs), -1, track.AXES), self.field)

    def score(
        self, answers: Float[Tensor, "batch point axis"], targets: Float[Tensor, "batch point axis"]
    ) -> dict[str, float]:
        """How far off points are on average (ade), and the last ones (fde); see `Task.score`."""
        off = self._off(answers, targets)
        return {"ade": float(off.mean()) if off.size else 0.0, "fde": float(off[:, -1].mean()) if off.size else 0.0}

    def interval(
        self,
        answers: Float[Tensor, "batch point axis"],
        targets: Float[Tensor, "batch point axis"],
        groups: np.ndarray | None = None,
    ) -> dict[str, Interval]:
        """Intervals from drawing whole tracks anew; see `Task.interval`."""
        off = self._off(answers, targets)
        columns = np.column_stack([off.mean(axis=1), off[:, -1]])
        return {
            "ade": metrics.bootstrap(columns, lambda means: means[:, 0], groups),
            "fde": metrics.bootstrap(columns, lambda means: means[:, 1], groups),
        }

    def _off(self, answers: Tensor, targets: Tensor) -> np.ndarray:
        """Distance of each point from where it should be, `(example, point)`."""
        return (track.again(answers, self.field) - targets.double()).norm(dim=2).numpy(force=True)

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """Standing still, the last step over and over, and the straight line that fits the points best."""
        del train, seed
        seen = test.steps[self._of].double()
        count = padding.lengths(seen).clamp(min=1)
        rows = torch.arange(len(seen))
        last, before = seen[rows, count - 1, : track.AXES], seen[rows, (count - 2).clamp(min=0), : track.AXES]
        ahead = torch.arange(1, self._points + 1, dtype=torch.float64)[:, None]
        ways = {
            "standing": lambda: last[:, None].expand(-1, self._points, -1),
            "constant_velocity": lambda: last[:, None] + ahead * (last - before)[:, None],
            "straight_line": lambda: _line(seen[..., : track.AXES], count, ahead),
        }
        found = []
        for name, way in ways.items():
            start = time.monotonic()
            found.append(self.baseline(name, track.outer(way(), self.field), test, start))
        return found

    def decode(self, answers: Float[Tensor, "batch point axis"], top: int = 3) -> list[str]:
        """The points of each example, `(13.4, 3.9) (13.1, 4.0) ...`; see `Task.decode`."""
        del top
        return [" ".join(f"({x:.6g}, {y:.6g})" for x, y in row) for row in answers.tolist()]

    def columns(self, answers: Float[Tensor, "batch point axis"]) -> Mapping[str, Sequence[str | float | None]]:
        """Both coordinates of each point; see `Task.columns`."""
        names = track.titles(self.field) if "columns" in self.field.options else ["x", "y"]
        return {
            f"_{title}_{point + 1}": answers[:, point, axis].tolist()
            for point in range(answers.shape[1])
            for axis, title in enumerate(names)
        }

    def words(self, answers: Tensor) -> list[str]:
        """Points in words; targets, which lie from the middle, as the data has them."""
        return self.decode(answers if answers.dtype == torch.float64 else track.outer(answers, self.field))

    def remarks(self, answers: Tensor | None = None, targets: Tensor | None = None) -> list[str]:
        """What the scores are measured in; see `Task.remarks`."""
        del answers, targets
        return ["ade and fde are in metres, the answers in degrees"] if track.unit(self.field) else []


def _line(seen: Float[Tensor, "batch time 2"], count: Tensor, ahead: Float[Tensor, "point 1"]) -> Tensor:
    """Points on the straight line of even steps that is nearest to all that was seen."""
    times = torch.arange(seen.shape[1], dtype=torch.float64)[None, :, None].expand(*seen.shape[:2], 1)
    there = padding.there(seen)[..., None]
    places, n = torch.where(there, seen, 0.0), count[:, None].double()
    times = torch.where(there, times, 0.0)
    mean_time, mean_place = times.sum(dim=1) / n, places.sum(dim=1) / n
    apart = torch.where(there, times - mean_time[:, None], 0.0)
    slope = (apart * places).sum(dim=1) / apart.square().sum(dim=1).clamp(min=1e-12)
    return mean_place[:, None] + slope[:, None] * ((n - 1)[:, None] + ahead[None] - mean_time[:, None])
