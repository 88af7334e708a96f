"""Residual networks: sums of what comes in and what a few layers make of it, so that a hundred layers still learn."""

from __future__ import annotations

from netwright.models.convnets import Shape, branches, chain, is_small, repeated

_STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_FILTERS = (64, 128, 256, 512)
_WIDER = 4  # times as many channels as inside come out of a block with a bottleneck


def resnet(shape: Shape, depth: int = 18) -> str:
    """ResNet-18 to ResNet-152; of 1,000 classes 11,689,512 parameters with 18 layers and 60,192,808 with 152.

    From 50 layers on a block is a bottleneck of 1x1, 3x3 and 1x1, which steps in its 3x3 as torchvision's does. Small
    pictures get a stem of 3x3 without pooling.

    Args:
        shape: Of one picture.
        depth: Layers with weights: 18, 34, 50, 101 or 152.

    Source: He, Zhang, Ren, Sun 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385, table 1.

    Raises:
        ValueError: No such depth.
    """
    if depth not in _STAGES:
        raise ValueError(f"depth is {depth}, expected one of {', '.join(map(str, _STAGES))}")
    stem = "conv 64x3 pad 1 bias no, batch_norm, relu"
    if not is_small(shape):
        stem = "conv 64x7 stride 2 pad 3 bias no, batch_norm, relu, pool 3 stride 2 pad 1"
    channels, stages = 64, []
    for stage, (times, filters) in enumerate(zip(_STAGES[depth], _FILTERS, strict=True)):
        inside = _bottleneck if depth >= 50 else _basic
        out = filters * (_WIDER if depth >= 50 else 1)
        stride = 2 if stage else 1
        shortcut = "same" if channels == out and stride == 1 else f"{_conv(out, 1, stride)}, batch_norm"
        stages.append(chain(branches("add", inside(filters, stride), shortcut), "relu"))
        stages.append(repeated(times - 1, chain(branches("add", inside(filters, 1), "same"), "relu")))
        channels = out
    return chain(stem, *stages, "global_pool")


def resnet18(shape: Shape) -> str:
    """ResNet with eighteen layers; see `resnet`.

    Source: He et al. 2015, arXiv:1512.03385, table 1.
    """
    return resnet(shape, 18)


def resnet34(shape: Shape) -> str:
    """ResNet with thirty-four layers; see `resnet`.

    Source: He et al. 2015, arXiv:1512.03385, table 1.
    """
    return resnet(shape, 34)


def resnet50(shape: Shape) -> str:
    """ResNet with fifty layers; see `resnet`.

    Source: He et al. 2015, arXiv:1512.03385, table 1.
    """
    return resnet(shape, 50)


def resnet101(shape: Shape) -> str:
    """ResNet with 101 layers; see `resnet`.

    Source: He et al. 2015, arXiv:1512.03385, table 1.
    """
    return resnet(shape, 101)


def resnet152(shape: Shape) -> str:
    """ResNet with 152 layers; see `resnet`.

    Source: He et al. 2015, arXiv:1512.03385, table 1.
    """
    return resnet(shape, 152)


def cifar_resnet(shape: Shape, depth: int = 20, *, width: float = 1.0, shortcut: bool = True) -> str:
    """The residual networks for CIFAR-10: three stages of 16, 32 and 64 channels, shortcuts without weights.

    Of 10 classes 269,722 parameters with 20 layers; 0.86 million with 56 and 1.7 million with 110.

    Args:
        shape: Of one picture.
        depth: Layers with weights: 6 n + 2, e.g. 20, 32, 44, 56 or 110.
        width: Times as many channels.
        shortcut: False leaves all shortcuts out: the plain network of the paper.

    Source: He, Zhang, Ren, Sun 2015, Deep Residual Learning, arXiv:1512.03385, section 4.2, option A.

    Raises:
        ValueError: No such depth, or a width that leaves no channel.
    """
    times = (depth - 2) // 6
    if depth != 6 * times + 2 or times < 1:
        raise ValueError(f"depth is {depth}, expected 6 n + 2, e.g. 20, 32, 44, 56 or 110")
    filters = [round(width * count) for count in (16, 32, 64)]
    if filters[0] < 1:
        raise ValueError(f"width is {width:g}, expected enough for one channel")
    stages = []
    for stage, count in enumerate(filters):
        first = f"widen {count} stride 2" if stage else "same"
        blocks = [(_basic(count, 2 if stage else 1), first, 1), (_basic(count, 1), "same", times - 1)]
        for inside, other, repeats in blocks:
            body = branches("add", inside, other) if shortcut else inside
            stages.append(repeated(repeats, chain(body, "relu")))
    return chain(f"{_conv(filters[0], 3, 1)}, batch_norm, relu", *stages, "global_pool")


def wide_resnet(shape: Shape, depth: int = 16, width: int = 4, *, dropout: float = 0.0) -> str:
    """Wide residual network: fewer layers with more channels, activation before convolution.

    Args:
        shape: Of one picture.
        depth: Layers with weights: 6 n + 4, e.g. 16, 22, 28 or 40.
        width: Times as many channels as 16, 32 and 64.
        dropout: Between the two convolutions of a block.

    Source: Zagoruyko & Komodakis 2016, Wide Residual Networks, arXiv:1605.07146, table 1.

    Raises:
        ValueError: No such depth or width.
    """
    times = (depth - 4) // 6
    if depth != 6 * times + 4 or times < 1:
        raise ValueError(f"depth is {depth}, expected 6 n + 4, e.g. 16, 22, 28 or 40")
    if width < 1:
        raise ValueError(f"width is {width}, expected at least 1")
    channels, stages = 16, ["conv 16x3 pad 1 bias no"]
    holes = f"dropout {dropout:g}" if dropout else ""
    for stage, count in enumerate(width * base for base in (16, 32, 64)):
        stride = 2 if stage else 1
        inside = chain(_conv(count, 3, stride), "batch_norm, relu", holes, _conv(count, 3, 1))
        shortcut = "same" if channels == count and stride == 1 else _conv(count, 1, stride)
        stages.append(chain("batch_norm, relu", branches("add", inside, shortcut)))
        again = chain("batch_norm, relu", _conv(count, 3, 1), "batch_norm, relu", holes, _conv(count, 3, 1))
        stages.append(repeated(times - 1, branches("add", again, "same")))
        channels = count
    return chain(*stages, "batch_norm, relu, global_pool")


def _conv(filters: int, size: int, stride: int) -> str:
    steps = f" stride {stride}" if stride > 1 else ""
    pad = f" pad {size // 2}" if size > 1 else ""
    return f"conv {filters}x{size}{steps}{pad} bias no"


def _basic(filters: int, stride: int) -> str:
    return f"{_conv(filters, 3, stride)}, batch_norm, relu, {_conv(filters, 3, 1)}, batch_norm"


def _bottleneck(filters: int, stride: int) -> str:
    return chain(
        f"{_conv(filters, 1, 1)}, batch_norm, relu",
        f"{_conv(filters, 3, stride)}, batch_norm, relu",
        f"{_conv(_WIDER * filters, 1, 1)}, batch_norm",
    )
