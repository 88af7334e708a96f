"""How long work tells what it is doing: one small protocol, so that no layer below the command line draws anything.

Library functions take a `Display` and call it; they never print. `Silent` is the default everywhere, the command
line brings one that draws, and a test may bring one that remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class Display(Protocol):
    """What long work may say while it runs; every call is cheap and may be ignored."""

    def stage(self, name: str, total: int) -> None:
        """A new stretch of work begins and ends the one before.

        Args:
            name: What is done, e.g. "reading images".
            total: How many units there are; 0 when nobody knows.
        """
        ...

    def advance(self, done: int) -> None:
        """So many units of the present stage are done, counted from its beginning."""
        ...

    def note(self, text: str) -> None:
        """One sentence worth keeping on the screen."""
        ...

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        """An epoch ended.

        Args:
            row: What was measured, in the order to be shown; floats are scores or seconds.
        """
        ...


class Silent:
    """A display that shows nothing."""

    def stage(self, name: str, total: int) -> None:
        """Shows nothing."""

    def advance(self, done: int) -> None:
        """Shows nothing."""

    def note(self, text: str) -> None:
        """Shows nothing."""

    def epoch(self, row: Mapping[str, float | int | str]) -> None:
        """Shows nothing."""


class Once:
    """Tells another display each note once, for work that trains again and again.

    Args:
        display: Where everything goes.
    """

    def __init__(self, display: Display) -> None:
        self._display, self._told = display, set[str]()
        self.stage, self.advance, self.epoch = display.stage, display.advance, display.epoch

    def note(self, text: str) -> None:
        """Passes on what was not said before."""
        if text not in self._told:
            self._told.add(text)
            self._display.note(text)


@dataclass
class Counter:
    """Adapts a display to functions that report `(name, done, total)`; starts a stage whenever the name changes.

    Args:
        display: Where the stages go.

    Example:
        >>> Counter(Silent())("reading images", 10, 245)
    """

    display: Display
    _name: str = ""

    def __call__(self, name: str, done: int, total: int) -> None:
        """So many of `total` units of the named stage are done."""
        if name != self._name:
            self._name = name
            self.display.stage(name, total)
        self.display.advance(done)
