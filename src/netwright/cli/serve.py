"""`netwright serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from netwright.cli.screen import Output


def serve(
    run_or_model: Path,
    /,
    *,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))] = 8000,
    host: str = "127.0.0.1",
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Open a page where a trained model answers: write, drop a picture or a sound, type.

    The address that is printed holds a token; only who has it is answered, and only on this computer. Ctrl-C ends it.

    Args:
        run_or_model: Folder of a run, a .netwright file, or a name of the zoo.
        port: Port of the address; the next free one is taken.
        host: Address of this computer to listen at; another than 127.0.0.1 lets other computers in that have the token.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry
    from netwright.serve import serve as open_page
    from netwright.web import Place

    output = output or Output()
    for path in own_parts:
        registry.use(path)

    def ready(address: str) -> None:
        if output.json:
            output.document({"address": address})
        else:
            output.lines([address, "Ctrl-C ends it."])

    with output.display() as show:
        open_page(run_or_model, Place(host, port), ready=ready, note=show.note)
