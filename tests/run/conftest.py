"""A table, a folder of pictures, and a finished run on each; trained once for all tests here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

FLOWERS = """
data: {path: %s}
outputs: [class]
model: {layers: "dense 8, relu"}
training: {batch_size: 16, optimizer: {lr: 0.02}, stop: {epochs: 5}, seed: 1}
"""


def _table(path: Path) -> Path:
    rows = [
        f"{0.1 * i:.1f},{i * i % 7},{'red' if i % 3 else 'blue'},{'tall' if i + i * i % 7 > 62 else 'small'}"
        for i in range(120)
    ]
    path.write_text("\n".join(["size,age,colour,class", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _table(tmp_path_factory.mktemp("flowers") / "flowers.csv")


@pytest.fixture(scope="session")
def trained(flowers: Path, session_cache: Path) -> Path:
    """The folder of a finished run; tests copy it before they change anything."""
    from netwright import run, spec

    return run.train(spec.load(FLOWERS % flowers), out=flowers.parent / "run").run


@pytest.fixture
def done_run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the finished run to do anything with."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 8 x 8 pictures: dark ones and bright ones, no two alike."""
    import numpy as np
    from PIL import Image

    folder, draw = tmp_path_factory.mktemp("pictures") / "pictures", np.random.default_rng(0)
    for label, level in (("bright", 180), ("dark", 40)):
        (folder / label).mkdir(parents=True)
        for number in range(30):
            pixels = np.clip(draw.normal(level, 30, (8, 8)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def picture_run(pictures: Path, session_cache: Path) -> Path:
    from netwright import run, spec

    text = (
        "{data: {path: %s}, inputs: [image], outputs: [category], model: {layers: ''}, training: {stop: {epochs: 8}}}"
    )
    return run.train(spec.load(text % pictures), out=pictures.parent / "run").run


@pytest.fixture
def own_pictures(picture_run: Path, tmp_path: Path) -> Path:
    """A copy of the run on pictures to do anything with."""
    return Path(shutil.copytree(picture_run, tmp_path / "dark-or-bright"))


@pytest.fixture(scope="session")
def digit_run(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    """A small convolutional network on scikit-learn's digits, a few epochs."""
    from netwright import run, spec

    text = """
    data: {path: "sklearn:digits"}
    inputs: [image]
    outputs: [category]
    model: {layers: "conv 8x3 pad 1, relu, pool 2, conv 16x3 pad 1, relu, pool 2, dense 32, relu"}
    training: {batch_size: 32, optimizer: {lr: 0.01}, stop: {epochs: 4}}
    """
    return run.train(spec.load(text), out=tmp_path_factory.mktemp("digits") / "cnn").run
