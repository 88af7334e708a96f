"""`netwright features`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from netwright.cli.screen import Output
from netwright.errors import SpecError


def features(
    run_or_model: Path,
    /,
    *inputs: Path,
    layer: str = "",
    save: Path | None = None,
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = (),
    output: Output | None = None,
) -> None:
    """Write what a layer makes of examples, one row each.

    Args:
        run_or_model: Folder of a run, a .netwright file, or a name of the zoo.
        inputs: Folders of pictures, pictures, or tables; a run's own data with its parts when left out.
        layer: Which layer; the last one before the output when left out. Of maps each channel's mean is taken.
        save: The file to write, .parquet or .csv.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
        output: How to print.
    """
    from netwright import registry, run
    from netwright.files import printable
    from netwright.words import counted

    output = output or Output()
    if save is None:
        raise SpecError("nothing says where to write the features.", "Name a file: --save features.parquet")
    for path in own_parts:
        registry.use(path)
    with output.display() as show:
        found = run.features(run_or_model, inputs, layer=layer, out=save, show=show)
    rows = found.table.num_rows
    if output.json:
        facts = {"layer": found.layer, "width": found.width, "rows": rows, "refused": found.refused, "path": save}
        output.document(facts)
        return
    examples, numbers = counted(rows, "example"), counted(found.width, "number")
    output.lines([f"{found.layer}: {numbers} of each of {examples}, written to {printable(save)}"])
    output.lines([f"not read: {name}: {reason}" for name, reason in found.refused.items()])
    labels = [name for name in found.table.column_names[1:] if not name.startswith("feature_") and name != "split"]
    if labels:
        part = " --set data.split.column=split --set data.split.by=column" * ("split" in found.table.column_names)
        output.lines([f"next: netwright train {printable(save)} --out {printable(labels[0])}{part}"])
