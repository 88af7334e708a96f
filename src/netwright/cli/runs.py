"""`netwright runs`: what is in a folder of runs."""

from __future__ import annotations

import re
from pathlib import Path

from cyclopts import App

from netwright.cli.screen import Output

app = App(name="runs", group_commands="Commands", help="List runs, and clear away what is no longer needed.")


@app.default
@app.command(name="list")
def show(root: Path = Path("runs"), /, *, output: Output | None = None) -> None:
    """List the runs in a folder: state, score, size.

    Args:
        root: The folder.
        output: How to print.
    """
    from netwright import run
    from netwright.files import printable

    output = output or Output()
    found = run.runs(root)
    if output.json:
        output.document(found)
    elif not found:
        output.lines([f"no runs in {root}; `netwright train digits` makes one."])
    else:
        rows = [
            (facts.name, facts.state, _short(facts.headline), f"{facts.size_mb:,.1f}", facts.created[:16])
            for facts in found
        ]
        output.table(("run", "state", "held out", "MB", "created"), rows, numbers=("MB",))
        stopped = [root / facts.name for facts in found if facts.state in {"killed", "stopped"}]
        output.lines([f"not finished; go on with: netwright resume {printable(path)}" for path in stopped])


@app.command
def clean(
    root: Path = Path("runs"),
    /,
    *,
    yes: bool = False,
    output: Output | None = None,
) -> None:
    """Remove checkpoints of finished runs and what killed runs left behind; models and reports stay.

    Args:
        root: Folder of runs, or one run.
        yes: Remove; without it only what would be removed is listed.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    removed = run.clean(root, remove=yes)
    if output.json:
        output.document(removed)
        return
    output.table(("file or folder", "MB"), [(item.path, f"{item.size_mb:,.1f}") for item in removed], numbers=("MB",))
    total = sum(item.size_mb for item in removed)
    output.lines([f"{total:,.1f} MB removed" if yes else f"{total:,.1f} MB could go; --yes removes it"])


def _short(headline: str) -> str:
    """A headline's first words, without the count of examples: the table is to fit 80 columns.

    Example:
        >>> _short("97.8 % of 45 held-out examples right (95 % interval 88.4-99.6); a linear model 95.6 %.")
        '97.8 % of 45 right'
        >>> _short("Average precision 0.233 on 600 held-out examples (95 % interval 0.1-0.4).")
        'Average precision 0.233'
        >>> _short("2.1 bits a character on held-out text (95 % interval 2.07-2.12).")
        '2.1 bits a character'
        >>> _short("37.3 % of 75 steps of 5 held-out sequences right (95 % interval 30.1-44.2).")
        '37.3 % of 75 steps right'
    """
    return re.sub(r"(?<=steps) of [\d,]+ held-out \w+|( on( [\d,]+)?)? held-out \w+", "", headline.partition(" (")[0])
