"""Sixty thousand JPEGs in class folders: the first pass over them, the second start, and the epochs after that.

Usage: python benchmarks/jpegs.py [--pictures N]

Makes its input in a temporary folder with a fixed seed (32x32 pixels, ten classes); exit code 1 when a limit is
exceeded. A pass from an empty cache to the first batch is measured against a pool of threads on all cores that does
nothing but read and decode, with the same decoder, and later epochs against torchvision's ImageFolder in a DataLoader,
where `make peers` has installed it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pairs
import peers_table
import starts
from PIL import Image

from netwright import spec
from netwright.data import batches, dataset
from netwright.readers.pictures import Frame, decode

PICTURES, CLASSES, SIDE_PX, BATCH = 60_000, 10, 32, 128
LIMIT_AGAIN_S = 1.0
LEAST_FIRST, LEAST_LATER = 0.9, 30.0
SEGMENTS = 7  # a segment is a whole pass of ten seconds
LIMITS = (
    f"{LIMIT_AGAIN_S:g} s on the second start; {LEAST_FIRST} times as fast as the pool of threads, {LEAST_LATER:g} "
    "times as fast as ImageFolder"
)


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
    """Measures starts and epochs, keeps and prints them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    with TemporaryDirectory() as folder:
        make(Path(folder), parser.parse_args().pictures)
        wish = f"{{data: {{path: '{folder}', duplicates: accept}}, inputs: [image], outputs: [category]}}"
        first, second = starts.first_and_second(wish)
        found = [_first_pass(Path(folder), wish)]
        if peers_table.PYTHON.exists():
            found.append(_later_epochs(folder, wish))
    pairs.keep("jpegs", [first, second, *map(asdict, found)], LIMITS)
    for start in (first, second):
        print(", ".join(f"{name} {value}" for name, value in start.items()))
    print(*found, sep="\n")
    within = second["ready_s"] <= LIMIT_AGAIN_S  # type: ignore[operator]
    within &= all(each.ratio >= least for each, least in zip(found, (LEAST_FIRST, LEAST_LATER), strict=False))
    print("limits kept" if within else "a limit is exceeded")
    return 0 if within else 1


def _first_pass(folder: Path, wish: str) -> pairs.Ratio:
    files = sorted(folder.glob("*/*.jpg"))
    pixels = np.zeros((len(files), SIDE_PX, SIDE_PX, 3), np.uint8)
    frame = Frame(SIDE_PX, SIDE_PX, 3)

    def ours() -> float:
        first, _ = starts.first_and_second(wish)
        return first["used"] / first["first_batch_s"]  # type: ignore[operator]

    def one(k: int) -> None:
        pixels[k] = decode(files[k].read_bytes(), frame)

    def decoded() -> int:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return sum(1 for _ in pool.map(one, range(len(files))))

    pool = ("a pool of threads that reads and decodes", lambda: pairs.rate(decoded, pairs.SECONDS))
    return pairs.alternate(("first pass, to the first batch", ours), pool, segments=SEGMENTS)


def _later_epochs(folder: str, wish: str) -> pairs.Ratio:
    train = batches.Batches(dataset.prepare(spec.load(wish)), "all", BATCH, 0, shuffle=True, resident=True)
    number = iter(range(10**9))

    def epoch() -> int:
        return sum(len(batch.index) for batch in train.epoch(next(number)))

    with _image_folder(folder) as theirs:
        ours = ("later epochs", lambda: pairs.rate(epoch, pairs.SECONDS))
        return pairs.alternate(ours, ("ImageFolder and DataLoader", theirs), segments=SEGMENTS)


@contextmanager
def _image_folder(folder: str) -> Iterator[Callable[[], float]]:
    """One epoch's pictures a second, each time it is called; its first epoch is over."""
    script = Path(__file__).parent / "peers" / "image_folder.py"
    words = [str(peers_table.PYTHON), str(script), folder, str(os.cpu_count())]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def theirs() -> float:
            if process.stdin is None or process.stdout is None:
                return math.nan
            process.stdin.write("epoch\n")
            process.stdin.flush()
            return float(json.loads(process.stdout.readline()))

        theirs()
        yield theirs
        if process.stdin is not None:
            process.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
