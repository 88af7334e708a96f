"""The values of facts: numbers that may be missing, pictures as text, days, and names that JSON can hold.

Numbers that are not finite become null in the file and None here, so that a diverged run still has a readable report.
"""

from __future__ import annotations

import base64
import math
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def writable(value: object) -> object:
    """A value whose texts JSON can hold: file names that are not valid UTF-8 reach Python as lone surrogates.

    Args:
        value: Whatever a fact is made of.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {writable(key): writable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [writable(each) for each in value]
    return value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A measured number; None where there is none or it was not finite."""
Png = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
"""A PNG picture as base64 text."""
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""


def png_text(png: bytes) -> str:
    """PNG bytes as the text that facts carry."""
    return base64.b64encode(png).decode("ascii")


def day(moment: str) -> str:
    """The day of an ISO 8601 moment as people write it; other text as it is.

    Example:
        >>> day("2026-11-20T23:40:00+00:00"), day("yesterday")
        ('20 November 2026', 'yesterday')
    """
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{when.day} {when:%B %Y}"
