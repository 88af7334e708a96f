"""What the doctor says: one finding per thing looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing the doctor looked at.

    Args:
        name: What was looked at, e.g. "torch" or "cache".
        state: "good": nothing to do. "note": worth knowing, everything else works. "bad": something will fail.
        message: What was found, with its numbers.
        cure: What to do about it; empty when there is nothing to do.
        doubts: What is doubted of single examples, by their position in the data set.
    """

    name: str
    state: Literal["good", "note", "bad"]
    message: str
    cure: str = ""
    doubts: Mapping[int, str] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str]:
        """All that is said, without the single examples."""
        return {"name": self.name, "state": self.state, "message": self.message, "cure": self.cure}

    @property
    def sentence(self) -> str:
        """The message as a whole sentence."""
        return self.message if self.message.endswith(".") else f"{self.message}."
