"""`netwright sample`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from netwright.cli.screen import Output

if TYPE_CHECKING:
    from netwright.run import Writing


@Parameter(name="*")
@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn.

    Args:
        temperature: Below 1 the text is more like the commonest, above 1 more daring; 0 always takes the likeliest.
        top_k: Only so many of the likeliest tokens are drawn from; 0 for all.
        top_p: Only the likeliest tokens that have this probability together are drawn from.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0


_EXPECTED = Drawing()
_LINE_END = re.compile(r"\\\\?n")  # as it is typed, or a backslash twice for the letter n behind one


def sample(
    run_or_model: Path,
    /,
    *,
    prompt: str | None = None,
    length: Annotated[int, Parameter(validator=Number(gte=1))] = 500,
    drawing: Drawing = _EXPECTED,
    seed: int = 0,
    close: bool = False,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    r"""Write on from a beginning, with a language model, or about what goes in.

    The text appears as it is written. The same seed gives the same text.

    With --json it is judged beside the learned text: forms kept, what is copied.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        prompt: The beginning, \n a line's end (\\nabla: \nabla); or what is translated or described, text or file.
        length: Characters, words or pieces of words to write, as the model reads; what a decoder writes ends by itself.
        drawing: How they are drawn.
        seed: Seed of the draws.
        close: Close what is open, once the text is whole: LaTeX's braces, environments and formulas, or C's brackets.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry
    from netwright.figures.marks import visible
    from netwright.models.decoding import Sampling
    from netwright.run import sample as sampled

    output = output or Output()
    for path in own_parts:
        registry.use(path)
    sampling = Sampling(drawing.temperature, drawing.top_k, drawing.top_p)
    begun = None if prompt is None else _LINE_END.sub(lambda found: "\n" if found[0] == "\\n" else "\\n", prompt)
    found = sampled(run_or_model, begun, sampling=sampling, seed=seed)
    pieces = islice(found.pieces, length)
    if output.json:
        output.document(_document(run_or_model, found, "".join(pieces), close))
        return
    with output.display() as show:
        for note in found.notes:
            show.note(note)
    begun = found.prompt.lstrip("\n")
    if close:
        begun, pieces = _closed(begun + "".join(pieces)), iter(())
    sys.stdout.write(visible(begun))
    for piece in pieces:
        sys.stdout.write(visible(piece))
        sys.stdout.flush()
    sys.stdout.write("\n")


def _document(run_or_model: Path, found: Writing, text: str, close: bool) -> dict[str, object]:
    """What is printed as JSON: the text, and how it is beside the learned one."""
    from netwright.run import judged

    beside = judged(run_or_model, text)
    return {
        "prompt": found.prompt,
        "text": text,
        **({"closed": _closed(found.prompt + text)} if close else {}),
        "forms": beside.forms,
        "copied": beside.copied,
        "notes": [*found.notes, *beside.notes],
    }


def _closed(text: str) -> str:
    from netwright.run.balance import closed, is_latex

    return closed(text, is_latex(text))
