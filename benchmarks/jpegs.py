"""Sixty thousand JPEGs in class folders: how fast they are read the first time, and ready the second time.

    python benchmarks/jpegs.py [--pictures 60000] [--json result.json]

Makes its input in a temporary folder with a fixed seed (32x32 pixels, ten classes), prepares it with an empty cache
and once more with a full one, and prints each number beside its limit. Seconds count from after the imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PICTURES, CLASSES, SIDE_PX = 60_000, 10, 32
LIMIT_AGAIN_SECONDS = 1.0


def make(folder: Path, pictures: int) -> None:
    """Coloured noise around a class's own pattern, as real JPEG files."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    patterns = random.integers(0, 256, (CLASSES, 4, 4, 3))
    for category in range(CLASSES):
        (folder / f"class_{category}").mkdir(parents=True)
    for number in range(pictures):
        category = number % CLASSES
        coarse = np.clip(patterns[category] + random.integers(-60, 60, (4, 4, 3)), 0, 255).astype(np.uint8)
        picture = Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)
        picture.save(folder / f"class_{category}" / f"{number:06}.jpg", quality=75)


def measure(path: Path) -> dict[str, float | int]:
    """One preparation in this process: seconds after the imports until the first batch is there."""
    import netwright.data.batches as batches
    import netwright.data.dataset as dataset
    from netwright import spec

    wish = spec.load(f"{{data: {{path: '{path}'}}, inputs: [image], outputs: [category]}}")
    begun, worked = time.perf_counter(), time.process_time()
    data = dataset.prepare(wish)
    ready, worked = time.perf_counter() - begun, time.process_time() - worked
    feed = batches.Batches(data, "train", 128, 0, shuffle=True, resident=False)
    next(iter(feed.epoch(1)))
    first = time.perf_counter() - begun
    return {
        "seconds": round(ready, 2),
        "cpu_seconds": round(worked, 2),
        "first_batch_seconds": round(first, 2),
        "used": data.ledger.counts()["used"],
        "twins_across_parts": len(data.twins),
    }


def main() -> None:
    """Make the pictures, measure cold and warm in processes of their own, print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--pictures", type=int, default=PICTURES)
    options.add_argument("--json", type=Path)
    options.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures"
        make(path, given.pictures)
        environment = os.environ | {"NETWRIGHT_CACHE": str(Path(folder) / "cache")}
        command = [sys.executable, __file__, "--measure", str(path)]
        runs = [subprocess.run(command, env=environment, check=True, capture_output=True, text=True) for _ in range(2)]
        cold, warm = (json.loads(run.stdout.splitlines()[-1]) for run in runs)
    rate = round(given.pictures / max(cold["seconds"], 1e-9))
    result = {
        "pictures": given.pictures,
        "cores": os.cpu_count(),
        "first_start": cold | {"pictures_per_second": rate},
        "second_start": warm | {"limit_seconds": LIMIT_AGAIN_SECONDS},
    }
    print(f"{given.pictures:,} JPEGs of {SIDE_PX}x{SIDE_PX} pixels, {result['cores']} cores")
    print(f"  first start:  {cold['seconds']} s, {rate:,} pictures/s")
    first = warm["first_batch_seconds"]
    print(f"  second start: {warm['seconds']} s (limit {LIMIT_AGAIN_SECONDS}), first batch after {first} s")
    print(json.dumps(result))
    if given.json:
        given.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
