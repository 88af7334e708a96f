"""`netwright sample`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from netwright.cli.screen import Output


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


def sample(
    run_or_model: Path,
    /,
    *,
    prompt: str | None = None,
    length: Annotated[int, Parameter(validator=Number(gte=1))] = 500,
    drawing: Drawing = _EXPECTED,
    seed: int = 0,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    r"""Write on from a beginning, with a language model, or about what goes in.

    The text appears as it is written. The same seed gives the same text.

    Args:
        run_or_model: Folder of a run, or a .netwright file.
        prompt: The beginning; \n stands for the end of a line, which is taken if nothing is given. Of a model that
            translates or describes what goes in, that: a text, or the path of a file.
        length: Characters to write, or words, or pieces of words, whichever the model reads.
        drawing: How they are drawn.
        seed: Seed of the draws.
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
    begun = None if prompt is None else prompt.replace("\\n", "\n")
    found = sampled(run_or_model, begun, sampling=sampling, seed=seed)
    pieces = islice(found.pieces, length)
    if output.json:
        output.document({"prompt": found.prompt, "text": "".join(pieces), "notes": list(found.notes)})
        return
    with output.display() as show:
        for note in found.notes:
            show.note(note)
    sys.stdout.write(visible(found.prompt.lstrip("\n")))
    for piece in pieces:
        sys.stdout.write(visible(piece))
        sys.stdout.flush()
    sys.stdout.write("\n")
