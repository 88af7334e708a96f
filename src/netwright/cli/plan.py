"""`netwright plan`."""

from __future__ import annotations

from netwright.cli.arguments import Settings, Wanted, spec_from
from netwright.cli.screen import Output


def plan(
    source: str | None = None,
    /,
    *,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    output: Output | None = None,
) -> None:
    """Say what training would do: what was found, every default with its reason, layers, sizes; trains nothing.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
    """
    from netwright import run

    output = output or Output()
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    with output.display() as show:
        planned = run.plan(spec, show=show)
    if output.json:
        output.document(planned)
    else:
        output.lines(planned.text)
