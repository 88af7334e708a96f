"""Weights that others have trained: read without running anything of theirs, and laid into a network of the same form.

A file says nothing about the order in which its layers are executed, so it follows from their names, as torchvision
and the many who write like it name them: `layer2.0.conv1` before `layer2.0.bn1` before `layer2.0.downsample`, and
`fc`, `linear` or `classifier` at the end; or as Keras's applications name them: `conv1` and `conv1_bn` before
`conv_dw_1`, `conv_dw_1_bn` and `conv_pw_1`, whose arrays are turned to the order of axes that torch has. Names that
Keras makes up itself, `conv2d_3` and `dense_1`, tell nothing of it: then the order of the file holds.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from netwright.errors import ModelFileError, ResourceError, SpecError
from netwright.files import printable
from netwright.models import timm_body
from netwright.models.layers import BatchNorm
from netwright.models.network import Network
from netwright.models.timm_body import Timm
from netwright.words import listed

_SECONDS = 120.0  # for a child to read a pickle of tensors
_MOST_SAID = 400  # characters of what another library says of weights that do not fit
_MOST_BYTES = 4 * 1024**3
# Runs in a process of its own: `weights_only` lets torch build nothing but tensors and containers; a way around that
# would be met by a process that has nothing.
_TORCH = """
import sys, torch
from safetensors.torch import save_file
found = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
for key in ("state_dict", "model", "net"):
    if isinstance(found, dict) and isinstance(found.get(key), dict):
        found = found[key]
tensors = {str(name): value.detach().contiguous().clone() for name, value in found.items() if torch.is_tensor(value)}
save_file(tensors, sys.argv[2])
"""
# Keras writes the order of its layers beside them; an archive of numpy keeps it.
_HDF5 = """
import sys, h5py, numpy
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
with open(sys.argv[2], "wb") as sink:
    numpy.savez(sink, **found)
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
        ModelFileError: No such file, damaged, or something else than tensors.
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
            return load_file(path)
        if path.suffix == ".npz":
            return _arrays(path)
    except (SafetensorError, ValueError, OSError, zipfile.BadZipFile, TypeError) as exc:
        raise ModelFileError(f"{name} is damaged, or not what its name says: {exc}", "Get the file again.") from exc
    found = _in_a_child(path)
    if any(_NUMBERED.fullmatch(each) for each in found):
        raise _keras_3(name)
    return found


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
        words = [sys.executable, "-I", "-c", _ENDS.get(path.suffix, _TORCH), str(path.absolute()), str(out)]
        try:
            ran = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=folder)
        except subprocess.TimeoutExpired as exc:
            raise ResourceError(f"{printable(path)} was not read in {_SECONDS:.0f} s.", "Give a smaller file.") from exc
        for package, extra in (("h5py", "zoo"), ("onnx", "export")):
            if f"No module named '{package}'" in ran.stderr:
                raise ModelFileError(
                    f"{printable(path)} is a file that {package} reads, and {package} is not installed.",
                    f"Install it: pip install netwright[{extra}]; or save the weights as .npz or .safetensors.",
                )
        if ran.returncode or not out.exists():
            said = next((line for line in reversed(ran.stderr.splitlines()) if line.strip()), "no reason given")
            raise ModelFileError(
                f"{printable(path)} holds more than tensors, or is damaged: {printable(said.strip())[:300]}",
                "Save the weights alone, in one file, where you trust it: best as safetensors.",
            )
        return _arrays(out) if words[3] is _HDF5 else load_file(out)


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
    given, keras = _layers(tensors), all(map(_is_keras, tensors))
    wanted = {node.name: node.text for node in network.nodes if node.parameters and node.name not in network.aside}
    pairs, new, problems = [], [], []
    for place, (name, text) in enumerate(wanted.items()):
        theirs, found = given[place] if place < len(given) else ("nothing", {})
        own = _own(network, name)
        found = _as_dense(own, _turned(found, _flattened(network, name)) if keras else found)
        keys = [*own, *(key for key in found if key not in own)]
        wrong = [
            f"{key} {_shape(own.get(key))} here, {_shape(found.get(key))} there"
            for key in keys
            if key not in found or key not in own or found[key].shape != own[key].shape
        ]
        if not wrong:
            pairs.append((own, found))
        elif name in network.heads:
            new.append(name)
        else:
            problems.append(f"{name} ({text}) and {theirs}: {', '.join(wrong)}")
    if problems or len(given) > len(wanted):
        counts = [f"the file has {len(given)} layers with weights, the network {len(wanted)}"]
        problems = [*counts[: len(given) != len(wanted)], *problems]
        raise ModelFileError(
            f"the weights do not fit the network: {listed(problems, 4, '; ')}.",
            "Choose the network that they were trained for, with its options (net, depth, width).",
        )
    with torch.no_grad():
        for own, found in pairs:
            for key, tensor in own.items():
                tensor.copy_(found[key])
    told = [f"{len(pairs)} of {len(wanted)} layers taken"]
    if network.auxiliary:
        told.append("the auxiliary heads start afresh")
    why = "for its shape is another" if len(given) == len(wanted) else "for the file has none"
    return [*told, f"new: {listed(new)}, {why}"] if new else told


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
            for key, tensor in _own(network, output).items():
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


def classes(tensors: Mapping[str, Tensor]) -> int:
    """How many classes the last layer of a file of weights tells apart; 0 where it ends before one."""
    layers = _layers(tensors)
    weight = layers[-1][1].get("weight") if layers else None
    return len(weight) if weight is not None and weight.ndim == 2 else 0


def _layers(tensors: Mapping[str, Tensor]) -> list[tuple[str, dict[str, Tensor]]]:
    """The file's layers in the order in which they are executed: name, then tensors by what they are."""
    found: dict[str, dict[str, Tensor]] = {}
    order = _order_of_keras if all(map(_is_keras, tensors)) else _order
    for name, tensor in tensors.items():
        layer, key, turned = _as_torch(name, tensor) if order is _order_of_keras else (*_split(name), tensor)
        if key in _STAY or layer.startswith(_SIDE):
            continue
        if key in found.get(layer, {}):
            raise ModelFileError(
                f"two layers of the file are called {printable(layer)}.", "Give each a name of its own, and save again."
            )
        found.setdefault(layer, {})[key] = turned
    as_it_is = order is _order_of_keras and all(map(_MADE_UP.fullmatch, found))
    return [(layer, found[layer]) for layer in (found if as_it_is else sorted(found, key=order))]


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


def _own(network: Network, name: str) -> dict[str, Tensor]:
    """A layer's tensors under the names that torch's layers give them."""
    module = network.module(name)
    if isinstance(module, BatchNorm):
        return {
            "weight": module.scale,
            "bias": module.bias,
            "running_mean": module.mean,
            "running_var": module.variance,
        }
    return dict(module.named_parameters())


def _shape(tensor: Tensor | None) -> str:
    return "none" if tensor is None else "x".join(map(str, tensor.shape))
