"""Inception: filters of several sizes side by side, each behind a cheap 1x1 that takes channels away."""

from __future__ import annotations

from typing import Literal

from netwright.models.convnets import Shape, branches, chain, is_small

# Filters of each module: 1x1; 1x1 before 3x3, 3x3; 1x1 before 5x5, 5x5; 1x1 behind the pool (table 1 of the paper)
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# The same with batch normalisation: 1x1; 1x1 before 3x3, 3x3; 1x1 before two 3x3, both of them; pool; 1x1 behind it.
# A module that steps has no 1x1 of its own and only a pool on its last way (table 1 of the paper).
_BN_MODULES: tuple[tuple[int, int, int, int, int, Literal["avg", "max"], int], ...] = (
    (64, 64, 64, 64, 96, "avg", 32),
    (64, 64, 96, 64, 96, "avg", 64),
    (0, 128, 160, 64, 96, "max", 0),
    (224, 64, 96, 96, 128, "avg", 128),
    (192, 96, 128, 96, 128, "avg", 128),
    (160, 128, 160, 128, 160, "avg", 96),
    (96, 128, 192, 160, 192, "avg", 96),
    (0, 128, 192, 192, 256, "max", 0),
    (352, 192, 320, 160, 224, "avg", 128),
    (352, 192, 320, 192, 224, "max", 128),
)


def googlenet(shape: Shape, *, batch_norm: bool = False, auxiliary: bool = False) -> str:
    """GoogLeNet: nine Inception modules; 6,998,552 parameters of 1,000 classes.

    Without its local response normalisation. Small pictures get a stem that halves their sides once, not three times.

    Args:
        shape: Of one picture.
        batch_norm: The form of torchvision instead, which has 6,624,904: a batch_norm behind each convolution, and
            filters of 3x3 where the paper has 5x5.
        auxiliary: Two heads more in the middle, which only help training and whose losses count 0.3.

    Source: Szegedy et al. 2015, Going Deeper with Convolutions, arXiv:1409.4842, table 1.
    """
    large = 3 if batch_norm else 5
    between = "batch_norm epsilon 0.001, relu" if batch_norm else "relu"

    def conv(filters: int, size: int, rest: str = "") -> str:
        pad = f" pad {size // 2}" if size > 1 else ""
        return chain(f"conv {filters}x{size}{rest}{pad}{' bias no' if batch_norm else ''}", between)

    def module(name: str) -> str:
        one, before_three, three, before_five, five, behind = _MODULES[name]
        ways = (
            conv(one, 1),
            chain(conv(before_three, 1), conv(three, 3)),
            chain(conv(before_five, 1), conv(five, large)),
            chain("pool 3 stride 1 pad 1", conv(behind, 1)),
        )
        return branches("concat", *ways)

    pool, small = "pool 3 stride 2 ceil yes", is_small(shape)
    side = _side_of_4a(min(shape[1:]), small=small)
    stem = [conv(64, 3)] if small else [conv(64, 7, " stride 2"), pool, conv(64, 1)]
    modules = {name: module(name) for name in _MODULES}
    if auxiliary:
        hidden = chain(f"pool {min(5, side)} avg stride 3", conv(128, 1), "dense 1024, relu, dropout 0.7")
        for name in ("4a", "4d"):
            modules[name] = chain(modules[name], f"{{{hidden}}} auxiliary 0.3")
    return chain(
        *stem,
        conv(192, 3),
        pool,
        modules["3a"],
        modules["3b"],
        pool,
        *(modules[name] for name in ("4a", "4b", "4c", "4d", "4e")),
        "pool 2 ceil yes" if batch_norm or side < 3 else pool,
        modules["5a"],
        modules["5b"],
        "global_pool, dropout 0.2" if batch_norm else "global_pool, dropout 0.4",
    )


def _side_of_4a(px: int, *, small: bool) -> int:
    """How high and wide the maps of module 4a are, for pictures of so many pixels: behind pools of 3, stride 2."""
    px = px if small else (px + 6 - 7) // 2 + 1
    for _ in range(2 if small else 3):
        px = -((3 - px) // 2) + 1
    return max(px, 1)


def bn_inception(shape: Shape) -> str:
    """BN-Inception: Inception with batch normalisation, two 3x3 in the place of each 5x5, and steps inside of modules.

    Small pictures get a stem that halves their sides once, not three times.

    Source: Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167, figure 5.
    """

    def conv(filters: int, size: int, rest: str = "") -> str:
        pad = f" pad {size // 2}" if size > 1 else ""
        return f"conv {filters}x{size}{rest}{pad} bias no, batch_norm, relu"

    def module(
        one: int, before: int, three: int, before_two: int, two: int, how: Literal["avg", "max"], behind: int
    ) -> str:
        step = " stride 2" if not one else ""
        last = f"pool 3 {how} stride {1 if one else 2} pad 1"
        ways = (
            conv(one, 1) if one else "",
            chain(conv(before, 1), conv(three, 3, step)),
            chain(conv(before_two, 1), conv(two, 3), conv(two, 3, step)),
            chain(last, conv(behind, 1) if behind else ""),
        )
        return branches("concat", *filter(None, ways))

    pool = "pool 3 stride 2 ceil yes"
    small = is_small(shape)
    return chain(
        conv(64, 3) if small else chain(conv(64, 7, " stride 2"), pool),
        conv(64, 1),
        conv(192, 3),
        pool,
        *(module(*filters) for filters in _BN_MODULES),
        "global_pool",
    )
