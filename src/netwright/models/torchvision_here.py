"""torchvision where it is installed, also beside a torch it was not built for.

Its wheels are built for CUDA: beside the CPU torch they lack the compiled operators, and the import fails when an
operator that does not exist is given a fake. Defining it first, as a plain function of torch, lets everything import
that needs no compiled operator: networks, transforms, and timm, which imports torchvision.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import torch

_MISSING = "operator torchvision::nms does not exist"
_library: list[torch.library.Library] = []  # a library's definitions live as long as it does


def models() -> ModuleType | None:
    """`torchvision.models`; None where torchvision is not installed."""
    try:
        return _imported()
    except ModuleNotFoundError:
        return None
    except RuntimeError as exc:
        if _MISSING not in str(exc):
            raise
    _define_nms()
    return _imported()


def _imported() -> ModuleType:
    return importlib.import_module("torchvision.models")


def _define_nms() -> None:
    """The operators that torchvision registers a fake for."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl(name, _nms, "CPU")
    _library.append(library)


def _nms(dets: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Boxes by falling score, without those that overlap one before them by more than a share."""
    order, kept = scores.argsort(descending=True), []
    low, high = dets[:, :2], dets[:, 2:]
    area = (high - low).prod(dim=1)
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        inner = (torch.minimum(high[first], high[rest]) - torch.maximum(low[first], low[rest])).clamp(min=0).prod(dim=1)
        order = rest[inner / (area[first] + area[rest] - inner) <= iou_threshold]
    return torch.stack(kept) if kept else order
