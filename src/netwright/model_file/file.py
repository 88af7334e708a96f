"""Writing a model file, and opening one again: checked, built, filled with its weights, and made to prove itself."""

from __future__ import annotations

import hashlib
import io
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from netwright import registry
from netwright.errors import DataError, ModelFileError, NetwrightError
from netwright.field import Field
from netwright.files import printable, write_bytes
from netwright.model_file.header import (
    FORMAT,
    MOST_EXAMPLES,
    Contents,
    Encoding,
    Header,
    Kept,
    Layout,
    OwnPart,
    compose,
    damaged,
    opened,
    parse,
)
from netwright.model_file.model import TOLERANCE, Cell, Example, Model, assemble, replay, sketch
from netwright.models.grams import MOST
from netwright.spec import Spec, parts_named

MOST_EXAMPLE_BYTES = 4_000_000
LONG_VOCABULARY = 1_000  # more class names than this stand in a tensor, which readers of the header need not parse


# What facts that contradict each other (a shape of two numbers for a picture) raise deep inside kinds and layers: the
# header's checksum is right, so whoever wrote them meant them, and no check could list them all.
_CONTRADICTIONS = (LookupError, RuntimeError, TypeError, ValueError)


# ---- writing ---------------------------------------------------------------------------------------------------------


def write(path: str | Path, model: Model, examples: Sequence[Example] = ()) -> int:
    """Write a model file, atomically; the same model and examples always give the same bytes.

    Args:
        path: Where to; by custom it ends in `.netwright`.
        model: The model.
        examples: Real examples with the answers to be given again, most telling first: those that fit into
            `MOST_EXAMPLES` and `MOST_EXAMPLE_BYTES` are kept. They are the user's data and can be read by whoever
            gets the file; leave them out to keep them private.

    Returns:
        How many examples are inside.

    Raises:
        ResourceError: The disk is full.
        NetwrightError: The folder cannot be written.
    """
    tensors, layouts, ties = _weights(model.network)
    kept, cells = _fitting(examples)
    tensors |= cells
    if kept:
        chosen = [examples[at] for at in kept]
        for name in model.outputs:
            answers = np.stack([np.ravel(example.outputs[name]) for example in chosen])
            exact = np.float64 if answers.dtype == np.float64 else np.float32  # numbers in own units are float64
            tensors[f"examples/expected/{name}"] = torch.from_numpy(answers.astype(exact))
    inputs, outputs = tuple(model.inputs.values()), tuple(model.outputs.values())
    vocabularies = {f.name: len(f.vocabulary) for f in (*inputs, *outputs) if len(f.vocabulary) > LONG_VOCABULARY}
    for field in (*inputs, *outputs):
        if field.name in vocabularies:
            tensors[f"vocabularies/{field.name}"] = _stored(json.dumps(field.vocabulary).encode())
    tensors |= {f"centres/{field.name}": _centres(field) for field in outputs if any(field.centres)}
    tensors |= {f"grams/{field.name}": torch.tensor(field.grams, dtype=torch.int64) for field in outputs if field.grams}
    named = parts_named(model.spec) + [("kind", f.kind) for f in inputs] + [("task", f.kind) for f in outputs]
    named += [(room, node.part) for node in model.network.nodes for room in ("layer", "activation")]
    header = Header(
        format=FORMAT,
        netwright=version("netwright"),
        torch=torch.__version__,
        spec=model.spec,
        inputs=tuple(_shortened(field, vocabularies) for field in inputs),
        outputs=tuple(_shortened(field, vocabularies) for field in outputs),
        own_parts=tuple(
            OwnPart(room=part.room, name=part.name, source_sha256=part.source_sha256)
            for part in registry.own_parts(sorted(set(named)))
        ),
        scores=_finite(dict(model.scores)),  # type: ignore[arg-type]
        facts=_finite(dict(model.facts)),  # type: ignore[arg-type]
        examples=tuple(kept.values()),
        vocabularies=vocabularies,
        layouts=layouts,
        ties=ties,
        tensors_sha256=_digest(tensors),
    )
    write_bytes(Path(path), save(tensors, {"netwright": compose(header)}))
    return len(kept)


def annotate(source: Path, out: Path, facts: Mapping[str, object]) -> None:
    """Write a model file again with more facts in its header; its tensors and examples stay as they are.

    Args:
        source: The model file.
        out: Where to.
        facts: By name; they replace those of the same name.

    Raises:
        ModelFileError: The source cannot be read.
    """
    with opened(source) as (header, handle):
        tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118  (the handle is no mapping)
    more = header.model_copy(update={"facts": _finite({**header.facts, **facts})})
    write_bytes(out, save(tensors, {"netwright": compose(more)}))


