"""What a spec says of its data: where the examples are, how they are divided, how sequences are cut."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Setting

from netwright.field import Frozen

LONGEST_WINDOW = 100_000  # steps of an example that is cut from a long text

Several = BeforeValidator(
    lambda given: [given] if isinstance(given, str | int | float | dict) else given
)  # no list needed


class SplitSpec(Frozen):
    """How examples are divided into training, validation and test.

    Args:
        by: random, stratified (equal class shares), group or time (both need `column`), or column (the split is
            written in `column`).
        parts: Shares of training, validation and test; they sum to 1.
        column: The column of groups, times or split names.
        seed: Seed of the draw; that of the training when left out.
        take: How many of the training examples are used, or which share of them; the others stay unused.
        fold: `3/10`: the third of ten equal folds is the test part; training and validation share the others as `parts`
            says. By chance, equal class shares, or group.
    """

    by: Literal["random", "stratified", "group", "time", "column"] | None = None
    parts: tuple[float, float, float] = (0.7, 0.15, 0.15)
    column: str | None = None
    seed: int | None = Setting(default=None, ge=0)
    take: Annotated[int, Setting(ge=1)] | Annotated[float, Setting(gt=0, lt=1)] | None = None
    fold: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> SplitSpec:
        if self.fold is not None:
            which, _, of = self.fold.partition("/")
            if not (which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of) >= 2):
                raise ValueError(f'fold "{self.fold}" must say which of how many, e.g. 3/10')
            if self.by in {"time", "column"}:
                raise ValueError(f"folds are drawn by chance, equal class shares or group, not by {self.by}")
        if min(self.parts) < 0 or self.parts[0] == 0 or abs(sum(self.parts) - 1) > 1e-6:
            raise ValueError(f"parts {list(self.parts)} must be shares that sum to 1, with some for training")
        if self.by in {"group", "time", "column"} and not self.column:
            raise ValueError(f'split by {self.by} needs the name of its column: {{by: {self.by}, column: "..."}}')
        return self


class WindowSpec(Frozen):
    """How a long text, track or series is cut into examples, or a signal into what is learned from at once.

    Written `window: 64` for as many steps.

    Args:
        past: Steps of an example; what a language model, or a net that answers at every step of a signal, learns from
            at once: the state goes on from one to the next. 64 of a text, 8 of a track or series when left out.
        least: Steps at least, where a track has no more yet; as many as `past` when left out.
        stride: Steps from the beginning of one window to that of the next.
        gaps: Where steps of a track are missing: cut, it ends and another begins; fill, they lie on a straight line;
            ignore, the rows themselves are the steps, as on working days. Left out: cut, but ignore for a daily series
            that never has a row on some day of the week.
    """

    past: int | None = Setting(default=None, ge=1, le=LONGEST_WINDOW)
    least: int | None = Setting(default=None, ge=1)
    stride: int = Setting(default=1, ge=1)
    gaps: Literal["cut", "fill", "ignore"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: object) -> object:
        return {"past": given} if isinstance(given, int) and not isinstance(given, bool) else given


class DataSpec(Frozen):
    """Where the examples are.

    Args:
        path: Folder, CSV or Parquet file, tar, or `sklearn:digits`, `netwright:hello`; left out when data is given in
            memory.
        layout: Name of the layout; recognised from the files when left out.
        names: What the parts of a file's name without its ending are, e.g. "{digit}_{speaker}_{take}": columns.
        decimal: The decimal mark of a table's texts, which decides what "1.023" is; found from all columns together.
        split: How the examples are divided.
        group: The column that says which rows of a table are the steps of one sequence, e.g. the clip of a frame, or of
            one series, e.g. its shop; that of a track is recognised by its name.
        order: The column that orders the steps, e.g. frame or date; as the rows stand when left out, and of tracks and
            series the one whose name says it.
        day_first: Whether 03/04/2026 is the third of April where dates order the steps of a track or series; found from
            all of them where it can be.
        duplicates: refuse: the same content on both sides of a split is an error; accept: it is only reported.
        window: How a long text, track or series is cut into examples, or a signal into what is learned from at once.
        cache_mb: Largest size of the cache; above it encoded files are stored instead of arrays.
        without: Columns that do not go in, where the inputs are not named.
        empty: What a cell without a value says here, e.g. -999 or "not asked", beside an empty cell, NA and the like.
    """

    path: str | None = None
    layout: str | None = None
    names: str | None = None
    decimal: Literal["point", "comma"] | None = None
    group: str | None = None
    order: str | None = None
    day_first: bool | None = None
    split: SplitSpec = SplitSpec()
    duplicates: Literal["refuse", "accept"] = "refuse"
    window: WindowSpec | None = None
    cache_mb: int | None = Setting(default=None, ge=1)
    without: tuple[str, ...] = ()
    empty: Annotated[tuple[str | int | float, ...], Several] = ()
