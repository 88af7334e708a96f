"""The networks of timm, each as one layer: a picture goes in, what its last layer would read comes out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode

from netwright.errors import SpecError
from netwright.models import torchvision_here
from netwright.models.initialisers import Draw
from netwright.models.layers import Layer, Shape
from netwright.registry import nearest

_REFUSED = (AssertionError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError)


class Timm(Layer):
    """The body of one of timm's thousand networks for pictures: all but its last layer, which follows from the output.

    One layer, frozen and looked at as a whole; its first weights are drawn as timm draws them, and batch norms meet a
    batch of a single picture with their running means.

    Args:
        in_shape: `(channel, height, width)`.
        model: timm's name for it, e.g. efficientnet_b0; never a place to fetch something from.

    Source: Wightman 2019, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models

    Raises:
        SpecError: timm is not installed, has no such network, or none for pictures of this size.
    """

    takes = "image"
    example = "timm test_efficientnet"

    def __init__(self, in_shape: Shape, model: str) -> None:
        _known(model)
        body = made(model, in_shape)
        channels, height, width = in_shape
        try:
            with torch.no_grad(), FlopCounterMode(display=False) as counter:
                (out,) = body.eval()(torch.zeros(1, *in_shape))
        except _REFUSED as exc:
            raise SpecError(
                f"{model} cannot look at pictures of {channels} x {height} x {width}: {exc}",
                "Give pictures the size that it was made for, e.g. size_px: [224, 224].",
            ) from exc
        super().__init__(in_shape, tuple(out.shape), multiply_adds=counter.get_total_flops() // 2)
        self.model = model
        self.body = body.train()

    def initialise(self, draw: Draw) -> None:
        """As timm draws them, from a seed that is drawn here."""
        seed = int(torch.randint(2**31, (), generator=draw.generator))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = made(self.model, self.in_shape).train(self.training)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch dim"]:
        """What the body makes of a batch."""
        if not self.training or len(x) > 1:
            return self.body(x)
        with ExitStack() as afterwards:
            for module in self.body.modules():
                if isinstance(module, _BatchNorm) and module.training:
                    afterwards.callback(module.train)
                    module.eval()
            return self.body(x)


def timm(shape: Shape, model: str) -> str:
    """One of timm's networks, whose weights come with `zoo add timm:...` or are trained here.

    Args:
        shape: Of one picture.
        model: timm's name for it.

    Source: Wightman 2019, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models
    """
    return f"timm {model}"


def library() -> ModuleType:
    """Timm.

    Raises:
        SpecError: It is not installed.
    """
    torchvision_here.models()  # so that timm finds one that can be imported
    try:
        with torch.device("cpu"):  # what its modules hold is needed as numbers
            importlib.import_module("timm.data")
            return importlib.import_module("timm")
    except ModuleNotFoundError as exc:
        raise SpecError(
            f"timm is not installed ({exc.name} is missing).", "Install it: pip install netwright[zoo]"
        ) from exc


def made(model: str, shape: Shape, classes: int = 0, **options: Any) -> nn.Module:  # noqa: ANN401  (timm's own)
    """One of timm's networks for pictures of a size.

    Args:
        model: timm's name for it.
        shape: Of one picture, `(channel, height, width)`.
        classes: Units of its last layer; 0 leaves that out.
        options: What else `timm.create_model` takes.

    Raises:
        SpecError: It cannot be made for such pictures.
    """
    create = library().create_model
    options = {"num_classes": classes, "in_chans": shape[0], **options}
    try:
        try:
            return create(model, img_size=shape[1:], **options)
        except TypeError:  # a network that takes any size has no such option
            return create(model, **options)
    except _REFUSED as exc:
        raise SpecError(
            f"{model} cannot be made for pictures of {shape[0]} x {shape[1]} x {shape[2]}: {exc}",
            "Give pictures the size that it was made for, e.g. size_px: [224, 224].",
        ) from exc


def classes(model: str, tensors: Mapping[str, Tensor]) -> int:
    """How many classes the last layer of a file of one of timm's networks tells apart; 0 where there is none.

    Args:
        model: timm's name for it.
        tensors: By the names that timm gives them.
    """
    _known(model)
    facts = library().models.get_pretrained_cfg(model)
    last = (facts.classifier if facts else None) or "head"
    weight = tensors.get(f"{last if isinstance(last, str) else last[0]}.weight")
    return 0 if weight is None else len(weight)


def _known(model: str) -> None:
    """Only a network of timm's own list is made: other names would lead to files or to a network."""
    names = library().list_models()
    if model not in names:
        plain = model.partition(".")[0]
        cure = f"Write {plain}: weights come with --from." if plain in names else "timm.list_models() lists them all."
        raise SpecError(f'timm has no network "{model}"{nearest(model, names)}.', cure)