def _weights(network: torch.nn.Module) -> tuple[dict[str, Tensor], dict[str, Layout], dict[str, str]]:
    """Weights and buffers as plain contiguous tensors, and what that does not show: memory layout and sharing."""
    tensors: dict[str, Tensor] = {}
    layouts: dict[str, Layout] = {}
    ties, owners = {}, {}
    for name, weight in network.state_dict().items():
        place = (weight.device, weight.data_ptr(), weight.shape, weight.stride(), weight.dtype)
        if weight.numel() and place in owners:
            ties[name] = owners[place]
            continue
        owners[place] = name
        if not weight.is_contiguous() and weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
            layouts[name] = "channels_last"
        tensors[f"weights/{name}"] = weight.detach().cpu().clone(memory_format=torch.contiguous_format)
    return tensors, layouts, ties


def _fitting(examples: Sequence[Example]) -> tuple[dict[int, Kept], dict[str, Tensor]]:
    """The first examples that fit, by their place among those given, and their cells as tensors."""
    kept: dict[int, Kept] = {}
    tensors: dict[str, Tensor] = {}
    room = MOST_EXAMPLE_BYTES
    for at, example in enumerate(examples):
        encoded = {name: _encode(cell) for name, cell in example.cells.items()}
        size = sum(len(data) for _, data in encoded.values())
        if size > room:
            continue
        room -= size
        tensors |= {f"examples/{len(kept)}/{name}": _stored(data) for name, (_, data) in encoded.items()}
        kept[at] = Kept(id=printable(example.id), cells={name: encoding for name, (encoding, _) in encoded.items()})
        if len(kept) == MOST_EXAMPLES:
            break
    return kept, tensors


def _encode(cell: Cell) -> tuple[Encoding, bytes]:
    if isinstance(cell, bytes):
        return "file", cell
    if isinstance(cell, np.ndarray):
        stream = io.BytesIO()
        np.lib.format.write_array(stream, np.ascontiguousarray(cell), version=(1, 0), allow_pickle=False)
        return "npy", stream.getvalue()
    plain = cell.item() if isinstance(cell, np.generic) else cell
    return "json", json.dumps(_finite(plain)).encode()  # NaN, where a typed table has no value, is null


def _stored(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8)


def _centres(field: Field) -> Tensor:
    """The centres of identities, with NaN for those that have none."""
    dim = max(map(len, field.centres))
    return torch.tensor([row or (math.nan,) * dim for row in field.centres], dtype=torch.float32)


def _shortened(field: Field, vocabularies: Mapping[str, int]) -> Field:
    """The field without what stands in tensors."""
    emptied = {"centres": (), "grams": (), **({"vocabulary": ()} if field.name in vocabularies else {})}
    return field.model_copy(update=emptied)


