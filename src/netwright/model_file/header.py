"""What a model file says before its tensors, and the refusal of everything that is not a model file."""

from __future__ import annotations

import hashlib
import json
import math
import pickletools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import safetensors
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic import Field as Setting

from netwright import registry
from netwright.errors import ModelFileError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.spec import Spec, parts_named
from netwright.tasks.task import task_name
from netwright.words import counted

FORMAT = 1
MOST_EXAMPLES = 64
_HEADER_BYTES = 16_000_000
_ARRAY_BYTES = 64_000_000  # of one cached array
_JSON_DEPTH = 24
_DTYPES = {"uint8": 1, "int32": 4, "int64": 8, "float32": 4, "float64": 8}
_TRAINING_ONLY = {"optimizer", "schedule", "strategy", "observer"}  # own parts that answering does not need
_FOREIGN = {
    b"\x89HDF": "an HDF5 file (Keras)",
    b"\x93NUM": "a numpy array",
    b"\x1f\x8b": "compressed with gzip",
    b"PK": "a zip archive",
    b"version https://git-lfs": "a Git LFS pointer; the file itself was not downloaded",
    b"<": "a web page or XML",
}

Encoding = Literal["file", "json", "npy"]
Layout = Literal["channels_last"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnPart(_Frozen):
    """A part of the user's own that the model names; its code is never inside the file.

    Args:
        room: What kind of part.
        name: Its name in the spec.
        source_sha256: Hash of its source, to recognise the `--use` file it comes from.
    """

    room: str
    name: str
    source_sha256: str


class Kept(_Frozen):
    """One example inside the file.

    Args:
        id: Its id in the data set.
        cells: How each input's bytes are to be read: a file as it was, JSON, or an array in npy form.
    """

    id: str
    cells: dict[str, Encoding]


class Header(_Frozen):
    """Everything a model file says before its tensors, as sorted JSON under the metadata key `netwright`.

    Args:
        format: Version of the file format.
        netwright: Version that wrote it.
        torch: Version of torch that computed the expected answers.
        spec: The spec.
        inputs: Facts of each input, in order: preprocessing to the last resize filter.
        outputs: Facts of each output, in order; none for a model that only gives features.
        own_parts: The user's own parts that it names.
        scores: Measured scores.
        facts: The data's fingerprint, licence notes and whatever else the run kept.
        examples: The examples inside.
        vocabularies: Fields whose class names stand in a tensor, and how many there are.
        layouts: Weights that were not contiguous in memory, and how they lay.
        ties: Weights that share memory with another one, which is stored.
        tensors_sha256: Checksum of all tensors with their names, types and shapes.
    """

    format: int
    netwright: str
    torch: str
    spec: Spec
    inputs: tuple[Field, ...] = Setting(min_length=1)
    outputs: tuple[Field, ...]
    own_parts: tuple[OwnPart, ...]
    scores: dict[str, JsonValue]
    facts: dict[str, JsonValue]
    examples: tuple[Kept, ...] = Setting(max_length=MOST_EXAMPLES)
    vocabularies: dict[str, int]
    layouts: dict[str, Layout]
    ties: dict[str, str]
    tensors_sha256: str


@dataclass(frozen=True)
class Contents:
    """What `inspect` finds without reading a single tensor.

    Args:
        path: The file.
        size_bytes: Its size.
        header: What it says.
        shapes: Shape of each weight, by its name in the network.
    """

    path: Path
    size_bytes: int
    header: Header
    shapes: dict[str, tuple[int, ...]]

    @property
    def parameters(self) -> int:
        """Numbers in the weights, running statistics included."""
        return sum(math.prod(shape) for shape in self.shapes.values())


# ---- opening ---------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[tuple[Header, safetensors.safe_open]]:
    """A model file's header, checked, and its tensors, none of them read yet.

    Raises:
        ModelFileError: It is missing, foreign, damaged, too new, or would have to run code.
    """
    name = printable(path)
    try:
        _refuse_foreign(path, name)
        with safetensors.safe_open(path, framework="pt") as handle:
            text = (handle.metadata() or {}).get("netwright")
            if text is None:
                raise ModelFileError(
                    f"{name}: holds tensors but no model: the metadata key `netwright` is missing.",
                    "Give the .netwright file that training wrote; weights alone do not say what goes in and out.",
                )
            yield read_header(text, name), handle
    except OSError as exc:
        raise ModelFileError(f"{name}: cannot be read ({exc.strerror or exc}).", "Check the path.") from exc
    except safetensors.SafetensorError as exc:
        raise damaged(name, str(exc)) from exc


def damaged(name: str, fact: str) -> ModelFileError:
    """The error for a file that is not what was written."""
    return ModelFileError(f"{name}: damaged or cut short ({fact}).", "Copy or download it again, or train again.")


def _refuse_foreign(path: Path, name: str) -> None:
    if not path.is_file():
        what = "is not a regular file" if path.exists() else "no such file"
        raise ModelFileError(f"{name}: {what}.", "Give the .netwright file that training wrote.")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(65_536)
    if head[8:9] != b"{":  # a safetensors file: the header's length in 8 bytes, then JSON
        _refuse_by_content(path, name, head, size)
    header_bytes = int.from_bytes(head[:8], "little")
    if header_bytes > _HEADER_BYTES:
        raise damaged(name, f"its header claims {header_bytes:,} bytes, at most {_HEADER_BYTES:,} are allowed")
    if header_bytes + 8 > size:
        raise damaged(name, f"its header claims {header_bytes:,} bytes, the whole file has {size:,}")


def _refuse_by_content(path: Path, name: str, head: bytes, size: int) -> None:
    if size < 16:  # whatever it was: the length of a header alone can begin like a pickle
        raise damaged(name, f"only {size} bytes")
    if _holds_pickle(path, head):
        raise ModelFileError(
            f"{name}: holds a pickle, which can run code when opened; it was not opened.",
            "netwright reads only .netwright files, which hold no code. Ask for one, or train again.",
        )
    foreign = next((what for magic, what in _FOREIGN.items() if head.lstrip().startswith(magic)), "")
    raise ModelFileError(
        f"{name}: not a model file{f', but {foreign}' if foreign else ''} (begins with {head[:8]!r}).",
        "Give the .netwright file that training wrote.",
    )


def _holds_pickle(path: Path, head: bytes) -> bool:
    """Whether the content is a pickle, or a zip archive with one inside as torch.save writes it. Runs nothing."""
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return True
    if head[:2] == b"PK":
        with suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError), zipfile.ZipFile(path) as archive:
            return any(member.endswith(".pkl") for member in archive.namelist())
        return b".pkl" in head  # cut short, but its first member says what it was
    try:  # the oldest protocols have no magic bytes: read as a pickle to its end, which executes nothing
        return sum(1 for _ in pickletools.genops(head)) > 1
    except (ValueError, OverflowError, IndexError):
        return False


