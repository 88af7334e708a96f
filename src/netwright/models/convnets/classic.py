"""The networks with which it began: LeNet, AlexNet, and the small ones that lectures show."""

from __future__ import annotations

from netwright.models.convnets import Shape, chain, is_small, repeated


def lenet(shape: Shape) -> str:
    """LeNet-5: two stages of convolution and averaging, then two dense layers.

    Pictures are padded as if the filters could look over their border, so that 28 pixels give the paper's maps; of less
    than 12 pixels the second maps are padded, too.

    Source: LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition, figure 2; with
    full connections between its maps, plain averages, and without its radial output units.

    Example:
        >>> lenet((1, 28, 28))
        'conv 6x5 pad 2, tanh, pool avg 2, conv 16x5, tanh, pool avg 2, dense 120, tanh, dense 84, tanh'
    """
    pad = " pad 2" if min(shape[1:]) < 12 else ""
    return f"conv 6x5 pad 2, tanh, pool avg 2, conv 16x5{pad}, tanh, pool avg 2, dense 120, tanh, dense 84, tanh"


def convnetjs(shape: Shape) -> str:
    """The CIFAR-10 network of ConvNetJS: three stages of convolution, relu and pooling; 22,466 parameters in all.

    Source: Karpathy 2014, ConvNetJS CIFAR-10 demo, https://cs.stanford.edu/people/karpathy/convnetjs/demo/cifar10.html
    """
    return chain(*(f"conv {filters}x5 pad 2, relu, pool 2" for filters in (16, 20, 20)))


def alexnet(shape: Shape) -> str:
    """AlexNet in one column: five convolutions, two dense layers; 61,100,840 parameters of 1,000 classes.

    Small pictures get filters of 3 and 5 pixels without large steps, and dense layers of 1,024.

    Source: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks;
    Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997, footnote 1.
    """
    small = is_small(shape)
    pool = "pool 2" if small else "pool 3 stride 2"
    units = 1024 if small else 4096
    return chain(
        "conv 64x5 pad 2, relu" if small else "conv 64x11 stride 4 pad 2, relu",
        pool,
        "conv 192x5 pad 2, relu",
        pool,
        *(f"conv {filters}x3 pad 1, relu" for filters in (384, 256, 256)),
        pool,
        repeated(2, f"dropout 0.5, dense {units}, relu"),
    )
