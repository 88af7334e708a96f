"""Sixty thousand JPEGs in class folders: how fast they are read the first time, and ready the second time.

Usage: python benchmarks/jpegs.py [--pictures N]

Makes its input in a temporary folder with a fixed seed (32x32 pixels, ten classes); exit code 1 when a limit is
exceeded. The first start must use both cores.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pairs
import starts
from PIL import Image

PICTURES, CLASSES, SIDE_PX = 60_000, 10, 32
LEAST_CORES, LIMIT_AGAIN_S = 1.5, 1.0


def make(folder: Path, pictures: int) -> None:
    """Coloured noise around a class's own pattern, as real JPEG files."""
    random = np.random.default_rng(0)
    patterns = random.integers(0, 256, (CLASSES, 4, 4, 3))
    for category in range(CLASSES):
        (folder / f"class_{category}").mkdir(parents=True)
    for number in range(pictures):
        category = number % CLASSES
        coarse = np.clip(patterns[category] + random.integers(-60, 60, (4, 4, 3)), 0, 255).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
        picture.save(folder / f"class_{category}" / f"{number:06}.jpg", quality=75)


def main() -> int:
    """Measures both starts, keeps and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    with TemporaryDirectory() as folder:
        make(Path(folder), parser.parse_args().pictures)
        found = starts.first_and_second(f"{{data: {{path: '{folder}'}}, inputs: [image], outputs: [category]}}")
    first, second = found
    pairs.keep("jpegs", found, f"{LEAST_CORES} cores used on the first start, {LIMIT_AGAIN_S:g} s on the second")
    for start in found:
        print(", ".join(f"{name} {value}" for name, value in start.items()))
    print(f"{first['used'] / first['ready_s']:,.0f} pictures a second on the first start")
    within = first["cores_used"] >= LEAST_CORES and second["ready_s"] <= LIMIT_AGAIN_S
    print("limits kept" if within else "a limit is exceeded")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