def read_header(text: str, name: str) -> Header:
    """The header from its JSON.

    Args:
        text: The JSON.
        name: What error messages call the file.

    Raises:
        ModelFileError: Damaged, of another format, with facts that contradict each other or names nobody knows.
    """
    values = parse(text, name)
    if not isinstance(values, dict):
        raise damaged(name, "its header is no mapping")
    found = values.get("format")
    if found != FORMAT or isinstance(found, bool):
        newer = isinstance(found, int) and found > FORMAT
        raise ModelFileError(
            f"{name}: file format {found!r}, written by netwright {values.get('netwright')}; this is netwright "
            f"{version('netwright')} and reads format {FORMAT}.",
            "Install a newer netwright." if newer else "Ask for a file written by a netwright that reads both.",
        )
    if values.pop("sha256", None) != checksum(values):
        raise damaged(name, "the checksum of its header does not match")
    try:
        header = Header.model_validate(values)
    except ValidationError as exc:
        told = [f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors()]
        raise _unsound(name, told) from exc
    _check_names(header, name)
    problems = [problem for field in (*header.inputs, *header.outputs) for problem in _field_problems(field)]
    if problems:
        raise _unsound(name, problems)
    return header


def compose(header: Header) -> str:
    """The header as its JSON, with its own checksum; `read_header` gives it back."""
    values = header.model_dump(mode="json", by_alias=True)
    return _canonical({**values, "sha256": checksum(values)})


