"""A trained model's weights alone, as safetensors or as a state dict of torch, for a network that others have built.

A tensor has the name of its layer, as `netwright plan` shows it, and torch's word for what it is: `conv1.weight`,
`batch_norm1.running_mean`, `lstm1.weight_ih_l0`; those of a network of timm have timm's names. Layers come in their
order of execution. What the network expects, scaled pixels and classes
in their order, stands in the model file and in the ONNX file, not here.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from netwright import files
from netwright.errors import NetwrightError
from netwright.model_file import foreign
from netwright.model_file.file import form_of, load
from netwright.models.network import Network

ENDS = (".safetensors", ".pth", ".pt")


@dataclass(frozen=True)
class WeightsFile:
    """What was written.

    Args:
        path: The file.
        tensors: Type and shape of each by its name, e.g. `float32 (16, 3, 5, 5)`.
        size: Bytes.
    """

    path: Path
    tensors: dict[str, str]
    size: int


def write_weights(source: Path, out: Path) -> WeightsFile:
    """Write the weights of a model file alone; what was written is read back first, and is the same.

    Args:
        source: A `.netwright` file.
        out: Where to; its end, one of `ENDS`, says the form. A state dict is read by `torch.load` with `weights_only`.

    Raises:
        ModelFileError: The source cannot be read.
        ResourceError: The disk is full.
        NetwrightError: The folder cannot be written; what was written reads differently.
    """
    tensors = _named(load(source).network)
    if out.suffix == ".safetensors":
        content = safetensors.torch.save(
            tensors, {"format": "pt", "order": json.dumps(list(tensors))}
        )  # itself it keeps none
        back = safetensors.torch.load(content)
    else:
        stream = io.BytesIO()
        torch.save(tensors, stream)
        content = stream.getvalue()
        back = torch.load(io.BytesIO(content), weights_only=True)
    if back.keys() != tensors.keys() or any(back[name].ne(tensors[name]).any() for name in tensors):
        raise NetwrightError("the weights read differently from what was written.", "Keep the .netwright file.")
    files.write_bytes(out, content)
    return WeightsFile(out, {name: form_of(tensor) for name, tensor in tensors.items()}, len(content))


def _named(network: Network) -> dict[str, Tensor]:
    """Weights and running statistics by layer, without auxiliary heads; what layers share stands twice."""
    found = {}
    for node in network.nodes:
        if node.parameters and node.name not in network.aside:
            for key, tensor in foreign.tensors_of(network, node.name).items():
                name = key if node.part == "timm" else f"{node.name}.{key}"
                found[name] = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    return found
