"""A network made to learn small photographs in as little time as possible."""

from __future__ import annotations

from netwright.models.convnets import Shape, chain


def airbench(shape: Shape, *, width: float = 1.0) -> str:
    """Airbench: whitened patches, then three stages of two convolutions; 1.97 million parameters of 10 classes.

    Best with sgd and nesterov momentum, one_cycle, label smoothing, and pictures that are mirrored and shifted.

    Args:
        shape: Of one picture.
        width: Times as many channels as 64, 256 and 256.

    Source: Jordan 2024, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv:2404.00498, section 3.1; its
    normalisation learns a scale, too.

    Raises:
        ValueError: A width that leaves no channel.
    """
    channels = [round(width * count) for count in (64, 256, 256)]
    if channels[0] < 1:
        raise ValueError(f"width is {width:g}, expected enough for one channel")
    side = min(shape[1:]) - 1
    stages = []
    for count in channels:
        stages.append(_stage(count, "pool 2" if side > 1 else ""))
        side = max(side // 2, 1)
    last = f"pool {side}" if side > 1 else ""
    return chain("whiten 2, gelu", *stages, last)


def _stage(filters: int, pool: str) -> str:
    convolved, rest = f"conv {filters}x3 pad 1 bias no", "batch_norm momentum 0.4, gelu"
    return chain(convolved, pool, rest, convolved, rest)
