"""VGG: many convolutions of 3x3 between few pools."""

from __future__ import annotations

from netwright.models.convnets import Shape, chain, is_small, repeated

_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_FILTERS = (64, 128, 256, 512, 512)


def vgg(shape: Shape, depth: int = 16, *, batch_norm: bool = False) -> str:
    """VGG-16 and its sisters; of 1,000 classes VGG-16 has 138,357,544 parameters and VGG-19 143,667,240.

    Small pictures get dense layers of 512 instead of 4,096.

    Args:
        shape: Of one picture.
        depth: Layers with weights: 11, 13, 16 or 19.
        batch_norm: Whether a batch_norm stands behind each convolution.

    Source: Simonyan & Zisserman 2015, Very Deep Convolutional Networks, arXiv:1409.1556, table 1.

    Raises:
        ValueError: No such depth.
    """
    if depth not in _STAGES:
        raise ValueError(f"depth is {depth}, expected one of {', '.join(map(str, _STAGES))}")
    between = "batch_norm, relu" if batch_norm else "relu"
    small = is_small(shape)
    pool = "pool 2 ceil yes" if small else "pool 2"
    stages = [
        chain(repeated(times, f"conv {filters}x3 pad 1, {between}"), pool)
        for times, filters in zip(_STAGES[depth], _FILTERS, strict=True)
    ]
    units = 512 if small else 4096
    return chain(*stages, repeated(2, f"dense {units}, relu, dropout 0.5"))


def vgg16(shape: Shape) -> str:
    """VGG with sixteen layers; see `vgg`.

    Source: Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, column D.
    """
    return vgg(shape, 16)


def vgg19(shape: Shape) -> str:
    """VGG with nineteen layers; see `vgg`.

    Source: Simonyan & Zisserman 2015, arXiv:1409.1556, table 1, column E.
    """
    return vgg(shape, 19)


def tiny_vgg(shape: Shape) -> str:
    """The small VGG on the pages of CS231n: three times two convolutions of ten 3x3 filters and a pool.

    Source: Stanford CS231n, Convolutional Neural Networks for Visual Recognition, course notes,
    https://cs231n.github.io/convolutional-networks/ (the network in the figure of activations).
    """
    return repeated(3, chain(repeated(2, "conv 10x3 pad 1, relu"), "pool 2"))
