"""What the verbs print, and where: results to standard output, everything else to standard error.

Colour only on a terminal and never with NO_COLOR; lines are wrapped for a terminal and left whole in a pipe;
`--json` prints one JSON document and nothing else on standard output.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from netwright.progress import Display

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
OUTPUT = Group("Output", sort_key=9)


class _Console(Console):
    """A console that leaves a closed pipe to `netwright.cli.main` instead of exiting by itself."""

    def on_broken_pipe(self) -> None:
        """Rich calls this inside its `except BrokenPipeError`."""
        self.quiet = True
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console for standard output or standard error; plain without a terminal and with NO_COLOR."""
    colour = None if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else "auto"
    return _Console(stderr=stderr, color_system=colour, highlight=False, markup=False, emoji=False)


def say_error(message: str, cure: str = "", label: str = "error") -> None:
    """Prints `error:` and `try:` lines on standard error; a standard error nobody reads is no second error."""
    out = console(stderr=True)
    lines = [(label, "bold red" if label == "error" else "bold yellow", message), ("try", "bold green", cure)]
    try:
        for name, style, text in lines:
            if text:
                out.print(Text.assemble((f"{name}:", style), " ", printable(text)), soft_wrap=not out.is_terminal)
    except OSError:
        return


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Output:
    """How a verb prints.

    Args:
        json: Print one JSON document instead of text.
        quiet: Print the result only, without progress.
        traceback: Show where in the program an error arose.
    """

    json: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False
    traceback: Annotated[bool, Parameter(negative="")] = False

    def display(self) -> Display:
        """Where long work tells how far it is."""
        if self.quiet:
            from netwright.progress import Silent

            return Silent()
        from netwright.cli.display import Screen

        return Screen(console(stderr=True))

    def document(self, value: object) -> None:
        """Prints one JSON document on standard output."""
        sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        sys.stdout.flush()

    def lines(self, texts: Iterable[str | Text]) -> None:
        """Prints lines on standard output, wrapped with a hanging indent on a terminal, whole in a pipe."""
        out = console()
        for text in texts:
            line = printable(text) if isinstance(text, str) else text
            if out.is_terminal and len(line) > out.width:
                line = Text("\n").join(_wrapped(line if isinstance(line, Text) else Text(line), out))
            out.print(line, soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()) -> None:
        """Prints a table on standard output, its columns as wide as they need to be.

        Args:
            headings: One per column.
            rows: The cells; floats are shown with four significant digits.
            numbers: Headings of the columns to be set flush right.
        """
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        out, right = console(), set(numbers)
        drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for heading in headings:
            drawn.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(printable(cell_text(cell)) for cell in row))
        if not out.is_terminal:  # a pipe has no width: nothing is folded or cut
            out.width = max(out.width, out.measure(drawn).maximum, 500 if len(headings) > 1 else 80)
            out.width = out.measure(drawn).maximum
        out.print(drawn)


def _wrapped(line: Text, out: Console) -> list[Text]:
    indent = len(line.plain) - len(line.plain.lstrip())
    first, *rest = line.wrap(out, out.width)
    if not rest:
        return [first]
    tail = Text(" ").join(rest)
    tail.rstrip()
    return [first, *(Text(" " * (indent + 2)) + part for part in tail.wrap(out, max(out.width - indent - 2, 20)))]


def cell_text(value: object) -> str:
    """One table cell: floats with four significant digits, nothing for None.

    Example:
        >>> cell_text(0.98333333), cell_text(None), cell_text(22466), cell_text(float("nan"))
        ('0.9833', '', '22,466', 'nan')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def printable(text: str) -> str:
    r"""Text that any terminal and pipe can take: unprintable and undecodable characters become escapes.

    Example:
        >>> printable("bad \udcff name \x1b[31m")
        'bad \\udcff name \\x1b[31m'
    """
    encoding = sys.stdout.encoding or "utf-8"
    seen = text.encode(encoding, "backslashreplace").decode(encoding)
    return "".join(letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in seen)


def _escaped(letter: str) -> str:
    return "    " if letter == "\t" else letter.encode("unicode_escape").decode("ascii")


def plain(value: object) -> Plain:
    """Any result of the library as JSON values: NaN and infinity become null, paths and the unknown become text.

    Example:
        >>> plain({"loss": float("nan"), "file": Path("a/b"), "shape": (2, 3)})
        {'loss': None, 'file': 'a/b', 'shape': [2, 3]}
    """
    if value is None or isinstance(value, bool | int | str):
        return printable(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {printable(str(key)): plain(inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _foreign(value)


def _foreign(value: object) -> Plain:
    """Values of pydantic, pyarrow and numpy, told by what they offer, since none of them is imported here."""
    for method in ("model_dump", "to_pylist", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert):
            return plain(convert())
    if isinstance(value, Iterable) and not isinstance(value, bytes | Path):
        return [plain(inner) for inner in value]
    return printable(str(value))
