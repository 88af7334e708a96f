"""What every layout can do: say whether a path is laid out its way, and find the examples in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from netwright.readers.columns import Found


class Layout(ABC):
    """One way in which examples lie in files.

    Attributes:
        asked: The kind that files are to hold, where somebody said so; else it is what most of them hold.
    """

    name: ClassVar[str]
    asked: str = ""

    @abstractmethod
    def matches(self, path: Path) -> bool:
        """Whether the path is laid out this way; looks at names and first bytes only."""

    @abstractmethod
    def find(self, path: Path) -> Found:
        """All examples below the path.

        Raises:
            DataError: Nothing usable is there, or the files are damaged.
        """
