"""The layer text that a model's spec stands for where it writes none: by name, by depth and width, or left open."""

from __future__ import annotations

import math
from collections.abc import Mapping

from netwright.errors import SpecError
from netwright.field import STEPS, Reason
from netwright.models.convnets import SMALL_PX
from netwright.registry import check_options, options, part, resolve
from netwright.spec import ModelSpec, PartSpec

Groups = Mapping[str, tuple[int, ...]]
SMALLEST_CONVOLVED = 16  # rows and columns; a smaller picture has few places to share weights over
LARGE_IMAGE = 64 * 64  # numbers in an example; above it a plain net spends most of its weights on single pixels
RECURRENT_UNITS = 64  # of each direction
ONWARDS_UNITS = 256
_WHY_WIDTH = "enough units for most tables and small pictures, and fast"
_WHY_CHAIN = "each layer feeds the next; residual helps from about 10 layers on"
_WHY_ACTIVATION = "does not saturate, so that deep nets learn too; cheap"


def default_layers(
    model: ModelSpec, groups: Groups, *, onwards: bool = False, whole: bool = False, ahead: bool = False
) -> tuple[str, list[Reason]]:
    """The layer text that depth, width, connect and activation stand for, and why each that was left out is as it is.

    Args:
        model: Its `layers`, when given, are returned as they are.
        groups: Shape of one example of each input group.
        onwards: Whether a sequence may only be read as it comes, since what comes next is asked.
        whole: Whether all steps of a sequence are looked at by what comes behind.
        ahead: Whether points come out that go on from those of a sequence.

    Raises:
        SpecError: An unknown activation, or one for layers that read a sequence.

    Example:
        >>> default_layers(ModelSpec(depth=3, width=64, connect="residual"), {"table": (13,)})[0]
        'dense 64, x2 {relu, dense 64 | same} add, relu'
    """
    if model.layers is not None:
        return model.layers, []
    if model.net is not None:
        return _named(model.net, groups)
    if any(shape[0] == STEPS for shape in groups.values()):
        _refuse_activation(model)
        if onwards or ahead or model.causal:
            return _onwards(model, RECURRENT_UNITS if ahead else ONWARDS_UNITS)
        return _recurrent(model, ends=not whole)
    if model.shape() == {} and (text := _convolutions(groups)):
        why = (
            "the weights of a convolution serve every place of a picture, so that fewer examples teach more; "
            "set model.depth for a plain net"
        )
        return text, [Reason(path="model.layers", value=text, why=why)]
    activation = part("activation", model.activation or "relu").name
    depth = 1 if model.depth is None else model.depth
    width = model.width or 100
    text = _plain_layers(depth, width, model.connect or "chain", activation, groups)
    reasons = [
        (model.depth, Reason(path="model.depth", value=str(depth), why=_why_depth(groups))),
        (model.width, Reason(path="model.width", value=str(width), why=_WHY_WIDTH)),
        (model.connect, Reason(path="model.connect", value=model.connect or "chain", why=_WHY_CHAIN)),
        (model.activation, Reason(path="model.activation", value=activation, why=_WHY_ACTIVATION)),
    ]
    if depth == 0:  # nothing is hidden, so that width, connections and activation mean nothing
        reasons = reasons[:1]
    return text, [reason for given, reason in reasons if given is None]


def _named(net: PartSpec, groups: Groups) -> tuple[str, list[Reason]]:
    """The layers of a network with a name, for the size of the picture.

    Raises:
        SpecError: No such network or option, or no picture to look at.
    """
    problems = check_options("net", net.name, net.options, given=("shape",))
    for key, option in options("net", net.name, given=("shape",)).items():
        if option.default is option.empty and key not in net.options:
            problems.append(f'net "{net.name}" needs its option "{key}": {part("net", net.name).summary}')
    pictures = sorted({shape for shape in groups.values() if len(shape) == 3}, key=math.prod)
    if not pictures:
        problems.append(f"{net.name} looks at pictures, and none goes in")
    try:
        text = "" if problems else resolve("net", net.name)(pictures[-1], **net.options)
    except ValueError as exc:
        text, problems = "", [str(exc)]
    if problems:
        raise SpecError("\n".join(f"model.net: {problem}." for problem in problems), "Correct these.")
    height, width = pictures[-1][1:]
    said = ", ".join([net.name, *(f"{name} {value}" for name, value in net.options.items())])
    why = f"its layers for pictures of {height} x {width}"
    if SMALL_PX <= min(height, width) < 2 * SMALL_PX and text != (_for_small(net, pictures[-1][0]) or text):
        why += f", in its form for large ones; below {SMALL_PX} it has another"
    return text, [Reason(path="model.net", value=said, why=why)]


