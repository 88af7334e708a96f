"""What the doctor says: one finding per thing looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing the doctor looked at.

    Args:
        name: What was looked at, e.g. "torch" or "cache".
        state: "good": nothing to do. "note": worth knowing, everything else works. "bad": something will fail.
        message: What was found, with its numbers.
        cure: What to do about it; empty when there is nothing to do.
    """

    name: str
    state: Literal["good", "note", "bad"]
    message: str
    cure: str = ""

    @property
    def sentence(self) -> str:
        """The message as a whole sentence."""
        return self.message if self.message.endswith(".") else f"{self.message}."
