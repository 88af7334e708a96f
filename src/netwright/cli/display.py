"""Progress on standard error: a bar with rate and time left on a terminal, a plain line now and then without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from netwright.cli.screen import hanging, printable

SECONDS_BETWEEN_LINES = 5.0
SECONDS_BETWEEN_EPOCHS = 1.0
LEGIBLE_COLUMNS = 60


class Screen:
    """A `netwright.progress.Display` on a console; never a reason for the work itself to fail.

    Args:
        console: Where to draw, usually standard error.
        clock: Seconds that only ever grow.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._name, self._total, self._done = "", 0, 0
        self._started = self._last_line = clock()
        self._columns: tuple[str, ...] = ()
        self._row: Mapping[str, float | int | str] | None = None
        self._last_row = self._started
        self._lines = 0
        self._closed = False

    def close(self) -> None:
        """Shows the last epoch and takes the bar off the screen; what was printed stays."""
        self._finish()
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def stage(self, name: str, total: int) -> None:
        """A new stretch of work; the bar starts anew."""
        self._finish()
        self._name, self._total, self._done = name, total, 0
        self._started = self._last_line = self._clock()
        self._columns, self._lines = (), 0
        if not self._console.is_terminal or self._closed:
            return
        if self._bar is None:
            self._bar = _bar(self._console)
            self._bar.start()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(printable(name), total=total or None)

    def advance(self, done: int) -> None:
        """So many units are done."""
        self._done = done
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
        elif not self._console.is_terminal and self._clock() - self._last_line >= SECONDS_BETWEEN_LINES:
            (self._show_row if self._row else self._line)()

    def note(self, text: str) -> None:
        """One sentence above the bar."""
        self._print(Text(printable(text)))

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        """A line of a table above the bar, no more than one a second; the first and the last are always shown."""
        self._row = row
        between = SECONDS_BETWEEN_EPOCHS if self._console.is_terminal else SECONDS_BETWEEN_LINES
        if not self._columns or self._clock() - self._last_row >= between:
            self._show_row()

    def _show_row(self) -> None:
        if self._row is None:
            return
        row, self._row, self._last_row = dict(self._row), None, self._clock()
        self._last_line = self._last_row  # a row says more than a plain line of progress, which then waits
        self._lines = 0
        if self._total and not self._console.is_terminal:  # there the bar tells it
            row["time left"] = self._left()
        names = tuple(row)
        if self._console.is_terminal:  # one line each, however narrow: what does not fit is left to the report
            names = names[: _fitting(names, self._console.width)]
        if names != self._columns:
            self._columns = names
            self._print(Text(_line_of([_short(name) for name in names], names), style="bold"))
        self._print(Text(_line_of([_measured(row[name]) for name in names], names)))

    def _finish(self) -> None:
        """Shows the last epoch; a stage that was worth a plain line also says how it ended."""
        self._show_row()
        if self._lines and not self._console.is_terminal:
            self._line()

    def _line(self) -> None:
        self._lines += 1
        self._last_line = now = self._clock()
        seconds = max(now - self._started, 1e-9)
        told = f"{self._name}: {self._done:,}"
        if self._total:
            told += f" of {self._total:,} ({self._done / self._total:.0%}"
            told += f", {self._left()} left)" if self._done else ")"
        self._print(Text(printable(f"{told}, {_rate(self._done / seconds)}")))

    def _left(self) -> str:
        """How long the rest of this stage takes if it goes on as so far; nothing before there was a first unit."""
        seconds = self._clock() - self._started
        return _duration(seconds / self._done * max(self._total - self._done, 0)) if self._done else ""

    def _print(self, text: Text) -> None:
        if self._closed:
            return
        if self._console.is_terminal and text.cell_len > self._console.width:
            text = hanging(text, self._console.width)
        try:
            self._console.print(text, soft_wrap=True)
        except OSError:  # nobody reads standard error any more: training goes on without words
            self._closed = True
            self._bar = None


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        """The rate of the last seconds."""
        return Text(_rate(task.speed) if task.speed else "", style="dim")


def _bar(console: Console) -> Progress:
    """Name, bar and time left; on a wide terminal the rate as well."""
    columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False), BarColumn(bar_width=None)]
    if console.width >= LEGIBLE_COLUMNS:
        columns += [TextColumn("{task.percentage:>3.0f}%"), _Rate()]
    columns.append(TimeRemainingColumn(compact=True))
    return Progress(*columns, console=console, transient=True, expand=console.width < 100, refresh_per_second=4)


def _rate(per_second: float) -> str:
    """A rate in words.

    Example:
        >>> _rate(12345.6), _rate(0.25)
        ('12,346/s', '0.25/s')
    """
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{per_second:.2g}/s"


def _duration(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> _duration(7.4), _duration(95.0), _duration(7300.0)
        ('7 s', '1 min 35 s', '2 h 01 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _short(name: str) -> str:
    """A heading that leaves room for others: `val accuracy` for `validation/accuracy`."""
    return printable(name.replace("_", " ").replace("/", " ").replace("validation ", "val "))


def _measured(value: float | int | str) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if 0.01 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else printable(value)


def _fitting(names: tuple[str, ...], width: int) -> int:
    """How many columns fit a line."""
    used = 0
    for count, name in enumerate(names):
        used += max(len(_short(name)), 7) + 2
        if used - 2 > width:
            return max(count, 1)
    return len(names)


def _line_of(cells: list[str], names: tuple[str, ...]) -> str:
    return "  ".join(cell.rjust(max(len(_short(name)), 7)) for cell, name in zip(cells, names, strict=True)).rstrip()