def _for_small(net: PartSpec, channels: int) -> str | None:
    """The layers of a network with a name for the largest of small pictures; None where it has none for them."""
    try:
        return resolve("net", net.name)((channels, SMALL_PX - 1, SMALL_PX - 1), **net.options)
    except ValueError:
        return None


def _refuse_activation(model: ModelSpec) -> None:
    """Layers that read a sequence by default have functions of their own.

    Raises:
        SpecError: Another function was asked for, or an unknown one.
    """
    if model.activation is None:
        return
    name = part("activation", model.activation).name
    raise SpecError(
        f"model.activation: {name}: a sequence is read by lstm, whose gates are sigmoids and whose state goes through "
        "tanh.",
        'Leave it out, or write the layers, e.g. model.layers: "rnn 64 activation relu, last" or "lstm 64, last, dense '
        f'64, {name}".',
    )


def _onwards(model: ModelSpec, units: int) -> tuple[str, list[Reason]]:
    """Recurrent layers that read a sequence as it comes and know at every step what has been."""
    text = _stacked(model, f"lstm {model.width or units}")
    ahead = "no answer may depend on what comes later" if model.causal else "the answer lies ahead"
    why = f"gates keep what matters over many steps; read forwards only, since {ahead}"
    return text, [Reason(path="model.layers", value=text, why=why)]


def _recurrent(model: ModelSpec, *, ends: bool) -> tuple[str, list[Reason]]:
    """Recurrent layers that read a sequence both ways, and at its end of each unit the largest value of all steps."""
    width = model.width or (RECURRENT_UNITS if ends else 2 * RECURRENT_UNITS)
    layers = _stacked(model, f"lstm {width} both yes")
    text = ", ".join(filter(None, [layers, "global_pool max" if ends else ""]))
    why = (
        "gates keep what matters over many steps; read both ways, each step is seen in the light of what comes "
        "before and after it"
    )
    return text, [Reason(path="model.layers", value=text, why=why)]


def _stacked(model: ModelSpec, layer: str) -> str:
    """A recurrent layer as often as the model is deep, connected as it says."""
    depth = 1 if model.depth is None else model.depth
    if model.connect == "residual" and depth:
        # The first one brings the steps to the width at which a layer and its shortcut can be added.
        return ", ".join(filter(None, [layer, _times(depth - 1, f"{{{layer} | same}} add")]))
    if model.connect == "dense":
        return _times(depth, f"{{{layer} | same}} concat")
    return _times(depth, layer)


def _convolutions(groups: Groups) -> str:
    """A small convolutional net for one picture: pooled until about 4 to 7 places a side are left; else nothing."""
    shapes = list(groups.values())
    if len(shapes) != 1 or len(shapes[0]) != 3 or min(shapes[0][1:]) < SMALLEST_CONVOLVED:
        return ""
    stages = min(4, int(math.log2(min(shapes[0][1:]) / 4)))
    filters = (16, 32, 64, 64)[:stages]
    return ", ".join([*(f"conv {count}x3 pad 1, relu, pool 2" for count in filters), "dense 64, relu"])


def _plain_layers(depth: int, width: int, connect: str, activation: str, groups: Groups) -> str:
    if depth == 0:
        return ""
    if connect == "residual":
        # Activation first, so that the sums themselves stay linear (He et al. 2016, arXiv:1603.05027).
        body = _times(depth - 1, f"{{{activation}, dense {width} | same}} add")
        return ", ".join(filter(None, [f"dense {width}", body, activation]))
    if connect == "dense":
        flat = "" if all(len(shape) == 1 for shape in groups.values()) or len(groups) > 1 else "flatten"
        return ", ".join(filter(None, [flat, _times(depth, f"{{dense {width}, {activation} | same}} concat")]))
    return _times(depth, f"dense {width}, {activation}")


def _times(times: int, body: str) -> str:
    if times < 2:
        return body if times else ""
    return f"x{times} {body if body.startswith('{') else f'{{{body}}}'}"


def _why_depth(groups: Groups) -> str:
    large = [name for name, shape in groups.items() if len(shape) == 3 and math.prod(shape) > LARGE_IMAGE]
    if not large:
        return "one hidden layer can come near any smooth function; add depth when the training score stays low"
    return (
        f"a plain net to start from; {' and '.join(large)} is large, where convolutions learn more from fewer weights: "
        'write them as text, e.g. model.layers: "conv 16x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2"'
    )
