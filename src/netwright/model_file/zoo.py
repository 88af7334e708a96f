"""The zoo: trained models under names, to predict with and to start from, each one model file in a folder of this user.

A model comes in as what it is: a `.netwright` file or the weights of another tool together with the network they were
trained for. Whatever it was, what lies in the zoo is a model file that runs no code, with its licence and what it was
trained on written inside. Nothing is fetched from a network, and a name never leads out of the folder.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netwright.errors import ModelFileError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.model_file import foreign, timm_zoo
from netwright.model_file.file import annotate, inspect, load, write
from netwright.model_file.model import Model, assemble
from netwright.models import timm_body
from netwright.models.build import outline
from netwright.models.defaults import default_layers
from netwright.progress import Display, Silent
from netwright.registry import nearest
from netwright.spec import ModelSpec, PartSpec, Spec

ENDING = ".netwright"
NOTES = "zoo"  # the fact under which a model file says where it comes from
PIXELS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "-1..1": ((0.5,) * 3, (0.5,) * 3),
    "0..1": ((0.0,) * 3, (1.0,) * 3),
}
USUAL, SIZE_PX = "imagenet", (224, 224)  # where nobody says otherwise
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """One model of the zoo.

    Args:
        name: What it is called there.
        path: Its file.
        size_bytes: Of the file.
        parameters: Numbers in its weights.
        takes: What goes in, in words.
        gives: What comes out, in words.
        trained_on: Data it was trained on, as whoever added it said.
        licence: As whoever added it said.
        checksum: SHA-256 of all its tensors, which is checked whenever it is loaded.
        problem: Why it cannot be used; "" when it can.
    """

    name: str
    path: Path
    size_bytes: int
    parameters: int = 0
    takes: str = ""
    gives: str = ""
    trained_on: str = ""
    licence: str = ""
    checksum: str = ""
    problem: str = ""


Added = tuple[Entry, list[str]]
Pixels = str | tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Weights:
    """What has to be said about weights that another tool has trained, for their file does not say it.

    Args:
        net: The network they were trained for, as in `model.net`.
        size_px: Height and width of the pictures they were trained on; ImageNet's usual 224 when left out.
        pixels: What their inputs were: a name of `PIXELS`, or `(mean, std)` per channel of pixels in 0..1; as of
            ImageNet when left out.
        classes: Names of the classes, in the order of the outputs; numbers when left out.
        channels: Of the pictures; 3 when left out.
    """

    net: PartSpec
    size_px: tuple[int, int] | None = None
    pixels: Pixels | None = None
    classes: Sequence[str] = ()
    channels: int | None = None


def pixels(said: str) -> Pixels | None:
    """What is said about pixels in words; None for nothing.

    Args:
        said: A name, or means and spreads of pixels in 0..1 with a stroke between them.

    Raises:
        SpecError: The means and spreads are no numbers.

    Example:
        >>> pixels("-1..1"), pixels("0.5 / 0.25")
        ('-1..1', ((0.5,), (0.25,)))
    """
    means, stroke, spreads = said.partition("/")
    if not stroke:
        return said or None
    try:
        found = [tuple(float(word) for word in part.replace(",", " ").split()) for part in (means, spreads)]
    except ValueError:
        raise SpecError(
            f"--pixels {printable(said)}: means and spreads are numbers of pixels in 0..1.",
            'Write them with a stroke between: --pixels "0.5 0.5 0.5 / 0.5 0.5 0.5"',
        ) from None
    return found[0], found[1]


def folder() -> Path:
    """Where the zoo lies; not necessarily there yet."""
    if given := os.environ.get("NETWRIGHT_ZOO"):
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "netwright" / "zoo"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "netwright" / "zoo"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "netwright" / "zoo"


def find(path: Path | str) -> Path:
    """The model file of a name of the zoo; a path that is there, or that names nothing in the zoo, as it is."""
    name, path = str(path), Path(path)
    if path.exists() or not _NAME.fullmatch(name):
        return path
    held = folder() / f"{name}{ENDING}"
    return held if held.is_file() else path


def names() -> list[str]:
    """Of all models in the zoo, sorted."""
    return sorted(path.name.removesuffix(ENDING) for path in folder().glob(f"*{ENDING}") if path.is_file())


def entries() -> list[Entry]:
    """All models of the zoo; one that cannot be read says why."""
    return [_entry(folder() / f"{name}{ENDING}") for name in names()]


def show(name: str) -> tuple[Entry, Model]:
    """One model of the zoo, loaded and with that proven whole.

    Raises:
        SpecError: There is none of this name.
        ModelFileError: Its file is damaged.
    """
    if name not in names():
        listed = ", ".join(names()) or "nothing yet"
        raise SpecError(f'the zoo has no "{name}"{nearest(name, names())}.', f"It has: {listed}.")
    path = folder() / f"{name}{ENDING}"
    model = load(path)
    return _entry(path), model


def add(
    source: Path,
    weights: Weights | None = None,
    *,
    name: str = "",
    licence: str = "",
    trained_on: str = "",
    accept: bool = False,
) -> Added:
    """Put a model into the zoo.

    Args:
        source: A `.netwright` file; or weights of another tool: safetensors, npz, onnx, Keras's h5, torch's pt or pth.
        weights: What has to be known about weights of another tool.
        name: What to call it; after the file when left out.
        licence: Under which it may be used.
        trained_on: Data it was trained on.
        accept: Replace a model of the same name.

    Returns:
        The entry, and what was taken from the file, in sentences.

    Raises:
        SpecError: A name that is taken or impossible; weights without a network, or a network beside a whole model.
        ModelFileError: The file cannot be read, or its weights do not fit the network.
    """
    name = name or source.name.removesuffix(source.suffix)
    if not _NAME.fullmatch(name):
        raise SpecError(
            f'"{printable(name)}" cannot be a name in the zoo.', "Use letters, digits, dot, dash: --name my-net"
        )
    path = folder() / f"{name}{ENDING}"
    if path.exists() and not accept:
        raise SpecError(f'the zoo has a "{name}" already.', "Choose another --name, or replace it: --accept")
    notes = {"licence": licence, "trained_on": trained_on, "file": printable(source.name), "sha256": _sha256(source)}
    path.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ENDING:
        if weights is not None:
            raise SpecError(f"{printable(source)} says itself what network it is.", "Leave --net out.")
        load(source)
        annotate(source, path, {NOTES: notes})
        return _entry(path), ["the whole model, with what its own training knew"]
    if weights is None:
        raise SpecError(
            f"{printable(source)} holds weights, and does not say of which network.",
            "Name it: --net resnet18, or --net '{name: mobilenet, width: 0.25}'",
        )
    model, told = _adopted(source, weights)
    write(path, replace(model, facts={NOTES: notes}))
    return _entry(path), told


def add_from_timm(
    source: str,
    classes: Sequence[str] = (),
    *,
    name: str = "",
    licence: str = "",
    trained_on: str = "",
    accept: bool = False,
    show: Display | None = None,
) -> Added:
    """Put weights that timm knows into the zoo; see `add`.

    Args:
        source: `timm:` and timm's name for them, e.g. "timm:resnet18.a1_in1k".
        classes: Names of the classes, in the order of the outputs; as timm knows them when left out.
        name: What to call the model; timm's name when left out.
        licence: Under which it may be used; as timm says when left out.
        trained_on: Data it was trained on; timm's word for it when left out.
        accept: Replace a model of the same name.
        show: Where it is told what is fetched.
    """
    wanted = source.removeprefix(timm_zoo.MARK)
    known = timm_zoo.fetch(wanted, show or Silent())
    given = Weights(known.net, known.size_px, known.pixels, classes or known.classes)
    facts = {"licence": licence or known.licence, "trained_on": trained_on or known.trained_on}
    return add(known.path, given, name=name or wanted, accept=accept, **facts)


def _adopted(source: Path, given: Weights) -> tuple[Model, list[str]]:
    """A model of the named network with the weights of another tool's file."""
    tensors = foreign.read(source)
    image = _picture(given)
    shape = (image.shape[2], *image.shape[:2])
    layers, _ = default_layers(ModelSpec(net=given.net), {"image": shape})
    if given.net.name == "timm":
        count = timm_body.classes(str(given.net.options.get("model")), tensors)
    else:
        count = foreign.classes(tensors, outline(ModelSpec(layers=layers), {"image": shape}, {"category": 1}))
    outputs = _outputs(given.classes, count)
    spec = Spec.model_validate(
        {"inputs": {"image": "image"}, "outputs": dict.fromkeys(outputs, "category"), "model": {"layers": layers}}
    )
    model = assemble(spec, {"image": image}, outputs, 0)
    return model, [*foreign.adopt(model.network, tensors), *_assumed(given)]


