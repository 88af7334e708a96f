"""torchvision's ImageFolder through a DataLoader, as its documentation shows it; an epoch for each line it is given.

Usage: python benchmarks/peers/image_folder.py FOLDER WORKERS    answers each line with the pictures a second, as JSON

Source: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
    https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html
"""

from __future__ import annotations

import json
import sys
import time

import cpu_torchvision  # noqa: F401  (before torchvision)
from torch.utils.data import DataLoader

BATCH = 128


def main() -> None:
    """Reads the pictures epoch by epoch."""
    from torchvision import datasets, transforms

    normal = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    examples = datasets.ImageFolder(sys.argv[1], transforms.Compose([transforms.ToTensor(), normal]))
    loader = DataLoader(examples, batch_size=BATCH, shuffle=True, num_workers=int(sys.argv[2]))
    for _ in sys.stdin:
        start = time.perf_counter()
        seen = sum(len(classes) for _, classes in loader)
        print(json.dumps(seen / (time.perf_counter() - start)), flush=True)


if __name__ == "__main__":
    main()