def checksum(values: dict[str, object]) -> str:
    """Checksum of plain values that does not depend on the order of their keys."""
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def parse(text: str | bytes, name: str) -> object:
    """JSON of a file that nobody vouches for.

    Args:
        text: The JSON.
        name: What error messages call the file.

    Raises:
        ModelFileError: It is not JSON, or nested too deep.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
        outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
        depth = deepest = 0
        for bracket in re.findall(r"[\[{}\]]", outside):
            depth += 1 if bracket in "[{" else -1
            deepest = max(deepest, depth)
        if deepest > _JSON_DEPTH:
            raise damaged(name, f"JSON nested {deepest:,} deep, at most {_JSON_DEPTH} are allowed")
        return json.loads(text, parse_constant=_number, parse_float=_number)
    except ValueError as exc:
        raise damaged(name, f"JSON: {exc}") from exc


def _number(text: str) -> float:
    """A number as JSON knows it; `NaN`, `Infinity` and `1e999` are none."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def _canonical(values: object) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _unsound(name: str, problems: list[str]) -> ModelFileError:
    listed = "".join(f"\n  {problem}" for problem in problems[:20])
    return ModelFileError(
        f"{name}: {counted(len(problems), 'fact')} in its header cannot be right:{listed}",
        "It was not written by netwright as it stands; ask for the file again, or train again.",
    )


def _check_names(header: Header, name: str) -> None:
    """Every name must stand in the registry; the file's own word on own parts only helps to say what is missing."""
    named = parts_named(header.spec)
    named += [("kind", field.kind) for field in header.inputs] + [
        ("task", task_name(field)) for field in header.outputs
    ]
    own = {(part.room, part.name): part for part in header.own_parts}
    missing, problems = [], []
    for room, part in dict.fromkeys([*own, *named]):
        if part in registry.parts(room):
            continue
        if (room, part) not in own:
            try:
                registry.part(room, part)
            except SpecError as exc:
                problems.append(str(exc))
        elif room not in _TRAINING_ONLY:
            missing.append(f'\n  {room} "{part}", source sha256 {own[room, part].source_sha256}')
    if problems:
        raise _unsound(name, problems)
    if missing:
        raise ModelFileError(
            f"{name}: uses own parts, whose code is never inside a model file:{''.join(missing)}",
            "Give the file that registers them with --use my_parts.py (in Python: netwright.registry.use).",
        )


def _field_problems(field: Field) -> list[str]:
    problems = []
    if field.dtype not in _DTYPES:
        problems.append(f"type {field.dtype!r} is not one of {', '.join(_DTYPES)}")
    elif len(field.shape) > 4 or min(field.shape, default=1) < 1:
        problems.append(f"shape {field.shape} is not possible")
    elif math.prod(field.shape) * _DTYPES[field.dtype] > _ARRAY_BYTES:
        problems.append(f"shape {field.shape} takes more than {_ARRAY_BYTES / 1e6:,.0f} MB per example")
    width = field.shape[-1] if field.shape else 1
    if len(field.mean) != len(field.std) or len(field.mean) not in {0, width}:
        problems.append(f"{len(field.mean)} means and {len(field.std)} deviations for {width} channel(s)")
    if field.kind == "tags" and field.vocabulary and field.shape != (len(field.vocabulary),):
        problems.append(f"shape {field.shape} for {len(field.vocabulary)} tags")
    if len(field.missing) not in {0, width} or min(field.missing, default=0) < 0:
        problems.append(f"{len(field.missing)} counts of missing cells for {width} column(s)")
    width = len(field.vocabulary) if field.kind == "category" else width
    most = 2 if field.kind == "identity" else 1  # a distance between points of length 1, or a probability
    if len(field.thresholds) not in {0, width} or not all(0 <= one <= most for one in field.thresholds):
        few = counted(len(field.thresholds), "threshold")
        problems.append(f"{few} for {counted(width, 'class', 'classes')}, each to be 0 to {most}")
    if not all(map(math.isfinite, (*field.mean, *field.std))) or min(field.std, default=1.0) <= 0:
        problems.append("means and deviations must be finite, deviations above 0")
    if len(set(field.vocabulary)) < len(field.vocabulary):
        problems.append("a class name stands twice in its vocabulary")
    return [f"{field.name}: {problem}" for problem in problems]