def _assumed(given: Weights) -> list[str]:
    """What nobody said, and a file of weights does not know."""
    height, width = SIZE_PX
    told = [
        f"pixels as of {USUAL} (--pixels says otherwise)" if given.pixels is None else "",
        f"pictures of {height} x {width} (--size-px)" if given.size_px is None else "",
    ]
    return [f"assumed: {', '.join(filter(None, told))}"] if any(told) else []


def _picture(given: Weights) -> Field:
    wish, channels = given.pixels or USUAL, 3 if given.channels is None else given.channels
    if channels not in {1, 3}:
        raise SpecError(f"--channels {channels}: pictures are gray, 1, or in colour, 3.", "Say which: --channels 1")
    named = {name: (mean[:channels], std[:channels]) for name, (mean, std) in PIXELS.items()}
    mean, std = named.get(wish, ((), ())) if isinstance(wish, str) else wish
    if not len(mean) == len(std) == channels or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        said = wish if isinstance(wish, str) else " / ".join(" ".join(f"{each:g}" for each in part) for part in wish)
        raise SpecError(
            f"pixels {said}: expected {', '.join(PIXELS)} or a mean and a spread above 0 for each channel.",
            "Say what the weights were trained on: --pixels imagenet",
        )
    return Field(
        name="image",
        kind="image",
        source="image",
        shape=(*(given.size_px or SIZE_PX), channels),
        dtype="uint8",
        mean=mean,
        std=std,
        options={"resample": "bilinear", "fit": "cover", "background": "white", "turn": "exif", "frame": "first"},
    )


