"""`netwright zoo`: trained models under names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App, Group, Parameter

from netwright.cli.screen import Output
from netwright.errors import SpecError

if TYPE_CHECKING:
    from netwright.model_file.zoo import Entry, Weights

app = App(name="zoo", group_commands="Commands", help="Keep trained models under names, to predict or start from.")
_COLUMNS = ("name", "takes", "gives", "parameters", "MB", "trained on", "licence", "checksum")


@app.default
@app.command(name="list")
def listing(*, output: Output | None = None) -> None:
    """List the models: what goes in and comes out, size, data, licence, checksum.

    Args:
        output: How to print.
    """
    from netwright.model_file import zoo

    output = output or Output()
    found = zoo.entries()
    if output.json:
        output.document(found)
        return
    if not found:
        output.lines([f"no models yet in {zoo.folder()}", "next: netwright zoo add runs/photos-1 --name photos"])
        return
    output.table(_COLUMNS, [_row(entry) for entry in found])
    output.lines([f"{entry.name}: {entry.problem}" for entry in found if entry.problem])
    output.lines(["", f"next: netwright train photos/ --in image --from {found[0].name}"])


@app.command
def show(name: str, /, *, output: Output | None = None) -> None:
    """Load a model and show its layers, with its checksum proven.

    Args:
        name: The model.
        output: How to print.
    """
    from netwright.model_file import zoo
    from netwright.models.build import table
    from netwright.run.planning import layer_text

    output = output or Output()
    entry, model = zoo.show(name)
    rows = table(model.network, 1)
    if output.json:
        output.document({"entry": entry, "layers": rows})
        return
    output.table(_COLUMNS, [_row(entry)])
    output.lines(["", *layer_text(rows), "", f"file: {entry.path}"])


@Parameter(name="*", group=Group("Weights of another tool", sort_key=3))
@dataclass(frozen=True)
class Given:
    """What has to be said about weights, for their file does not say it.

    Args:
        net: The network they were trained for, e.g. resnet18 or "{name: vgg, depth: 13}".
        size_px: Height and width of the pictures they were trained on.
        pixels: How they went in: imagenet, -1..1, 0..1, or means and spreads, e.g. "0.5 0.5 0.5 / 0.5 0.5 0.5".
        channels: Of those pictures: 1 for gray, 3 for colour.
        classes: A text file with the name of each class, one a line, in the order of the outputs.
    """

    net: str = ""
    size_px: tuple[int, int] | None = None
    pixels: str = ""
    channels: int | None = None
    classes: Path | None = None


@app.command
def add(
    source: str,
    /,
    *,
    name: str = "",
    licence: str = "",
    trained_on: str = "",
    accept: bool = False,
    given: Given | None = None,
    output: Output | None = None,
) -> None:
    """Put a model into the zoo: a run, a .netwright file, or weights that another tool has trained.

    Args:
        source: A run; a model file; weights (.safetensors, .npz, .h5, .onnx, .pt, .pth, .th); or timm:<name>, fetched.
        name: What to call it; after the file when left out.
        licence: Under which the model may be used.
        trained_on: The data it was trained on.
        accept: Replace a model of this name.
        given: What has to be said about weights of another tool.
        output: How to print.
    """
    from netwright.files import printable
    from netwright.model_file import zoo
    from netwright.run.folder import RunFolder

    output, given, path = output or Output(), given or Given(), Path(source)
    facts = {"name": name, "licence": licence, "trained_on": trained_on, "accept": accept}
    if path.is_dir():
        facts["name"], path = name or path.name, RunFolder(path).model
        if not path.exists():
            raise SpecError(f"{printable(source)} is no finished run.", "Give a run folder or a file.")
    if source.startswith("timm:"):
        if said := _said(given, but="classes"):
            raise SpecError(f"{said[0]}: timm itself knows this of {printable(source)}.", f"Leave {said[0]} out.")
        with output.display() as show:
            entry, told = zoo.add_from_timm(source, _lines(given.classes), show=show, **facts)
    else:
        entry, told = zoo.add(path, _weights(given), **facts)
    if output.json:
        output.document({"entry": entry, "told": told})
        return
    output.lines([f"{entry.name}: {', '.join(told)}", f"takes {entry.takes}, gives {entry.gives}"])
    output.lines([f"next: netwright train photos/ --in image --from {entry.name}"])


def _said(given: Given, but: str = "") -> list[str]:
    """The options about weights that were given."""
    return [
        f"--{field.name.replace('_', '-')}"
        for field in fields(given)
        if field.name != but and getattr(given, field.name) != field.default
    ]


def _lines(path: Path | None) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    return [line.strip() for line in lines if line.strip()]


def _weights(given: Given) -> Weights | None:
    """What was said about weights of another tool; None when nothing was.

    Raises:
        SpecError: Something is said about weights, and not of which network they are.
    """
    from netwright import yaml12
    from netwright.model_file import zoo
    from netwright.spec import PartSpec

    if not given.net:
        if said := _said(given):
            raise SpecError(
                f"{said[0]} tells of weights of another tool, and nothing says of which network.",
                "Give --net; a run or a model file knows all this itself: leave it out.",
            )
        return None
    part = PartSpec.model_validate(yaml12.load(given.net, "--net")[0])
    return zoo.Weights(part, given.size_px, zoo.pixels(given.pixels), _lines(given.classes), given.channels)


def _row(entry: Entry) -> tuple[object, ...]:
    size = round(entry.size_bytes / 1e6, 1)
    kinds = (entry.takes, entry.gives, entry.parameters, size)
    return (entry.name, *kinds, entry.trained_on, entry.licence, entry.checksum[:12])
