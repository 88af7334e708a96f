"""A real model file to damage, and the means to damage it so that only the intended thing is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = ("sepal length", "sepal width", "petal length", "petal width")


class Edit(Protocol):
    def __call__(
        self,
        path: Path,
        header: Callable[[dict], None] = ...,
        tensors: Callable[[dict[str, Tensor]], None] = ...,
    ) -> Path: ...


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A fresh classifier of iris flowers with eight examples inside."""
    from sklearn.datasets import load_iris  # imported here: most fault tests need none of this

    from netwright.model_file import Example, assemble, write
    from netwright.spec import Field, load

    flowers, names = load_iris(return_X_y=True)[0], ("setosa", "versicolor", "virginica")
    mean, std = tuple(flowers.mean(axis=0).tolist()), tuple(flowers.std(axis=0).tolist())
    shape = Field(name="shape", kind="vector", source=COLUMNS, shape=(4,), dtype="float64", mean=mean, std=std)
    species = Field(name="species", kind="category", source="species", dtype="int32", vocabulary=names)
    text = "{inputs: {shape: vector}, outputs: {species: category}, model: {layers: 'dense 6, relu'}}"
    model = assemble(load(text), {"shape": shape}, {"species": species}, seed=3)
    cells = [{"shape": row.tolist()} for row in flowers[::19]]
    answers = {name: found.numpy() for name, found in model.predict(cells).items()}
    examples = [
        Example(cell, {name: found[at] for name, found in answers.items()}, f"row {at + 1}")
        for at, cell in enumerate(cells)
    ]
    path = tmp_path / "iris.netwright"
    write(path, model, examples)
    return path


@pytest.fixture
def edit() -> Edit:
    """Changes the header or the tensors of a model file; its checksums are made right again."""

    def change(
        path: Path,
        header: Callable[[dict], None] = lambda values: None,
        tensors: Callable[[dict[str, Tensor]], None] = lambda values: None,
    ) -> Path:
        from safetensors import safe_open
        from safetensors.torch import save_file

        from netwright.model_file.file import _digest
        from netwright.model_file.header import checksum

        with safe_open(path, "pt") as handle:
            stored = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
            values = json.loads(handle.metadata()["netwright"])
        values.pop("sha256")
        tensors(stored)
        values["tensors_sha256"] = _digest(stored)
        header(values)
        values["sha256"] = checksum(values)
        save_file(stored, path, {"netwright": json.dumps(values)})
        return path

    return change
