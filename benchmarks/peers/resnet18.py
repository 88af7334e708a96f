"""ResNet-18 for small pictures as one writes it by hand in PyTorch: a stem of 3x3 without pooling.

Source: He, Zhang, Ren, Sun 2015, arXiv:1512.03385, table 1; the form for pictures of 32x32 that is usual since.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


class Block(nn.Module):
    """Two convolutions and a way around them.

    Args:
        channels: That come in.
        filters: Channels that go out.
        stride: Of the first convolution.
    """

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(filters)
        self.second = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(filters)
        self.around: nn.Module = nn.Identity()
        if stride > 1 or channels != filters:
            self.around = nn.Sequential(nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x: Tensor) -> Tensor:
        """What the block makes of a batch."""
        inside = functional.relu(self.first_norm(self.first(x)), inplace=True)
        return functional.relu(self.second_norm(self.second(inside)) + self.around(x), inplace=True)


class ResNet18(nn.Module):
    """The network, giving logits.

    Args:
        channels: Of a picture.
        classes: To tell apart.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        wide = STAGES[0][0]
        self.stem = nn.Sequential(nn.Conv2d(channels, wide, 3, 1, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(True))
        blocks = []
        for filters, stride in STAGES:
            blocks += [Block(wide, filters, stride), Block(filters, filters, 1)]
            wide = filters
        self.blocks, self.last = nn.Sequential(*blocks), nn.Linear(wide, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        return self.last(self.blocks(self.stem(x)).mean((2, 3)))
