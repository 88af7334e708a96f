"""Texts so small that they come with netwright itself, to read every number of a network: `netwright:hello`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import DataError
from netwright.readers.columns import Cells, Found
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.memory import row_ids
from netwright.registry import nearest

PREFIX = "netwright:"
TEXTS = {"hello": "hello"}


class Shipped(Layout):
    """A text by name instead of a path; one column, `text`.

    Source: the five letters are the example of Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural
    Networks, and of the lectures of Stanford's CS231n.
    """

    name: ClassVar[str] = "netwright"

    def matches(self, path: Path) -> bool:
        """Anything that begins with `netwright:`."""
        return str(path).startswith(PREFIX)

    def find(self, path: Path) -> Found:
        """The text.

        Raises:
            DataError: No such text.
        """
        name = str(path).removeprefix(PREFIX)
        if name not in TEXTS:
            raise DataError(
                f'{path}: no text "{name}" comes with netwright{nearest(name, TEXTS)}.',
                f"There are: {', '.join(TEXTS)}.",
            )
        column = Cells(pa.chunked_array([pa.array([TEXTS[name]])]))
        return Found(self.name, str(path), row_ids(1), {"text": column}, place=str(path))