def _finite(value: object) -> object:
    """The same with null in place of numbers that JSON cannot say."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _digest(tensors: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


# ---- reading ---------------------------------------------------------------------------------------------------------


def inspect(path: str | Path) -> Contents:
    """What a model file says about itself; no tensor is read and nothing is built.

    Raises:
        ModelFileError: It is missing, foreign, damaged, too new, or would have to run code.
    """
    with opened(Path(path)) as (header, handle):
        shapes = {
            name.removeprefix("weights/"): tuple(handle.get_slice(name).get_shape())
            for name in handle.keys()  # noqa: SIM118  (the handle is no mapping)
            if name.startswith("weights/")
        }
    return Contents(Path(path), Path(path).stat().st_size, header, shapes)


def load(path: str | Path, *, replay: bool = True) -> Model:
    """A model from its file, ready to answer; its `replayed` says how it answered the examples inside.

    Args:
        path: The file.
        replay: Whether the examples must give the same answers here; without it a model whose answers changed with
            the versions of libraries can still be used.

    Raises:
        ModelFileError: Missing, foreign, damaged, too new, holding a pickle, naming parts that are not known, or
            giving other answers than it expects.
    """
    path = Path(path)
    name = printable(path)
    with opened(path) as (header, handle):
        tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118
    if _digest(tensors) != header.tensors_sha256:
        raise damaged(name, "the checksum of its tensors does not match")
    inputs = {field.name: _restored(field, header, tensors, name) for field in header.inputs}
    outputs = {field.name: _restored(field, header, tensors, name) for field in header.outputs}
    model = _built(_ordered(header.spec, inputs, outputs), inputs, outputs, header, tensors, name)
    model = replace(model, scores=header.scores, facts=header.facts, notes=_notes(header))
    return _replayed(model, header, tensors, name) if replay and header.examples else _unproven(model, header, name)


def examples(path: Path, model: Model) -> list[Example]:
    """The real examples that a model file keeps.

    Args:
        path: The file.
        model: What was loaded from it.

    Raises:
        ModelFileError: Missing or damaged.
    """
    with opened(path) as (header, handle):
        tensors = {key: handle.get_tensor(key) for key in handle.keys() if key.startswith("examples/")}  # noqa: SIM118
    return _examples(model, header, tensors, printable(path))


def _restored(field: Field, header: Header, tensors: Mapping[str, Tensor], name: str) -> Field:
    """The field with its class names, n-grams and centres back from their tensors."""
    field = _named(field, header, tensors, name)
    if (grams := tensors.get(f"grams/{field.name}")) is not None:
        field = field.model_copy(update={"grams": _grams(grams, field, name)})
    centres = tensors.get(f"centres/{field.name}")
    if centres is None:
        return field
    if centres.dtype != torch.float32 or centres.ndim != 2 or len(centres) != len(field.vocabulary):
        raise damaged(name, f'"{field.name}" has no centre for each of its {len(field.vocabulary):,} identities')
    there = torch.isfinite(centres).all(dim=1).tolist()
    rows = tuple(tuple(row) if known else () for row, known in zip(centres.tolist(), there, strict=True))
    return field.model_copy(update={"centres": rows})


def _grams(grams: Tensor, field: Field, name: str) -> tuple[tuple[int, ...], ...]:
    fits = grams.dtype == torch.int64 and grams.ndim == 2 and 3 <= grams.shape[1] <= MOST + 1 and len(grams) > 0
    if fits:
        codes, counts = grams[:, :-1], grams[:, -1]
        fits = bool((counts > 0).all() and (codes >= 0).all() and (codes < len(field.vocabulary)).all())
    if not fits:
        raise damaged(name, f'the n-grams of "{field.name}" are no stretches of its tokens')
    return tuple(map(tuple, grams.tolist()))


def _named(field: Field, header: Header, tensors: Mapping[str, Tensor], name: str) -> Field:
    if field.name not in header.vocabularies:
        return field
    words = parse(_bytes(tensors, f"vocabularies/{field.name}", name), name)
    names = tuple(word for word in words if isinstance(word, str)) if isinstance(words, list) else ()
    promised = header.vocabularies[field.name]
    if len(set(names)) != promised or len(names) != promised:
        raise damaged(name, f'the class names of "{field.name}" are not the {promised:,} promised')
    return field.model_copy(update={"vocabulary": names})


def _ordered(spec: Spec, inputs: Mapping[str, Field], outputs: Mapping[str, Field]) -> Spec:
    """The spec with its inputs and outputs in the order of the fields, which sorted JSON has lost."""
    order = {name: place for place, name in enumerate((*inputs, *outputs))}
    return spec.model_copy(
        update={
            side: dict(sorted(getattr(spec, side).items(), key=lambda item: order.get(item[0], len(order))))
            for side in ("inputs", "outputs")
        }
    )


def _built(
    spec: Spec,
    inputs: dict[str, Field],
    outputs: dict[str, Field],
    header: Header,
    tensors: Mapping[str, Tensor],
    name: str,
) -> Model:
    """The network that the spec describes, with the file's weights; sizes are compared before memory is asked for."""
    try:
        wanted = sketch(spec, inputs, outputs).state_dict()
        given = {key.removeprefix("weights/"): value for key, value in tensors.items() if key.startswith("weights/")}
        given |= {tied: given[owner] for tied, owner in header.ties.items() if owner in given}
        problems = _differences(wanted, given)
        if problems:
            listed = "".join(f"\n  {problem}" for problem in problems[:20])
            raise ModelFileError(
                f"{name}: its weights do not fit the layers of its spec:{listed}",
                "The spec inside was changed after training; ask for the file again, or train again.",
            )
        model = assemble(spec, inputs, outputs, spec.training.seed)
    except ModelFileError:
        raise
    except NetwrightError as exc:
        raise ModelFileError(f"{name}: its model cannot be built here: {exc.message}", exc.cure) from exc
    except _CONTRADICTIONS as exc:
        raise damaged(name, f"its model cannot be built: {exc}") from exc
    with torch.no_grad():
        for key, weight in model.network.state_dict().items():
            weight.copy_(given[key])
        for key, weight in model.network.named_parameters():
            if key in header.layouts:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return model


