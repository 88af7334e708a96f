"""`netwright explain`."""

from __future__ import annotations

from pathlib import Path

from netwright.cli.screen import Output


def explain(*words: str, to: Path | None = None, output: Output | None = None) -> None:
    """Say what a part computes: formula, options, source.

    Without words it lists all parts; with the name of a room, e.g. activation, those of that room.

    Args:
        words: Name of a part, e.g. tanh; with its room before it where several have that name.
        to: An HTML page to write, with the part's curve.
        output: How to print.
    """
    from netwright import files, registry
    from netwright.report import explain as explaining

    output = output or Output()
    if not words or (len(words) == 1 and words[0] in explaining.ROOMS):
        rooms = words or explaining.ROOMS
        found = {room: {part.name: part.summary for part in registry.parts(room).values()} for room in rooms}
        if output.json:
            output.document(found)
        else:
            for room, parts in found.items():
                output.table((room, "what it is"), parts.items())
                output.lines([""])
            output.lines(["next: netwright explain tanh"])
        return
    explained = explaining.explain(explaining.find(list(words)))
    if to is not None:
        files.write_text(to, explaining.page(explained))
    if output.json:
        output.document(explained)
    else:
        output.lines(explained.text)
        output.lines([f"page: {files.printable(to)}"] if to else [])
