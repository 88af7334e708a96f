"""Weights that timm knows by name, fetched once from the Hugging Face hub.

timm tells where weights lie, what they were trained on, what their pictures looked like and under which licence they
are; the file itself is safetensors and runs no code. What was fetched before is found without a network.
"""

from __future__ import annotations

import importlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from netwright.errors import ResourceError, SpecError
from netwright.models import timm_body
from netwright.progress import Display
from netwright.registry import nearest
from netwright.spec import PartSpec
from netwright.words import listed

MARK = "timm:"
_FILE = "model.safetensors"
_HOST, _WAIT_S = "huggingface.co", 3.0
_OTHER_WAYS = ("HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")  # to the hub than straight
_NETS = {  # built here layer by layer; every other one is timm's own, as one layer
    **{f"resnet{depth}": PartSpec(name="resnet", options={"depth": depth}) for depth in (18, 34, 50, 101, 152)},
    **{f"vgg{depth}": PartSpec(name="vgg", options={"depth": depth}) for depth in (11, 13, 16, 19)},
    **{f"vgg{d}_bn": PartSpec(name="vgg", options={"depth": d, "batch_norm": True}) for d in (11, 13, 16, 19)},
}


@dataclass(frozen=True)
class Known:
    """What timm says about weights.

    Args:
        path: Their file.
        net: The network they are for.
        size_px: Height and width of the pictures they were trained on.
        pixels: Mean and spread of each channel that pixels were standardised with.
        classes: Names of the classes; empty where timm does not know them.
        licence: Under which they are.
        trained_on: The tag in which timm says how and on what they were trained.
    """

    path: Path
    net: PartSpec
    size_px: tuple[int, int]
    pixels: tuple[tuple[float, ...], tuple[float, ...]]
    classes: tuple[str, ...]
    licence: str
    trained_on: str


def fetch(name: str, show: Display) -> Known:
    """Weights by the name that timm gives them; fetched where they are not here yet, which is said.

    Args:
        name: E.g. "resnet18.a1_in1k"; without its tag timm's own choice of weights.
        show: Where it is told what is fetched.

    Raises:
        SpecError: timm is not installed, or has no such weights.
        ResourceError: The hub cannot be reached.
    """
    timm = timm_body.library()
    architecture, there = name.partition(".")[0], timm.list_models()
    if architecture not in there:
        raise SpecError(
            f"{MARK}{name}: timm has no such network{nearest(architecture, there)}.",
            "timm.list_pretrained() lists what there are weights of.",
        )
    try:
        facts = timm.models.get_pretrained_cfg(name)
    except RuntimeError:
        facts = None
    if facts is None or not facts.hf_hub_id:
        there = timm.list_pretrained(f"{architecture}.*")
        raise SpecError(
            f"{MARK}{name}: timm has no such weights{nearest(name, there)}.", f"It has {listed(there, 12)}."
        )
    net = _NETS.get(architecture, PartSpec(name="timm", options={"model": architecture}))
    size_px, pixels = tuple(facts.input_size[1:]), (tuple(facts.mean), tuple(facts.std))
    path = _found(facts.hf_hub_id, net, _told(size_px, pixels), show)
    return Known(
        path,
        net,
        size_px,
        pixels,
        _classes(timm, facts.num_classes),
        str(facts.license or ""),
        str(facts.tag or ""),
    )


def _told(size_px: tuple[int, int], pixels: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    """What a command line says of the pictures that weights were trained on."""
    means, spreads = (" ".join(f"{value:g}" for value in values) for values in pixels)
    return f'--size-px {size_px[0]} {size_px[1]} --pixels "{means} / {spreads}"'


def _found(repository: str, net: PartSpec, told: str, show: Display) -> Path:
    """The file of weights: as it was fetched before, or fetched now."""
    hub = importlib.import_module("huggingface_hub")
    held = hub.try_to_load_from_cache(repository, _FILE)
    if isinstance(held, str):
        return Path(held)
    named = ", ".join(f"{key}: {value}" for key, value in {"name": net.name, **net.options}.items())
    host = os.environ.get("HF_ENDPOINT") or _HOST
    try:
        if not any(os.environ.get(name) for name in _OTHER_WAYS):
            socket.create_connection((_HOST, 443), timeout=_WAIT_S).close()
        show.note(f"fetching {_FILE} of {repository} from {host}")
        return Path(hub.hf_hub_download(repository, _FILE))
    except Exception as exc:  # its client raises errors of several libraries
        said = getattr(exc, "strerror", None) or (str(exc) or type(exc).__name__).partition("\n")[0]
        raise ResourceError(
            f"{_FILE} of {repository} is not here yet, and cannot be fetched from {host}: {said}.",
            f"Get the file where there is a network, then: netwright zoo add {_FILE} --net '{{{named}}}' {told}",
        ) from exc


def _classes(timm: ModuleType, count: int) -> tuple[str, ...]:
    """ImageNet's thousand classes as its folders are read here: the first name, and the WordNet id."""
    if count != 1000:
        return ()
    known = timm.data.ImageNetInfo()
    return tuple(
        f"{known.index_to_description(number).partition(',')[0]} {known.index_to_label_name(number)}"
        for number in range(count)
    )
