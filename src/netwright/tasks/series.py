"""The next steps of a series: in its own units, scored from every origin of the held-out part, beside simple ways.

Outputs are standardised numbers, step by step; answers `(example, step, column)`, float64, in the series' own units.
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
from netwright.field import Field
from netwright.models.ahead import season_ago, season_on
from netwright.readers import padding
from netwright.readers.kinds.track import titles
from netwright.spec import OutputSpec
from netwright.tasks import values
from netwright.tasks.task import Baseline, Coded, Interval, Onward, Task


class Series(Task):
    """The next steps of a series.

    Args:
        name: The output's name in the spec.
        field: What it goes on with, how many steps, the season, and mean and spread of the training part.
        spec: `loss`: squared, absolute, huber or one's own; `base`: season or last.

    Raises:
        SpecError: A loss of classes, a unit, or a base that a series has not.
    """

    headline = "rmse"
    unit = "identity"
    watch = ("rmse", "min")

    def __init__(self, name: str, field: Field, spec: OutputSpec) -> None:
        super().__init__(name, field, spec)
        loss, self.reasons = values.check_pairing(name, spec, "made of real numbers")
        self._season = int(field.options.get("season", 0))
        base = spec.base or ("season" if self._season else "last")
        if base == "motion" or (base == "season" and not self._season):
            why = "is for a track" if base == "motion" else "is not known: its steps are no dates of a known distance"
            raise SpecError(f"outputs.{name}.base: {base} {why}.", "Write last, or leave it out.")
        self._of, self._steps = str(field.options.get("onward", "")), int(field.options.get("horizon", 1))
        self._width = field.shape[0]
        self.units = self._width * self._steps
        self.goes_on = Onward(self._of, self._steps, base)
        self._scale = values.Scale.of(field, self._width)
        self._loss = values.ValueLoss(loss, values.Scale.of(field.unfitted(), self.units))

    def compared(self, values: Float[Tensor, "batch *number"]) -> Tensor:
        """All steps in a row, standardised."""
        return values.flatten(1)

    def terms(
        self, outputs: Float[Tensor, "batch unit"], targets: Float[Tensor, "batch step column"]
    ) -> Float[Tensor, " batch"]:
        """The loss of each example; see `Task.terms`."""
        return self._loss(outputs, self.compared(targets))

    def answers(self, outputs: Float[Tensor, "batch unit"]) -> Float[Tensor, "batch step column"]:
        """Steps in the series' own units; see `Task.answers`."""
        return self.own(outputs.reshape(len(outputs), -1, self._width))

    def own(self, coded: Float[Tensor, "batch step column"]) -> Float[Tensor, "batch step column"]:
        """Standardised steps in the series' own units, float64.

        Args:
            coded: Targets, or outputs in their form.
        """
        return coded.double() * self._scale.std.to(coded.device) + self._scale.mean.to(coded.device)

    def score(
        self, answers: Float[Tensor, "batch step column"], targets: Float[Tensor, "batch step column"]
    ) -> dict[str, float]:
        """Rmse and mae in the series' units; see `Task.score`."""
        wrong = (answers - self.own(targets)).numpy(force=True)
        return {"rmse": float(np.sqrt((wrong**2).mean())), "mae": float(np.abs(wrong).mean())}

    def interval(
        self,
        answers: Float[Tensor, "batch step column"],
        targets: Float[Tensor, "batch step column"],
        groups: np.ndarray | None = None,
    ) -> dict[str, Interval]:
        """Intervals from drawing origins, or whole series, anew; see `Task.interval`."""
        wrong = (answers - self.own(targets)).flatten(1).numpy(force=True)
        return {
            "rmse": metrics.bootstrap(wrong**2, lambda means: np.sqrt(means.mean(axis=1)), groups),
            "mae": metrics.bootstrap(np.abs(wrong), lambda means: means.mean(axis=1), groups),
        }

    def baselines(self, train: Coded, test: Coded, seed: int) -> list[Baseline]:
        """The last value over and over, the values of a season ago, and these with what has grown since."""
        del train, seed
        seen = test.steps[self._of]
        count = padding.lengths(seen).clamp(min=1)
        rows, ahead = torch.arange(len(seen)), torch.arange(1, self._steps + 1)
        last = seen[rows, count - 1][:, None].expand(-1, self._steps, -1)
        start = time.monotonic()
        found = [self.baseline("last_value", self.own(last), test, start)]
        if self._season:
            ago = season_ago(seen, count, self._season, self._steps)
            found.append(self.baseline("season_ago", self.own(ago), test, start))
            grown = season_on(seen, count, self._season, self._steps)
            found.append(self.baseline("season_and_growth", self.own(grown), test, start))
        else:
            way = seen[rows, count - 1] - seen[rows, (count - 2).clamp(min=0)]
            straight = last + ahead[:, None] * way[:, None]
            found.append(self.baseline("last_step", self.own(straight), test, start))
        return found

    def decode(self, answers: Float[Tensor, "batch step column"], top: int = 3) -> list[list[float]]:
        """The numbers of each example, step by step; see `Task.decode`."""
        del top
        return answers.flatten(1).tolist()

    def columns(self, answers: Float[Tensor, "batch step column"]) -> Mapping[str, Sequence[str | float | None]]:
        """Every number of each step; see `Task.columns`."""
        known = titles(self.field)
        names = known if len(known) == self._width else [str(place + 1) for place in range(self._width)]
        return {
            f"_{title}_{step + 1}": answers[:, step, column].tolist()
            for step in range(answers.shape[1])
            for column, title in enumerate(names)
        }

    def words(self, answers: Tensor) -> list[str]:
        """Steps in words; targets, which are standardised, in own units."""
        own = answers if answers.dtype == torch.float64 else self.own(answers)
        return [", ".join(f"{value:.6g}" for value in row) for row in own.flatten(1).tolist()]

    def remarks(self, answers: Tensor | None = None, targets: Tensor | None = None) -> list[str]:
        """What the interval leaves out, and what several columns are scored in; see `Task.remarks`."""
        del targets
        told = ["scores are means over columns in their own units"] if self._width > 1 else []
        if answers is not None and self._steps > 1:
            told.append("forecasts from neighbouring origins share steps: the true interval is wider")
        return told