def _outputs(names: Sequence[str], count: int) -> dict[str, Field]:
    """What comes out: a class of so many; nothing where the weights end before their last layer."""
    if not count and not names:
        return {}
    if names and len(names) != count:
        raise SpecError(
            f"{len(names):,} class names, and the last layer of the file gives {count:,}.",
            "Give one name a line, in the order of the outputs.",
        )
    known = tuple(names) or tuple(str(number) for number in range(count))
    return {"category": Field(name="category", kind="category", source="category", dtype="int32", vocabulary=known)}


def _entry(path: Path) -> Entry:
    name, size = path.name.removesuffix(ENDING), path.stat().st_size
    try:
        found = inspect(path)
    except ModelFileError as exc:
        return Entry(name, path, size, problem=exc.message)
    header = found.header
    notes = header.facts.get(NOTES)
    told: Mapping[str, object] = notes if isinstance(notes, dict) else {}
    return Entry(
        name,
        path,
        size,
        found.parameters,
        ", ".join(_input_words(field) for field in header.inputs),
        ", ".join(_output_words(field, header.vocabularies) for field in header.outputs) or "features",
        str(told.get("trained_on") or ""),
        str(told.get("licence") or ""),
        header.tensors_sha256,
    )


def _input_words(field: Field) -> str:
    if field.kind == "image":
        height, width, channels = field.shape
        return f"{field.name} {height}x{width} {'gray' if channels == 1 else 'colour'}"
    return field.name


def _output_words(field: Field, long: Mapping[str, int]) -> str:
    count = long.get(field.name, len(field.vocabulary))
    return f"{field.name} of {count:,}" if count else field.name


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise ModelFileError(f"there is no file {printable(path)}.", "Give a model file or a file of weights.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
