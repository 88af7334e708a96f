"""`netwright data`: look at examples before training, fetch known data sets, keep the cache small."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Group, Parameter

from netwright.cli.arguments import Settings, Wanted, spec_from
from netwright.cli.screen import Output
from netwright.words import counted

PAGE = Group("The page", sort_key=0)

app = App(name="data", group_commands="Commands", help="Look at examples, check them, fetch known data sets.")


@app.command
def show(
    source: str | None = None,
    /,
    *,
    views: Annotated[Path | None, Parameter(group=PAGE)] = None,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    output: Output | None = None,
) -> None:
    """Say what was found in the data.

    Layout, fields, classes, split, and what was set aside and why.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        views: A page (.html) of training pictures as what inputs.image.augment names changes them, or else everything.
        wanted: What goes in and what comes out.
        settings: Settings of the spec.
        output: How to print.
    """
    output = output or Output()
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    from netwright import run

    with output.display() as display:
        found = run.data_show(spec, views=views, show=display)
    output.result(found)


@app.command
def check(
    source: str | None = None,
    /,
    *,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    output: Output | None = None,
) -> None:
    """Judge the examples before training.

    Classes, duplicates, leaks between the splits, outliers.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        wanted: What goes in and what comes out.
        settings: Settings of the spec.
        output: How to print.
    """
    output = output or Output()
    spec = spec_from(source, wanted or Wanted(), settings or Settings())
    from netwright import run

    with output.display() as display:
        findings = run.data_check(spec, show=display)
    output.findings(findings, "nothing wrong was found")


@app.command
def get(
    name: str,
    /,
    *,
    mirror: str | None = None,
    to: Path | None = None,
    output: Output | None = None,
) -> None:
    """Fetch a known data set from its public address.

    Checksums are verified; a broken download goes on where it broke.

    Args:
        name: The data set, e.g. mnist.
        mirror: Another address with the same files; NETWRIGHT_MIRROR when left out.
        to: Folder to put it in.
        output: How to print.
    """
    from netwright.data import named
    from netwright.progress import Counter

    output = output or Output()
    with output.display() as display:
        where = named.get(name, mirror=mirror, root=to, progress=Counter(display))
    if output.json:
        output.document({"name": name, "folder": where})
    else:
        output.lines([f"{name}: {where}", f"next: netwright train {where} --in image --out category"])


@app.command
def cache(
    *,
    prune: bool = False,
    output: Output | None = None,
) -> None:
    """List what the cache holds, or empty it.

    The cache is built again when it is needed.

    Args:
        prune: Remove every entry that no run is using.
        output: How to print.
    """
    from netwright.data import cache as store

    output = output or Output()
    entries = store.prune() if prune else store.entries()
    if output.json:
        output.document(entries)
        return
    rows = [(entry.origin, entry.examples, f"{entry.size_mb:,.1f}") for entry in entries]
    if rows:
        output.table(("data", "examples", "MB"), rows, numbers=("examples", "MB"))
    total = sum(entry.size_mb for entry in entries)
    what = counted(len(entries), "entry", "entries")
    output.lines([f"{what}, {total:,.1f} MB {'removed' if prune else f'in {store.folder()}'}"])
