"""What a report draws of a network itself: a picture of each class's weights, and all weights of a small one."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from torch import nn

from netwright import registry
from netwright.model_file import Model
from netwright.models.layers import Dense
from netwright.report import facts as report
from netwright.report.values import png_text

_MOST_UNITS = 40  # of a network that is drawn whole


def templates(model: Model) -> list[report.Template]:
    """One picture per class, when the model is linear on one image: the weights into that class, grey for zero."""
    network, (field, *others) = model.network, model.inputs.values()
    made = [node for node in network.nodes if node.inputs and node.part != "flatten"]
    name, output = next(iter(model.outputs.items()))
    if others or field.kind != "image" or len(made) != 1 or len(model.outputs) != 1 or output.kind == "identity":
        return []
    weights = _dense(network.module(name)).weight.detach()
    height, width, channels = field.shape
    labels = output.vocabulary if len(weights) == len(output.vocabulary) else (output.vocabulary or (name,))[-1:]
    found = []
    for label, row in zip(labels, weights, strict=True):
        picture = row.reshape(channels, height, width).permute(1, 2, 0)
        scaled = (picture / picture.abs().max().clamp_min(1e-12) * 127 + 128).clamp(0, 255).byte().numpy()
        found.append(report.Template(label=label, png=png_text(_png(scaled))))
    return found


def _png(pixels: np.ndarray) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(sink, format="PNG")
    return sink.getvalue()


def _dense(module: nn.Module) -> Dense:
    return next(inner for inner in module.modules() if isinstance(inner, Dense))


def small_net(model: Model) -> report.SmallNet | None:
    """All weights of a plain chain of few units, for the drawing; None for anything larger."""
    network = model.network
    nodes = [node for node in network.nodes if node.part != "flatten" and node.name not in network.aside]
    chain = all(len(node.inputs) <= 1 for node in nodes) and sum(not node.inputs for node in nodes) == 1
    dense = [node for node in nodes if node.part == "dense"]
    if not chain or len(model.outputs) != 1 or not dense:
        return None
    sizes = [int(np.prod(nodes[0].shape)), *(node.shape[0] for node in dense)]
    if sum(sizes) > _MOST_UNITS or any(node.part in {"conv", "pool"} for node in nodes):
        return None
    name, output = next(iter(model.outputs.items()))
    layers = [_dense(network.module(node.name)) for node in dense]
    last = list(output.vocabulary) if len(output.vocabulary) == sizes[-1] else [(output.vocabulary or (name,))[-1]]
    if output.kind == "identity":
        last = [f"{name} {place + 1}" for place in range(sizes[-1])]
    functions = [_following(nodes, node.name) for node in dense[:-1]] + [model.tasks[name].unit]
    return report.SmallNet(
        units=[_input_names(model, sizes[0]), *([""] * size for size in sizes[1:-1]), last],
        weights=[layer.weight.detach().tolist() for layer in layers],
        biases=[layer.bias.detach().tolist() for layer in layers],
        functions=functions,
    )


def _following(nodes: list, name: str) -> str:
    return next((node.part for node in nodes if node.inputs == (name,) and node.parameters == 0), "identity")


def _input_names(model: Model, count: int) -> list[str]:
    names: list[str] = []
    for field in model.inputs.values():
        names += registry.resolve("kind", field.kind)().names(field)
    return names if len(names) == count else [f"x{i + 1}" for i in range(count)]