def _differences(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What is missing, unexpected or of another size, layer by layer."""
    problems = []
    for key in dict.fromkeys([*wanted, *given]):
        expected, found = wanted.get(key), given.get(key)
        if found is None:
            problems.append(f"{key}: missing, expected {form_of(expected)}")
        elif expected is None:
            problems.append(f"{key}: unexpected, found {form_of(found)}")
        elif expected.shape != found.shape or expected.dtype != found.dtype:
            problems.append(f"{key}: expected {form_of(expected)}, found {form_of(found)}")
    return problems


def form_of(tensor: Tensor | None) -> str:
    """Type and shape of a tensor in words, e.g. `float32 (16, 3, 5, 5)`."""
    return "" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _notes(header: Header) -> tuple[str, ...]:
    here = {"netwright": version("netwright"), "torch": str(torch.__version__)}
    other = {
        lib: found for lib, found in (("netwright", header.netwright), ("torch", header.torch)) if found != here[lib]
    }
    if not other:
        return ()
    wrote, reads = (" and ".join(f"{lib} {of[lib]}" for lib in other) for of in (other, here))
    return (f"written with {wrote}, opened with {reads}",)


def _unproven(model: Model, header: Header, name: str) -> Model:
    """Versions differ and nothing was compared: the one case in which a wrong answer could go unnoticed."""
    if model.notes:
        why = "holds no examples" if not header.examples else "was opened with replay=False"
        warnings.warn(f"{name}: {model.notes[0]}; it {why}, so its answers were not compared.", stacklevel=3)
    return model


def _replayed(model: Model, header: Header, tensors: Mapping[str, Tensor], name: str) -> Model:
    versions = f" ({'; '.join(model.notes)})" if model.notes else " (the versions of netwright and torch are the same)"
    escape = "Use the versions that wrote it, or accept other answers: load(path, replay=False)."
    try:
        result = replay(model, _examples(model, header, tensors, name))
    except DataError as exc:
        raise ModelFileError(f"{name}: its examples cannot be answered here{versions}: {exc.message}", escape) from exc
    except _CONTRADICTIONS as exc:
        raise damaged(name, f"its examples cannot be answered: {exc}") from exc
    if result.matches < result.total:
        raise ModelFileError(
            f"{name}: gives other answers here than when it was written{versions}: {result}, allowed "
            f"{TOLERANCE:g}; {result.worst}.",
            escape,
        )
    return replace(model, replayed=result)


def _examples(model: Model, header: Header, tensors: Mapping[str, Tensor], name: str) -> list[Example]:
    expected = {}
    for output in model.outputs:
        answers = tensors.get(f"examples/expected/{output}")
        if (
            answers is None
            or answers.ndim != 2
            or len(answers) != len(header.examples)
            or not answers.is_floating_point()
        ):
            raise damaged(name, f'no answers to its examples for "{output}"')
        expected[output] = answers.double().numpy()
    cells = [key for key in tensors if key.startswith("examples/") and not key.startswith("examples/expected/")]
    if sum(tensors[key].nbytes for key in cells) > MOST_EXAMPLE_BYTES:
        raise damaged(name, f"more than {MOST_EXAMPLE_BYTES:,} bytes of examples")
    if any(
        kept.cells.get(key) == "json"
        for key, field in model.inputs.items()
        if field.kind == "image"
        for kept in header.examples
    ):
        raise damaged(name, "a picture among its examples is text, which would be the path of a file on this machine")
    return [
        Example(
            {key: _decode(_bytes(tensors, f"examples/{at}/{key}", name), kept.cells[key], name) for key in kept.cells},
            {output: answers[at] for output, answers in expected.items()},
            kept.id,
        )
        for at, kept in enumerate(header.examples)
    ]


def _bytes(tensors: Mapping[str, Tensor], key: str, name: str) -> bytes:
    tensor = tensors.get(key)
    if tensor is None or tensor.dtype != torch.uint8 or tensor.ndim != 1:
        raise damaged(name, f"{key} is missing or holds no bytes")
    return tensor.numpy().tobytes()


def _decode(data: bytes, encoding: Encoding, name: str) -> Cell:
    if encoding == "file":
        return data
    if encoding == "npy":
        return _array(data, name)
    cell = parse(data, name)
    if not _plain(cell, depth=2):  # the steps of a sequence are lists of numbers
        raise damaged(name, "an example's cell is no text, number or list of them")
    return cell  # type: ignore[return-value]


def _plain(cell: object, depth: int) -> bool:
    if isinstance(cell, list):
        return depth > 0 and all(_plain(one, depth - 1) for one in cell)
    return not isinstance(cell, dict)


def _array(data: bytes, name: str) -> np.ndarray:
    """An array in npy form; its size is compared with the bytes that are there before it is made."""
    stream = io.BytesIO(data)
    try:
        np.lib.format.read_magic(stream)
        shape, columns_first, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.kind not in "biuf" or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
            raise damaged(name, f"an example's array claims {shape} of {dtype}, with {len(data)} bytes there")
        values = np.frombuffer(data, dtype, offset=stream.tell())
        return values.reshape(shape, order="F" if columns_first else "C")
    except ValueError as exc:
        raise damaged(name, f"an example's array: {exc}") from exc
