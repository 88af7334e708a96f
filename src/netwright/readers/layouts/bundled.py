"""The small real data sets that come inside scikit-learn: `sklearn:digits`, iris, wine, breast_cancer, diabetes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from netwright.errors import DataError
from netwright.readers.columns import Arrays, Cells, Column, Found
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.memory import row_ids
from netwright.registry import nearest

PREFIX = "sklearn:"
NAMES = ("digits", "iris", "wine", "breast_cancer", "diabetes")


class Bundled(Layout):
    """A data set by name instead of a path; classes are in `category`, the value to predict of diabetes in `target`."""

    name: ClassVar[str] = "sklearn"

    def matches(self, path: Path) -> bool:
        """Anything that begins with `sklearn:`."""
        return str(path).startswith(PREFIX)

    def find(self, path: Path) -> Found:
        """All examples of the set.

        Raises:
            DataError: No such set.
        """
        name = str(path).removeprefix(PREFIX)
        if name not in NAMES:
            raise DataError(
                f'{path}: no data set "{name}" in scikit-learn{nearest(name, NAMES)}.',
                f"There are: {', '.join(NAMES)}.",
            )
        columns, notes = _digits() if name == "digits" else _table(name)
        count = len(next(iter(columns.values())))
        return Found(self.name, str(path), row_ids(count), columns, notes=notes, place=str(path))


def _digits() -> tuple[dict[str, Column], tuple[str, ...]]:
    from sklearn.datasets import load_digits  # 2 seconds to import

    pixels, labels = load_digits(return_X_y=True)
    images = np.rint(np.asarray(pixels).reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return {"image": Arrays(images), "category": _cells(np.asarray(labels))}, ("pixels 0..16 scaled to 0..255",)


def _table(name: str) -> tuple[dict[str, Column], tuple[str, ...]]:
    import sklearn.datasets

    data = getattr(sklearn.datasets, f"load_{name}")()
    columns: dict[str, Column] = {
        str(feature): _cells(data.data[:, place]) for place, feature in enumerate(data.feature_names)
    }
    if name == "diabetes":
        columns["target"] = _cells(data.target)
    else:
        columns["category"] = _cells(np.asarray(data.target_names)[data.target].astype(str))
    return columns, ()


def _cells(values: np.ndarray) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]))
