"""Weights that others have trained: read without running anything of theirs, and laid into a network of the same form.

A file says nothing about the order in which its layers are executed. Files of torch and numpy keep the order in which
they were defined, which is taken where it fits, unless it is the alphabet's. Else the order follows from the names, as
torchvision and the many who write like it name them: `layer2.0.conv1` before `layer2.0.bn1` before
`layer2.0.downsample`, and `fc`, `linear` or `classifier` at the end; or as Keras's applications name them: `conv1` and
`conv1_bn` before `conv_dw_1`, `conv_dw_1_bn` and `conv_pw_1`, whose arrays are turned to the order of axes that torch
has. Names that Keras makes up itself, `conv2d_3` and `dense_1`, tell nothing of it: then the order of the file holds.
"""

from __future__ import annotations

import json
import lzma
import math
import os
import re
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import psutil
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from netwright.errors import ModelFileError, ResourceError, SpecError
from netwright.files import printable
from netwright.models import timm_body
from netwright.models.layers import BatchNorm, LayerNorm
from netwright.models.network import Network
from netwright.models.recurrent import Gru, Lstm
from netwright.models.timm_body import Timm
from netwright.readers.columns import most_unpacked
from netwright.words import listed

_DAMAGED = (
    *(SafetensorError, ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    RuntimeError,  # zipfile's of members that are encrypted, or packed in a way that it does not know
)
_SECONDS = 120.0  # for a child to read a pickle of tensors
_MOST_SAID = 400  # characters of what another library says of weights that do not fit
_MOST_BYTES = 4 * 1024**3
_CHILD_BYTES = 4 * _MOST_BYTES  # of memory: what it reads, a copy of it, what it writes, and the library itself
_NO_MEMORY = re.compile(r"(?i)MemoryError|bad_alloc|(can't|cannot) allocate memory|memory allocation (still )?failed")
# A file may unpack to any size: its child fails, before the system ends processes to get memory, this one or another.
_BOUNDED = """
import sys
try:
    import resource
except ImportError:
    pass  # Windows
else:
    most, (soft, hard) = int(sys.argv[3]), resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
"""
# Runs in a process of its own: `weights_only` lets torch build nothing but tensors and containers; a way around that
# would be met by a process that has nothing.
_TORCH = """
import json, sys, torch
from safetensors.torch import save_file
found = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
for key in ("state_dict", "model", "net"):
    if isinstance(found, dict) and isinstance(found.get(key), dict):
        found = found[key]
tensors = {str(name): value.detach().contiguous().clone() for name, value in found.items() if torch.is_tensor(value)}
save_file(tensors, sys.argv[2], {"order": json.dumps(list(tensors))})
"""
# Keras writes the order of its layers beside them.
_HDF5 = """
import json, sys, h5py
from safetensors.numpy import save_file
found = {}
def keep(name, entry):
    if isinstance(entry, h5py.Dataset) and not entry.external and not entry.is_virtual and entry.dtype.kind == "f":
        found[name] = entry[()].astype("float32")
file = h5py.File(sys.argv[1], "r")
root = file["model_weights"] if "model_weights" in file else file
for layer in root.attrs.get("layer_names", []):
    layer = layer.decode() if isinstance(layer, bytes) else layer
    if layer in root:
        root[layer].visititems(lambda name, entry, layer=layer: keep(f"{layer}/{name}", entry))
if not found:
    root.visititems(keep)
save_file(found, sys.argv[2], {"order": json.dumps(list(found))})
"""
_ONNX = """
import sys, onnx
from onnx import numpy_helper
from safetensors.numpy import save_file
found = {}
for tensor in onnx.load(sys.argv[1], load_external_data=False).graph.initializer:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise SystemExit(f"{tensor.name} lies in another file")
    array = numpy_helper.to_array(tensor)
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        found[tensor.name] = array.astype("float32")
save_file(found, sys.argv[2])
"""
_ENDS = {".onnx": _ONNX, ".h5": _HDF5, ".hdf5": _HDF5}
_LAST = ("fc", "linear", "classifier", "head", "logits")  # words of the last layers
_LATE = {"downsample": 1, "shortcut": 1, "pre_logits": 2}
_SIDE = ("aux", "AuxLogits")  # outputs beside the last, which only help training
_MADE_UP = re.compile(r"((depthwise_)?conv2d|dense|batch_normalization)(_\d+)?")
_NUMBERED = re.compile(r"(.*/)?vars/\d+")  # Keras 3, whose files name neither layers nor what a tensor is
_STAY = ("num_batches_tracked",)
# Keras's word for each tensor: torch's word, and the order of axes that torch has
_KERAS: dict[str, tuple[str, tuple[int, ...]]] = {
    "kernel": ("weight", (3, 2, 0, 1)),
    "depthwise_kernel": ("weight", (2, 3, 0, 1)),
    "gamma": ("weight", ()),
    "beta": ("bias", ()),
    "bias": ("bias", ()),
    "moving_mean": ("running_mean", ()),
    "moving_variance": ("running_var", ()),
}


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of weights, by name.

    Args:
        path: `.safetensors`, `.npz`, Keras's `.h5`, `.onnx`, or a file of torch (`.pt`, `.pth`, `.th`, `.bin`). The
            last three are read by a process of their own that builds nothing but tensors.

    Raises:
        ModelFileError: No such file, damaged, a bomb, or something else than tensors.
        ResourceError: It takes more memory than is free, or more time than a file of weights does.
    """
    name = printable(path)
    if not path.is_file():
        raise ModelFileError(f"there is no file {name}.", "Give a file of weights.")
    if path.suffix == ".keras":
        raise _keras_3(name)
    if path.stat().st_size > _MOST_BYTES:
        raise ModelFileError(f"{name} has more than {_MOST_BYTES / 1e9:.0f} GB.", "Give a smaller file.")
    try:
        if path.suffix == ".safetensors":
            return _tensors(path)
        if path.suffix == ".npz":
            _refuse_bomb(path)
            return _arrays(path)
    except _DAMAGED as exc:
        raise ModelFileError(f"{name} is damaged, or not what its name says: {exc}", "Get the file again.") from exc
    found = _in_a_child(path)
    if any(_NUMBERED.fullmatch(each) for each in found):
        raise _keras_3(name)
    return found


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of safetensors, in the order that it tells, else in that of the alphabet."""
    with safe_open(path, "pt") as handle:
        names = sorted(handle.keys())
        try:
            told = json.loads((handle.metadata() or {}).get("order", "null"))
        except (ValueError, RecursionError):
            told = None  # another program's word for something else
        order = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
        return {key: handle.get_tensor(key) for key in (order if sorted(order) == names else names)}


def _refuse_bomb(path: Path) -> None:
    """Looks at what an archive of numpy says of itself; nothing but the headers of its arrays is unpacked.

    Raises:
        ModelFileError: It unpacks to far more than it has.
        ResourceError: It unpacks to more than the memory that is free.
        ValueError: An array claims more than lies in the archive, or is none.
    """
    most, free = min(_MOST_BYTES, most_unpacked(path)), psutil.virtual_memory().available
    with zipfile.ZipFile(path) as packed:
        needed = sum(each.file_size for each in packed.infolist())  # zipfile unpacks no more of a member
        if needed > most:
            raise ModelFileError(
                f"{printable(path)}: unpacks to {needed:,} bytes from {path.stat().st_size:,}, like an archive bomb; "
                f"at most {most:,} are read.",
                "If you trust it, load it with numpy and save it again with numpy.savez, which does not compress.",
            )
        if needed > free:
            raise ResourceError(
                f"{printable(path)}: unpacks to {needed / 2**20:,.0f} MB, with {free / 2**20:,.0f} MB of memory free.",
                "Free some memory, or read it on a machine that has more.",
            )
        for each in packed.infolist():
            with packed.open(each) as file:
                first = np.lib.format.read_magic(file) == (1, 0)
                header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
                shape, _, dtype = header(file)
            claimed = 0 if dtype.hasobject else math.prod(shape) * dtype.itemsize
            if claimed > each.file_size:
                raise ValueError(f"{printable(each.filename)} claims {claimed:,} bytes and has {each.file_size:,}")


def _arrays(path: Path) -> dict[str, Tensor]:
    """The arrays of an archive of numpy, in its order."""
    with np.load(path, allow_pickle=False) as arrays:
        return {key: torch.from_numpy(np.array(arrays[key])) for key in arrays.files}


def _keras_3(name: str) -> ModelFileError:
    return ModelFileError(
        f"{name} is a file of Keras 3, which numbers its tensors and does not say what they are.",
        "Save them by name: numpy.savez('weights.npz', **{each.path: each.numpy() for each in model.weights})",
    )


def _in_a_child(path: Path) -> dict[str, Tensor]:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "weights.safetensors"
        most = min(_CHILD_BYTES, psutil.virtual_memory().available)
        code = _BOUNDED + _ENDS.get(path.suffix, _TORCH)
        words = [sys.executable, "-I", "-c", code, str(path.absolute()), str(out), str(most)]
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread would take memory
        try:
            ran = subprocess.run(
                words, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=folder, env=alone
            )
        except subprocess.TimeoutExpired as exc:
            raise ResourceError(f"{printable(path)} was not read in {_SECONDS:.0f} s.", "Give a smaller file.") from exc
        for package, extra in (("h5py", "zoo"), ("onnx", "export")):
            if f"No module named '{package}'" in ran.stderr:
                raise ModelFileError(
                    f"{printable(path)} is a file that {package} reads, and {package} is not installed.",
                    f"Install it: pip install netwright[{extra}]; or save the weights as .npz or .safetensors.",
                )
        if ran.returncode == -signal.SIGKILL or (ran.returncode and _NO_MEMORY.search(ran.stderr)):
            raise ResourceError(
                f"{printable(path)} takes more than {most / 2**20:,.0f} MB of memory to read.",
                "Free some memory, or save the weights alone as safetensors where you trust the file.",
            )
        if ran.returncode or not out.exists():
            said = next((line for line in reversed(ran.stderr.splitlines()) if line.strip()), "no reason given")
            raise ModelFileError(
                f"{printable(path)} holds more than tensors, or is damaged: {printable(said.strip())[:300]}",
                "Save the weights alone, in one file, where you trust it: best as safetensors.",
            )
        return _tensors(out)


class _Fit(NamedTuple):
    """A file's layers beside a network's.

    Args:
        pairs: Tensors of the network and of the file, layer after layer.
        new: Last layers that the file does not have, or has in another shape.
        problems: Layers before them that do not fit, in words.
    """

    pairs: list[tuple[dict[str, Tensor], dict[str, Tensor]]]
    new: list[str]
    problems: list[str]


def adopt(network: Network, tensors: Mapping[str, Tensor]) -> list[str]:
    """Lay weights into a network of the same form, layer after layer.

    Args:
        network: Whose weights are replaced; its last layers stay new where the file's have other sizes.
        tensors: By the names they have in their file.

    Returns:
        What was taken and what stays new, in sentences.

    Raises:
        ModelFileError: A layer before the last ones does not fit; says which, with both shapes.
    """
    bodies = [node.name for node in network.nodes if node.part == "timm"]
    if bodies:
        return _adopt_body(network, bodies[0], tensors)
    keras, orders = all(map(_is_keras, tensors)), _orders(tensors)
    tried = [_fit(network, given, keras=keras) for given in orders]
    pairs, new, problems = min(tried, key=lambda fit: (len(fit.problems), len(fit.new)))
    if problems:
        raise ModelFileError(
            f"the weights do not fit the network: {listed(problems, 4, '; ')}.",
            "Choose the network that they were trained for, with its options (net, depth, width).",
        )
    with torch.no_grad():
        for own, found in pairs:
            for key, tensor in own.items():
                tensor.copy_(found[key])
    count = len(pairs) + len(new)
    told = [f"{len(pairs)} of {count} layers taken"]
    if network.auxiliary:
        told.append("the auxiliary heads start afresh")
    why = "for its shape is another" if len(orders[0]) == count else "for the file has none"
    return [*told, f"new: {listed(new)}, {why}"] if new else told


def _fit(network: Network, given: Sequence[tuple[str, dict[str, Tensor]]], *, keras: bool) -> _Fit:
    """Sets the layers of a file, in the order of execution, beside those of a network."""
    wanted = {node.name: node.text for node in network.nodes if node.parameters and node.name not in network.aside}
    fit = _Fit([], [], [])
    for place, (name, text) in enumerate(wanted.items()):
        theirs, found = given[place] if place < len(given) else ("nothing", {})
        own = tensors_of(network, name)
        found = _as_dense(own, _turned(found, _flattened(network, name)) if keras else found)
        keys = [*own, *(key for key in found if key not in own)]
        wrong = [
            f"{key} {_shape(own.get(key))} here, {_shape(found.get(key))} there"
            for key in keys
            if key not in found or key not in own or found[key].shape != own[key].shape
        ]
        if not wrong:
            fit.pairs.append((own, found))
        elif name in network.heads:
            fit.new.append(name)
        else:
            fit.problems.append(f"{name} ({text}) and {theirs}: {', '.join(wrong)}")
    if len(given) > len(wanted) or (fit.problems and len(given) < len(wanted)):
        fit.problems.insert(0, f"the file has {len(given)} layers with weights, the network {len(wanted)}")
    return fit


def _adopt_body(network: Network, name: str, tensors: Mapping[str, Tensor]) -> list[str]:
    """Lay the weights of one of timm's networks into it and into the last layer; timm knows what became of old names.

    Raises:
        ModelFileError: They are not this network's, or its last layer is more than weighted sums.
    """
    body: Timm = network.module(name)  # type: ignore[assignment]
    last = timm_body.classes(body.model, tensors)
    laid = {"state_dict": dict(tensors), "num_classes": last}
    try:
        theirs = timm_body.made(body.model, body.in_shape, last, pretrained=True, pretrained_cfg_overlay=laid).eval()
    except SpecError as exc:
        said = " ".join(exc.message.split())
        raise ModelFileError(
            f"the weights do not fit timm's {body.model}: {said[:_MOST_SAID]}{'...' if len(said) > _MOST_SAID else ''}",
            "Choose the network that they were trained for: --net '{name: timm, model: ...}'",
        ) from exc
    found, own = theirs.state_dict(), body.body.state_dict()
    head = {key: tensor for key, tensor in found.items() if key not in own}
    x = torch.rand(2, *body.in_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for key, tensor in own.items():
            tensor.copy_(found[key])
        for output in network.heads[:1] if head else ():
            for key, tensor in tensors_of(network, output).items():
                named = [_scores(part, len(tensor)) for path, part in head.items() if path.endswith(f".{key}")]
                fitting = [part for part in named if part.numel() == tensor.numel()]
                tensor.copy_(fitting[0].reshape(tensor.shape) if fitting else torch.zeros_like(tensor))
        mode = network.training
        answers = next(iter(network.eval()({next(iter(network.groups)): x}).values()))
        network.train(mode)
        if head and not torch.allclose(answers, _scores(theirs(x).T, answers.shape[1]).T, rtol=1e-3, atol=1e-4):
            raise ModelFileError(
                f"the last layers of timm's {body.model} are more than weighted sums: {listed(list(head))}.",
                "Save the weights without them; what it makes of a picture is then taken as features.",
            )
    return [f"all {len(own)} tensors of {body.model} taken"]


def _scores(rows: Tensor, wanted: int) -> Tensor:
    """One row for each class; of two classes, where one score is wanted, that of the second less that of the first."""
    return rows[1:] - rows[:1] if len(rows) == 2 and wanted == 1 else rows


def classes(tensors: Mapping[str, Tensor], network: Network | None = None) -> int:
    """How many classes the last layer of a file of weights tells apart; 0 where it ends before one.

    Args:
        tensors: By the names they have in their file.
        network: Of their form but for its last layer, where it is known: it tells which layer of the file is the last.
    """
    orders = _orders(tensors)
    if network is not None:
        keras = all(map(_is_keras, tensors))
        orders.sort(key=lambda given: len(_fit(network, given, keras=keras).problems))
    for layers in orders:
        weight = layers[-1][1].get("weight") if layers else None
        if weight is not None and weight.ndim == 2:
            return len(weight)
    return 0


_Layers = list[tuple[str, dict[str, Tensor]]]  # name, then tensors by what they are


def _orders(tensors: Mapping[str, Tensor]) -> list[_Layers]:
    """The file's layers in the order in which they are executed, as far as can be known: the likeliest first."""
    found: dict[str, dict[str, Tensor]] = {}
    keras = all(map(_is_keras, tensors))
    for name, tensor in tensors.items():
        layer, key, turned = _as_torch(name, tensor) if keras else (*_split(name), tensor)
        if key in _STAY or layer.startswith(_SIDE):
            continue
        if key in found.get(layer, {}):
            raise ModelFileError(
                f"two layers of the file are called {printable(layer)}.", "Give each a name of its own, and save again."
            )
        found.setdefault(layer, {})[key] = turned
    as_it_is = list(found.items())
    by_name = sorted(as_it_is, key=lambda entry: (_order_of_keras if keras else _order)(entry[0]))
    if keras:
        return [as_it_is if all(map(_MADE_UP.fullmatch, found)) else by_name]
    return [by_name, as_it_is] if list(tensors) == sorted(tensors) else [as_it_is, by_name]


def _split(name: str) -> tuple[str, str]:
    layer, _, key = name.removeprefix("module.").rpartition(".")
    return layer, key


def _is_keras(name: str) -> bool:
    return name.rpartition("/")[2].partition(":")[0] in _KERAS


def _as_torch(name: str, tensor: Tensor) -> tuple[str, str, Tensor]:
    """Layer, torch's word and torch's order of axes, of `conv1/kernel` or `conv1/conv1/kernel:0`."""
    path, _, word = name.rpartition("/")
    key, axes = _KERAS[word.partition(":")[0]]
    turned = tensor.permute(axes) if axes and len(axes) == tensor.ndim else tensor.T if tensor.ndim == 2 else tensor
    return path.rpartition("/")[2], key, turned.contiguous()


def _order(layer: str) -> list[tuple[int, str, int, int]]:
    """A sort key: numbers as numbers, a convolution before its normalisation, shortcuts and last layers last."""
    key = []
    for word in layer.split("."):
        stem, number = re.fullmatch(r"(.*?)(\d*)", word).groups()  # type: ignore[union-attr]
        late = 3 if stem in _LAST else _LATE.get(stem, 0)
        both = stem in {"conv", "bn", "norm"}
        key.append((late, "conv" if both else stem, int(number or 0), int(both and stem != "conv")))
    return key


def _order_of_keras(layer: str) -> list[tuple[int, str, int, int]]:
    """A sort key: the stem, blocks by number, each layer before its normalisation, the last layer last."""
    name, norm = (layer.removesuffix("_bn"), 1) if layer.endswith("_bn") else (layer, 0)
    stem, _, number = name.rpartition("_")
    if not number.isdecimal():
        stem, number = name, "0"
    late = int(name in {"conv_preds", "predictions", "dense", "fc"})
    return [(late, "", int(number), 0), (0, stem, 0, norm)]


def _as_dense(own: Mapping[str, Tensor], found: dict[str, Tensor]) -> dict[str, Tensor]:
    """A convolution over the whole picture, where it stands for a dense layer, as that dense layer."""
    weight, wanted = found.get("weight"), own.get("weight")
    if weight is None or wanted is None or wanted.ndim != 2 or weight.ndim != 4:
        return found
    return {**found, "weight": weight.flatten(1)}


def _turned(found: dict[str, Tensor], flattened: tuple[int, ...]) -> dict[str, Tensor]:
    """What belongs to the numbers of a picture that Keras flattened, channels last, in the order that is ours.

    Args:
        found: Tensors of a layer that reads them: columns of a dense layer, or the numbers of a batch_norm.
        flattened: Shape of the picture; () where the layer reads none.
    """
    if not flattened:
        return found
    channels, height, width = flattened
    axes = 2 if any(value.ndim == 2 for value in found.values()) else 1  # columns, or one number each
    return {
        key: value.unflatten(-1, (height, width, channels)).movedim(-1, -3).flatten(-3)
        if value.ndim == axes and value.shape[-1] == height * width * channels
        else value
        for key, value in found.items()
    }


def _flattened(network: Network, name: str) -> tuple[int, ...]:
    """Shape of the picture whose numbers a layer reads, one by one; () where it reads something else."""
    nodes = {node.name: node for node in network.nodes}
    node = nodes[name]
    while len(node.inputs) == 1 and len(node.shape) == 1:
        before = nodes[node.inputs[0]]
        if len(before.shape) == 3:
            return before.shape if node.name == name or node.part == "flatten" else ()
        if before.parameters and before.part != "batch_norm":
            break  # what comes out of sums has no places
        node = before
    return ()


def tensors_of(network: Network, name: str) -> dict[str, Tensor]:
    """A layer's tensors, those of the network itself, under the names that torch's layers give them.

    What torch has no layer for (rnn, rbf, a decoder) keeps the names it has here.

    Args:
        network: The network.
        name: Of a node.
    """
    module = network.module(name)
    if isinstance(module, BatchNorm):
        return {
            "weight": module.scale,
            "bias": module.bias,
            "running_mean": module.mean,
            "running_var": module.variance,
        }
    found: dict[str, Tensor] = module.state_dict()
    if isinstance(module, LayerNorm):
        return {"weight": found["scale"], "bias": found["bias"]}
    if isinstance(module, Lstm | Gru):  # torch has one layer for both ways
        ahead = {key.removeprefix("ahead."): value for key, value in found.items() if key.startswith("ahead.")}
        back = {key.removeprefix("back."): value for key, value in found.items() if key.startswith("back.")}
        return ahead | {f"{key}_reverse": value for key, value in back.items()}
    return {key.removeprefix("body."): value for key, value in found.items()} if isinstance(module, Timm) else found


def _shape(tensor: Tensor | None) -> str:
    return "none" if tensor is None else "x".join(map(str, tensor.shape))
