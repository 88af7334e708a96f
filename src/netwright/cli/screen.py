"""What the verbs print, and where: results to standard output, everything else to standard error.

Colour only on a terminal and never with NO_COLOR; lines are wrapped for a terminal and left whole in a pipe;
`--json` prints one JSON document and nothing else on standard output.
"""

from __future__ import annotations

import codecs
import dataclasses
import json
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from cyclopts import Group, Parameter
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from netwright.doctor.finding import Finding
    from netwright.progress import Display
    from netwright.run import Outcome

OUTPUT = Group("Output", sort_key=9)
STATE_STYLES = {"good": "green", "note": "bold yellow", "bad": "bold red"}


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


@runtime_checkable
class Told(Protocol):
    """What says itself in lines."""

    @property
    def text(self) -> Iterable[str | Text]:
        """The lines."""
        ...


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True)
class Output:
    """How a verb prints.

    Args:
        json: Print one JSON document instead of text.
        quiet: Print the result only, without progress.
        traceback: Show where in the program an error arose.
    """

    json: bool = False
    quiet: bool = False
    traceback: bool = False

    @contextmanager
    def display(self) -> Iterator[Display]:
        """Where long work tells how far it is, for as long as it works."""
        if self.quiet:
            from netwright.progress import Silent

            yield Silent()
            return
        from netwright.cli.display import Screen

        screen = Screen(console(stderr=True))
        try:
            yield screen
        finally:
            screen.close()

    def outcome(self, outcome: Outcome) -> None:
        """Prints how a training run ended: scores, a few answers, where everything is, what to do next."""
        if self.json:
            self.document(outcome)
            return
        first, *rest = outcome.text
        self.lines([Text(printable(first), style="bold"), *rest])

    def findings(self, findings: Sequence[Finding], sound: str) -> None:
        """Prints what a doctor found, one finding a line with its cure below, or that all is well where it is.

        Args:
            findings: What was found.
            sound: What to say when nothing is wrong.
        """
        if self.json:
            self.document([finding.words for finding in findings])
            return
        lines: list[str | Text] = []
        for finding in findings:
            lines.append(
                Text.assemble(
                    (f"{finding.state:<4}", STATE_STYLES[finding.state]),
                    f"  {finding.name}: {printable(finding.message)}",
                )
            )
            lines += [f"      try: {finding.cure}"] if finding.cure else []
        wrong = any(finding.state != "good" for finding in findings)
        self.lines(lines if wrong else [*lines, sound])

    def result(self, found: Told, document: object | None = None) -> None:
        """Prints what was found: its lines, or one JSON document.

        Args:
            found: It.
            document: What of it the document holds; all when left out.
        """
        if self.json:
            self.document(found if document is None else document)
        else:
            self.lines(found.text)

    def document(self, value: object) -> None:
        """Prints one JSON document on standard output."""
        sys.stdout.write(as_json(value, indent=2) + "\n")
        sys.stdout.flush()

    def lines(self, texts: Iterable[str | Text]) -> None:
        """Prints lines on standard output, wrapped with a hanging indent on a terminal, whole in a pipe."""
        out = console()
        for text in texts:
            line = Text(printable(text)) if isinstance(text, str) else text
            line.rstrip()
            if out.is_terminal and line.cell_len > out.width:
                line = hanging(line, out.width)
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
        if out.is_terminal:
            out.print(drawn)
            return
        out.width = 100_000  # a pipe has no width: nothing is folded or cut
        out.width = out.measure(drawn).maximum
        with out.capture() as captured:
            out.print(drawn)
        self.lines(captured.get().splitlines())


def hanging(line: Text, width: int) -> Text:
    """A line wrapped to a width, every further line indented by two more columns than the first.

    Example:
        >>> print(hanging(Text("one two three four five"), 11).plain)
        one two
          three
          four five
    """
    out = Console(width=width)
    indent = len(line.plain) - len(line.plain.lstrip())
    first, *rest = line.wrap(out, width)
    first.rstrip()
    if not rest:
        return first
    for part in rest:
        part.rstrip()
    tail = Text(" ").join(rest)
    margin, lines = Text(" " * (indent + 2)), [first]
    for part in tail.wrap(out, max(width - len(margin), 8)):
        part.rstrip()
        lines.append(margin + part)
    return Text("\n").join(lines)


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
    if letter == "\t" or unicodedata.category(letter) == "Zs":  # all kinds of space are shown as space
        return " "
    return letter.encode("unicode_escape").decode("ascii")


def as_json(value: object, indent: int | None = None) -> str:
    r"""Any result of the library as JSON that any terminal and pipe can take, and that says what the value says.

    Args:
        value: See `plain`.
        indent: Spaces of each level; None for one line.

    Example:
        >>> print(as_json({"text": "a\tb \x1b[31m \u202e"}))
        {"text": "a\tb \u001b[31m \u202e"}
    """
    narrow = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
    text = json.dumps(plain(value), indent=indent, ensure_ascii=narrow, allow_nan=False)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)


def plain(value: object) -> object:
    """Any result of the library as JSON values: NaN and infinity become null, paths and the unknown become text.

    A text stays as it is; only halves of letters, which no UTF-8 can say, become escapes.

    Example:
        >>> plain({"loss": float("nan"), "file": Path("a/b"), "shape": (2, 3)})
        {'loss': None, 'file': 'a/b', 'shape': [2, 3]}
    """
    if value is None or isinstance(value, bool | int | str):
        return _whole(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_whole(str(key)): plain(inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _foreign(value)


def _foreign(value: object) -> object:
    """Values of pydantic, pyarrow and numpy, told by what they offer, since none of them is imported here."""
    for method in ("model_dump", "to_pylist", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert):
            return plain(convert())
    if isinstance(value, Iterable) and not isinstance(value, bytes | Path):
        return [plain(inner) for inner in value]
    return _whole(str(value))


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
