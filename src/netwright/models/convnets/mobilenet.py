"""MobileNet: convolutions in two halves, one for shapes and one for channels, for small machines."""

from __future__ import annotations

from netwright.models.convnets import Shape, chain, is_small

_NORM = "batch_norm epsilon 0.001, relu6"
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


def mobilenet(shape: Shape, *, width: float = 1.0) -> str:
    """MobileNet: depthwise convolutions and those of 1x1 in turn, 4,231,976 parameters of 1,000 classes.

    Where the stride is 2, zeros are put below and to the right only, and `epsilon` is 0.001: so were the published
    weights trained. Small pictures keep their size in the first layer.

    Args:
        shape: Of one picture.
        width: Times as many channels, e.g. 0.25, 0.5 or 0.75.

    Source: Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications,
    arXiv:1704.04861, table 1.

    Raises:
        ValueError: A width that leaves no channel.
    """
    if int(32 * width) < 1:
        raise ValueError(f"width is {width:g}, expected enough for one channel")
    stem = "conv {}x3 pad 1 bias no" if is_small(shape) else "pad 0 1, conv {}x3 stride 2 bias no"
    return chain(
        f"{stem.format(int(32 * width))}, {_NORM}",
        *(_block(int(filters * width), stride) for filters, stride in _BLOCKS),
        "global_pool",
    )


def _block(filters: int, stride: int) -> str:
    shapes = "depthwise 3 pad 1 bias no" if stride == 1 else f"pad 0 1, depthwise 3 stride {stride} bias no"
    return f"{shapes}, {_NORM}, conv {filters}x1 bias no, {_NORM}"
